"""Boxes matched one to one, what counts of them add up to, and how far an answer breaks regions into pieces.

Another quantity than the union IoU of §5.1: two boxes side by side on one annotated region cover it together, but only
one of them can match it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...boxes import union_area

Boxes = Sequence[Sequence[float]]


class Match(NamedTuple):
    """A predicted and a gold box that belong together: their indices, and their IoU in (0, 1]."""

    pred: int
    gold: int
    iou: float


class BoxCounts(NamedTuple):
    """What box metrics are made from; counts of images add up.

    Attributes:
        hits: matches whose IoU reaches the threshold: true positives.
        pred, gold: boxes.
        matched: matches, whatever their IoU.
        iou_sum: of all matches.
    """

    hits: int
    pred: int
    gold: int
    matched: int
    iou_sum: float


class Fragmentation(NamedTuple):
    """How an answer's boxes cover what they cover.

    Attributes:
        boxes: how many.
        area_share: mean area of a box as a share of the image's; NaN where there is no box.
        overlap: share of the boxes' summed area that is covered more than once, in [0, 1); NaN where there is no box.
    """

    boxes: int
    area_share: float
    overlap: float


def pairwise_iou(pred_xyxy: Boxes, gold_xyxy: Boxes) -> np.ndarray:
    """IoU of every predicted with every gold box.

    Args:
        pred_xyxy: (P, 4) numbers, x1 y1 x2 y2 in any one frame; P may be 0.
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
    """The one-to-one matching of predicted to gold boxes whose IoUs add up to most (Hungarian method).

    One matching serves every figure: mean IoU, captions, and hits at a threshold. Another one may have more hits of a
    lower total, so hits are those of the best matching, not the most there could be.

    Args:
        pred_xyxy: (P, 4) numbers, x1 y1 x2 y2 in original pixels, clipped to the image; P may be 0.
        gold_xyxy: (G, 4) numbers, likewise; G may be 0.

    Returns:
        At most min(P, G) pairs in the order of `pred_xyxy`; boxes that do not overlap are no pair, so one without area
        has no match.

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
    """Counts of one image.

    Args:
        matches: from `match_boxes`.
        pred, gold: how many boxes there are.
        threshold: IoU of a hit, in (0, 1]; one that equals it counts.

    >>> box_counts([Match(0, 0, 0.5), Match(1, 2, 0.25)], pred=2, gold=3)
    BoxCounts(hits=1, pred=2, gold=3, matched=2, iou_sum=0.75)
    """
    ious = [match.iou for match in matches]
    return BoxCounts(sum(iou >= threshold for iou in ious), pred, gold, len(ious), sum(ious))


def box_scores(counts: ArrayLike) -> dict[str, np.ndarray]:
    """Box metrics from counts summed over images, in any weighting.

    Args:
        counts: (..., 5) sums of `BoxCounts`.

    Returns:
        Each (...), in [0, 1], NaN where nothing is there to be divided by:
        precision, recall, f1: of hits among predicted boxes, among gold boxes, and 2 · hits / (predicted + gold).
        iou_matched: mean IoU of matched pairs, which says nothing of boxes without a match.
        iou_gold: mean over gold boxes, where one without a match counts as 0.

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


def fragmentation(xyxy: Boxes, image_wh: Sequence[float]) -> Fragmentation:
    """Number, size and overlap of an answer's boxes: what to watch for "many small fragmented bounding boxes" (§4.3).

    Args:
        xyxy: (N, 4) finite numbers with x1 < x2 and y1 < y2, in original pixels, clipped to the image; N may be 0.
        image_wh: width and height of the image.

    >>> fragmentation([[0, 0, 10, 10], [5, 0, 15, 10]], (20, 20))
    Fragmentation(boxes=2, area_share=0.25, overlap=0.25)
    """
    if not len(xyxy):
        return Fragmentation(0, nan, nan)
    width, height = image_wh
    area = sum([(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in xyxy])
    overlap = max(0.0, 1 - union_area(xyxy) / area) if len(xyxy) > 1 else 0.0
    return Fragmentation(len(xyxy), area / len(xyxy) / (width * height), overlap)
