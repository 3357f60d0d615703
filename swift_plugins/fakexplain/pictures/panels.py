"""Put pictures with boxes side by side, each with its notes below."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

from ..mentions import RegionLike
from .colours import PANEL, PAPER
from .lettering import Pen
from .overlay import draw_boxes, scale_boxes, select_boxes


def draw_regions(
    picture: Image.Image,
    image_wh: tuple[int, int],
    gold: Mapping[str, RegionLike],
    pred: Mapping[str, RegionLike],
    pen: Pen,
) -> Image.Image:
    """Draw regions on a copy of a picture, on a grey ground if it is too thin for badges.

    Args:
        picture: an image, scaled.
        image_wh: width and height of the image, in whose pixels the regions' boxes are.
        gold, pred: mark -> region.
        pen: sizes.
    """
    least = 4 * pen.leading
    ground = Image.new("RGB", (max(picture.width, least), max(picture.height, least)), PANEL)
    left, top = (ground.width - picture.width) // 2, (ground.height - picture.height) // 2
    ground.paste(picture, (left, top))
    shifted = [
        {
            mark: (x1 + left, y1 + top, x2 + left, y2 + top)
            for mark, (x1, y1, x2, y2) in scale_boxes(select_boxes(regions), image_wh, picture).items()
        }
        for regions in (gold, pred)
    ]
    draw_boxes(ground, shifted[0], shifted[1], pen)
    return ground


def put_side_by_side(pictures: list[Image.Image], below: list[list[Image.Image]], pen: Pen) -> Image.Image:
    """Place pictures side by side, each with its notes below."""
    gap = pen.leading
    width = max(picture.width for picture in pictures)
    width = max(width, pen.cell)
    top = max(picture.height for picture in pictures)
    heights = [sum(notes.height + gap // 2 for notes in column) for column in below]
    whole = Image.new(
        "RGB", (len(pictures) * (width + gap) + gap, gap + top + gap // 2 + max(heights) + gap // 2), PAPER
    )
    for index, (picture, column) in enumerate(zip(pictures, below, strict=True)):
        x, y = gap + index * (width + gap), gap + top + gap // 2
        whole.paste(picture, (x + (width - picture.width) // 2, gap + (top - picture.height) // 2))
        for notes in column:
            whole.paste(notes, (x, y))
            y += notes.height + gap // 2
    return whole
