"""LabelMe: one JSON file for each image, of version 5 and later.

A shape is a region: its caption is its description or, where that is blank, its label. A label that is a tag is one of
the image too. The image's flags say the label (`real`, `fake`) and the tags, by any of their names. LabelMe keeps keys
that it does not know, so a record's other fields stand at the top of the file under their own names.

LabelMe turns images as their EXIF says, before anything is drawn: its points and sizes are those of the upright image.
What it knows of a shape beside points, label and description (group, flags, outline) has no place in a record.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from swift_plugins.fakexplain.annotation import LABELS, Annotation, Region
from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError, OnError, raise_error
from swift_plugins.fakexplain.images import path_in
from swift_plugins.fakexplain.json_values import require
from swift_plugins.fakexplain.tags import TAGS, canonical_tag

from ..drafts.draft import Draft, Piece, folder_of, hull, inner_path, load_json, one_line
from ..drafts.fields import draft_fields, own_fields, size
from ..drafts.sink import check_upright, place_image, refused, saved
from ..drafts.statements import add_tags

VERSION = "5.5.0"
"""What a file says it was written by; LabelMe does not ask."""

_OWN_KEYS = ("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth")

_POINTS = {
    "rectangle": (2, 4),  # two corners; four, as forks write them
    "oriented_rectangle": (4, 4),
    "polygon": (3, math.inf),
    "line": (2, 2),
    "linestrip": (2, math.inf),
    "circle": (2, 2),  # the centre, and a point on the rim
    "mask": (2, 2),  # its first and its last pixel
}
"""Type of a shape -> the fewest and the most points it has."""


def load_labelme(src: Path) -> Iterator[Piece]:
    """The JSON files below a folder, in order, or the one that is named; hidden ones are passed over.

    Yields:
        A piece whose data is {"content": the decoded file or the error it gave, "name": its path relative to the
        source's folder, "found": whether its image is there}.

    Raises:
        FileNotFoundError: neither file nor folder.
    """
    if not src.exists():
        raise FileNotFoundError(f"{src}: expected a LabelMe JSON file or a folder of them, found no such file")
    folder = folder_of(src)
    for path in sorted(src.rglob("*.json")) if src.is_dir() else [src]:
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts):
            continue
        content: Any
        try:
            content = load_json(path)
        except DataError as error:
            content = error  # raised where it is this image's error only
        yield Piece({"content": content, "name": name.as_posix(), "found": _found(path.parent, content)}, str(path))


def _found(folder: Path, content: Any) -> bool:
    try:
        return (folder / inner_path(content["imagePath"], "imagePath")).is_file()
    except (DataError, AttributeError, KeyError, OSError, TypeError):
        return False  # `from_labelme` says why


def from_labelme(data: Any) -> list[Draft]:
    """The draft of one file.

    The id is that of the key `id`, else the file's path without its suffix. Flags that are true and neither label nor
    tag are kept as the field `flags`, a list of their names. The image within the file is taken where there is none at
    `imagePath`, which is relative to the file.

    Raises:
        DataError: the file was not JSON, or a field is missing or wrong.

    >>> shape = {"label": "flaw", "description": "Six fingers.", "shape_type": "rectangle", "points": [[9, 2], [3, 8]]}
    >>> content = {"imagePath": "a.png", "flags": {"fake": True, "Wrong Texture": True}, "shapes": [shape]}
    >>> (draft,) = from_labelme({"content": content, "name": "b/a.json", "found": True})
    >>> draft.image, draft.regions, draft.label, draft.tags
    ('b/a.png', [(3, 2, 9, 8, 'Six fingers.')], 'fake', ['texture_error'])
    """
    content = data["content"]
    if isinstance(content, DataError):
        raise content
    name = inner_path(data["name"])
    image = require(content, "imagePath", str, "the path of the image, relative to this file")
    shapes = require(content, "shapes", list, "a list of shapes")
    places = [f"shapes[{index}]" for index in range(len(shapes))]
    regions = [_region(shape, at) for shape, at in zip(shapes, places, strict=True)]
    said = draft_fields({key: value for key, value in content.items() if key not in _OWN_KEYS})
    _read_flags(content, said)
    add_tags(said["tags"], [shape["label"] for shape in shapes])
    said["id"] = said["id"] or str(name.with_suffix(""))
    held = content.get("imageData")
    if held and not data["found"]:
        place: str | bytes = _decoded(held)
    else:
        place = str(name.parent / inner_path(image, "imagePath"))
    wh = size(content, "imageWidth", "imageHeight")
    return [Draft(place, regions=regions, wh=wh, places=places, **said)]


def _read_flags(content: dict[str, Any], said: dict[str, Any]) -> None:
    """Add what the flags of the image say to what its other keys say."""
    flags = content.get("flags") or {}
    if not isinstance(flags, dict):
        raise DataError("an object of flags, each true or false", flags, field="flags")
    others = []
    tags = {canonical_tag(tag) or tag: tag for tag in said["tags"]}
    for flag, value in flags.items():
        if not isinstance(value, bool):
            raise DataError("true or false", value, field=f"flags.{flag}")
        if not value:
            continue
        if flag in LABELS:
            if said["label"] not in (None, flag):
                raise DataError(f"one label, for the image is said to be {said['label']}", flag, field="flags")
            said["label"] = flag
        elif tag := canonical_tag(flag):
            tags.setdefault(tag, tag)
        else:
            others.append(flag)
    said["tags"] = list(tags.values())
    if others:
        said["fields"]["flags"] = others


def _region(shape: Any, at: str) -> tuple[float, float, float, float, str]:
    label = require(shape, "label", str, "a label", at)
    kind = require(shape, "shape_type", str, f"one of {', '.join(_POINTS)}", at)
    if kind not in _POINTS:
        raise DataError(f"one of {', '.join(_POINTS)}, which have an area", kind, field=f"{at}.shape_type")
    points = require(shape, "points", list, "a list of points [x, y]", at)
    fewest, most = _POINTS[kind]
    if not fewest <= len(points) <= most:
        count = f"{fewest}" if most == fewest else f"{fewest} or more" if most == math.inf else f"{fewest} to {most}"
        raise DataError(f"{count} points, for a {kind}", points, field=f"{at}.points")
    description = shape.get("description") or ""
    if not isinstance(description, str):
        raise DataError("text", description, field=f"{at}.description")
    caption = one_line(description) or one_line(label)
    if not caption:
        raise DataError("a label, or a description, that is not blank", label, field=f"{at}.label")
    return (*_box(kind, points, f"{at}.points"), caption)


def _box(kind: str, points: list[Any], at: str) -> Box:
    box = hull(points, at)
    if kind == "circle":
        (x, y), rim = points
        radius = math.dist((x, y), rim)
        return x - radius, y - radius, x + radius, y + radius
    if kind == "mask":
        return box[0], box[1], box[2] + 1, box[3] + 1  # the points name pixels, and a box ends where its last one does
    return box


def _decoded(held: Any) -> bytes:
    try:
        return base64.b64decode(held)
    except (TypeError, ValueError):
        raise DataError("an image file in base64, or null", held, field="imageData") from None


def to_labelme(annotation: Annotation) -> dict[str, Any]:
    """The content of a record's JSON file, which lies beside its image.

    Every region is a rectangle `flaw` whose description is the caption; there is a flag for either label and for each
    tag, those of the record first, in its order.

    Raises:
        DataError: a field of the record's own has the name of one of LabelMe's.

    >>> to_labelme(Annotation("a", "a.png", 8, 8, "real", path=Path("a.png")))["flags"]["real"]
    True
    """
    others = annotation.extra.get("flags", [])
    if not isinstance(others, list) or not all(isinstance(flag, str) for flag in others):
        raise refused(annotation, "a list of names", others, "flags")
    fields = {name: value for name, value in own_fields(annotation).items() if name not in ("label", "tags", "flags")}
    for name in _OWN_KEYS:
        if name in fields:
            raise refused(annotation, "no field of this name, for LabelMe has its own", fields[name], name)
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
    annotations: Iterable[Annotation],
    out: Path,
    *,
    images: Path,
    link: bool = False,
    on_error: OnError = raise_error,
) -> int:
    """Write a folder: every image at its path relative to `images`, and its JSON file beside it.

    Args:
        annotations: the records.
        out: the folder, which is there.
        images: folder that image paths are relative to.
        link: hard links to the images in place of copies.
        on_error: called with the error of each record that is passed over; without it the first raises.

    Returns:
        How many records were written.

    Raises:
        DataError: an image lies outside `images`, is turned by its EXIF, or would share its JSON file.
    """

    def place(annotation: Annotation) -> PurePosixPath:
        return path_in(images, annotation).with_suffix(".json")

    def save(annotation: Annotation, target: PurePosixPath) -> None:
        check_upright(annotation)
        content = msgspec.json.encode(to_labelme(annotation))
        place_image(annotation, out / path_in(images, annotation), link=link)
        (out / target).write_bytes(msgspec.json.format(content, indent=2) + b"\n")

    with closing(saved(annotations, place, save, on_error)) as records:
        return sum(1 for _ in records)
