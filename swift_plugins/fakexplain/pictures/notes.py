"""Notes below a picture: a verdict with its sign, captions beside their badges, tags, in lines that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw

from ..errors import DataError
from ..mentions import RegionLike
from ..tags import TAG_WORDS
from .colours import GREY, INK, PANEL, PAPER, RIGHT, WRONG, Colour
from .lettering import Pen, wrap_text
from .overlay import draw_badge

MAX_CAPTIONS, MAX_LINES = 8, 2  # captions per side and lines per caption, in brief notes
LARGEST_NOTES = 20_000_000  # pixels; an answer may hold thousands of regions, and Pillow refuses larger pictures


def draw_error_panel(error: DataError, pen: Pen) -> Image.Image:
    """Draw a grey panel that says why an image is missing."""
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
        width: width of a line in pixels; 0 means the width of the cell.
        ground: background colour.
        brief: cut long texts and count further captions; otherwise write every word, up to `LARGEST_NOTES`.
    """

    def __init__(self, pen: Pen, width: int = 0, ground: Colour = PAPER, *, brief: bool = True):
        self.pen = pen
        self.ground = ground
        self.brief = brief
        self.canvas = Image.new("RGB", (width or pen.cell, 40 * pen.leading), ground)
        self.draw = ImageDraw.Draw(self.canvas)
        self.y = 0

    def _make_room(self) -> None:
        """Lengthen the canvas if the next line does not fit."""
        if self.y + 2 * self.pen.leading > self.canvas.height:
            longer = Image.new("RGB", (self.canvas.width, 2 * self.canvas.height), self.ground)
            longer.paste(self.canvas)
            self.canvas, self.draw = longer, ImageDraw.Draw(longer)

    @property
    def is_full(self) -> bool:
        """Whether no further text is written."""
        return self.y * self.canvas.width >= LARGEST_NOTES

    def image(self) -> Image.Image:
        """The notes written so far."""
        return self.canvas.crop((0, 0, self.canvas.width, self.y))

    def heading(self, text: str) -> None:
        """Write a line of larger text."""
        for line in wrap_text(text, self.canvas.width, self.pen.text, 1):
            self.draw.text((0, self.y), line, font=self.pen.text, fill=INK)
        self.y += self.pen.leading

    def verdict(self, label: str, verdict: str | None, iou: float | None) -> None:
        """Write whether a verdict is right, with a sign and in words."""
        right = verdict == label
        x = draw_sign(self.draw, 0, self.y, right, self.pen)
        words = (verdict or "no verdict") + ("" if right else f", but it is {label}")
        words += "" if iou is None else f" · IoU {iou:.2f}"
        self.draw.text((x, self.y), words, font=self.pen.text, fill=INK)
        self.y += self.pen.leading

    def regions(self, regions: Mapping[str, RegionLike], colour: Colour) -> None:
        """Write captions, each beside its region's badge."""
        captions = [(mark, region.caption) for mark, region in regions.items() if region.caption]
        self.y += self.pen.leading // 4 * bool(captions)
        shown = 0
        for mark, caption in captions[:MAX_CAPTIONS] if self.brief else captions:
            if self.is_full:
                break
            shown += 1
            self._make_room()
            badge = draw_badge(mark, colour, self.pen)
            self.canvas.paste(badge, (0, self.y))
            self.write(caption, colour=INK, inset=badge.width + self.pen.leading // 4)
        if len(captions) > shown:
            self._write_line(f"and {len(captions) - shown} more", GREY)

    def tags(self, heading: str, tags: Sequence[str]) -> None:
        """Write tags after a heading; write nothing without tags."""
        if tags:
            self.write(f"{heading}: {', '.join(TAG_WORDS[tag] for tag in tags)}")

    def write(self, text: str, *, lines: int = MAX_LINES, colour: Colour = GREY, inset: int = 0) -> None:
        """Write a text on as many lines as it needs; brief notes cut it after `lines`."""
        for line in wrap_text(text, self.canvas.width - inset, self.pen.small, lines if self.brief else None):
            if self.is_full:
                break
            self._write_line(line, colour, inset)

    def _write_line(self, line: str, colour: Colour, inset: int = 0) -> None:
        self._make_room()
        self.draw.text((inset, self.y), line, font=self.pen.small, fill=colour)
        self.y += self.pen.leading


def draw_sign(draw: ImageDraw.ImageDraw, x: int, y: int, right: bool, pen: Pen) -> int:
    """Draw a tick or a cross.

    Args:
        draw: drawing context of the picture.
        x, y: upper left corner of the line of text.
        right: tick if true, cross otherwise.
        pen: font and size.

    Returns:
        The x at which text beside the sign begins.
    """
    draw.text((x, y), "✓" if right else "✗", font=pen.signs, fill=RIGHT if right else WRONG, stroke_width=pen.line // 3)
    return x + round(pen.text.size * 1.3)
