"""Geometry of box sets: clip boxes, measure the area and the overlap of a set, and compare two sets.

A set of boxes is the region its boxes cover together, so an overlap within a set counts once. Every area is a sum of
positive widths times heights, and only given coordinates are subtracted from each other: no digits cancel, wherever
the boxes lie.

There are two methods, because neither is fast for every number of boxes. A few boxes are cut into rectangles that do
not overlap, in time that grows with the square of their number. Many boxes are painted on the grid of their
coordinates, with numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import inf, nan
from typing import NamedTuple

import numpy as np

Box = tuple[float, float, float, float]

FEW = 32  # boxes of both sets together; painting is faster beyond some 40
UNDERFLOW = 1e-290  # a union larger than this has lost nothing to rounding near zero

_Number = float | Fraction
_Rectangle = tuple[_Number, _Number, _Number, _Number]


def union_iou(pred_xyxy: Iterable[Sequence[float]], gold_xyxy: Iterable[Sequence[float]]) -> float:
    """Intersection over union of the areas two box sets cover.

    IoU(R, R_y) = |R ∩ R_y| / |R ∪ R_y|   (§3.3 and §4.2; a set of boxes is the region they cover together)

    Args:
        pred_xyxy: (P, 4) numbers, x1 y1 x2 y2 in any one frame; P may be 0. A box that is inverted, has no area or
            holds a number that is not finite counts as no box (clip first to keep infinite ones).
        gold_xyxy: (G, 4) finite numbers, same frame; G may be 0.

    Returns:
        Ratio in [0, 1], within 1e-9 of rational arithmetic; 1 if both sets are empty, 0 if one is.

    Raises:
        ValueError: a box is not four numbers, or a gold box has no area or is not finite.

    >>> union_iou([[0, 0, 10, 10]], [[5, 0, 15, 10]])
    0.3333333333333333
    """
    pred, gold = _with_area(pred_xyxy), _with_area(gold_xyxy, strict=True)
    if not pred or not gold:
        return float(not pred and not gold)
    both, either = _measure(pred, gold)
    return min(1.0, float(both / either))


def union_area(xyxy: Iterable[Sequence[float]]) -> float:
    """Area that a set of boxes covers.

    Args:
        xyxy: (N, 4) numbers, x1 y1 x2 y2; N may be 0. The boxes that `union_iou` ignores are ignored here too.

    Returns:
        Area in square units of the frame; inf where it is too large for a float.

    Raises:
        ValueError: a box is not four numbers.

    >>> union_area([[0, 0, 10, 10], [5, 0, 15, 10]])
    150.0
    """
    boxes = _with_area(xyxy)
    try:
        return float(_measure(boxes, [])[1]) if boxes else 0.0
    except OverflowError:
        return inf


class Fragmentation(NamedTuple):
    """Number, size and overlap of an answer's boxes.

    Attributes:
        boxes: number of boxes.
        area_share: mean area of a box as a share of the area of the image or frame; NaN without boxes.
        overlap: share of the boxes' summed area that is covered more than once, in [0, 1); NaN without boxes.
    """

    boxes: int
    area_share: float
    overlap: float


def fragmentation(xyxy: Sequence[Sequence[float]], image_wh: Sequence[float]) -> Fragmentation:
    """Measure number, size and overlap of an answer's boxes; they reveal "many small fragmented bounding boxes" (§4.3).

    Args:
        xyxy: (N, 4) finite numbers with x1 < x2 and y1 < y2, clipped to the image or frame; N may be 0.
        image_wh: its width and height.

    >>> fragmentation([[0, 0, 10, 10], [5, 0, 15, 10]], (20, 20))
    Fragmentation(boxes=2, area_share=0.25, overlap=0.25)
    """
    if not len(xyxy):
        return Fragmentation(0, nan, nan)
    width, height = image_wh
    area = sum([(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in xyxy])
    overlap = max(0.0, 1 - union_area(xyxy) / area) if len(xyxy) > 1 else 0.0
    return Fragmentation(len(xyxy), area / len(xyxy) / (width * height), overlap)


def clip_xyxy(xyxy: Iterable[Sequence[float]], image_wh: Sequence[float]) -> list[Box]:
    """The parts of boxes that lie in an image or frame.

    Args:
        xyxy: (N, 4) numbers, x1 y1 x2 y2; an infinite one stands for the border.
        image_wh: width and height.

    Returns:
        Boxes in [0, width] x [0, height], in order, without those that are inverted, hold a NaN or have no area left.

    >>> clip_xyxy([[-5, 2, float("inf"), 8], [30, 0, 40, 10]], (20, 10))
    [(0.0, 2.0, 20.0, 8.0)]
    """
    width, height = image_wh
    clipped = []
    for x1, y1, x2, y2 in xyxy:
        # coordinates come first, so that max and min keep a NaN, for which no comparison holds
        x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
        if x1 < x2 and y1 < y2:
            clipped.append((float(x1), float(y1), float(x2), float(y2)))
    return clipped


def are_shares(xyxy: Sequence[float]) -> bool:
    """Whether the numbers of a box are shares of an image: from 0 to 1, and not the whole numbers of one unit.

    >>> are_shares((0.25, 0.5, 0.75, 1.0)), are_shares((0.0, 0.0, 1.0, 1.0))
    (True, False)
    """
    return min(xyxy) >= 0 and max(xyxy) <= 1 and any(0 < number < 1 for number in xyxy)


def _with_area(xyxy: Iterable[Sequence[float]], strict: bool = False) -> list[Box]:
    """The boxes that are finite and have an area, as floats; if strict, any other box raises."""
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


def _measure(pred: list[Box], gold: list[Box]) -> tuple[_Number, _Number]:
    """Areas of the intersection and of the union.

    The second attempt is only for coordinates near the smallest or the largest float, which images never have.
    """
    measure = _measure_few if len(pred) + len(gold) <= FEW else _measure_many
    both, either = measure(pred, gold)
    if UNDERFLOW < either < inf:
        return both, either
    return _measure_few(_exact(pred), _exact(gold))


def _exact(boxes: list[Box]) -> list[_Rectangle]:
    return [(Fraction(x1), Fraction(y1), Fraction(x2), Fraction(y2)) for x1, y1, x2, y2 in boxes]


def _measure_few(pred: Sequence[_Rectangle], gold: Sequence[_Rectangle]) -> tuple[_Number, _Number]:
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


def _disjoint(boxes: Sequence[_Rectangle]) -> list[_Rectangle]:
    """Rectangles that cover the same area as the boxes, and do not overlap."""
    kept: list[_Rectangle] = []
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


@np.errstate(over="ignore", invalid="ignore")
def _measure_many(pred: list[Box], gold: list[Box]) -> tuple[float, float]:
    boxes = np.array(pred + gold)
    xs, ys = np.unique(boxes[:, ::2]), np.unique(boxes[:, 1::2])
    columns = np.searchsorted(xs, boxes[:, ::2]).tolist()
    rows = np.searchsorted(ys, boxes[:, 1::2]).tolist()
    in_pred, in_gold = grid = np.zeros((2, len(xs) - 1, len(ys) - 1), bool)
    for index, ((left, right), (top, bottom)) in enumerate(zip(columns, rows, strict=True)):
        grid[int(index >= len(pred)), left:right, top:bottom] = True
    widths, heights = np.diff(xs), np.diff(ys)
    both, either = (widths @ cells @ heights for cells in (in_pred & in_gold, in_pred | in_gold))
    return float(both), float(either)
