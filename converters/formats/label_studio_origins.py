"""Regions that a model proposed (App. H): which of them an annotator accepted or changed, and which are new.

Label Studio keeps a model's answer as a prediction of the task, from which the annotation begins. So both are in the
export, and what the annotator did is their difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

from swift_plugins.fakexplain.boxes import Box, union_iou
from swift_plugins.fakexplain.errors import DataError

from ..drafts.draft import DraftRegion
from .label_studio_regions import read_results
from .label_studio_results import list_results, select_results

_ACCEPTED, _CHANGED, _NEW = "accepted", "changed", "new"

SAME_PIXELS = 0.5
"""Sides of a box that differ by at most this count as unmoved: the editor stores percentages."""

SAME_REGION = 0.5
"""IoU from which a moved box is the proposed region, if its id does not tell."""


def own_prediction(task: dict[str, Any], annotation: dict[str, Any]) -> dict[str, Any] | None:
    """The prediction that an annotation began from: the one that it names, else the task's newest; None without any."""
    if isinstance(held := annotation.get("prediction"), dict) and isinstance(held.get("result"), list):
        return held
    listed = task.get("predictions")
    known = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    known = [each for each in known if isinstance(each.get("result"), list)]
    parent = annotation.get("parent_prediction")
    named = [each for each in known if parent is not None and each.get("id") == parent]
    return max(named or known, key=_number, default=None)


def _number(prediction: dict[str, Any]) -> int:
    id = prediction.get("id")
    return id if type(id) is int else 0


def compare_with_prediction(
    regions: list[DraftRegion],
    prediction: dict[str, Any] | None,
    key: str,
    wh: tuple[int, int] | None,
    others: set[str],
) -> tuple[list[DraftRegion], dict[str, Any], int]:
    """Mark the regions of an annotation with what became of a model's proposals.

    Args:
        regions: of the annotation.
        prediction: that it began from, or None. One that is of another kind than regions proposes nothing.
        key: of the image in the task's data.
        wh: width and height of the image, if known.
        others: keys of the task's other images.

    Returns:
        The regions, fields of the record that name the model, and the number of proposed regions that were removed.
    """
    if prediction is None:
        return regions, {}, 0
    try:
        results, _ = select_results(list_results(prediction, "predictions"), key, others)
        proposed, own_wh, _ = read_results(results)
    except DataError:
        return regions, {}, 0
    marked, removed = mark_origins(regions, proposed, wh or own_wh or (100, 100))
    return marked, {"proposed_by": str(prediction.get("model_version") or "a model")}, removed


def mark_origins(
    regions: Sequence[DraftRegion], proposed: Iterable[DraftRegion], wh: tuple[int, int]
) -> tuple[list[DraftRegion], int]:
    """Mark each region of an annotation as accepted, changed or new, by comparing it with those that were proposed.

    Each proposed region has at most one successor: the region with its box and caption, which is accepted; else the one
    with its id, else the one that overlaps it most, with an IoU of `SAME_REGION` at least, which are changed.

    Args:
        regions: of the annotation.
        proposed: those of the prediction.
        wh: width and height of the image, for boxes that are functions of it.

    Returns:
        The regions with their `origin`, and the number of proposed regions without a successor.

    >>> hand = DraftRegion((0, 0, 10, 10), "Six fingers.")
    >>> found, removed = mark_origins([hand._replace(caption="Hand with six fingers."), hand], [hand] * 3, (40, 30))
    >>> [region.origin for region in found], removed
    (['changed', 'accepted'], 1)
    """
    origins: dict[int, str] = {}
    left = dict(enumerate(proposed))
    boxes = [_box(region, wh) for region in regions]
    proposed_boxes = {index: _box(region, wh) for index, region in left.items()}

    def settle(pairs: Iterable[tuple[int, int]], is_successor: Callable[[int, int], bool], origin: str) -> None:
        for index, other in pairs:
            if index not in origins and other in left and is_successor(index, other):
                origins[index] = origin
                del left[other]

    def is_unchanged(index: int, other: int) -> bool:
        return regions[index].caption == left[other].caption and _is_unmoved(boxes[index], proposed_boxes[other])

    def has_its_id(index: int, other: int) -> bool:
        return regions[index].id != "" and regions[index].id == left[other].id

    every = list(product(range(len(regions)), [*left]))
    settle(every, is_unchanged, _ACCEPTED)
    settle(every, has_its_id, _CHANGED)
    overlaps = {
        (index, other): _overlap(boxes[index], proposed_boxes[other]) for index, other in every if other in left
    }
    nearest = sorted(overlaps, key=lambda pair: -overlaps[pair])
    settle(nearest, lambda index, other: overlaps[index, other] >= SAME_REGION, _CHANGED)
    return [region._replace(origin=origins.get(index, _NEW)) for index, region in enumerate(regions)], len(left)


def _box(region: DraftRegion, wh: tuple[int, int]) -> Box | None:
    """The box with its corners in order; None for a shape without one."""
    found = region.box(wh) if callable(region.box) else region.box
    if not isinstance(found, tuple):
        return None
    x1, y1, x2, y2 = found
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _is_unmoved(one: Box | None, other: Box | None) -> bool:
    return one == other or bool(
        one and other and all(abs(a - b) <= SAME_PIXELS for a, b in zip(one, other, strict=True))
    )


def _overlap(one: Box | None, other: Box | None) -> float:
    if not one or not other or not all(box[0] < box[2] and box[1] < box[3] for box in (one, other)):
        return 0.0
    return union_iou([one], [other])
