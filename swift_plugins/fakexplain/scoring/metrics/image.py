"""The prediction for one image, scored against its record in pixels of the original image.

No image is left out of a denominator: an answer without a readable verdict is wrong, an image without an answer is
wrong, and a prediction that does not mention regions has IoU 0 on a fake image. Systems that write answers, give labels
or scores, or draw boxes or masks are all scored in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...annotation import Annotation
from ...answer import parse_answer
from ...boxes import Box, Fragmentation, clip_xyxy, fragmentation, union_iou
from ...frames import Frame
from ...masks import to_mask
from ...matching import BoxCounts, box_counts, match_boxes
from ...mentions import Mention
from ...operating_point import OperatingPoint, decide
from ...placing import place_regions, problems_in_frame
from ...variants import variant_named
from ..predictions.labels import BaselinePrediction
from ..predictions.masks import load_mask
from ..predictions.stated_frames import AnswerFrame, StatedFrame
from .texts import Text, caption_text, matched_texts, prose_text


class Scored(NamedTuple):
    """The scores of one image.

    Attributes:
        label: 'fake' or 'real'.
        verdict: the system's verdict; None if it is missing or unreadable. With an operating point: the decision,
            'unsure' among them.
        answered: False without a prediction; everything the system is asked for then counts as wrong.
        decided: whether the operating point decides; None without an operating point.
        p_fake: higher for likelier fake; None if unknown.
        iou: union IoU in [0, 1]; None for a real image or if the system is not asked for regions.
        problems: codes of `PROBLEMS`: those that keep the answer from being exact, and those of boxes that do not fit
            the frame.
        exact: whether the answer follows the format of the variant exactly; None for systems that write no answers.
        regions: predicted regions; boxes in original pixels, clipped to the image (None for captions only).
        tags: predicted tags; None if no tags were asked for.
        boxes: counts for the box metrics; None if `iou` is None, and for masks.
        fragments: number, size and overlap of the boxes; None if `boxes` is None, and without an answer.
        text: predicted and annotated captions; None for a real image or if no captions were asked for.
        matched: the same for each pair of regions with matching boxes.
    """

    label: str
    verdict: str | None = None
    answered: bool = True
    decided: bool | None = None
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
        """Whether the verdict equals the label."""
        return self.verdict == self.label


def to_boxes_px(regions: Iterable[Mention], annotation: Annotation, rule: AnswerFrame) -> list[Box]:
    """Map an answer's boxes to original pixels, clipped to the image; drop boxes left without area.

    Raises:
        ValueError: the template does not accept an image of this shape.
    """
    return [region.bbox for region in place_regions(regions, _frame(annotation, rule)) if region.bbox]


def _frame(annotation: Annotation, rule: AnswerFrame) -> Frame:
    try:
        return rule.frame(annotation.image_wh)
    except ValueError as error:
        raise ValueError(f"{annotation.file}:{annotation.line}: {error} (id {annotation.id!r})") from None


def score_image(
    annotation: Annotation,
    text: str,
    rule: AnswerFrame,
    variant: str = "full",
    p_fake: float | None = None,
    prose: bool = False,
) -> Scored:
    """Score one answer.

    Args:
        annotation: the record; its boxes are compared unrounded.
        text: the completion.
        rule: gives the frame of its boxes: the rule of the run that wrote it, or what the user states.
        variant: the parts that the answer was asked to hold.
        p_fake: probability of the verdict fake, if known.
        prose: compare the whole text with the captions, for systems that write none.

    Raises:
        ValueError: no such variant, or the template does not accept an image of this shape.
    """
    asked = variant_named(variant)
    y_first = isinstance(rule, StatedFrame) and rule.y_first
    answer = parse_answer(text, strict=True, variant=variant, y_first=y_first)
    frame = _frame(annotation, rule)
    regions = place_regions(answer.regions, frame)
    scored = Scored(
        annotation.label,
        answer.verdict,
        p_fake=p_fake,
        problems=problems_in_frame(answer, frame),
        exact=not answer.problems,
        regions=regions,
        tags=answer.tags if asked.tags else None,
    )
    if annotation.label == "real":
        return scored
    if asked.boxes:
        empty = answer.states_regions and not answer.names_regions
        scored = _with_boxes(scored, annotation, empty, asked.captions)
    if asked.captions:
        scored = scored._replace(text=(prose_text(text) if prose else caption_text(answer), caption_text(annotation)))
    return scored


def _with_boxes(scored: Scored, annotation: Annotation, empty: bool, captions: bool) -> Scored:
    """Add the scores that depend on the boxes of a fake image.

    Args:
        empty: whether a prediction without boxes states that there are none. Two empty sets agree, but silence is not
            an empty set, and neither are regions of which none counts.
        captions: whether to compare the captions of matching boxes.
    """
    pred, gold = ([region for region in each if region.bbox] for each in (scored.regions, annotation.regions))
    pred_xyxy, gold_xyxy = ([region.bbox for region in each if region.bbox] for each in (pred, gold))
    matches = match_boxes(pred_xyxy, gold_xyxy)
    return scored._replace(
        iou=union_iou(pred_xyxy, gold_xyxy) if pred or gold or empty else 0.0,
        boxes=box_counts(matches, len(pred), len(gold)),
        fragments=fragmentation(pred_xyxy, annotation.image_wh) if scored.answered else None,
        matched=tuple(matched_texts(pred, gold, matches)) if captions else (),
    )


def with_decision(scored: Scored, operating_point: OperatingPoint) -> Scored:
    """Replace the verdict of an answer by the decision at an operating point; without an answer nothing is decided."""
    if not scored.answered:
        return scored._replace(decided=False)
    decision = decide(scored.verdict, scored.p_fake, scored.problems, operating_point)
    return scored._replace(verdict=decision, decided=decision != "unsure")


def score_missing_answer(annotation: Annotation, variant: str = "full") -> Scored:
    """Score an image without an answer, for a system that writes answers: wrong in everything that was asked for."""
    asked = variant_named(variant)
    scored = Scored(annotation.label, answered=False, exact=False, tags=() if asked.tags else None)
    if annotation.label == "fake" and asked.boxes:
        scored = _with_boxes(scored, annotation, empty=False, captions=False)
    if annotation.label == "fake" and asked.captions:
        scored = scored._replace(text=((), caption_text(annotation)))
    return scored


@dataclass(frozen=True)
class Outputs:
    """The outputs that a baseline gives for at least one image, and is therefore expected to give for every image.

    Attributes:
        boxes, masks: whether it marks regions with boxes or with masks.
        texts: whether it explains its verdicts in prose.
        mask_threshold: as for `load_mask`.
    """

    boxes: bool = False
    masks: bool = False
    texts: bool = False
    mask_threshold: int | None = None


def score_baseline(annotation: Annotation, prediction: BaselinePrediction | None, outputs: Outputs) -> Scored:
    """Score the prediction of a baseline for one image, or its absence.

    If the baseline draws masks, an image with a label but no mask counts as having an empty mask.

    Raises:
        DataError (a ValueError): an unreadable mask, or a mask with another shape than its image.
    """
    scored = Scored(annotation.label, answered=prediction is not None)
    if prediction is not None:
        scored = scored._replace(verdict=prediction.verdict, p_fake=prediction.score)
    if annotation.label == "real":
        return scored
    if outputs.texts:
        text = prose_text((prediction.text if prediction is not None else None) or "")
        scored = scored._replace(text=(text, caption_text(annotation)))
    if outputs.masks:
        return scored._replace(iou=_iou_of_mask(annotation, prediction, outputs.mask_threshold))
    if outputs.boxes:
        boxes = prediction.boxes if prediction is not None else None
        regions = tuple(Mention(box, "") for box in clip_xyxy(boxes or (), annotation.image_wh))
        return _with_boxes(scored._replace(regions=regions), annotation, empty=boxes == (), captions=False)
    return scored


def _iou_of_mask(annotation: Annotation, prediction: BaselinePrediction | None, threshold: int | None) -> float:
    if prediction is None:
        return 0.0
    if prediction.mask is None:
        return float(not annotation.regions)
    return mask_iou(load_mask(prediction.mask, annotation.image_wh, threshold), annotation)


def mask_iou(mask: Any, annotation: Annotation) -> float:
    """Compute the intersection over union of a mask and a record's regions, counted in pixels.

    IoU(R, R_y) = |R ∩ R_y| / |R ∪ R_y|   (§3.3 and §4.2), R_y as `masks.to_mask` draws it for `export --to masks`:
    a pixel is in a box if its centre is. So a method trained on such masks can reach 1.

    Args:
        mask: (height, width) bool, in the pixels of the record's image.
        annotation: the record.

    Returns:
        Ratio in [0, 1]; 1 if both are empty, 0 if one is.

    Raises:
        ValueError: the mask has another size than the record's image.

    >>> import numpy as np
    >>> from swift_plugins.fakexplain.annotation import Region
    >>> record = Annotation("a", "a.png", 4, 2, "fake", (Region((0, 0, 2, 2), "Hand."),))
    >>> mask_iou(np.array([[1, 1, 1, 1], [0, 0, 0, 0]], bool), record)
    0.3333333333333333
    """
    gold = to_mask(annotation) > 0
    if mask.shape != gold.shape:
        raise ValueError(f"mask: expected {gold.shape[0]} rows of {gold.shape[1]} pixels, found {mask.shape}")
    either = int(np.count_nonzero(mask | gold))
    return int(np.count_nonzero(mask & gold)) / either if either else 1.0
