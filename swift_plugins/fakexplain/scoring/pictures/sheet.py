"""Draw contact sheets: many images on one picture, with annotated and predicted boxes, captions and verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageDraw

from ...annotation import Annotation
from ...answer import parse_answer, target_regions
from ...atomic import atomic_file
from ...errors import DataError
from ...frames import FrameRule
from ...pictures.colours import GOLD, INK, PANEL, PAPER, PRED
from ...pictures.lettering import Pen
from ...pictures.notes import Notes, draw_error_panel, draw_sign
from ...pictures.overlay import draw_boxes, draw_dashed, load_picture, scale_boxes, select_boxes, to_letter
from ..metrics.image import score_image, to_boxes_px


def contact_sheet(
    pairs: Iterable[tuple[Annotation, str | None]],
    out: str | Path,
    *,
    rule: FrameRule | None = None,
    variant: str = "full",
    columns: int = 4,
    cell: int = 360,
    font: str | Path | None = None,
) -> list[DataError | None]:
    """Draw images with their boxes and captions on one PNG.

    Args:
        pairs: records, each with its answer or None; all are shown.
        out: PNG to write, atomically.
        rule: frame rule of the run that wrote the answers.
        variant: the parts that answers should contain.
        columns: number of columns.
        cell: longer side of an image on the sheet in pixels; text and lines grow with it.
        font: TrueType or OpenType file; default: DejaVu Sans.

    Returns:
        For each image shown, its error if it is unreadable, else None. A panel with the reason replaces such an image.

    Raises:
        ValueError: there are no images, or answers without a rule.
    """
    pairs = list(pairs)
    if not pairs:
        raise ValueError("a contact sheet needs at least one image, found none")
    answered = any(text is not None for _, text in pairs)
    if answered and rule is None:
        raise ValueError("predicted boxes need the frame rule of the template that wrote them, found none")
    pen = Pen(cell, font)
    cells, errors = zip(*(_cell(annotation, text, rule, variant, pen) for annotation, text in pairs), strict=True)
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

    with atomic_file(out) as partial:
        sheet.save(partial, "PNG")
    return list(errors)


def _cell(
    annotation: Annotation, text: str | None, rule: FrameRule | None, variant: str, pen: Pen
) -> tuple[Image.Image, DataError | None]:
    answer = None if text is None else parse_answer(text, variant=variant)
    iou = score_image(annotation, text, rule, variant).iou if text is not None and rule else None
    gold = {str(number): region for number, region in enumerate(target_regions(annotation), 1)}
    pred = {to_letter(index): region for index, region in enumerate(answer.regions if answer else ())}

    notes = Notes(pen)
    if answer:
        notes.verdict(annotation.label, answer.verdict, iou)
    else:
        notes.heading(annotation.label)
    notes.write(" · ".join(filter(None, (annotation.id, annotation.generator))), lines=1)
    notes.regions(gold, GOLD)
    notes.tags("annotated tags" if answer else "tags", annotation.tags)
    notes.regions(pred, PRED)
    notes.tags("predicted tags", answer.tags if answer else ())
    if answer and not answer.verdict:
        notes.write(f"answer: {text}" if text and text.strip() else "answer: empty")
    below = notes.image()

    unreadable = None
    try:
        picture = load_picture(annotation, pen.cell)
    except DataError as error:
        unreadable = error
        picture = draw_error_panel(error, pen)
    else:
        pred_px = {
            mark: box for mark, region in pred.items() if rule for box in to_boxes_px([region], annotation, rule)
        }
        gold_boxes, pred_boxes = (
            scale_boxes(each, annotation.image_wh, picture) for each in (select_boxes(gold), pred_px)
        )
        draw_boxes(picture, gold_boxes, pred_boxes, pen)

    top = picture.height + pen.leading // 3
    cell = Image.new("RGB", (pen.cell, top + below.height), PAPER)
    cell.paste(PANEL, (0, 0, pen.cell, picture.height))
    cell.paste(picture, ((pen.cell - picture.width) // 2, 0))
    cell.paste(below, (0, top))
    return cell, unreadable


def _legend(width: int, answered: bool, pen: Pen) -> Image.Image:
    """Explain the colours and signs, on as many lines as needed."""
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
            start = draw_sign(draw, x, y, entry.endswith("right"), pen)
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
