"""The three rewards of §4.2, as pure functions of a completion and its gold; `host.rewards` hands them to ms-swift.

What a model writes is data: a completion that cannot be read scores 0 and never raises. What a dataset holds is not:
a gold column that is missing or malformed raises at once, naming the column. Boxes are compared in the model frame,
with exactly the integer boxes the training target shows, so the gold answer scores 1 on every reward.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import NamedTuple

from .answer import Answer, parse_answer
from .boxes import clip_xyxy, union_iou
from .frames import FrameRule
from .variants import VARIANTS, variant_named

COLUMN = "solution"


class Gold(NamedTuple):
    """What a completion is compared with.

    Attributes:
        label: 'fake' or 'real'.
        boxes: x1, y1, x2, y2 in original pixels.
        image_wh: original width and height.
        variant: what the answer holds.
    """

    label: str
    boxes: tuple[tuple[float, ...], ...]
    image_wh: tuple[int, int]
    variant: str


@lru_cache(maxsize=8192)
def read_gold(solution: str) -> Gold:
    """The gold of a row, from the JSON string in its `solution` column.

    Raises:
        ValueError: the string is not what `rows.to_row` writes; the message names the part.
    """
    try:
        fields = json.loads(solution)
        gold = Gold(
            fields["label"],
            tuple(tuple(float(v) for v in box) for box in fields["boxes"]),
            (int(fields["size"][0]), int(fields["size"][1])),
            fields["variant"],
        )
    except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise ValueError(
            f"column `{COLUMN}`: expected a JSON string with label, boxes, size and variant, "
            f"found {str(solution)[:80]!r} ({type(error).__name__}: {error})"
        ) from None
    if gold.label not in ("fake", "real"):
        raise ValueError(f"column `{COLUMN}`: label: expected 'fake' or 'real', found {gold.label!r}")
    if gold.variant not in VARIANTS:
        raise ValueError(f"column `{COLUMN}`: variant: expected one of {', '.join(VARIANTS)}, found {gold.variant!r}")
    if any(len(box) != 4 for box in gold.boxes):
        raise ValueError(f"column `{COLUMN}`: boxes: expected four numbers each, found {gold.boxes!r}")
    return gold


@lru_cache(maxsize=8192)
def target_boxes(gold: Gold, rule: FrameRule) -> tuple[tuple[int, int], list[tuple[int, ...]]]:
    """Width and height of the model frame, and the gold boxes as the training target shows them there."""
    frame = rule.frame(gold.image_wh)
    return frame.frame_wh, [frame.target_xyxy(box) for box in gold.boxes]


@lru_cache(maxsize=8192)
def read_completion(text: str, variant: str) -> tuple[Answer, bool]:
    """A completion's answer, and whether it keeps the format of the variant to the letter.

    Cached: three rewards see every completion, and it is parsed once.
    """
    answer = parse_answer(text, strict=True, variant=variant)
    return answer, not answer.problems


def iou_reward(text: str, gold: Gold, rule: FrameRule, eta: float = 1.1, empty: str = "one") -> float | None:
    """Grounding reward R_G.

    R_G(o) = min(1, eta * IoU(R(o), R_y))   (§4.2)

    Args:
        text: the completion o.
        gold: label, boxes R_y and size of its image.
        rule: gives the model frame, in which the completion's boxes R(o) are; they are clipped to it.
        eta: the relaxing constant.
        empty: 'one' or 'skip', what a readable answer without boxes is worth where the gold has none.

    Returns:
        Ratio in [0, 1]; 0 for text that cannot be read; None where the variant has no boxes, or `empty` says skip.
    """
    if not variant_named(gold.variant).boxes:
        return None
    answer, _ = read_completion(text, gold.variant)
    frame_wh, targets = target_boxes(gold, rule)
    boxes = clip_xyxy([region.bbox for region in answer.regions if region.bbox], frame_wh)
    if not boxes and not targets:
        if not answer.states_regions:
            return 0.0
        return None if empty == "skip" else 1.0
    return min(1.0, eta * union_iou(boxes, targets))


def label_reward(text: str, gold: Gold) -> float:
    """Classification reward R_C (§4.2): 1 if the verdict is the label, else 0."""
    answer, _ = read_completion(text, gold.variant)
    return float(answer.verdict == gold.label)


def format_reward(text: str, gold: Gold) -> float:
    """Format reward R_F (§4.2): 1 if every part of the variant is there and parsable to the letter, else 0."""
    return float(read_completion(text, gold.variant)[1])
