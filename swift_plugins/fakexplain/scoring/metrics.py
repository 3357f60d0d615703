"""Accuracy, IoU and format rate of answers, in pixels of the original images.

Nothing is left out of a denominator: an answer without a verdict that can be read is wrong, and a fake image about
whose regions nothing was said has an IoU of 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from math import fsum
from typing import Any

from ..annotation import LABELS, Annotation, Region
from ..answer import PROBLEMS, parse_answer
from ..boxes import Box, clip_xyxy, union_iou
from ..frames import FrameRule
from ..rows import WITHOUT_BOXES

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Scored:
    """One image's scores.

    Attributes:
        id: of the record.
        label: 'fake' or 'real'.
        verdict: the answer's; None where there is none that can be read.
        iou: union IoU in [0, 1]; None for a real image and where the variant has no boxes.
        problems: what keeps the answer from being exact, as codes of `PROBLEMS`.
    """

    id: str
    label: str
    verdict: str | None
    iou: float | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """Scores of a set of answers.

    Attributes:
        records: how many records there were, answered or not.
        confusion: label -> verdict ('fake', 'real' or 'unreadable') -> answers.
        iou: mean union IoU on fake images (§5.1 reports it so); None where there is none.
        fake_without_regions: of the fake images, those whose annotation has no region: IoU 1 if the answer names none.
        exact: answers that keep the format of the variant to the letter.
        problems: code of `PROBLEMS` -> answers that have it; every code is there.
    """

    records: int
    confusion: dict[str, dict[str, int]]
    iou: float | None
    fake_without_regions: int
    exact: int
    problems: dict[str, int]

    @property
    def n(self) -> int:
        """Answers scored."""
        return sum(map(self.count, LABELS))

    @property
    def unreadable(self) -> int:
        """Answers without a verdict that can be read; all of them count as wrong."""
        return sum(self.confusion[label][UNREADABLE] for label in LABELS)

    @property
    def accuracy(self) -> float | None:
        """Share of answers whose verdict is the label; None where there is no answer."""
        return _share(sum(self.confusion[label][label] for label in LABELS), self.n)

    @property
    def format_rate(self) -> float | None:
        """Share of exact answers."""
        return _share(self.exact, self.n)

    def count(self, label: str) -> int:
        """Answers about images of a label."""
        return sum(self.confusion[label].values())

    def accuracy_on(self, label: str) -> float | None:
        """Accuracy on the images of a label."""
        return _share(self.confusion[label][label], self.count(label))

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON, rates included; the same keys whatever was scored."""
        return {
            "n": self.n,
            "accuracy": self.accuracy,
            "accuracy_fake": self.accuracy_on("fake"),
            "accuracy_real": self.accuracy_on("real"),
            "format_rate": self.format_rate,
            "fake": self.count("fake"),
            "real": self.count("real"),
            "unreadable": self.unreadable,
        } | asdict(self)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def boxes_px(regions: Iterable[Region], annotation: Annotation, rule: FrameRule) -> list[Box]:
    """Boxes of an answer's regions in original pixels, clipped to the image; those with no area left are gone.

    Raises:
        ValueError: the template takes no image of this shape.
    """
    try:
        frame = rule.frame(annotation.image_wh)
    except ValueError as error:
        raise ValueError(f"{annotation.file}:{annotation.line}: {error} (id {annotation.id!r})") from None
    boxes = [frame.to_pixels(region.bbox) for region in regions if region.bbox]
    return clip_xyxy(boxes, annotation.image_wh)


def score_image(annotation: Annotation, text: str, rule: FrameRule, variant: str = "full") -> Scored:
    """Scores of one answer.

    Args:
        annotation: the record; its boxes are compared as they are, unrounded.
        text: the completion.
        rule: frame rule of the run that wrote it.
        variant: what the answer was asked to hold.

    Raises:
        ValueError: no such variant, or the template takes no image of this shape.
    """
    answer = parse_answer(text, strict=True, variant=variant)
    iou = None
    if annotation.label == "fake" and variant not in WITHOUT_BOXES:
        boxes, gold = (
            boxes_px(answer.regions, annotation, rule),
            [region.bbox for region in annotation.regions if region.bbox],
        )
        # Two empty sets agree, but an answer that says nothing of regions has not said that there are none.
        iou = union_iou(boxes, gold) if boxes or gold or answer.names_regions else 0.0
    return Scored(annotation.id, annotation.label, answer.verdict, iou, answer.problems)


def score(
    pairs: Iterable[tuple[Annotation, str | None]],
    rule: FrameRule,
    variant: str = "full",
    on_image: Callable[[Scored], None] | None = None,
) -> Result:
    """Scores of a set of answers.

    Args:
        pairs: records with their answers, as `join` gives them; a record without one is counted and not scored.
        rule: frame rule of the run that wrote them.
        variant: what an answer was asked to hold.
        on_image: called with each image's scores.
    """
    records = fake_without_regions = exact = 0
    confusion = {label: dict.fromkeys((*LABELS, UNREADABLE), 0) for label in LABELS}
    problems: Counter[str] = Counter()
    ious = []
    for annotation, text in pairs:
        records += 1
        if text is None:
            continue
        scored = score_image(annotation, text, rule, variant)
        confusion[scored.label][scored.verdict or UNREADABLE] += 1
        problems.update(scored.problems)
        exact += not scored.problems
        fake_without_regions += scored.label == "fake" and not annotation.regions
        if scored.iou is not None:
            ious.append(scored.iou)
        if on_image:
            on_image(scored)
    iou = fsum(ious) / len(ious) if ious else None
    return Result(records, confusion, iou, fake_without_regions, exact, {code: problems[code] for code in PROBLEMS})
