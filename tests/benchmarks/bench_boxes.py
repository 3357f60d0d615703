"""Union IoU against shapely's, on the same boxes in the same run: python tests/benchmarks/bench_boxes.py

Targets: never slower with 1 to 128 boxes per side, at least 4 times as fast with 5, and 8 times with 100.
"""

from __future__ import annotations

import random
import time
import timeit

import shapely

from swift_plugins.fakexplain.boxes import clip_xyxy, union_iou

TARGETS = {1: 1, 2: 1, 5: 4, 10: 1, 16: 1, 17: 1, 20: 1, 50: 1, 100: 8, 128: 1}  # boxes per side -> speedup


def shapely_iou(pred, gold):
    pred = shapely.unary_union([shapely.box(*box) for box in pred])
    gold = shapely.unary_union([shapely.box(*box) for box in gold])
    return pred.intersection(gold).area / pred.union(gold).area


def draw(random_, count, number, side):
    """Boxes with sides up to `side` in a frame of 1000."""
    boxes = []
    while len(boxes) < count:
        x, y = random_.uniform(0, 1000), random_.uniform(0, 1000)
        far = min(1000, x + random_.uniform(1, side)), min(1000, y + random_.uniform(1, side))
        box = tuple(map(number, (x, y, *far)))
        if box[0] < box[2] and box[1] < box[3]:
            boxes.append(box)
    return boxes


def microseconds(iou, pairs):
    repeats = max(1, 200 // sum(len(pred) for pred, _ in pairs))
    timer = timeit.Timer(lambda: [iou(pred, gold) for pred, gold in pairs], timer=time.process_time)
    return min(timer.repeat(number=repeats, repeat=5)) / repeats / len(pairs) * 1e6


def main():
    print("boxes per side  side up to  numbers  ours µs  shapely µs  ratio  target")
    for count, target in TARGETS.items():
        for side in (200, 1000):
            for number in (int, float):
                random_ = random.Random(count)
                pairs = [
                    (draw(random_, count, number, side), draw(random_, count, number, side))
                    for _ in range(max(4, 40 // count))
                ]
                for pred, gold in pairs:
                    assert abs(union_iou(pred, gold) - shapely_iou(pred, gold)) < 1e-9
                ours, theirs = microseconds(union_iou, pairs), microseconds(shapely_iou, pairs)
                ratio = theirs / ours
                verdict = f"{target} {'met' if ratio >= target else 'MISSED'}"
                kind = f"{count:14}  {side:10}  {number.__name__:>7}"
                print(f"{kind}  {ours:7.1f}  {theirs:10.1f}  {ratio:5.1f}  {verdict}")

    # As a reward calls it: predicted boxes are clipped to the frame and lie near the gold ones.
    random_ = random.Random(6)
    pairs = []
    for _ in range(20):
        gold = draw(random_, 6, int, 200)
        pairs.append(([tuple(v + random_.randint(-9, 9) for v in box) for box in gold], gold))
    reward = microseconds(lambda pred, gold: union_iou(clip_xyxy(pred, (1000, 1000)), gold), pairs)
    print(f"six near six, with clipping: {reward:.1f} µs")

    # As many boxes as 16 KB of text can hold.
    for name, pred in {
        "900 small": draw(random_, 900, int, 100),
        "900 of any size": draw(random_, 900, int, 1000),
        "650 of any size, fractions": draw(random_, 650, float, 1000),
        "650 in a staircase": [(i + 0.5, i + 0.5, i + 300.5, i + 300.5) for i in range(650)],
        "450 bars": [(i / 8, 2 * i, 1000 - i / 8, 2 * i + 1) for i in range(450)],
    }.items():
        print(f"{name} against six: {microseconds(union_iou, [(pred, draw(random_, 6, int, 200))]) / 1e3:.1f} ms")


if __name__ == "__main__":
    main()
