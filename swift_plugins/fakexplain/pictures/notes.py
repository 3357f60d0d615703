"""What stands below a picture: a verdict with its sign, captions behind their badges, tags, in lines that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw

from ..errors import DataError
from ..mentions import RegionLike
from ..tags import TAG_WORDS
from .lettering import Pen, wrapped
from .overlay import INK, PAPER, Colour, draw_badge

RIGHT, WRONG = (0, 128, 96), (213, 94, 0)
PANEL, GREY = (236, 236, 236), (100, 100, 100)

CAPTIONS, LINES = 8, 2  # captions a side, lines each, where notes are brief


def refusal(error: DataError, pen: Pen) -> Image.Image:
    """A grey panel that says why there is no image."""
    notes = Notes(pen, pen.cell - 2 * pen.leading, PANEL)
    notes.write(f"{error.field}: expected {error.expected}, found {error.found}", lines=8)
    words = notes.image()
    panel = Image.new("RGB", (pen.cell, words.height + 2 * pen.leading), PANEL)
    panel.paste(words, (pen.leading, pen.leading))
    return panel


class Notes:
    """Lines of text, one below the other.

    Args:
        pen: fonts and sizes.
        width: of a line in pixels; 0 is a cell's.
        ground: colour below the text.
        brief: long texts are cut and further captions counted; otherwise every word is there.
    """

    def __init__(self, pen: Pen, width: int = 0, ground: Colour = PAPER, *, brief: bool = True):
        self.pen = pen
        self.ground = ground
        self.brief = brief
        self.canvas = Image.new("RGB", (width or pen.cell, 40 * pen.leading), ground)
        self.draw = ImageDraw.Draw(self.canvas)
        self.y = 0

    def _make_room(self) -> None:
        """Have at least one more line's height below."""
        if self.y + 2 * self.pen.leading > self.canvas.height:
            longer = Image.new("RGB", (self.canvas.width, 2 * self.canvas.height), self.ground)
            longer.paste(self.canvas)
            self.canvas, self.draw = longer, ImageDraw.Draw(longer)

    def image(self) -> Image.Image:
        return self.canvas.crop((0, 0, self.canvas.width, self.y))

    def heading(self, text: str) -> None:
        """A line of larger text."""
        for line in wrapped(text, self.canvas.width, self.pen.text, 1):
            self.draw.text((0, self.y), line, font=self.pen.text, fill=INK)
        self.y += self.pen.leading

    def verdict(self, label: str, verdict: str | None, iou: float | None) -> None:
        """Whether a verdict is the label, by a sign and in words."""
        right = verdict == label
        x = draw_sign(self.draw, 0, self.y, right, self.pen)
        words = (verdict or "no verdict") + ("" if right else f", but it is {label}")
        words += "" if iou is None else f" · IoU {iou:.2f}"
        self.draw.text((x, self.y), words, font=self.pen.text, fill=INK)
        self.y += self.pen.leading

    def regions(self, regions: Mapping[str, RegionLike], colour: Colour) -> None:
        """Captions, each behind its region's badge."""
        captions = [(mark, region.caption) for mark, region in regions.items() if region.caption]
        self.y += self.pen.leading // 4 * bool(captions)
        shown = captions[:CAPTIONS] if self.brief else captions
        for mark, caption in shown:
            self._make_room()
            badge = draw_badge(mark, colour, self.pen)
            self.canvas.paste(badge, (0, self.y))
            self.write(caption, colour=INK, inset=badge.width + self.pen.leading // 4)
        if len(captions) > len(shown):
            self.write(f"and {len(captions) - len(shown)} more")

    def tags(self, what: str, tags: Sequence[str]) -> None:
        if tags:
            self.write(f"{what}: {', '.join(TAG_WORDS[tag] for tag in tags)}")

    def write(self, text: str, *, lines: int = LINES, colour: Colour = GREY, inset: int = 0) -> None:
        """Text on one line or more; where notes are brief, cut where there is more of it."""
        for line in wrapped(text, self.canvas.width - inset, self.pen.small, lines if self.brief else None):
            self._make_room()
            self.draw.text((inset, self.y), line, font=self.pen.small, fill=colour)
            self.y += self.pen.leading


def draw_sign(draw: ImageDraw.ImageDraw, x: int, y: int, right: bool, pen: Pen) -> int:
    """Draw a tick or a cross, which Pillow's font does not have; returns where words begin beside it."""
    size = pen.text.size
    tick, cross = (
        [[(0.1, 0.6), (0.35, 0.85), (0.85, 0.25)]],
        [[(0.15, 0.25), (0.75, 0.85)], [(0.75, 0.25), (0.15, 0.85)]],
    )
    for stroke in tick if right else cross:
        points = [(x + a * size, y + b * size) for a, b in stroke]
        draw.line(points, fill=RIGHT if right else WRONG, width=max(2, round(size / 6)), joint="curve")
    return x + round(size * 1.3)
