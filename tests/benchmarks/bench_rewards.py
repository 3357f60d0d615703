"""Cost of the three rewards through ms-swift's own call, less that call's own cost. Run by hand:

python tests/benchmarks/bench_rewards.py

Two peers score the same completions in the same run, as rewards for grounding are commonly written: each parses the
completion for itself with lazy patterns. One measures unions of boxes with shapely, the other matches boxes one to one
(Hungarian method, mean IoU).
"""

from __future__ import annotations

import itertools
import json
import random
import re
import statistics
import time
from types import SimpleNamespace

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from shapely.geometry import box as shapely_box
from shapely.ops import unary_union
from swift.rewards import orms
from swift.rl_core.data import GRPOSample
from swift.rl_core.grpo_algorithm import compute_rewards_per_func

from swift_plugins.fakexplain.diagnostics import Means, measure_completion
from swift_plugins.fakexplain.host.rewards import find_rule, register_rewards

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


# Peers ---------------------------------------------------------------------------------------------------------------

FRAME = 504 / 512  # of the images of the batch


def blocks_of(text: str) -> tuple[str, str, str] | None:
    match = re.search(r"<think>(.*?)</think>\s*<tag>(.*?)</tag>\s*<verdict>(.*?)</verdict>", text, re.DOTALL)
    return match.group(1, 2, 3) if match else None


def boxes_of(text: str) -> list[list[int]]:
    blocks = blocks_of(text)
    found = re.findall(r"\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]", blocks[0]) if blocks else []
    return [[int(number) for number in each] for each in found]


def gold_boxes(solution: str) -> list[list[int]]:
    return [[round(number * FRAME) for number in each] for each in json.loads(solution)["boxes"]]


def label_peer(completions: list[str], solution: list[str], **columns: object) -> list[float]:
    pairs = zip(map(blocks_of, completions), map(json.loads, solution), strict=True)
    return [float(blocks is not None and blocks[2].strip() == gold["label"]) for blocks, gold in pairs]


def format_peer(completions: list[str], **columns: object) -> list[float]:
    return [float(blocks_of(text) is not None) for text in completions]


def union_peer(completions: list[str], solution: list[str], **columns: object) -> list[float]:
    """min(1, 1.1 IoU) of unions of boxes."""
    scores = []
    for text, gold in zip(completions, solution, strict=True):
        pred, target = (
            unary_union([shapely_box(*each) for each in some]) for some in (boxes_of(text), gold_boxes(gold))
        )
        union = pred.union(target).area
        scores.append(min(1.0, 1.1 * pred.intersection(target).area / union) if union else 0.0)
    return scores


def matching_peer(completions: list[str], solution: list[str], **columns: object) -> list[float]:
    """Mean IoU of boxes matched one to one, over the larger number of boxes."""
    scores = []
    for text, gold in zip(completions, solution, strict=True):
        pred, target = np.array(boxes_of(text), float), np.array(gold_boxes(gold), float)
        if not len(pred) or not len(target):
            scores.append(float(len(pred) == len(target)))
            continue
        low = np.maximum(pred[:, None, :2], target[None, :, :2])
        high = np.minimum(pred[:, None, 2:], target[None, :, 2:])
        both = np.prod(np.clip(high - low, 0, None), axis=2)
        areas = [np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (pred, target)]
        iou = both / (areas[0][:, None] + areas[1][None] - both)
        rows, columns_ = linear_sum_assignment(iou, maximize=True)
        scores.append(float(iou[rows, columns_].sum() / max(iou.shape)))
    return scores


PEERS = {
    "patterns and shapely's union": [union_peer, label_peer, format_peer],
    "patterns and Hungarian matching": [matching_peer, label_peer, format_peer],
}


def main() -> None:
    torch.set_num_threads(1)
    register_rewards()
    args = SimpleNamespace(template="fx_qwen2_5_vl", max_pixels=None)
    names = ("fx_iou", "fx_label", "fx_format")
    rewards, measured = ([orms[name](args=args) for name in names] for _ in range(2))
    rule, means = find_rule(args, "fx_diagnostics"), Means()
    measured[0].observe = lambda texts, golds: means.add(map(measure_completion, texts, golds, itertools.repeat(rule)))
    nothing = [lambda completions, **columns: [0.0] * len(completions)] * 3
    rng = random.Random(0)
    scored = {"ours": rewards, "ours, measured": measured, **PEERS}
    costs: dict[str, list[float]] = {name: [] for name in scored}
    for _ in range(ROUNDS):
        samples = batch(rng)
        base = cpu_us(samples, nothing)
        for name, each in scored.items():
            costs[name].append(cpu_us(samples, each) - base)
    ours = statistics.median(costs["ours"])
    print(f"three rewards, {BOXES} boxes per side: {ours:.1f} us per completion (target: 60)")
    for name in PEERS:
        peer = statistics.median(costs[name])
        print(f"  {name}: {peer:.1f} us per completion; ours takes {ours / peer:.2f} of it")
    more = statistics.median(b - a for a, b in zip(costs["ours"], costs["ours, measured"], strict=True))
    print(f"with the measures of fx_diagnostics: {more:.1f} us per completion more")
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
