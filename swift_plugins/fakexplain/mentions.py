"""Mentions: the regions an answer names, which, unlike an annotation's, may lack a box or a caption."""

from __future__ import annotations

from typing import NamedTuple

from .annotation import Region
from .boxes import Box


class Mention(NamedTuple):
    """A region that an answer names.

    Attributes:
        bbox: x1, y1, x2, y2 in the model frame, neither clipped nor rounded; None if the answer gives no box (variant
            `no_bbox`).
        caption: one line of text; empty if the answer gives none (variant `no_caption`).
    """

    bbox: Box | None
    caption: str


RegionLike = Region | Mention
"""An annotated region or an answer's mention, for code that treats them alike."""
