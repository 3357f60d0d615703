"""Contact sheets: images with annotated and predicted boxes, and what was said of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageDraw

from ..annotation import TAG_WORDS, Annotation, AnnotationError, Region
from ..answer import Answer, parse_answer, target_regions
from ..files import replacing
from ..frames import FrameRule
from .lettering import Pen, wrapped
from .metrics import boxes_px, score_image
from .overlay import (
    GOLD,
    INK,
    PAPER,
    PRED,
    Colour,
    boxes_of,
    draw_badge,
    draw_boxes,
    draw_dashed,
    letter,
    load_picture,
    on_picture,
)

RIGHT, WRONG = (0, 128, 96), (213, 94, 0)
PANEL, GREY = (236, 236, 236), (100, 100, 100)

CAPTIONS, LINES = 8, 2  # captions a side, lines each


def contact_sheet(
    pairs: Iterable[tuple[Annotation, str | None]],
    out: str | Path,
    *,
    rule: FrameRule | None = None,
    variant: str = "full",
    columns: int = 4,
    cell: int = 360,
    font: str | Path | None = None,
) -> int:
    """Draw images with their boxes and captions on one PNG.

    Args:
        pairs: records, each with the answer about it or None; all of them are shown.
        out: PNG to write; it appears whole or not at all.
        rule: frame rule of the run that wrote the answers.
        variant: what the answers were asked to hold.
        columns: images side by side.
        cell: longer side of an image on the sheet in pixels; text and lines grow with it.
        font: TrueType or OpenType file; Pillow's own font knows little more than ASCII.

    Returns:
        How many images are shown; in place of one that cannot be read stands why.

    Raises:
        ValueError: no image, or answers without a rule.
    """
    pairs = list(pairs)
    if not pairs:
        raise ValueError("a contact sheet needs at least one image, found none")
    answered = any(text is not None for _, text in pairs)
    if answered and rule is None:
        raise ValueError("predicted boxes need the frame rule of the template that wrote them, found none")
    pen = Pen(cell, font)
    cells = [_cell(annotation, text, rule, variant, pen) for annotation, text in pairs]
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    gap = margin = cell // 12
    legend = _legend(len(rows[0]) * (cell + gap) - gap, answered, pen)
    heights = [legend.height, *(max(each.height for each in row) for row in rows)]
    sheet = Image.new("RGB", (legend.width + 2 * margin, sum(heights) + gap * len(rows) + 2 * margin), PAPER)
    y = margin
    for row, height in zip([[legend], *rows], heights, strict=True):
        for column, each in enumerate(row):
            sheet.paste(each, (margin + column * (cell + gap), y))
        y += height + gap

    with replacing(out) as partial:
        sheet.save(partial, "PNG")
    return len(cells)


Item = TypeVar("Item")


def drawn_at_random(items: Iterable[Item], count: int, seed: int = 0) -> list[Item]:
    """At most so many of the items, each as likely as any other, in their order; holds no more than that at a time.

    Args:
        items: anything, of any number.
        count: how many to take; 0 takes all.
        seed: the same one draws the same items.

    >>> drawn_at_random("abcdefgh", 3), drawn_at_random("ab", 3), drawn_at_random("ab", 0)
    (['b', 'f', 'g'], ['a', 'b'], ['a', 'b'])
    """
    rng = random.Random(seed)
    drawn: list[tuple[int, Item]] = []
    for index, item in enumerate(items):
        if not count or index < count:
            drawn.append((index, item))
        elif (place := rng.randrange(index + 1)) < count:
            drawn[place] = (index, item)
    return [item for _, item in sorted(drawn, key=itemgetter(0))]


def _cell(annotation: Annotation, text: str | None, rule: FrameRule | None, variant: str, pen: Pen) -> Image.Image:
    answer = None if text is None else parse_answer(text, variant=variant)
    iou = score_image(annotation, text, rule, variant).iou if text is not None and rule else None
    gold = {str(number): region for number, region in enumerate(target_regions(annotation), 1)}
    pred = {letter(index): region for index, region in enumerate(answer.regions if answer else ())}

    notes = _Notes(pen)
    notes.verdict(annotation.label, answer, iou)
    notes.write(" · ".join(filter(None, (annotation.id, annotation.generator))), lines=1)
    notes.regions(gold, GOLD)
    notes.tags("annotated tags" if answer else "tags", annotation.tags)
    notes.regions(pred, PRED)
    notes.tags("predicted tags", answer.tags if answer else ())
    if answer and not answer.verdict:
        notes.write(f"answer: {text}" if text and text.strip() else "answer: nothing")
    below = notes.image()

    try:
        picture = load_picture(annotation, pen.cell)
    except AnnotationError as error:
        picture = _refusal(error, pen)
    else:
        pred_px = {mark: box for mark, region in pred.items() if rule for box in boxes_px([region], annotation, rule)}
        gold_boxes, pred_boxes = (on_picture(each, annotation, picture) for each in (boxes_of(gold), pred_px))
        draw_boxes(picture, gold_boxes, pred_boxes, pen)

    top = picture.height + pen.leading // 3
    cell = Image.new("RGB", (pen.cell, top + below.height), PAPER)
    cell.paste(PANEL, (0, 0, pen.cell, picture.height))
    cell.paste(picture, ((pen.cell - picture.width) // 2, 0))
    cell.paste(below, (0, top))
    return cell


def _refusal(error: AnnotationError, pen: Pen) -> Image.Image:
    """A grey panel that says why there is no image."""
    notes = _Notes(pen, pen.cell - 2 * pen.leading, PANEL)
    notes.write(f"{error.field}: expected {error.expected}, found {error.found}", lines=8)
    words = notes.image()
    panel = Image.new("RGB", (pen.cell, words.height + 2 * pen.leading), PANEL)
    panel.paste(words, (pen.leading, pen.leading))
    return panel


class _Notes:
    """Lines of text, one below the other."""

    def __init__(self, pen: Pen, width: int = 0, ground: Colour = PAPER):
        self.pen = pen
        self.canvas = Image.new("RGB", (width or pen.cell, 40 * pen.leading), ground)
        self.draw = ImageDraw.Draw(self.canvas)
        self.y = 0

    def image(self) -> Image.Image:
        return self.canvas.crop((0, 0, self.canvas.width, self.y))

    def verdict(self, label: str, answer: Answer | None, iou: float | None) -> None:
        """Whether the answer is right, by a sign and in words."""
        x, words = 0, label
        if answer:
            right = answer.verdict == label
            x = _sign(self.draw, 0, self.y, right, self.pen)
            words = (answer.verdict or "no verdict") + ("" if right else f", but it is {label}")
            words += "" if iou is None else f" · IoU {iou:.2f}"
        self.draw.text((x, self.y), words, font=self.pen.text, fill=INK)
        self.y += self.pen.leading

    def regions(self, regions: Mapping[str, Region], colour: Colour) -> None:
        """Captions, each behind its region's badge."""
        captions = [(mark, region.caption) for mark, region in regions.items() if region.caption]
        self.y += self.pen.leading // 4 * bool(captions)
        for mark, caption in captions[:CAPTIONS]:
            badge = draw_badge(mark, colour, self.pen)
            self.canvas.paste(badge, (0, self.y))
            self.write(caption, colour=INK, inset=badge.width + self.pen.leading // 4)
        if len(captions) > CAPTIONS:
            self.write(f"and {len(captions) - CAPTIONS} more")

    def tags(self, what: str, tags: Sequence[str]) -> None:
        if tags:
            self.write(f"{what}: {', '.join(TAG_WORDS[tag] for tag in tags)}")

    def write(self, text: str, *, lines: int = LINES, colour: Colour = GREY, inset: int = 0) -> None:
        """Text on one line or more, cut where there is more of it."""
        for line in wrapped(text, self.canvas.width - inset, self.pen.small, lines):
            self.draw.text((inset, self.y), line, font=self.pen.small, fill=colour)
            self.y += self.pen.leading


def _sign(draw: ImageDraw.ImageDraw, x: int, y: int, right: bool, pen: Pen) -> int:
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


def _legend(width: int, answered: bool, pen: Pen) -> Image.Image:
    """What the colours and signs mean, on as many lines as it takes."""
    legend = Image.new("RGB", (width, 6 * pen.leading), PAPER)
    draw = ImageDraw.Draw(legend)
    size = int(pen.text.size)
    x = y = 0
    entries = ["annotated region", "predicted region", "verdict right", "verdict wrong"]
    for entry in entries if answered else entries[:1]:
        needed = round(3 * size + pen.text.getlength(entry))
        if x and x + needed > width:
            x, y = 0, y + pen.leading
        if entry.startswith("verdict"):
            start = _sign(draw, x, y, entry.endswith("right"), pen)
        else:
            box = x + 1, y + round(0.1 * size), x + 2 * size, y + round(1.1 * size)
            if entry.startswith("annotated"):
                draw.rectangle(box, outline=GOLD, width=pen.line)
            else:
                draw_dashed(draw, box, pen.line)
            start = x + round(2.5 * size)
        draw.text((start, y), entry, font=pen.text, fill=INK)
        x = start + round(pen.text.getlength(entry)) + 2 * size
    return legend.crop((0, 0, width, y + pen.leading))
