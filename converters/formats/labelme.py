"""LabelMe: one JSON file per image, of any version; also those of X-AnyLabeling.

A shape is a region. Its caption is its description or, if that is empty, its label; a label that is a tag is a tag of
the image too. The image's flags give the label (`real`, `fake`) and the tags, by any of their names and in any case.
LabelMe keeps keys that it does not know, so a record's other fields are at the top level of the file, under their own
names.

LabelMe turns images by their EXIF before anything is drawn: its points and sizes are those of the upright image. A
shape's group, flags and outline have no place in a record.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from swift_plugins.fakexplain.annotation import LABELS, Annotation, Region
from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.images import IMAGE_SUFFIXES, path_in
from swift_plugins.fakexplain.json_values import require
from swift_plugins.fakexplain.paths import check_exists, files_below
from swift_plugins.fakexplain.tags import TAGS, canonical_tag

from ..drafts.attributes import is_empty
from ..drafts.draft import Draft, DraftRegion, Piece, Unusable, beside, folder_of, inner_path, one_line
from ..drafts.fields import is_text_list, own_fields, read_statement, size
from ..drafts.json_files import load_json
from ..drafts.shapes import hull
from ..drafts.sink import check_upright, place_image, reject, save_all
from ..drafts.statements import Statement, add_tags

VERSION = "5.5.0"
"""The LabelMe version that a written file names; LabelMe does not check it."""

_OWN_KEYS = (
    *("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"),
    *("lineColor", "fillColor"),  # of version 2 and 3
)

_POINTS = {
    "rectangle": (2, 4),  # two corners, or four in files of some forks
    "oriented_rectangle": (4, 4),
    "rotation": (4, 4),
    "quadrilateral": (4, 4),
    "polygon": (3, math.inf),
    "line": (2, 2),
    "linestrip": (2, math.inf),
    "circle": (2, 2),  # the centre, and a point on the rim
    "mask": (2, 2),  # its first and its last pixel
}
"""Type of a shape -> its minimum and maximum number of points."""

_ROTATED = ("oriented_rectangle", "rotation")

_SHAPE_KEYS = (
    *("label", "description", "points", "group_id", "shape_type", "flags", "mask", "line_color", "fill_color"),
    *("score", "difficult", "attributes", "kie_linking", "direction"),  # of X-AnyLabeling
)


def load_labelme(src: Path) -> Iterator[Piece]:
    """The JSON files below a folder, in order, or the given file; hidden ones are skipped.

    Yields:
        A piece with the data {"content": the decoded file or its error, "name": its path relative to the source's
        folder}.

    Raises:
        FileNotFoundError: neither file nor folder.
    """
    check_exists(src, "a LabelMe JSON file or a folder of them")
    folder = folder_of(src)
    for path in files_below(src) if src.is_dir() else [src]:
        if path.suffix != ".json" and path != src:
            continue
        content: Any
        try:
            content = load_json(path)
        except DataError as error:
            content = error  # `from_labelme` raises it, as an error of this image only
        except OSError as error:
            content = DataError("a file that can be read", Unquoted(error.strerror or str(error))).at(str(path), 0)
        yield Piece({"content": content, "name": path.relative_to(folder).as_posix()}, str(path))


def from_labelme(data: Any) -> list[Draft]:
    """The draft of one file.

    The id is the key `id`, else the file's path without its suffix. True flags that are neither label nor tag are kept
    as the field `flags`, a list of their names. `imagePath` is relative to the file; if that image does not exist, the
    image embedded in the file is used.

    Raises:
        DataError: the file was not JSON, or a field is missing or wrong.

    >>> shape = {"label": "flaw", "description": "Six fingers.", "shape_type": "rectangle", "points": [[9, 2], [3, 8]]}
    >>> content = {"imagePath": "a.png", "flags": {"fake": True, "Wrong Texture": True}, "shapes": [shape]}
    >>> (draft,) = from_labelme({"content": content, "name": "b/a.json"})
    >>> draft.image, draft.label, draft.tags
    ('b/a.png', 'fake', ['texture_error'])
    >>> [region[:3] for region in draft.regions]
    [((3, 2, 9, 8), 'Six fingers.', 'shapes[0]')]
    """
    content = data["content"]
    if isinstance(content, DataError):
        raise content
    name = inner_path(data["name"])
    if not isinstance(content, dict):
        raise DataError("a JSON object", content)
    embedded = content.get("imageData")
    source = _image(content, name, embedded)
    shapes = require(content, "shapes", list, "a list of shapes")
    regions = [_region(shape, f"shapes[{index}]") for index, shape in enumerate(shapes)]
    statement = read_statement({key: value for key, value in content.items() if key not in _OWN_KEYS})
    _read_flags(content, statement)
    add_tags(statement.tags, [shape["label"] for shape in shapes])
    statement.id = statement.id or str(name.with_suffix(""))
    return [
        Draft(
            source,
            regions=regions,
            wh=size(content, "imageWidth", "imageHeight"),
            image_at="imagePath",
            embedded=_decode(embedded) if embedded else None,
            **vars(statement),
        )
    ]


def _image(content: dict[str, Any], name: PurePosixPath, embedded: object) -> str | bytes:
    """The image's path in the folder of the source; the embedded image if its path names no image."""
    path = content.get("imagePath")
    if embedded and not (isinstance(path, str) and PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES):
        return _decode(embedded)
    path = require(content, "imagePath", str, "the path of the image, relative to this file")
    return beside(name, str(path))


def _read_flags(content: dict[str, Any], statement: Statement) -> None:
    """Add the flags of the image to its statement."""
    flags = content.get("flags") or {}
    if not isinstance(flags, dict):
        raise DataError("an object of flags, each true or false", flags, field="flags")
    others = []
    tags = {canonical_tag(tag) or tag: tag for tag in statement.tags}
    for flag, value in flags.items():
        if not isinstance(value, bool):
            raise DataError("true or false", value, field=f"flags.{flag}")
        if not value:
            continue
        if flag.strip().lower() in LABELS:
            label = flag.strip().lower()
            if statement.label not in (None, label):
                raise DataError(f"one label, but the image is {statement.label} already", flag, field="flags")
            statement.label = label
        elif tag := canonical_tag(flag):
            tags.setdefault(tag, tag)
        else:
            others.append(flag)
    statement.tags = list(tags.values())
    if others:
        statement.fields["flags"] = others


def _region(shape: Any, at: str) -> DraftRegion:
    label = require(shape, "label", str, "a label", at)
    kind = "polygon"  # the only shape of LabelMe 2
    if shape.get("shape_type") is not None:
        kind = require(shape, "shape_type", str, f"one of {', '.join(_POINTS)}", at)
    description = shape.get("description") or ""
    if not isinstance(description, str):
        raise DataError("text", description, field=f"{at}.description")
    words = next((one_line(text) for text in (description, label) if not is_empty(text)), "")
    caption = words or DataError("a label or description that is not empty", label, field=f"{at}.label")
    attributes = {name: value for name, value in shape.items() if name not in _SHAPE_KEYS}
    if isinstance(shape.get("attributes"), dict):
        attributes |= shape["attributes"]
    try:
        box: Box | Unusable = _box(kind, shape, at)
    except Unusable as error:
        box = error
    return DraftRegion(box, caption, at, attributes, rotated=kind in _ROTATED)


def _box(kind: str, shape: dict[str, Any], at: str) -> Box:
    if kind not in _POINTS:
        raise Unusable(f"one of {', '.join(_POINTS)}, which have an area", kind, field=f"{at}.shape_type")
    points = require(shape, "points", list, "a list of points [x, y]", at)
    at = f"{at}.points"
    fewest, most = _POINTS[kind]
    if not fewest <= len(points) <= most:
        count = f"{fewest}" if most == fewest else f"{fewest} or more" if most == math.inf else f"{fewest} to {most}"
        few = DataError if len(points) > most else Unusable
        raise few(f"{count} points, for a {kind}", points, field=at)
    box = hull(points, at)
    if kind == "circle":
        (x, y), rim = points
        radius = math.dist((x, y), rim)
        return x - radius, y - radius, x + radius, y + radius
    if kind == "mask":
        return box[0], box[1], box[2] + 1, box[3] + 1  # the points are pixels, and the box includes the last
    return box


def _decode(embedded: Any) -> bytes:
    try:
        return base64.b64decode(embedded)
    except (TypeError, ValueError):
        raise DataError("an image file in base64, or null", embedded, field="imageData") from None


def to_labelme(annotation: Annotation) -> dict[str, Any]:
    """The content of a record's JSON file, for a file beside its image.

    Every region is a rectangle `flaw` with the caption as its description. There is one flag per label and per tag; the
    record's tags come first, in its order.

    Raises:
        DataError: one of the record's further fields has the name of a LabelMe key.

    >>> to_labelme(Annotation("a", "a.png", 8, 8, "real", path=Path("a.png")))["flags"]["real"]
    True
    """
    others = annotation.extra.get("flags", [])
    if not is_text_list(others):
        raise reject(annotation, "a list of names", others, "flags")
    fields = {name: value for name, value in own_fields(annotation).items() if name not in ("label", "tags", "flags")}
    for name in _OWN_KEYS:
        if name in fields:
            raise reject(annotation, "no field of this name, because LabelMe has its own", fields[name], name)
    return {
        "version": VERSION,
        "flags": {label: label == annotation.label for label in LABELS}
        | {tag: tag in annotation.tags for tag in (*annotation.tags, *TAGS)}
        | dict.fromkeys(others, True),
        "shapes": [_shape(region) for region in annotation.regions],
        "imagePath": annotation.path.name,
        "imageData": None,
        "imageHeight": annotation.height,
        "imageWidth": annotation.width,
        **fields,
    }


def _shape(region: Region) -> dict[str, Any]:
    x1, y1, x2, y2 = region.bbox
    return {
        "label": "flaw",
        "points": [[x1, y1], [x2, y2]],
        "group_id": None,
        "description": region.caption,
        "shape_type": "rectangle",
        "flags": {},
        "mask": None,
    }


def save_labelme(
    annotations: Iterable[Annotation], out: Path, *, images: Path, link: bool = False, on_error: OnError = raise_error
) -> int:
    """Write every image at its path relative to `images`, and its JSON file beside it. See `Writer`."""

    def place(annotation: Annotation) -> PurePosixPath:
        return path_in(images, annotation).with_suffix(".json")

    def save(annotation: Annotation, target: PurePosixPath) -> None:
        check_upright(annotation)
        content = msgspec.json.encode(to_labelme(annotation))
        place_image(annotation, out / path_in(images, annotation), link=link)
        (out / target).write_bytes(msgspec.json.format(content, indent=2) + b"\n")

    return save_all(annotations, place, save, on_error)
