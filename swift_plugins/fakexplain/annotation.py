"""The record: the annotation of one image, one JSON line per image.

Reading checks a record field by field; a bad one raises `DataError` with the file, the line, the field, the expected
and the found value. Reading streams: records are yielded one at a time, and ids are kept in a temporary table on disk,
so a file of any length is read in the same memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from .boxes import Box
from .caption_markup import MARKUP
from .errors import DataError, OnError, Unquoted, raise_error
from .ids import Ids
from .json_text import check_keys
from .json_values import optional, require
from .jsonl import decode_unchecked, read_lines, write_jsonl
from .paths import path_from
from .tags import TAGS, canonical_tag

LABELS = ("fake", "real")

FOLDS = range(4)  # four-fold cross-validation (§5.2)
_LONGEST_SIDE = 2**31 - 1  # pixels that an image format can state

ORIGIN = ("generator", "family", "class_name", "annotator")
"""Optional fields: the generator of an image and its family, the class it shows, and its annotator."""

NO_FLAW = "No visible flaw."
"""The line of an answer that names no region; hence not allowed as a caption."""


class Region(NamedTuple):
    """One flawed region (R_i, T_i) of §3.2.

    Attributes:
        bbox: x1, y1, x2, y2 in the pixels of the original image.
        caption: one line of text.
    """

    bbox: Box
    caption: str


@dataclass(frozen=True)
class Annotation:
    """One image and its annotation.

    Attributes:
        id: unique in its file.
        image: path as written, relative to the annotations file.
        width, height: pixels of the image as PIL opens it (no EXIF transpose).
        label: 'fake' or 'real'; a real image has no regions and no tags.
        regions: flawed regions, boxes in original pixels, in the file's order.
        tags: canonical image-level tags C_i, in the file's order.
        generator, family, class_name, annotator, fold: optional.
        extra: fields that are not part of the format; kept, and written back.
        path: the image file.
        file, line: origin of the record.
    """

    id: str
    image: str
    width: int
    height: int
    label: str
    regions: tuple[Region, ...] = ()
    tags: tuple[str, ...] = ()
    generator: str | None = None
    family: str | None = None
    class_name: str | None = None
    annotator: str | None = None
    fold: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    path: Path = Path()
    file: str = ""
    line: int = 0

    @property
    def image_wh(self) -> tuple[int, int]:
        return self.width, self.height


def reading_order(regions: Iterable[Region]) -> list[Region]:
    """Regions from top to bottom, then left to right, by their upper left corner."""
    return sorted(regions, key=lambda region: (region.bbox[1], region.bbox[0]))


def parse_record(record: object, *, folder: Path = Path(), file: str = "", line: int = 0) -> Annotation:
    """Check a decoded JSON line and return it as an `Annotation`.

    Args:
        record: the decoded line.
        folder: the folder that `image` is relative to: that of the annotations file.
        file, line: origin of the record, for later errors.

    Raises:
        DataError: the first field that breaks the format.

    >>> parse_record({"id": "a", "image": "a.png", "width": 8, "height": 8, "label": "real"}).image_wh
    (8, 8)
    """
    if not isinstance(record, dict):
        raise DataError("a JSON object", record)
    id, image = _text(record, "id"), _text(record, "image")
    if "\0" in image:
        raise DataError("a path", image, field="image")
    width = require(record, "width", int, "a whole number of pixels")
    height = require(record, "height", int, "a whole number of pixels")
    for name, value in (("width", width), ("height", height)):
        if not 1 <= value <= _LONGEST_SIDE:
            raise DataError("at least 1 pixel" if value < 1 else f"at most {_LONGEST_SIDE} pixels", value, field=name)
    label = require(record, "label", str, "'fake' or 'real'")
    if label not in LABELS:
        raise DataError("'fake' or 'real'", label, field="label")
    read_list = require if label == "fake" else optional
    regions = read_list(record, "regions", list, "a list of {bbox, caption}") or []
    tags = read_list(record, "tags", list, "a list of tags") or []
    for name, value in (("regions", regions), ("tags", tags)):
        if label == "real" and value:
            raise DataError("an empty list because the image is real", value, field=name)
    fold = optional(record, "fold", int, "0, 1, 2 or 3")
    if fold is not None and fold not in FOLDS:
        raise DataError("0, 1, 2 or 3", fold, field="fold")
    return Annotation(
        id=id,
        image=image,
        width=width,
        height=height,
        label=label,
        regions=tuple(_region(region, index, (width, height)) for index, region in enumerate(regions)),
        tags=_tags(tags),
        **{name: None if record.get(name) is None else _text(record, name) for name in ORIGIN},
        fold=fold,
        extra={name: value for name, value in record.items() if name not in _FIELDS},
        path=folder / image,
        file=file,
        line=line,
    )


_FIELDS = {"id", "image", "width", "height", "label", "regions", "tags", *ORIGIN, "fold"}


def _text(record: dict[str, Any], name: str) -> str:
    value: str = require(record, name, str, "a non-empty string")
    if not value or value.isspace():
        raise DataError("a non-empty string", value, field=name)
    return value


def _region(region: object, index: int, image_wh: tuple[int, int]) -> Region:
    if not isinstance(region, dict) or region.keys() != {"bbox", "caption"}:
        raise DataError("{bbox, caption}", region, field=f"regions[{index}]")
    try:
        return Region(_bbox(region["bbox"], image_wh), check_caption(region["caption"]))
    except DataError as error:
        error.field = f"regions[{index}].{error.field}"
        raise


_NUMBERS = {int, float}


def _bbox(bbox: Any, image_wh: tuple[int, int]) -> Box:
    if not isinstance(bbox, list) or len(bbox) != 4 or not {*map(type, bbox)} <= _NUMBERS:
        raise DataError("four numbers x1, y1, x2, y2", bbox, field="bbox")
    x1, y1, x2, y2 = bbox
    width, height = image_wh
    try:
        if 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height:
            return float(x1), float(y1), float(x2), float(y2)
        finite = all(map(math.isfinite, bbox))
    except OverflowError:
        raise DataError("numbers that fit into a float", bbox, field="bbox") from None
    if not finite:
        raise DataError("finite numbers", bbox, field="bbox")
    if not (x1 < x2 and y1 < y2):
        raise DataError("x1 < x2 and y1 < y2", bbox, field="bbox")
    raise DataError(f"a box inside the {width}x{height} image", bbox, field="bbox")


def check_caption(caption: object, name: str = "caption") -> str:
    """Return the caption without surrounding whitespace.

    Raises:
        DataError: it is empty, longer than a line, or holds text that the reader of answers or ms-swift would treat as
            markup.

    >>> check_caption("  Left hand with six fingers. ")
    'Left hand with six fingers.'
    """
    if not isinstance(caption, str) or not caption.strip():
        raise DataError("a non-empty string", caption, field=name)
    caption = caption.strip()
    if not caption.isprintable():  # nearly all are
        if len(caption.splitlines()) != 1:
            raise DataError("one line", caption, field=name)
        try:
            caption.encode()
        except UnicodeEncodeError:
            raise DataError("text that UTF-8 can write", caption, field=name) from None
    if markup := MARKUP.search(caption):
        raise DataError("no markup or placeholder", markup.group(), field=name)
    if caption.startswith("[") or caption == NO_FLAW:  # in an answer, a bracket opens a box
        raise DataError("words, not a part of the answer format", caption, field=name)
    return caption


def _tags(names: list[object]) -> tuple[str, ...]:
    tags: list[str] = []
    for index, name in enumerate(names):
        tag = canonical_tag(name) if isinstance(name, str) else None
        if tag is None:
            raise DataError(f"one of {', '.join(TAGS)}", name, field=f"tags[{index}]")
        if tag in tags:
            raise DataError("each tag once", name, field=f"tags[{index}]")
        tags.append(tag)
    return tuple(tags)


def to_record(annotation: Annotation) -> dict[str, Any]:
    """The JSON object of an annotation; `parse_record` reads it back."""
    record: dict[str, Any] = {
        "id": annotation.id,
        "image": annotation.image,
        "width": annotation.width,
        "height": annotation.height,
        "label": annotation.label,
        "regions": [{"bbox": list(region.bbox), "caption": region.caption} for region in annotation.regions],
        "tags": list(annotation.tags),
    }
    for name in (*ORIGIN, "fold"):
        if (value := getattr(annotation, name)) is not None:
            record[name] = value
    return record | annotation.extra


def relocate(annotation: Annotation, folder: str | Path) -> Annotation:
    """The record with its image path relative to another folder, for an annotations file there.

    >>> relocate(Annotation("a", "b/a.png", 8, 8, "real", path=Path("data/b/a.png")), "data/folds").image
    '../b/a.png'
    """
    return replace(annotation, image=path_from(Path(folder), annotation.path))


unlabelled: dict[str, int] = {}
"""Annotations file -> number of lines whose label is null, which are skipped: images without a verdict of `detect`."""


def read_annotations(path: str | Path, *, on_error: OnError = raise_error) -> Iterator[Annotation]:
    """Yield the records of an annotations file one at a time.

    A line whose label is null is skipped and counted in `unlabelled`; `fakexplain detect` writes such a line for an
    image without a verdict.

    Args:
        path: a JSON Lines file in UTF-8; empty lines are skipped.
        on_error: called with the error of each bad record, which is then skipped; by default the first one is raised.

    Raises:
        FileNotFoundError: no such file.
        DataError: a bad record, a key twice in one, a repeated id, or a file without records.
    """
    path = Path(path)
    unlabelled.pop(str(path), None)
    lines = 0
    with closing(Ids()) as ids:
        for lines, (number, raw) in enumerate(read_lines(path, "an annotations file (JSON Lines)"), 1):  # noqa: B007
            record = None
            try:
                record = decode_unchecked(raw)
                if isinstance(record, dict) and record.get("label", "") is None:
                    unlabelled[str(path)] = unlabelled.get(str(path), 0) + 1
                    continue
                annotation = parse_record(record, folder=path.parent, file=str(path), line=number)
                if raw.count(b":") != len(record) + 2 * len(annotation.regions):  # a colon in a text, or a key twice
                    check_keys(raw, record)
                ids.add(annotation.id, f"line {number}")
            except DataError as error:
                id = record.get("id") if isinstance(record, dict) else None
                on_error(error.at(str(path), number, id if isinstance(id, str) else None))
            else:
                yield annotation
    if not lines:
        on_error(DataError("at least one record", Unquoted("an empty file")).at(str(path), 0))


def write_annotations(path: str | Path, annotations: Iterable[Annotation]) -> int:
    """Write records as JSON Lines and return their number."""
    return write_jsonl(path, map(to_record, annotations))
