"""Cost of the three rewards through ms-swift's own call, less that call's own cost. Run by hand:

python tests/benchmarks/bench_rewards.py
"""

from __future__ import annotations

import json
import random
import statistics
import time
from types import SimpleNamespace

import torch
from swift.rewards import orms
from swift.rl_core.data import GRPOSample
from swift.rl_core.grpo_algorithm import compute_rewards_per_func

from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.rewards import register_rewards

BATCH, GROUP, BOXES, ROUNDS = 512, 4, 6, 9


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
    worst = 0.0
    for unit in (
        "<think>",
        "[1, 2, 3, 4] x\n",
        "<verdict>",
        "<tag>texture error, ",
        '{"bbox_2d": [1,2,3,4], "label": "x"},',
        "[1,",
        "a b ",
    ):
        text = (unit * 16384)[:16384]
        start = time.process_time()
        parse_answer(text, strict=True, variant="full")
        worst = max(worst, time.process_time() - start)
    print(f"slowest 16 KB text: {worst * 1e3:.2f} ms (target: 5)")


if __name__ == "__main__":
    main()
