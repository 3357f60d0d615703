"""Draw one image (Fig. 5, Fig. 9): annotated beside predicted regions, with captions in full."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from ...annotation import Annotation
from ...answer import target_regions
from ...errors import DataError
from ...mentions import RegionLike
from ...pictures.colours import GOLD, PANEL, PAPER, PRED, Colour
from ...pictures.lettering import Pen
from ...pictures.notes import Notes, draw_error_panel
from ...pictures.overlay import draw_boxes, load_picture, scale_boxes, select_boxes, to_letter
from ..metrics.image import Scored


def draw_image(
    annotation: Annotation,
    answers: Mapping[str, Scored | None],
    *,
    longer_side: int = 768,
    font: str | Path | None = None,
    overlaid: bool = False,
) -> tuple[Image.Image, DataError | None]:
    """Draw an image with its annotation and the answers of systems.

    Args:
        annotation: the record; its image is opened.
        answers: system -> its answer with regions in original pixels; None without an answer.
        longer_side: longer side of the image in pixels; text and lines grow with it.
        font: TrueType or OpenType file; default: DejaVu Sans.
        overlaid: draw the annotation and the answer of the first system on the same image; otherwise side by side.

    Returns:
        The picture, and None or the error of an unreadable image; a grey panel then replaces the image.
    """
    pen = Pen(longer_side, font)
    error = None
    try:
        picture: Image.Image = load_picture(annotation, longer_side)
    except DataError as found:
        picture, error = draw_error_panel(found, pen), found
    gold = {str(number): region for number, region in enumerate(target_regions(annotation), 1)}
    preds = {
        name: {to_letter(index): region for index, region in enumerate(answer.regions if answer else ())}
        for name, answer in answers.items()
    }
    notes = [_annotation_notes(annotation, gold, pen)]
    notes += [_answer_notes(name, annotation.label, answer, preds[name], pen) for name, answer in answers.items()]
    if overlaid and answers:
        pictures = [_with_boxes(picture, annotation, gold, next(iter(preds.values())), pen, error)]
        below = [[*notes]]
    else:
        nothing: dict[str, RegionLike] = {}
        pictures = [_with_boxes(picture, annotation, gold, nothing, pen, error)]
        pictures += [_with_boxes(picture, annotation, nothing, pred, pen, error) for pred in preds.values()]
        below = [[each] for each in notes]
    return _side_by_side(pictures, below, pen), error


def _annotation_notes(annotation: Annotation, gold: Mapping[str, RegionLike], pen: Pen) -> Image.Image:
    notes = Notes(pen, brief=False)
    notes.heading(f"annotated: {annotation.label}")
    notes.write(" · ".join(filter(None, (annotation.id, annotation.generator))))
    return _finish(notes, gold, GOLD, annotation.tags)


def _answer_notes(
    name: str, label: str, answer: Scored | None, pred: Mapping[str, RegionLike], pen: Pen
) -> Image.Image:
    notes = Notes(pen, brief=False)
    if answer is None:
        notes.heading("no answer")
    else:
        notes.verdict(label, answer.verdict, answer.iou)
    notes.write(name)
    return _finish(notes, pred, PRED, (answer and answer.tags) or ())


def _finish(notes: Notes, regions: Mapping[str, RegionLike], colour: Colour, tags: tuple[str, ...]) -> Image.Image:
    notes.regions(regions, colour)
    notes.tags("tags", tags)
    return notes.image()


def _with_boxes(
    picture: Image.Image,
    annotation: Annotation,
    gold: Mapping[str, RegionLike],
    pred: Mapping[str, RegionLike],
    pen: Pen,
    error: DataError | None,
) -> Image.Image:
    """Draw boxes on the picture, on a grey ground if it is too thin for badges."""
    if error is not None:
        return picture
    least = 4 * pen.leading
    ground = Image.new("RGB", (max(picture.width, least), max(picture.height, least)), PANEL)
    left, top = (ground.width - picture.width) // 2, (ground.height - picture.height) // 2
    ground.paste(picture, (left, top))
    shifted = [
        {
            mark: (x1 + left, y1 + top, x2 + left, y2 + top)
            for mark, (x1, y1, x2, y2) in scale_boxes(select_boxes(regions), annotation, picture).items()
        }
        for regions in (gold, pred)
    ]
    draw_boxes(ground, shifted[0], shifted[1], pen)
    return ground


def _side_by_side(pictures: list[Image.Image], below: list[list[Image.Image]], pen: Pen) -> Image.Image:
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
