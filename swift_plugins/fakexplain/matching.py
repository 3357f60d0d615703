"""Match boxes one to one, and derive box metrics from counts.

These metrics differ from the union IoU of §5.1: two boxes side by side on one annotated region cover it together, but
only one of them can match it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

Boxes = Sequence[Sequence[float]]


class Match(NamedTuple):
    """A matched pair of a predicted and a gold box: their indices, and their IoU in (0, 1]."""

    pred: int
    gold: int
    iou: float


class BoxCounts(NamedTuple):
    """The counts that box metrics derive from; counts of several images can be summed.

    Attributes:
        hits: matches whose IoU reaches the threshold: true positives.
        pred, gold: number of predicted and of gold boxes.
        matched: number of matches, at any IoU above 0.
        iou_sum: sum of the IoUs of all matches.
    """

    hits: int
    pred: int
    gold: int
    matched: int
    iou_sum: float


def pairwise_iou(pred_xyxy: Boxes, gold_xyxy: Boxes) -> np.ndarray:
    """Compute the IoU of every predicted box with every gold box.

    Args:
        pred_xyxy: (P, 4) numbers, x1 y1 x2 y2, in the same frame for all boxes; P may be 0.
        gold_xyxy: (G, 4) numbers, same frame; G may be 0.

    Returns:
        (P, G) ratios in [0, 1]; 0 for a box that is inverted, has no area, or is not finite.

    Raises:
        ValueError: a box is not four numbers.

    >>> pairwise_iou([[0, 0, 10, 10]], [[5, 0, 15, 10], [0, 0, 10, 10]]).round(3)
    array([[0.333, 1.   ]])
    """
    pred, gold = _as_array(pred_xyxy)[:, None], _as_array(gold_xyxy)[None]
    with np.errstate(over="ignore", invalid="ignore"):
        both = _area(np.maximum(pred[..., :2], gold[..., :2]), np.minimum(pred[..., 2:], gold[..., 2:]))
        either = _area(pred[..., :2], pred[..., 2:]) + _area(gold[..., :2], gold[..., 2:]) - both
    return np.divide(both, either, out=np.zeros_like(both), where=(both > 0) & (either < np.inf))


def _as_array(xyxy: Boxes) -> np.ndarray:
    boxes = np.asarray(xyxy, float)
    if boxes.ndim == 2 and boxes.shape[1] == 4:
        return boxes
    if boxes.size:
        raise ValueError(f"boxes: expected (N, 4) numbers, found shape {boxes.shape}")
    return boxes.reshape(0, 4)


def _area(x1y1: np.ndarray, x2y2: np.ndarray) -> np.ndarray:
    sides = np.maximum(x2y2 - x1y1, 0)
    return sides[..., 0] * sides[..., 1]


def match_boxes(pred_xyxy: Boxes, gold_xyxy: Boxes) -> list[Match]:
    """Match predicted to gold boxes one to one, with the largest total IoU (Hungarian method).

    One matching serves every metric: mean IoU, captions, and hits at a threshold. Another matching with a lower total
    may have more hits, so hits are those of the best matching, not the largest possible number.

    Args:
        pred_xyxy: (P, 4) numbers, x1 y1 x2 y2 in original pixels, clipped to the image; P may be 0.
        gold_xyxy: (G, 4) numbers, likewise; G may be 0.

    Returns:
        At most min(P, G) pairs in the order of `pred_xyxy`. Boxes that do not overlap are never paired, so a box
        without area has no match.

    Raises:
        ValueError: a box is not four numbers.

    >>> match_boxes([[0, 0, 10, 10], [50, 50, 60, 60]], [[0, 0, 10, 20]])
    [Match(pred=0, gold=0, iou=0.5)]
    """
    if not len(pred_xyxy) or not len(gold_xyxy):
        return []
    from scipy.optimize import linear_sum_assignment

    iou = pairwise_iou(pred_xyxy, gold_xyxy)
    rows, columns = linear_sum_assignment(iou, maximize=True)
    matches = map(Match, rows.tolist(), columns.tolist(), iou[rows, columns].tolist())
    return [match for match in matches if match.iou > 0]


def box_counts(matches: Iterable[Match], pred: int, gold: int, threshold: float = 0.5) -> BoxCounts:
    """Count the boxes and matches of one image.

    Args:
        matches: from `match_boxes`.
        pred, gold: number of predicted and of gold boxes.
        threshold: least IoU of a hit, in (0, 1].

    >>> box_counts([Match(0, 0, 0.5), Match(1, 2, 0.25)], pred=2, gold=3)
    BoxCounts(hits=1, pred=2, gold=3, matched=2, iou_sum=0.75)
    """
    ious = [match.iou for match in matches]
    return BoxCounts(sum(iou >= threshold for iou in ious), pred, gold, len(ious), sum(ious))


def box_scores(counts: ArrayLike) -> dict[str, np.ndarray]:
    """Compute box metrics from counts summed over images, with any weights.

    Args:
        counts: (..., 5) sums of `BoxCounts`.

    Returns:
        Each (...), in [0, 1]; NaN where the denominator is 0:
        precision: share of predicted boxes that are hits.
        recall: share of gold boxes that are hits.
        f1: 2 · hits / (predicted + gold boxes).
        iou_matched: mean IoU of matched pairs; ignores boxes without a match.
        iou_gold: mean IoU over gold boxes; a gold box without a match counts as 0.

    >>> {name: float(score) for name, score in box_scores(BoxCounts(1, 2, 3, 2, 0.75)).items()}
    {'precision': 0.5, 'recall': 0.3333333333333333, 'f1': 0.4, 'iou_matched': 0.375, 'iou_gold': 0.25}
    """
    hits, pred, gold, matched, iou_sum = np.moveaxis(np.asarray(counts, float), -1, 0)
    ratios = {
        "precision": (hits, pred),
        "recall": (hits, gold),
        "f1": (2 * hits, pred + gold),
        "iou_matched": (iou_sum, matched),
        "iou_gold": (iou_sum, gold),
    }
    return {
        name: np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
        for name, (part, whole) in ratios.items()
    }
