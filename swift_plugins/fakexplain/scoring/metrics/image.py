"""What a system said of one image, measured against its record in pixels of the original image.

Nothing is left out of a denominator: an answer without a verdict that can be read is wrong, an image without an answer
is wrong, and a fake image about whose regions nothing was said has an IoU of 0. Three kinds of systems are measured
alike: those that write answers, those that give a label or a score, and those that draw boxes or masks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ...annotation import Annotation
from ...answer import parse_answer
from ...boxes import Box, clip_xyxy, union_iou
from ...frames import FrameRule
from ...mentions import Mention
from ...variants import variant_named
from ..predictions.labels import BaselinePrediction
from ..predictions.masks import load_mask, mask_iou
from .matching import BoxCounts, Fragmentation, box_counts, fragmentation, match_boxes
from .texts import Text, matched_texts, whole_text


class Scored(NamedTuple):
    """One image's scores.

    Attributes:
        label: 'fake' or 'real'.
        verdict: the system's; None where there is none that can be read.
        answered: False where the system said nothing of the image, which counts as wrong in everything it is asked for.
        p_fake: the higher, the more likely fake; None where it is not known.
        iou: union IoU in [0, 1]; None for a real image and where the system is not asked for regions.
        problems: what keeps an answer from being exact, as codes of `PROBLEMS`.
        exact: the answer keeps the format of the variant to the letter; None where no answer was to be written.
        regions: those predicted, boxes in original pixels, clipped to the image (None where it gives captions alone).
        tags: predicted; None where no tags were asked for.
        boxes: what box metrics are made from; None where `iou` is, and for masks.
        fragments: number, size and overlap of the boxes; None where `boxes` is, and without an answer.
        text: captions predicted and annotated; None for a real image and where no captions were asked for.
        matched: the same of each pair of regions whose boxes match.
    """

    label: str
    verdict: str | None = None
    answered: bool = True
    p_fake: float | None = None
    iou: float | None = None
    problems: tuple[str, ...] = ()
    exact: bool | None = None
    regions: tuple[Mention, ...] = ()
    tags: tuple[str, ...] | None = None
    boxes: BoxCounts | None = None
    fragments: Fragmentation | None = None
    text: tuple[Text, Text] | None = None
    matched: tuple[tuple[Text, Text], ...] = ()

    @property
    def right(self) -> bool:
        """Whether the verdict is the label."""
        return self.verdict == self.label


def boxes_px(regions: Iterable[Mention], annotation: Annotation, rule: FrameRule) -> list[Box]:
    """Boxes of an answer's regions in original pixels, clipped to the image; those with no area left are gone.

    Raises:
        ValueError: the template takes no image of this shape.
    """
    return [region.bbox for region in regions_px(regions, annotation, rule) if region.bbox]


def regions_px(regions: Iterable[Mention], annotation: Annotation, rule: FrameRule) -> tuple[Mention, ...]:
    """An answer's regions in original pixels, clipped to the image; those with no area left are gone.

    Raises:
        ValueError: the template takes no image of this shape.
    """
    try:
        frame = rule.frame(annotation.image_wh)
    except ValueError as error:
        raise ValueError(f"{annotation.file}:{annotation.line}: {error} (id {annotation.id!r})") from None
    kept = []
    for region in regions:
        if region.bbox is None:
            kept.append(region)
        elif clipped := clip_xyxy([frame.to_pixels(region.bbox)], annotation.image_wh):
            kept.append(Mention(clipped[0], region.caption))
    return tuple(kept)


def score_image(
    annotation: Annotation, text: str, rule: FrameRule, variant: str = "full", p_fake: float | None = None
) -> Scored:
    """Scores of one answer.

    Args:
        annotation: the record; its boxes are compared as they are, unrounded.
        text: the completion.
        rule: frame rule of the run that wrote it.
        variant: what the answer was asked to hold.
        p_fake: probability of the verdict fake, where it is known.

    Raises:
        ValueError: no such variant, or the template takes no image of this shape.
    """
    asked = variant_named(variant)
    answer = parse_answer(text, strict=True, variant=variant)
    regions = regions_px(answer.regions, annotation, rule)
    scored = Scored(
        annotation.label,
        answer.verdict,
        p_fake=p_fake,
        problems=answer.problems,
        exact=not answer.problems,
        regions=regions,
        tags=answer.tags if asked.tags else None,
    )
    if annotation.label == "real":
        return scored
    if asked.boxes:
        scored = _with_boxes(scored, annotation, answer.states_regions, asked.captions)
    if asked.captions:
        scored = scored._replace(text=(whole_text(answer), whole_text(annotation)))
    return scored


def _with_boxes(scored: Scored, annotation: Annotation, said: bool, captions: bool) -> Scored:
    """The scores of a fake image, with those that its boxes give.

    Args:
        said: whether the system spoke of regions at all: two empty sets agree, but silence is not an empty set.
        captions: whether captions of boxes that match are to be compared.
    """
    pred, gold = ([region for region in each if region.bbox] for each in (scored.regions, annotation.regions))
    pred_xyxy, gold_xyxy = ([region.bbox for region in each if region.bbox] for each in (pred, gold))
    matches = match_boxes(pred_xyxy, gold_xyxy)
    return scored._replace(
        iou=union_iou(pred_xyxy, gold_xyxy) if pred or gold or said else 0.0,
        boxes=box_counts(matches, len(pred), len(gold)),
        fragments=fragmentation(pred_xyxy, annotation.image_wh) if scored.answered else None,
        matched=tuple(matched_texts(pred, gold, matches)) if captions else (),
    )


def score_nothing(annotation: Annotation, variant: str = "full") -> Scored:
    """Scores of an image that a system which writes answers said nothing of: wrong wherever something was asked for."""
    asked = variant_named(variant)
    scored = Scored(annotation.label, answered=False, exact=False, tags=() if asked.tags else None)
    if annotation.label == "fake" and asked.boxes:
        scored = _with_boxes(scored, annotation, said=False, captions=False)
    if annotation.label == "fake" and asked.captions:
        scored = scored._replace(text=((), whole_text(annotation)))
    return scored


@dataclass(frozen=True)
class Asked:
    """What a baseline gives of any image, and so is asked for of every one.

    Attributes:
        boxes, masks: whether it names regions so.
        mask_threshold: of `load_mask`.
    """

    boxes: bool = False
    masks: bool = False
    mask_threshold: int | None = None


def score_baseline(annotation: Annotation, said: BaselinePrediction | None, asked: Asked) -> Scored:
    """Scores of what a baseline said of one image, or of its silence.

    Where it draws masks, an image that it gave a label and no mask has an empty one.

    Raises:
        DataError (a ValueError): a mask that cannot be read or has another shape than its image.
    """
    scored = Scored(annotation.label, answered=said is not None)
    if said is not None:
        scored = scored._replace(verdict=said.verdict, p_fake=said.score)
    if annotation.label == "real":
        return scored
    if asked.masks:
        return scored._replace(iou=_iou_of_mask(annotation, said, asked.mask_threshold))
    if asked.boxes:
        boxes = said.boxes if said is not None else None
        regions = tuple(Mention(box, "") for box in clip_xyxy(boxes or (), annotation.image_wh))
        return _with_boxes(scored._replace(regions=regions), annotation, said=boxes is not None, captions=False)
    return scored


def _iou_of_mask(annotation: Annotation, said: BaselinePrediction | None, threshold: int | None) -> float:
    if said is None:
        return 0.0
    if said.mask is None:
        return float(not annotation.regions)
    return mask_iou(load_mask(said.mask, annotation.image_wh, threshold), annotation)
