"""How far two records of one image agree (§3.3, App. A.2).

- IoU: `union_iou` of their boxes in original pixels. Where neither side has a region there is nothing to compare: the
  image counts in no mean of IoU, and is counted by itself. Where one side has none, IoU is 0.
- Tag agreement: |A ∩ B| / |A ∪ B| of the two sets of tags, 1 where both are empty. (The paper gives a rate and no
  formula. The share of images with the very same set is told beside it.)
- Label agreement: whether both say fake, or both real.

"An average IoU under 20% or a tag agreement lower than 1/3 will result in the exclusion of all previous data provided
by the annotator." Means are exact to 1e-9, and so an annotator is below a bound who is below it by more than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.boxes import Box, union_iou

MIN_IOU, MIN_TAGS = 0.2, 1 / 3
IOU_IN_PAPER, TAGS_IN_PAPER = 0.4235, 0.7967
"""What the paper's annotations and its reference agreed in once the annotation process had ended (App. A.2)."""

EXACT = 1e-9

REJECT, ACCEPT, NOT_MEASURED = "reject", "accept", "not measured"


class Said(NamedTuple):
    """What a record says of its image.

    Attributes:
        label: 'fake' or 'real'.
        tags: canonical names.
        boxes: of its regions, in original pixels.
    """

    label: str
    tags: frozenset[str]
    boxes: tuple[Box, ...]


def said(annotation: Annotation) -> Said:
    """What a record says of its image."""
    boxes = tuple(region.bbox for region in annotation.regions)
    return Said(annotation.label, frozenset(annotation.tags), boxes)


class Comparison(NamedTuple):
    """Two records of one image.

    Attributes:
        iou: of their regions; None where neither has one.
        tags: agreement of their sets of tags.
        same_tags, same_label: whether they are the same.
    """

    iou: float | None
    tags: float
    same_tags: bool
    same_label: bool


def compare(a: Said, b: Said) -> Comparison:
    """The figures of two records of one image; which is which makes no difference.

    >>> hand = Said("fake", frozenset({"texture_error", "other_anomaly"}), ((0, 0, 10, 10),))
    >>> compare(hand, Said("fake", frozenset({"texture_error"}), ((5, 0, 15, 10),)))
    Comparison(iou=0.3333333333333333, tags=0.5, same_tags=False, same_label=True)
    """
    iou = union_iou(a.boxes, b.boxes) if a.boxes or b.boxes else None
    either = a.tags | b.tags
    tags = len(a.tags & b.tags) / len(either) if either else 1.0
    return Comparison(iou, tags, a.tags == b.tags, a.label == b.label)


@dataclass
class Agreement:
    """Means over compared images.

    Attributes:
        images: how many were compared.
        with_regions: those of them where either side has a region.
        iou_sum, tags_sum, same_tags, same_labels: sums of the comparisons' figures.
    """

    images: int = 0
    with_regions: int = 0
    iou_sum: float = 0.0
    tags_sum: float = 0.0
    same_tags: int = 0
    same_labels: int = 0

    def add(self, comparison: Comparison) -> None:
        """Count a comparison."""
        self.images += 1
        if comparison.iou is not None:
            self.with_regions += 1
            self.iou_sum += comparison.iou
        self.tags_sum += comparison.tags
        self.same_tags += comparison.same_tags
        self.same_labels += comparison.same_label

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
        """The figures by name; None where nothing was compared."""
        return {
            "images": self.images,
            "images_without_any_region": self.images - self.with_regions,
            "mean_iou": _rounded(self.mean_iou),
            "tag_agreement": _rounded(self.tag_agreement),
            "same_tags": _rounded(self.same_tags / self.images if self.images else None),
            "label_agreement": _rounded(self.same_labels / self.images if self.images else None),
        }

    def verdict(self, min_iou: float = MIN_IOU, min_tags: float = MIN_TAGS) -> str:
        """'reject' where a mean lies below its bound; 'not measured' where nothing was compared.

        >>> Agreement(images=3, with_regions=3, iou_sum=0.6, tags_sum=1.0).verdict()
        'accept'
        >>> Agreement(images=3, with_regions=3, iou_sum=0.59, tags_sum=1.0).verdict()
        'reject'
        """
        if not self.images:
            return NOT_MEASURED
        bounds = ((self.mean_iou, min_iou), (self.tag_agreement, min_tags))
        below = any(mean is not None and mean < least - EXACT for mean, least in bounds)
        return REJECT if below else ACCEPT


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 9)
