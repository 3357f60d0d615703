"""Draw one image (Fig. 5, Fig. 9): annotated beside predicted regions, with captions in full."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from ...annotation import Annotation
from ...answer import target_regions
from ...errors import DataError
from ...mentions import RegionLike
from ...pictures.colours import GOLD, PRED, Colour
from ...pictures.lettering import Pen
from ...pictures.notes import Notes, draw_error_panel
from ...pictures.overlay import load_picture, to_letter
from ...pictures.panels import draw_regions, put_side_by_side
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

    def with_boxes(gold: Mapping[str, RegionLike], pred: Mapping[str, RegionLike]) -> Image.Image:
        return picture if error else draw_regions(picture, annotation.image_wh, gold, pred, pen)

    notes = [_annotation_notes(annotation, gold, pen)]
    notes += [_answer_notes(name, annotation.label, answer, preds[name], pen) for name, answer in answers.items()]
    if overlaid and answers:
        pictures = [with_boxes(gold, next(iter(preds.values())))]
        below = [[*notes]]
    else:
        pictures = [with_boxes(gold, {}), *(with_boxes({}, pred) for pred in preds.values())]
        below = [[each] for each in notes]
    return put_side_by_side(pictures, below, pen), error


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
