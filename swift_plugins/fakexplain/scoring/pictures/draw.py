"""Pictures of single images to show (Fig. 5, Fig. 9): annotated beside predicted regions, captions in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from ...annotation import LABELS, Annotation
from ...answer import target_regions
from ...boxes import Box
from ...errors import DataError, Unquoted
from ...mentions import Mention, RegionLike
from ...pictures.lettering import Pen
from ...pictures.notes import PANEL, Notes, refusal
from ...pictures.overlay import GOLD, PAPER, PRED, Colour, boxes_of, draw_boxes, letter, load_picture, on_picture
from ...tags import TAG_WORDS
from .. import run
from ..metrics.image import Scored

LONGEST_NAME = 200  # characters of a file's name


def file_names(annotations: Sequence[Annotation]) -> list[str]:
    """Names of records' pictures: their ids, in which what a file system might not take is written as in a URL.

    Raises:
        DataError: a name is too long, or is another one where capitals do not count.

    >>> file_names([Annotation("flux/0001 é", "a.png", 8, 8, "real")])
    ['flux%2F0001 %C3%A9.png']
    """
    names: dict[str, str] = {}
    for annotation in annotations:
        name = quote(annotation.id, safe=" +,=@()")
        wrong: tuple[str, object] | None = None
        if len(name) > LONGEST_NAME:
            wrong = f"an id of at most {LONGEST_NAME} characters as the name of a file", Unquoted(str(len(name)))
        elif name.lower() in names:
            wrong = f"an id that differs from {names[name.lower()]} in more than capitals", annotation.id
        if wrong:
            raise DataError(*wrong, field="id").at(annotation.file, annotation.line, annotation.id)
        names[name.lower()] = f"{name}.png"
    return list(names.values())


def answers_of(annotation: Annotation, systems: Sequence[str]) -> dict[str, Scored | None]:
    """What a run holds of systems' answers about a record; None where one has none.

    Raises:
        DataError: it is not what `fakexplain score` writes.
    """
    answers = run.recorded_answers(annotation)
    return {name: _answer(annotation, name, answers.get(name)) for name in systems}


def _answer(annotation: Annotation, name: str, answer: Any) -> Scored | None:
    if answer is None:
        return None
    try:
        verdict, iou, tags = answer["verdict"], answer["iou"], answer["tags"]
        regions = tuple(Mention(each["bbox"] and tuple(each["bbox"]), each["caption"]) for each in answer["regions"])
        sound = (
            verdict in (*LABELS, None)
            and (iou is None or 0 <= iou <= 1)
            and (tags is None or TAG_WORDS.keys() >= {*tags})
            and all(isinstance(caption, str) and _lies_in(box, annotation.image_wh) for box, caption in regions)
        )
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        error = DataError("an answer as `fakexplain score` writes it", answer, field=f"answers.{name}")
        raise error.at(annotation.file, annotation.line, annotation.id)
    return Scored(annotation.label, verdict, iou=iou, regions=regions, tags=None if tags is None else tuple(tags))


def _lies_in(box: Box | None, image_wh: tuple[int, int]) -> bool:
    if box is None:
        return True
    x1, y1, x2, y2 = box
    return 0 <= x1 <= x2 <= image_wh[0] and 0 <= y1 <= y2 <= image_wh[1]


def draw_image(
    annotation: Annotation,
    answers: Mapping[str, Scored | None],
    *,
    longer_side: int = 768,
    font: str | Path | None = None,
    overlaid: bool = False,
) -> tuple[Image.Image, DataError | None]:
    """An image with what is annotated and what systems said of it.

    Args:
        annotation: the record; its image is opened.
        answers: system -> its answer, regions in original pixels; None where it gave none.
        longer_side: of the image in pixels; text and lines grow with it.
        font: TrueType or OpenType file; Pillow's own font knows little more than ASCII.
        overlaid: draw both on one picture, for one system; otherwise side by side.

    Returns:
        The picture, and the error of an image that cannot be read: a grey panel then stands in its place and says why.
    """
    pen = Pen(longer_side, font)
    error = None
    try:
        picture: Image.Image = load_picture(annotation, longer_side)
    except DataError as found:
        picture, error = refusal(found, pen), found
    gold = {str(number): region for number, region in enumerate(target_regions(annotation), 1)}
    preds = {
        name: {letter(index): region for index, region in enumerate(answer.regions if answer else ())}
        for name, answer in answers.items()
    }
    notes = [_annotated(annotation, gold, pen)]
    notes += [_predicted(name, annotation.label, answer, preds[name], pen) for name, answer in answers.items()]
    if overlaid and answers:
        drawn = [_with_boxes(picture, annotation, gold, next(iter(preds.values())), pen, error)]
        below = [[*notes]]
    else:
        nothing: dict[str, RegionLike] = {}
        drawn = [_with_boxes(picture, annotation, gold, nothing, pen, error)]
        drawn += [_with_boxes(picture, annotation, nothing, pred, pen, error) for pred in preds.values()]
        below = [[each] for each in notes]
    return _side_by_side(drawn, below, pen), error


def _annotated(annotation: Annotation, gold: Mapping[str, RegionLike], pen: Pen) -> Image.Image:
    notes = Notes(pen, brief=False)
    notes.heading(f"annotated: {annotation.label}")
    notes.write(" · ".join(filter(None, (annotation.id, annotation.generator))))
    return _rest(notes, gold, GOLD, annotation.tags)


def _predicted(name: str, label: str, answer: Scored | None, pred: Mapping[str, RegionLike], pen: Pen) -> Image.Image:
    notes = Notes(pen, brief=False)
    if answer is None:
        notes.heading("no answer")
    else:
        notes.verdict(label, answer.verdict, answer.iou)
    notes.write(name)
    return _rest(notes, pred, PRED, (answer and answer.tags) or ())


def _rest(notes: Notes, regions: Mapping[str, RegionLike], colour: Colour, tags: tuple[str, ...]) -> Image.Image:
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
    """The picture with boxes; one that is too thin for badges lies on a grey ground."""
    if error is not None:
        return picture
    least = 4 * pen.leading
    ground = Image.new("RGB", (max(picture.width, least), max(picture.height, least)), PANEL)
    left, top = (ground.width - picture.width) // 2, (ground.height - picture.height) // 2
    ground.paste(picture, (left, top))
    moved = [
        {
            mark: (x1 + left, y1 + top, x2 + left, y2 + top)
            for mark, (x1, y1, x2, y2) in on_picture(boxes_of(regions), annotation, picture).items()
        }
        for regions in (gold, pred)
    ]
    draw_boxes(ground, moved[0], moved[1], pen)
    return ground


def _side_by_side(pictures: list[Image.Image], below: list[list[Image.Image]], pen: Pen) -> Image.Image:
    """Pictures next to one another, each with its notes below."""
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


def not_found(ids: set[str], source: Path) -> DataError:
    """The error of ids that no record has."""
    return DataError(f"ids of records of {source}", Unquoted(", ".join(sorted(ids)[:5])), field="--id")
