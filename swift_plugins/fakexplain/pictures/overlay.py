"""Annotated and predicted boxes on one picture, each with its mark on a badge.

Annotated boxes are blue, solid and numbered. Predicted boxes are orange, dashed and lettered, and lie on top. So they
differ without colour too, and two boxes that coincide are both visible.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from ..annotation import Annotation
from ..boxes import Box
from ..images import check_image, open_image
from ..mentions import RegionLike
from ..pixels import flatten
from .colours import GOLD, INK, PAPER, PRED, Colour
from .lettering import Pen

Whole = tuple[int, int, int, int]
MAX_BADGES = 128
"""Badges per set of boxes: each looks for a place among all others, and an answer may hold thousands of boxes."""


def to_letter(index: int) -> str:
    """Convert the index of a predicted region to its mark.

    >>> [to_letter(index) for index in (0, 25, 26, 52)]
    ['a', 'z', 'a1', 'a2']
    """
    return chr(ord("a") + index % 26) + str(index // 26 or "")


def load_picture(annotation: Annotation, longer_side: int) -> Image.Image:
    """Load a record's image on a white ground, and scale it.

    Args:
        annotation: the record.
        longer_side: longer side of the scaled image in pixels.

    Raises:
        DataError: the image is missing, unreadable, or its size differs from the record.
    """
    check_image(annotation, decode=True)
    with open_image(annotation.path, str(annotation.path)) as image:
        return scale_picture(flatten(image), longer_side)


def scale_picture(picture: Image.Image, longer_side: int) -> Image.Image:
    """Scale a picture; no side becomes shorter than a pixel."""
    factor = longer_side / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def scale_boxes(boxes_px: Mapping[str, Box], image_wh: tuple[int, int], picture: Image.Image) -> dict[str, Box]:
    """Scale boxes from pixels of an image of this width and height to pixels of a picture of it."""
    across, down = (new / old for new, old in zip(picture.size, image_wh, strict=True))
    return {mark: (x1 * across, y1 * down, x2 * across, y2 * down) for mark, (x1, y1, x2, y2) in boxes_px.items()}


def select_boxes(regions: Mapping[str, RegionLike]) -> dict[str, Box]:
    """Select the boxes of regions: mark -> box of each region that has one."""
    return {mark: region.bbox for mark, region in regions.items() if region.bbox}


def draw_boxes(picture: Image.Image, gold: Mapping[str, Box], pred: Mapping[str, Box], pen: Pen) -> None:
    """Draw two sets of boxes, each of the first `MAX_BADGES` boxes with its mark on a badge.

    Args:
        picture: the picture to draw on.
        gold, pred: mark -> x1, y1, x2, y2 in pixels of the picture.
        pen: sizes.
    """
    draw = ImageDraw.Draw(picture)
    outlines = [
        (mark, colour, _snap(box, picture.size, 2 * pen.line))
        for colour, boxes in ((GOLD, gold), (PRED, pred))
        for mark, box in boxes.items()
    ]
    for _, colour, (x1, y1, x2, y2) in outlines:
        if colour == GOLD:
            draw.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline=PAPER, width=pen.line + 2)
            draw.rectangle((x1, y1, x2, y2), outline=GOLD, width=pen.line)
        else:
            draw_dashed(draw, (x1, y1, x2, y2), pen.line)
    marked = [*outlines[: len(gold)][:MAX_BADGES], *outlines[len(gold) :][:MAX_BADGES]]
    badges = [draw_badge(mark, colour, pen) for mark, colour, _ in marked]
    places = place_badges(
        [box for _, _, box in marked],
        [badge.size for badge in badges],
        picture.size,
        upward=[colour == PRED for _, colour, _ in marked],
    )
    for badge, place in zip(badges, places, strict=True):
        picture.paste(badge, place)


def _snap(box: Box, size: tuple[int, int], least: int) -> Whole:
    """First and last pixel of a box in each direction, inside the picture and far enough apart for an outline."""
    low = [max(0, min(round(v), side - 1 - least)) for v, side in zip(box[:2], size, strict=True)]
    high = [min(max(round(v) - 1, a + least), side - 1) for v, a, side in zip(box[2:], low, size, strict=True)]
    return low[0], low[1], high[0], high[1]


def draw_dashed(draw: ImageDraw.ImageDraw, box: Whole, line: int) -> None:
    """Draw an outline of dashes with a white rim; each side begins and ends with a dash."""
    x1, y1, x2, y2 = box
    strokes: list[Whole] = []
    for across, start, end in ((True, x1, x2), (False, y1, y2)):
        dash = min(4 * line, max(1, (end - start) // 3))
        gaps = max(1, round((end - start - dash) / (1.7 * dash)))
        for a in (start + round(i * (end - start - dash) / gaps) for i in range(gaps + 1)):
            b = a + dash
            if across:
                strokes += [(a, y1, b, y1 + line - 1), (a, y2 - line + 1, b, y2)]
            else:
                strokes += [(x1, a, x1 + line - 1, b), (x2 - line + 1, a, x2, b)]
    for rim, colour in ((1, PAPER), (0, PRED)):
        for x1, y1, x2, y2 in strokes:
            draw.rectangle((x1 - rim, y1 - rim, x2 + rim, y2 + rim), fill=colour)


def draw_badge(mark: str, colour: Colour, pen: Pen) -> Image.Image:
    """A mark on the colour of its box, with a white rim."""
    height = round(pen.small.size * 1.2)
    width = max(height, round(pen.small.getlength(mark)) + height // 2)
    badge = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(badge)
    draw.rectangle((1, 1, width - 2, height - 2), fill=colour)
    top, bottom = pen.small.getbbox("0", anchor="ls")[1::2]  # letters stand on the line that centres digits
    ink, baseline = PAPER if colour == GOLD else INK, math.ceil((height - top - bottom) / 2)
    draw.text((width / 2, baseline), mark, font=pen.small, fill=ink, anchor="ms")
    return badge


def place_badges(
    boxes: Sequence[Whole],
    sizes: Sequence[tuple[int, int]],
    picture: tuple[int, int],
    *,
    upward: Sequence[bool],
) -> list[tuple[int, int]]:
    """Find a place for the badge of each box.

    A badge takes the corner of its box at which it hides least of other badges, outlines and the box. If it would cover
    another badge at every corner, it takes the nearest place in the picture where it covers none.

    Args:
        boxes: first and last pixel of each box in each direction.
        sizes: width and height of each box's badge.
        picture: width and height.
        upward: whether to try the lower right corner first. Predicted boxes do, so that their badges keep away
            from those of annotated boxes.

    Returns:
        Upper left corner of each badge.

    >>> place_badges([(40, 40, 80, 80)] * 2, [(10, 10)] * 2, (100, 100), upward=[False, True])
    [(40, 30), (71, 81)]
    """
    sides = np.array(
        [
            side
            for x1, y1, x2, y2 in boxes
            for side in ((x1, y1, x2, y1 + 3), (x1, y2 - 3, x2, y2), (x1, y1, x1 + 3, y2), (x2 - 3, y1, x2, y2))
        ]
    )
    placed: list[Whole] = []
    for box, size, up in zip(boxes, sizes, upward, strict=True):
        spots = _corners(size, box, picture, up)
        cost, covered = _costs(spots, size, box, sides, placed)
        (x, y), overlap = spots[best := cost.argmin()], covered[best]
        if overlap and len(free := _free_spots(size, placed, picture)):
            x, y = free[_distance(free, size, box).argmin()]
        placed.append((int(x), int(y), int(x) + size[0], int(y) + size[1]))
    return [(x, y) for x, y, _, _ in placed]


def _corners(size: tuple[int, int], box: Whole, picture: tuple[int, int], upward: bool) -> np.ndarray:
    """(16, 2) upper left corners of a badge inside the picture: four at each corner of the box, the best first."""
    (x1, y1, x2, y2), (width, height) = box, size
    inner_x, outer_x = (x1, x2 - width + 1), (x1 - width, x2 + 1)
    inner_y, outer_y = (y1, y2 - height + 1), (y1 - height, y2 + 1)
    corners: list[tuple[int, int]] = []
    for xs, ys in ((inner_x, outer_y), (outer_x, inner_y), (inner_x, inner_y), (outer_x, outer_y)):
        four = [(x, y) for y in ys for x in xs]
        corners += four[::-1] if upward else four
    return np.maximum(0, np.minimum(corners, (picture[0] - width, picture[1] - height)))


def _costs(
    spots: np.ndarray, size: tuple[int, int], box: Whole, sides: np.ndarray, placed: Sequence[Whole]
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) cost of a badge in each of n places, and (n,) pixels of other badges that it covers there."""
    x1, y1, x2, y2 = box
    badges = _overlaps(spots, size, np.array(placed or [(0, 0, 0, 0)])).sum(axis=1)
    lines = _overlaps(spots, size, sides).sum(axis=1)
    inside = _overlaps(spots, size, np.array([box]))[:, 0] / ((x2 - x1 + 1) * (y2 - y1 + 1))
    return 10 * badges + lines + 3 * size[0] * size[1] * inside, badges


def _free_spots(size: tuple[int, int], placed: Sequence[Whole], picture: tuple[int, int]) -> np.ndarray:
    """(n, 2) places where a badge covers no other badge, row by row on a grid of half the badge size."""
    (width, height), (across, down) = size, picture
    ys, xs = np.mgrid[
        0 : max(0, down - height) + 1 : max(1, height // 2), 0 : max(0, across - width) + 1 : max(1, width // 2)
    ]
    spots = np.stack((xs.ravel(), ys.ravel()), axis=1)
    for other in placed:  # one after the other: all at once would need memory for every pair
        spots = spots[_overlaps(spots, size, np.array([other]))[:, 0] == 0]
    return spots


def _distance(spots: np.ndarray, size: tuple[int, int], box: Whole) -> np.ndarray:
    """(n,) distances of badges from a box, horizontal plus vertical, in pixels."""
    low, high, size_wh = np.array(box[:2]), np.array(box[2:]), np.array(size)
    return np.maximum(0, np.maximum(low - spots - size_wh, spots - high)).sum(axis=1)


def _overlaps(spots: np.ndarray, size: tuple[int, int], others: np.ndarray) -> np.ndarray:
    """(n, m) pixels that a badge in each of n places shares with each of m boxes."""
    low = np.maximum(spots[:, None], others[None, :, :2])
    high = np.minimum(spots[:, None] + np.array(size), others[None, :, 2:])
    return np.maximum(0, high - low).prod(axis=2)
