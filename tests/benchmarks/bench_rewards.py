"""Cost of the three rewards through ms-swift's own call, less that call's own cost. Run by hand:

python tests/benchmarks/bench_rewards.py
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import time
from types import SimpleNamespace

import torch
from swift.rewards import orms
from swift.rl_core.data import GRPOSample
from swift.rl_core.grpo_algorithm import compute_rewards_per_func

from swift_plugins.fakexplain.host.rewards import register_rewards

BATCH, GROUP, BOXES, ROUNDS, SIZE = 512, 4, 6, 9, 16384


def boxes(rng: random.Random, count: int) -> list[list[int]]:
    return [
        [x, y, x + rng.randint(20, 200), y + rng.randint(20, 200)]
        for x, y in ((rng.randint(0, 300), rng.randint(0, 300)) for _ in range(count))
    ]


def sample(rng: random.Random, solution: str) -> GRPOSample:
    lines = "\n".join(f"{box} Left hand with {rng.randint(6, 10**6)} fingers." for box in boxes(rng, BOXES))
    text = f"<think>\n{lines}\n</think>\n<tag>structure/attribute error</tag>\n<verdict>fake</verdict>"
    return GRPOSample.from_row({"messages": [{"role": "assistant", "content": text}], "solution": solution})


def batch(rng: random.Random) -> list[GRPOSample]:
    """Completions in groups that share a gold, as GRPO scores them; no two alike."""
    samples = []
    for _ in range(BATCH // GROUP):
        gold = {
            "id": str(rng.random()),
            "label": "fake",
            "size": [512, 512],
            "boxes": boxes(rng, BOXES),
            "tags": [],
            "variant": "full",
        }
        samples += [sample(rng, json.dumps(gold)) for _ in range(GROUP)]
    return samples


def cpu_us(samples: list[GRPOSample], rewards: list) -> float:
    start = time.process_time()
    compute_rewards_per_func(samples, rewards, [None] * len(rewards), torch.device("cpu"))
    return (time.process_time() - start) / len(samples) * 1e6


def main() -> None:
    torch.set_num_threads(1)
    register_rewards()
    args = SimpleNamespace(template="fx_qwen2_5_vl", max_pixels=None)
    rewards = [orms[name](args=args) for name in ("fx_iou", "fx_label", "fx_format")]
    nothing = [lambda completions, **columns: [0.0] * len(completions)] * 3
    rng = random.Random(0)
    costs = []
    for _ in range(ROUNDS):
        samples = batch(rng)
        base = cpu_us(samples, nothing)
        costs.append(cpu_us(samples, rewards) - base)
    print(f"three rewards, {BOXES} boxes a side: {statistics.median(costs):.1f} us a completion (target: 60)")
    gold = json.dumps(
        {"id": "a", "label": "fake", "size": [512, 512], "boxes": boxes(rng, BOXES), "tags": [], "variant": "full"}
    )
    cost = {name: ms_of_text(rewards, text, gold) for name, text in nasty_texts(rng).items()}
    slowest = max(cost, key=cost.__getitem__)
    print(f"slowest 16 KB text: {cost[slowest]:.2f} ms, {slowest} (target: 5)")


def ms_of_text(rewards: list, text: str, gold: str) -> float:
    """Milliseconds of CPU that the rewards take for one text, the middle of some tries; each try is a new text."""
    costs = []
    for attempt in range(ROUNDS):
        unseen = text[: SIZE - 1] + chr(ord("a") + attempt)
        start = time.process_time()
        for reward in rewards:
            reward([unseen], solution=[gold])
        costs.append((time.process_time() - start) * 1e3)
    return statistics.median(costs)


def nasty_texts(rng: random.Random) -> dict[str, str]:
    """Texts that are costly to read, or whose boxes are costly to measure; the latter in every notation."""
    units = ("<think>", "[1, 2, 3, 4] x\n", "<verdict>", "<tag>texture error, ", "[1,", "a b ", "<box>", "((", "{")
    texts = {repr(unit): (unit * SIZE)[:SIZE] for unit in units}

    def corner() -> float:
        return round(rng.uniform(0, 250), 2)

    shapes = {
        "bars": lambda i: (i % 97 / 97, i / 2, 504 - i % 89 / 89, i / 2 + 0.4),
        "columns": lambda i: (i / 2, i % 97 / 97, i / 2 + 0.4, 504 - i % 89 / 89),
        "hatching": lambda i: (i, 0, i + 0.5, 504) if i % 2 else (0, i, 504, i + 0.5),
        "nested": lambda i: (i / 4, i / 4, 504 - i / 4, 504 - i / 4),
        "steps": lambda i: (i / 2, i / 2, i / 2 + 9, i / 2 + 9),
        "scattered": lambda i: (corner(), corner(), 251 + corner(), 251 + corner()),
        "whole": lambda i: (i % 500, i * 7 % 500, 504, 504),
    }
    notations = {
        "plain": ("<think>\n", "[{:g}, {:g}, {:g}, {:g}] x\n"),
        "JSON": ("[", '{{"bbox_2d":[{:g},{:g},{:g},{:g}],"label":"x"}},'),
        "Qwen2-VL": ("", "({:g},{:g}),({:g},{:g})"),
    }
    for (shape, box), (notation, (head, unit)) in itertools.product(shapes.items(), notations.items()):
        text = head + "".join(unit.format(*box(i)) for i in range(SIZE // 12))
        texts[f"{shape} in {notation}"] = text[:SIZE]
    return texts


if __name__ == "__main__":
    main()
