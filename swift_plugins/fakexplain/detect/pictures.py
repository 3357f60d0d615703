"""Draw a detection: the image with the regions that the model names, captions and verdict below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..mentions import RegionLike
from ..percentages import percent
from ..pictures.colours import PRED
from ..pictures.lettering import Pen
from ..pictures.notes import Notes
from ..pictures.overlay import to_letter
from ..pictures.panels import draw_regions, put_side_by_side
from .detection import Detection

PICTURE_SIDE = 768
"""Longer side of an image in a picture, in pixels, as in `fakexplain draw`."""


def marked_regions(detection: Detection) -> dict[str, RegionLike]:
    """Mark on the picture -> region."""
    return {to_letter(index): region for index, region in enumerate(detection.regions)}


def draw_on_image(detection: Detection, shown: Any, pen: Pen) -> Any:
    """The image with its regions, a `PIL.Image.Image`.

    Args:
        detection: what the model says.
        shown: the image upright, scaled.
        pen: sizes.
    """
    nothing: Mapping[str, RegionLike] = {}
    return draw_regions(shown, detection.image_wh, nothing, marked_regions(detection), pen)


def draw_detection(detection: Detection, panel: Any, pen: Pen) -> Any:
    """The image with its regions above the verdict, the captions and the tags, a `PIL.Image.Image`."""
    notes = Notes(pen, brief=False)
    notes.heading(_heading(detection))
    notes.write(detection.id)
    notes.regions(marked_regions(detection), PRED)
    notes.tags("tags", detection.tags)
    return put_side_by_side([panel], [[notes.image()]], pen)


def _heading(detection: Detection) -> str:
    """The verdict and P(fake) on one line."""
    return detection.verdict + ("" if detection.p_fake is None else f" · P(fake) {percent(detection.p_fake)}")
