"""How far two records of one image agree (§3.3, App. A.2).

- IoU: `union_iou` of their boxes in original pixels; 0 if one side has no region. If neither side has a region, the
  image is skipped of the mean IoU and counted separately.
- Tag agreement: |A ∩ B| / |A ∪ B| of the two sets of tags; 1 if both are empty. (The paper gives a rate but no formula.
  The share of images with identical sets is reported beside it.)
- Label agreement: whether both are fake or both are real.

"An average IoU under 20% or a tag agreement lower than 1/3 will result in the exclusion of all previous data provided
by the annotator." Means are exact to 1e-9, so an annotator counts as below a bound only by more than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.boxes import Box, union_iou

MIN_IOU, MIN_TAGS = 0.2, 1 / 3
IOU_IN_PAPER, TAGS_IN_PAPER = 0.4235, 0.7967
"""Agreement of the paper's annotations with its reference at the end of the annotation process (App. A.2)."""

_ROUNDING = 1e-9

REJECT, ACCEPT, NOT_MEASURED = "reject", "accept", "not measured"


class Judgement(NamedTuple):
    """The part of a record that is compared.

    Attributes:
        label: 'fake' or 'real'.
        tags: canonical names.
        boxes: boxes of its regions, in original pixels.
    """

    label: str
    tags: frozenset[str]
    boxes: tuple[Box, ...]


def judgement_of(annotation: Annotation) -> Judgement:
    """Extract the part of a record that is compared."""
    boxes = tuple(region.bbox for region in annotation.regions)
    return Judgement(annotation.label, frozenset(annotation.tags), boxes)


class ImageAgreement(NamedTuple):
    """Agreement of two records of one image.

    Attributes:
        iou: IoU of their regions; None if neither has one.
        tags: agreement of their sets of tags.
        same_tags, same_label: whether they are equal.
    """

    iou: float | None
    tags: float
    same_tags: bool
    same_label: bool


def compare(a: Judgement, b: Judgement) -> ImageAgreement:
    """Compare two records of one image; their order makes no difference.

    >>> hand = Judgement("fake", frozenset({"texture_error", "other_anomaly"}), ((0, 0, 10, 10),))
    >>> compare(hand, Judgement("fake", frozenset({"texture_error"}), ((5, 0, 15, 10),)))
    ImageAgreement(iou=0.3333333333333333, tags=0.5, same_tags=False, same_label=True)
    """
    iou = union_iou(a.boxes, b.boxes) if a.boxes or b.boxes else None
    either = a.tags | b.tags
    tags = len(a.tags & b.tags) / len(either) if either else 1.0
    return ImageAgreement(iou, tags, a.tags == b.tags, a.label == b.label)


@dataclass
class Agreement:
    """Means over compared images.

    Attributes:
        images: number of images compared.
        with_regions: number of those where either side has a region.
        iou_sum, tags_sum, same_tags, same_labels: sums over the images.
    """

    images: int = 0
    with_regions: int = 0
    iou_sum: float = 0.0
    tags_sum: float = 0.0
    same_tags: int = 0
    same_labels: int = 0

    def add(self, image: ImageAgreement) -> None:
        """Add the agreement on one image."""
        self.images += 1
        if image.iou is not None:
            self.with_regions += 1
            self.iou_sum += image.iou
        self.tags_sum += image.tags
        self.same_tags += image.same_tags
        self.same_labels += image.same_label

    def __iadd__(self, other: Agreement) -> Agreement:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self

    @property
    def mean_iou(self) -> float | None:
        return self.iou_sum / self.with_regions if self.with_regions else None

    @property
    def tag_agreement(self) -> float | None:
        return self.tags_sum / self.images if self.images else None

    def as_dict(self) -> dict[str, Any]:
        """The metrics by name; None if nothing was compared."""
        return {
            "images": self.images,
            "images_without_any_region": self.images - self.with_regions,
            "mean_iou": _rounded(self.mean_iou),
            "tag_agreement": _rounded(self.tag_agreement),
            "same_tags": _rounded(self.same_tags / self.images if self.images else None),
            "label_agreement": _rounded(self.same_labels / self.images if self.images else None),
        }

    def verdict(self, min_iou: float = MIN_IOU, min_tags: float = MIN_TAGS) -> str:
        """'reject' if a mean is below its bound, 'not measured' if nothing was compared, else 'accept'.

        >>> Agreement(images=3, with_regions=3, iou_sum=0.6, tags_sum=1.0).verdict()
        'accept'
        >>> Agreement(images=3, with_regions=3, iou_sum=0.59, tags_sum=1.0).verdict()
        'reject'
        """
        if not self.images:
            return NOT_MEASURED
        bounds = ((self.mean_iou, min_iou), (self.tag_agreement, min_tags))
        below = any(mean is not None and mean < least - _ROUNDING for mean, least in bounds)
        return REJECT if below else ACCEPT


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 9)
