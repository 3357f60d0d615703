"""Geometry: scale images and boxes to another size, and turn boxes as EXIF turns their image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from swift_plugins.fakexplain.boxes import Box

How = Literal["crop", "pad", "stretch"]


def parse_size(text: str) -> tuple[int, int]:
    """Parse a width and height such as `512` or `640x480`.

    Raises:
        ValueError: any other text, or a side outside 1 to 16384.

    >>> parse_size("512"), parse_size("640x480")
    ((512, 512), (640, 480))
    """
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isascii() and side.isdigit() and 1 <= int(side) <= 16384 for side in sides):
        raise ValueError(f"expected a size such as 512 or 640x480, each side 1 to 16384 pixels, found {text!r}")
    return int(sides[0]), int(sides[-1])


def orient_box(box: Box, turn: int, wh: tuple[int, int]) -> Box:
    """The box after its image has been turned upright.

    Args:
        box: x1, y1, x2, y2 in the pixels of the image as stored.
        turn: EXIF orientation, 1 to 8.
        wh: width and height of the image as stored.

    >>> orient_box((1, 2, 3, 4), 6, (40, 20))  # a quarter turn clockwise: the left side becomes the top
    (16, 1, 18, 3)
    """
    x1, y1, x2, y2 = box
    width, height = wh
    if turn in (2, 3, 7, 8):  # mirror left and right
        x1, x2 = width - x2, width - x1
    if turn in (3, 4, 6, 7):  # mirror top and bottom
        y1, y2 = height - y2, height - y1
    return (y1, x1, y2, x2) if turn > 4 else (x1, y1, x2, y2)


@dataclass(frozen=True)
class Fit:
    """Mapping from an image of one size to another size.

    Attributes:
        source_wh: width and height of the upright image.
        wh: width and height of the new image.
        seen: x1, y1, x2, y2 of the part that is kept, in pixels of the source.
        place: x1, y1, x2, y2 of that part in pixels of the new image; the rest is black.
    """

    source_wh: tuple[int, int]
    wh: tuple[int, int]
    seen: Box
    place: tuple[int, int, int, int]

    @property
    def scales(self) -> tuple[float, float]:
        """New pixels per old pixel, along x and y."""
        (x1, y1, x2, y2), (left, top, right, bottom) = self.seen, self.place
        return (right - left) / (x2 - x1), (bottom - top) / (y2 - y1)

    @property
    def crops(self) -> bool:
        """Whether part of the image is cut away."""
        return self.seen != (0, 0, *self.source_wh)

    @property
    def pads(self) -> bool:
        """Whether black is added beside the image."""
        return self.place != (0, 0, *self.wh)

    def fit_image(self, image: Any) -> Any:
        """The new image, scaled by Lanczos; an image that already has the size keeps its pixels."""
        from PIL import Image

        x1, y1, x2, y2 = self.place
        part = image.resize((x2 - x1, y2 - y1), Image.Resampling.LANCZOS, box=self.seen)
        if part.size == self.wh:
            return part
        whole = Image.new("RGB", self.wh)
        whole.paste(part, (x1, y1))
        return whole

    def fit_box(self, box: Box) -> tuple[Box, float]:
        """The box in pixels of the new image, and the fraction of its area that survives; 0 if it vanishes."""
        x1, y1, x2, y2 = (*map(max, box[:2], self.seen[:2]), *map(min, box[2:], self.seen[2:]))
        if not (x1 < x2 and y1 < y2):
            return box, 0.0
        share = (x2 - x1) * (y2 - y1) / ((box[2] - box[0]) * (box[3] - box[1]))
        new = (self._along(x1, 0), self._along(y1, 1), self._along(x2, 0), self._along(y2, 1))
        return new, share if new[0] < new[2] and new[1] < new[3] else 0.0

    def _along(self, value: float, axis: int) -> float:
        start, end = self.seen[axis], self.seen[axis + 2]
        first, last = self.place[axis], self.place[axis + 2]
        return first + min((value - start) * (last - first) / (end - start), last - first)


def fit(source_wh: tuple[int, int], wh: tuple[int, int], how: How = "crop") -> Fit:
    """Choose the mapping from one size to another.

    Args:
        source_wh: width and height of the upright image.
        wh: width and height of the new image.
        how: `crop` scales the image until it fills the new one and cuts both ends of the longer side equally; `pad`
            scales it until it fits inside and adds black beside it; `stretch` scales each side on its own.

    >>> fit((1000, 500), (512, 512)).seen
    (250.0, 0.0, 750.0, 500.0)
    >>> fit((1000, 500), (512, 512), "pad").place
    (0, 128, 512, 384)
    """
    (source_w, source_h), (w, h) = source_wh, wh
    seen: Box = (0.0, 0.0, float(source_w), float(source_h))
    place = (0, 0, w, h)
    wide = source_w * h - w * source_h  # above 0 if the image is too wide
    if how == "crop" and wide > 0:
        cut = wide / (2 * h)
        seen = (cut, 0.0, source_w - cut, float(source_h))
    elif how == "crop" and wide < 0:
        cut = -wide / (2 * w)
        seen = (0.0, cut, float(source_w), source_h - cut)
    elif how == "pad" and wide:
        inner_w = w if wide > 0 else max(1, round(source_w * h / source_h))
        inner_h = h if wide < 0 else max(1, round(source_h * w / source_w))
        left, top = (w - inner_w) // 2, (h - inner_h) // 2
        place = (left, top, left + inner_w, top + inner_h)
    return Fit(source_wh, wh, seen, place)
