"""Rewards as pure functions of a completion and its gold; `host.rewards` hands them to ms-swift.

Three are those of §4.2. `match_reward` is ours: boxes that cover a lot, and several boxes on one region, cost something
there, while the union IoU pays for them.

A completion is data: an unreadable one scores 0 and never raises. A dataset is not: a missing or malformed gold column
raises at once, naming the column. Boxes are compared in the model frame, with exactly the integer boxes of the training
target, so the gold answer scores 1 on every reward.
"""

from __future__ import annotations

import json
from functools import lru_cache
from math import inf, nan
from typing import NamedTuple, cast

from .answer import Answer, parse_answer
from .boxes import Box, are_shares, clip_xyxy, union_iou
from .frames import FrameRule
from .json_text import check_keys
from .matching import match_boxes
from .variants import VARIANTS, variant_named

COLUMN = "solution"


class Gold(NamedTuple):
    """The gold of an image, which a completion is compared with.

    Attributes:
        label: 'fake' or 'real'.
        boxes: x1, y1, x2, y2 in original pixels.
        image_wh: original width and height.
        variant: the parts of the answer, one of `VARIANTS`.
    """

    label: str
    boxes: tuple[tuple[float, ...], ...]
    image_wh: tuple[int, int]
    variant: str


def read_gold(solution: object) -> Gold:
    """The gold of a row, from the JSON string in its `solution` column.

    Raises:
        ValueError: it is no such string, or the string is not in the format of `rows.to_row`; the message names the
            wrong part.
    """
    if isinstance(solution, str):
        return _read_gold(solution)
    found = f"{str(solution)[:80]!r} (TypeError: a value of type {type(solution).__name__})"
    raise ValueError(f"column `{COLUMN}`: expected a JSON string with label, boxes, size and variant, found {found}")


@lru_cache(maxsize=8192)
def _read_gold(solution: str) -> Gold:
    try:
        fields = json.loads(solution)
        check_keys(solution.encode(), fields)
        label, variant = fields["label"], fields["variant"]
        boxes, image_wh = [list(box) for box in fields["boxes"]], list(fields["size"])
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise ValueError(
            f"column `{COLUMN}`: expected a JSON string with label, boxes, size and variant, "
            f"found {solution[:80]!r} ({type(error).__name__}: {error})"
        ) from None
    if label not in ("fake", "real"):
        raise ValueError(f"column `{COLUMN}`: label: expected 'fake' or 'real', found {label!r}")
    if variant not in VARIANTS:
        raise ValueError(f"column `{COLUMN}`: variant: expected one of {', '.join(VARIANTS)}, found {variant!r}")
    if len(image_wh) != 2 or {*map(type, image_wh)} != {int} or min(image_wh) < 1:
        raise ValueError(f"column `{COLUMN}`: size: expected two whole numbers of pixels, found {image_wh!r}")
    width, height = image_wh
    for box in boxes:
        _check_gold_box(box, (width, height))
    return Gold(label, tuple(tuple(map(float, box)) for box in boxes), (width, height), variant)


def _check_gold_box(box: list[object], image_wh: tuple[int, int]) -> None:
    if len(box) != 4 or not {*map(type, box)} <= {int, float}:
        raise ValueError(f"column `{COLUMN}`: boxes: expected four numbers each, found {box!r}")
    x1, y1, x2, y2 = cast("Box", box)
    width, height = image_wh
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):  # no comparison holds for a NaN
        raise ValueError(
            f"column `{COLUMN}`: boxes: expected x1 < x2 and y1 < y2 inside the {width}x{height} image, found {box!r}"
        )


def parse_eta(text: str) -> float:
    """The relaxing constant of `iou_reward`, from the setting FX_IOU_ETA.

    Raises:
        ValueError: not a finite number above 0; the message names the setting.
    """
    try:
        eta = float(text)
    except ValueError:
        eta = nan
    if not 0 < eta < inf:
        raise ValueError(f"FX_IOU_ETA: expected a finite number above 0, found {text!r}")
    return eta


@lru_cache(maxsize=8192)
def target_boxes(gold: Gold, rule: FrameRule) -> tuple[tuple[int, int], list[tuple[int, ...]]]:
    """Width and height of the model frame, and the gold boxes in it as in the training target."""
    frame = rule.frame(gold.image_wh)
    return frame.frame_wh, [frame.target_xyxy(box) for box in gold.boxes]


@lru_cache(maxsize=8192)
def read_completion(text: str, variant: str) -> tuple[Answer, bool]:
    """A completion's answer, and whether its format is exactly that of the variant.

    Cached, because three rewards read every completion.
    """
    answer = parse_answer(text, strict=True, variant=variant)
    return answer, not answer.problems


def counted_boxes(answer: Answer, frame_wh: tuple[int, int]) -> list[Box]:
    """The boxes of an answer that count, clipped to the model frame.

    Shares of the image do not: they are no boxes in a frame of pixels or thousandths.
    """
    return clip_xyxy([box for box, _ in answer.regions if box and not are_shares(box)], frame_wh)


def answer_of(completion: object, variant: str) -> tuple[Answer, bool]:
    """As `read_completion`, of any value: what is no text says nothing."""
    return read_completion(completion if isinstance(completion, str) else "", variant)


def iou_reward(text: object, gold: Gold, rule: FrameRule, eta: float = 1.1, empty: str = "one") -> float | None:
    """Grounding reward R_G.

    R_G(o) = min(1, eta * IoU(R(o), R_y))   (§4.2)

    Args:
        text: the completion o; a value that is no text scores 0.
        gold: label, boxes R_y and size of its image.
        rule: gives the model frame, in which the completion's boxes R(o) are; they are clipped to it.
        eta: the relaxing constant.
        empty: value of an answer without boxes if the gold has none: 'one' for 1, or 'skip' for None. An answer that
            names regions is not empty, even if none of them counts: outside the frame, inverted, or unreadable.

    Returns:
        Ratio in [0, 1]; 0 for unreadable text; None if the variant has no boxes, or two empty sides are skipped.
    """
    boxes, targets, rewarded = _both_sides(text, gold, rule, empty)
    return rewarded if not boxes and not targets else min(1.0, eta * union_iou(boxes, targets))


def match_reward(text: object, gold: Gold, rule: FrameRule, empty: str = "one") -> float | None:
    """Matched-box reward, not in the paper.

    The sum of the IoUs of boxes matched one to one (Hungarian method), over the number of boxes of the side that has
    more: a box too many, a box too few, and one box over two regions each lower it.

    Args:
        text, gold, rule, empty: see `iou_reward`.

    Returns:
        Ratio in [0, 1]; 0 for unreadable text; None if the variant has no boxes, or two empty sides are skipped.
    """
    boxes, targets, rewarded = _both_sides(text, gold, rule, empty)
    if not boxes and not targets:
        return rewarded
    return sum(match.iou for match in match_boxes(boxes, targets)) / max(len(boxes), len(targets))


def _both_sides(
    text: object, gold: Gold, rule: FrameRule, empty: str
) -> tuple[list[Box], list[tuple[int, ...]], float | None]:
    """The boxes of an answer and of its gold, and the reward where neither has any."""
    if not variant_named(gold.variant).boxes:
        return [], [], None
    answer, _ = answer_of(text, gold.variant)
    frame_wh, targets = target_boxes(gold, rule)
    if answer.names_regions or not answer.states_regions:
        return counted_boxes(answer, frame_wh), targets, 0.0
    return [], targets, None if empty == "skip" else 1.0


def label_reward(text: object, gold: Gold) -> float:
    """Classification reward R_C (§4.2): 1 if the verdict is the label, else 0."""
    answer, _ = answer_of(text, gold.variant)
    return float(answer.verdict == gold.label)


def format_reward(text: object, gold: Gold) -> float:
    """Format reward R_F (§4.2): 1 if the text is exactly an answer of the variant, else 0."""
    return float(answer_of(text, gold.variant)[1])
