"""Geometry of box sets: clipping, the area a set covers, and the overlap of two sets.

A set of boxes is the region its boxes cover together, so an overlap within a set counts once. Every area is a sum of
positive width times height, with differences taken between given coordinates only: nothing cancels, whether a box is
a hair's breadth far from the origin or as large as a float can say.

Two ways to measure, as neither is fast at both ends: a few boxes are cut into rectangles that do not overlap (starts at
once, grows with the square), many are drawn as bits on the grid of their coordinates (numpy, nearly linear in cells).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import numpy as np

Box = tuple[float, float, float, float]

FEW = 32  # boxes of both sets together; beyond some 40 drawing is the faster
UNDERFLOW = 1e-290  # a union larger than this has lost nothing to rounding near zero
BITS_BELOW = np.array([(1 << k) - 1 for k in range(65)], np.uint64)


def union_iou(pred_xyxy: Iterable[Sequence[float]], gold_xyxy: Iterable[Sequence[float]]) -> float:
    """Intersection over union of the areas two box sets cover.

    IoU(R, R_y) = |R ∩ R_y| / |R ∪ R_y|   (§3.3 and §4.2; a set of boxes is the region they cover together)

    Args:
        pred_xyxy: (P, 4) numbers, x1 y1 x2 y2 in any one frame; P may be 0. A box that is inverted, has no area or
            holds a number that is not finite counts as no box (clip first to keep what is infinite).
        gold_xyxy: (G, 4) finite numbers, same frame; G may be 0.

    Returns:
        Ratio in [0, 1], within 1e-9 of rational arithmetic; 1 where both sets are empty, 0 where one is.

    Raises:
        ValueError: a box is not four numbers, or a gold box has no area or is not finite.

    >>> union_iou([[0, 0, 10, 10]], [[5, 0, 15, 10]])
    0.3333333333333333
    """
    pred, gold = _with_area(pred_xyxy), _with_area(gold_xyxy, strict=True)
    if not pred or not gold:
        return float(not pred and not gold)
    both, either = _measure(pred, gold)
    if not UNDERFLOW < either < inf:  # no float can hold these areas; whole numbers can
        both, either = _measure(_whole(pred), _whole(gold))
    return min(1.0, both / either)


def union_area(xyxy: Iterable[Sequence[float]]) -> float:
    """Area that a set of boxes covers.

    Args:
        xyxy: (N, 4) numbers, x1 y1 x2 y2; N may be 0. What counts as no box in `union_iou` does here.

    Returns:
        Area in square units of the frame; inf where it is too large for a float.

    Raises:
        ValueError: a box is not four numbers.

    >>> union_area([[0, 0, 10, 10], [5, 0, 15, 10]])
    150.0
    """
    boxes = _with_area(xyxy)
    return float(_measure(boxes, [])[1]) if boxes else 0.0


def clip_xyxy(xyxy: Iterable[Sequence[float]], image_wh: Sequence[float]) -> list[Box]:
    """The parts of boxes that lie in an image or frame.

    Args:
        xyxy: (N, 4) numbers, x1 y1 x2 y2; an infinite one stands for the border.
        image_wh: width and height.

    Returns:
        Boxes in [0, width] x [0, height], in order; those that are inverted, hold a NaN or have no area left are gone.

    >>> clip_xyxy([[-5, 2, float("inf"), 8], [30, 0, 40, 10]], (20, 10))
    [(0.0, 2.0, 20.0, 8.0)]
    """
    width, height = image_wh
    clipped = []
    for x1, y1, x2, y2 in xyxy:
        # a NaN has to come first: max and min then keep it, and no comparison holds for it
        x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
        if x1 < x2 and y1 < y2:
            clipped.append((float(x1), float(y1), float(x2), float(y2)))
    return clipped


def _with_area(xyxy: Iterable[Sequence[float]], strict: bool = False) -> list[Box]:
    """The boxes that are finite and have an area, as floats; where strict, any other raises."""
    kept = []
    for box in xyxy:
        try:
            x1, y1, x2, y2 = map(float, box)
        except OverflowError:  # a whole number beyond all floats
            x1 = y1 = x2 = y2 = inf
        except (TypeError, ValueError):
            raise ValueError(f"box: expected four numbers x1 y1 x2 y2, found {box!r}") from None
        if -inf < x1 < x2 < inf and -inf < y1 < y2 < inf:
            kept.append((x1, y1, x2, y2))
        elif strict:
            raise ValueError(f"gold box: expected finite numbers with x1 < x2 and y1 < y2, found {box!r}")
    return kept


def _whole(boxes: list[Box]) -> list[Any]:
    """The boxes in units of the smallest float, exactly."""
    ratios = [[v.as_integer_ratio() for v in box] for box in boxes]
    return [tuple(n * (2**1074 // d) for n, d in box) for box in ratios]


def _measure(pred: list[Box], gold: list[Box]) -> tuple[float, float]:
    """Areas that both sets cover and that either covers; coordinates all float or all int, and so are the areas."""
    return (_measure_few if len(pred) + len(gold) <= FEW else _measure_many)(pred, gold)


def _measure_few(pred: list[Box], gold: list[Box]) -> tuple[float, float]:
    pred, gold = _disjoint(pred), _disjoint(gold)
    both = sum(
        [
            ((x2 if x2 < a2 else a2) - (x1 if x1 > a1 else a1)) * ((y2 if y2 < b2 else b2) - (y1 if y1 > b1 else b1))
            for x1, y1, x2, y2 in pred
            for a1, b1, a2, b2 in gold
            if x1 < a2 and a1 < x2 and y1 < b2 and b1 < y2
        ]
    )
    in_pred, in_gold = (sum([(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in pieces]) for pieces in (pred, gold))
    return both, in_pred + in_gold - both  # at least the larger area is left, so no digits are lost


def _disjoint(boxes: list[Box]) -> list[Box]:
    """Rectangles that cover what the boxes cover, and do not overlap."""
    kept: list[Box] = []
    for done, box in enumerate(boxes):
        pieces = [box]
        for a1, b1, a2, b2 in boxes[:done]:  # take every earlier box out of this one
            rest = []
            for piece in pieces:
                x1, y1, x2, y2 = piece
                if x1 >= a2 or a1 >= x2 or y1 >= b2 or b1 >= y2:
                    rest.append(piece)
                    continue
                if x1 < a1:
                    rest.append((x1, y1, a1, y2))
                    x1 = a1
                if a2 < x2:
                    rest.append((a2, y1, x2, y2))
                    x2 = a2
                if y1 < b1:
                    rest.append((x1, y1, x2, b1))
                if b2 < y2:
                    rest.append((x1, b2, x2, y2))
            pieces = rest
        kept += pieces
    return kept


@np.errstate(over="ignore")
def _measure_many(pred: list[Box], gold: list[Box]) -> tuple[float, float]:
    # One bit per cell of the grid of all coordinates: a row of words per slab between neighbouring x, in it a bit per
    # slab between neighbouring y.
    boxes = np.array(pred + gold, dtype=object if isinstance((pred or gold)[0][0], int) else float)
    xs, ys = np.unique(boxes[:, ::2]), np.unique(boxes[:, 1::2])
    x1, x2 = np.searchsorted(xs, boxes[:, ::2]).T
    words = (len(ys) + 62) // 64
    below = BITS_BELOW[np.clip(np.searchsorted(ys, boxes[:, 1::2])[:, :, None] - 64 * np.arange(words), 0, 64)]
    masks = below[:, 0] ^ below[:, 1]

    # Painting costs the same for any size of box: its slabs are two runs of 2**level slabs, marked where they start,
    # and each level then hands its runs down to the level below as two of half the length.
    level = np.frexp(x2 - x1)[1] - 1
    levels, slabs = int(level.max()) + 1, len(xs) - 1
    grid = np.zeros((2, levels, slabs, words), np.uint64)
    rows = ((np.arange(len(boxes)) >= len(pred)) * levels + level) * slabs
    starts = np.concatenate((rows + x1, rows + x2 - (1 << level)))
    cells = starts[:, None] * words + np.arange(words)
    np.bitwise_or.at(grid.reshape(-1), cells.ravel(), np.concatenate((masks, masks)).ravel())
    for upper in range(levels - 1, 0, -1):
        half = 1 << (upper - 1)
        grid[:, upper - 1] |= grid[:, upper]
        grid[:, upper - 1, half:] |= grid[:, upper, :-half]

    # A row's covered height, eight cells at a time: what each value a byte can have stands for at each place of a row.
    heights = np.zeros(64 * words, boxes.dtype)
    heights[: len(ys) - 1] = np.diff(ys)
    covered = np.zeros((8 * words, 256), boxes.dtype)
    for bit, height in enumerate(heights.reshape(-1, 8).T):
        covered[:, 1 << bit : 2 << bit] = covered[:, : 1 << bit] + height[:, None]
    places = 256 * np.arange(8 * words)

    def area(drawn: np.ndarray) -> float:
        height = covered.take(places + drawn.view(np.uint8)).sum(axis=1)
        (slab,) = np.nonzero(height)  # a slab where nothing lies may be wider than a float can say
        return (height[slab] * (xs[slab + 1] - xs[slab])).sum()

    in_pred, in_gold = grid[:, 0]
    return area(in_pred & in_gold), area(in_pred | in_gold)
