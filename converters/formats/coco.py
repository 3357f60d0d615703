"""COCO: one JSON file of images, annotations and categories.

A caption is the annotation's `attributes.caption`, `attributes.description` or `caption`, or another attribute that
`statements.CAPTIONS` names, else the name of its category. What is said of an image (label, tags, id, generator ...)
stands in its `attributes` or at its top, under the record's own names; COCO's keys for where a picture came from
(license, date_captured, flickr_url, coco_url) are left. Of an annotation, a category that is a tag and the attributes
`tag`, `tags`, `generator`, `family`, `class_name` and `annotator` speak of its image too.

Files reach hundreds of megabytes, with annotations before or after the images they belong to. They are read three
times as a stream, and joined in a private temporary database on disk.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import NOTHING, DataError, OnError, raise_error
from swift_plugins.fakexplain.images import path_in
from swift_plugins.fakexplain.json_items import as_utf8, load_json_items
from swift_plugins.fakexplain.json_values import check_numbers, read_box, require
from swift_plugins.fakexplain.jsonl import to_json

from ..drafts.draft import Draft, Piece, inner_path, one_line, only_file
from ..drafts.fields import draft_fields, own_fields, size
from ..drafts.sink import each_good
from ..drafts.statements import caption_among, say_of_region

_COCO_KEYS = ("id", "file_name", "width", "height", "attributes", "license", "date_captured", "flickr_url", "coco_url")

EXACT = "bbox_xyxy"
"""Attribute of an annotation: the record's own box, where x + (x2 - x1) is not x2 to the last bit."""

_TABLES = """
CREATE TABLE annotations (number INTEGER PRIMARY KEY, image TEXT, content BLOB);
CREATE TABLE images (image TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
"""
_ORPHANS = """
SELECT number, content FROM annotations WHERE image IS NULL OR image NOT IN (SELECT image FROM images) ORDER BY number
"""


def load_coco(src: Path) -> Iterator[Piece]:
    """The images of a COCO file, in its order, each with its annotations; then annotations of no image.

    Args:
        src: the file, or a folder that holds one JSON file.

    Yields:
        A piece whose data is {"image": the object, "at": the way to it, "annotations": (way, object) of each,
        "categories": id as JSON -> name, "twin": the way to an earlier image with the same id, or None}; or
        {"orphan": an annotation of no image, "at": the way to it}.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: the file is not JSON, has no list of images or of annotations, a category is no category, or an
            id is that of two.
    """
    path = only_file(src, "*.json")
    try:
        categories = _categories(path)
    except DataError as error:
        raise error.at(str(path), 0) from None
    with closing(sqlite3.connect("")) as table:
        table.executescript(_TABLES)
        rows = ((_key(value, "image_id"), _packed(value)) for _, value in _items(path, "annotations"))
        table.executemany("INSERT INTO annotations (image, content) VALUES (?, ?)", rows)
        table.execute("CREATE INDEX of_image ON annotations (image)")
        for number, (at, image) in enumerate(_items(path, "images")):
            key = _key(image, "id")
            twin = table.execute("SELECT number FROM images WHERE image = ?", (key,)).fetchone()
            if key is not None and not twin:
                table.execute("INSERT INTO images VALUES (?, ?)", (key, number))
            own = table.execute("SELECT number, content FROM annotations WHERE image = ? ORDER BY number", (key,))
            data = {
                "image": image,
                "at": at,
                "annotations": [_unpacked(row) for row in own],
                "categories": categories,
                "twin": f"images[{twin[0]}]" if twin else None,
            }
            yield Piece(data, str(path))
        for row in table.execute(_ORPHANS):
            at, orphan = _unpacked(row)
            yield Piece({"orphan": orphan, "at": at}, str(path))


def _items(path: Path, name: str, *, required: bool = True) -> Iterator[tuple[str, Any]]:
    """The items of a list at the top of the file.

    Raises:
        DataError: it is required, and there is none.
    """
    empty = True
    for item in load_json_items(path, f"{name}.item"):
        empty = False
        yield item
    if empty and required:
        import ijson

        with open(path, "rb") as file:
            events = ijson.parse(as_utf8(file), use_float=True)
            if not any((at, event) == (name, "start_array") for at, event, _ in events):
                raise DataError(f"a list of {name}", NOTHING, field=name).at(str(path), 0)


def _key(data: Any, name: str) -> str | None:
    """An id as JSON, so that 1 and "1" are two; None where there is none, which `from_coco` tells."""
    id = data.get(name) if isinstance(data, dict) else None
    return msgspec.json.encode(id).decode() if isinstance(id, (int, str)) and not isinstance(id, bool) else None


def _packed(annotation: Any) -> bytes:
    if isinstance(annotation, dict) and annotation.get("bbox") is not None:
        annotation.pop("segmentation", None)  # the longest part of it, and not needed
    return msgspec.json.encode(annotation)


def _unpacked(row: tuple[int, bytes]) -> tuple[str, Any]:
    return f"annotations[{row[0] - 1}]", msgspec.json.decode(row[1])


def _categories(path: Path) -> dict[str, str]:
    """Id as JSON -> name; a category may be there twice."""
    names: dict[str, str] = {}
    for at, category in _items(path, "categories", required=False):
        id = require(category, "id", (int, str), "the category's id", at)
        name = require(category, "name", str, "the category's name", at)
        if (first := names.setdefault(_key(category, "id") or "", name)) != name:
            raise DataError(f"one name of the category {id!r}, which is {first!r} before", name, field=f"{at}.name")
    return names


def from_coco(data: Any) -> list[Draft]:
    """The draft of one image.

    Its id is `id` of its attributes, else its own id where that is a string, else its path without the suffix.

    Raises:
        DataError: a field is missing or wrong, an id is there twice, or an annotation is of no image.

    >>> image = {"id": 7, "file_name": "a.png", "width": 64, "height": 48}
    >>> hand = {"image_id": 7, "bbox": [3, 4, 10, 5], "caption": "Six fingers."}
    >>> more = {"at": "images[0]", "categories": {}, "twin": None}
    >>> (draft,) = from_coco({"image": image, "annotations": [("annotations[0]", hand)], **more})
    >>> draft.id, draft.regions
    ('a', [(3, 4, 13, 9, 'Six fingers.')])
    """
    at = data["at"]
    if "orphan" in data:
        expected = "the id of an image of this file"
        raise DataError(expected, require(data["orphan"], "image_id", (int, str), expected, at), field=f"{at}.image_id")
    image = data["image"]
    own_id = require(image, "id", (int, str), "the image's id", at)
    if data["twin"]:
        raise DataError(f"an id of its own, for {data['twin']} has this one", own_id, field=f"{at}.id")
    name = inner_path(require(image, "file_name", str, "the path of the image", at), f"{at}.file_name")
    attributes = _attributes(image, at)
    top = {key: value for key, value in image.items() if key not in _COCO_KEYS}
    said = draft_fields(top | attributes, f"{at}.")
    said["id"] = said["id"] or (own_id if isinstance(own_id, str) else str(name.with_suffix("")))
    regions = []
    for place, annotation in data["annotations"]:
        category = data["categories"].get(_key(annotation, "category_id") or "")
        regions.append((*_box(annotation, place), _caption(annotation, place, category)))
        say_of_region(said, [category], _attributes(annotation, place), f"{place}.attributes")
    places = [place for place, _ in data["annotations"]]
    return [Draft(str(name), regions=regions, wh=size(image, "width", "height", at), places=places, **said)]


def _attributes(data: dict[str, Any], at: str) -> dict[str, Any]:
    attributes = data.get("attributes")
    if not isinstance(attributes, (dict, type(None))):
        raise DataError("an object", attributes, field=f"{at}.attributes")
    return attributes or {}


def _box(annotation: dict[str, Any], at: str) -> Box:
    bbox = annotation.get("bbox")
    if bbox is None:
        return _outline(annotation, at)
    x, y, width, height = read_box(bbox, "four numbers x, y, width, height", f"{at}.bbox")
    if width <= 0 or height <= 0:
        raise DataError("a width and a height above 0", bbox, field=f"{at}.bbox")
    box = x, y, x + width, y + height
    exact = _attributes(annotation, at).get(EXACT)
    if exact is not None:
        exact = read_box(exact, "four numbers x1, y1, x2, y2", f"{at}.attributes.{EXACT}")
        if all(abs(a - b) <= 1e-6 for a, b in zip(exact, box, strict=True)):
            return exact  # otherwise the box was moved since
    return box


def _outline(annotation: dict[str, Any], at: str) -> Box:
    """The tight box of an annotation's polygons."""
    place = f"{at}.segmentation"
    polygons = annotation.get("segmentation")
    if polygons is None or polygons == []:
        raise DataError("four numbers x, y, width, height, or a segmentation of polygons", NOTHING, field=f"{at}.bbox")
    if isinstance(polygons, dict):
        raise DataError("polygons, or a bbox beside the run lengths", polygons, field=place)
    expected = "polygons [x, y, x, y, x, y ...]"
    if not isinstance(polygons, list):
        raise DataError(expected, polygons, field=place)
    for index, polygon in enumerate(polygons):
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise DataError(expected, polygon, field=f"{place}[{index}]")
        check_numbers(polygon, expected, f"{place}[{index}]")
    xs = [x for polygon in polygons for x in polygon[::2]]
    ys = [y for polygon in polygons for y in polygon[1::2]]
    return min(xs), min(ys), max(xs), max(ys)


def _caption(annotation: dict[str, Any], at: str, category: str | None) -> str:
    attributes = _attributes(annotation, at)
    for holder, name, place in (
        (attributes, "caption", f"{at}.attributes"),
        (attributes, "description", f"{at}.attributes"),
        (annotation, "caption", at),
    ):
        if holder.get(name) is not None and (
            caption := one_line(require(holder, name, str, "a caption, which is text", place))
        ):
            return caption
    if caption := caption_among(attributes):
        return caption
    expected = "a caption, or the id of a category of this file"
    id = require(annotation, "category_id", (int, str), expected, at)
    if category is None:
        raise DataError(expected, id, field=f"{at}.category_id")
    return one_line(category)


def to_coco_image(annotation: Annotation, number: int, file_name: str) -> dict[str, Any]:
    """The image object of a record; all that the record says of it is in its attributes.

    >>> to_coco_image(Annotation("a", "a.png", 8, 6, "real"), 1, "a.png")["attributes"]
    {'id': 'a', 'label': 'real', 'tags': []}
    """
    return {
        "id": number,
        "file_name": file_name,
        "width": annotation.width,
        "height": annotation.height,
        "attributes": own_fields(annotation),
    }


def to_coco_annotations(annotation: Annotation, image: int, first: int) -> list[dict[str, Any]]:
    """The annotation objects of a record: one for each region, numbered from `first`, of the image of that id.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> record = Annotation("a", "a.png", 64, 48, "fake", (Region((3.0, 4.0, 13.0, 9.0), "Six fingers."),))
    >>> (hand,) = to_coco_annotations(record, 7, 1)
    >>> hand["bbox"], hand["area"], hand["attributes"]
    ([3.0, 4.0, 10.0, 5.0], 50.0, {'caption': 'Six fingers.'})
    """
    made = []
    for number, region in enumerate(annotation.regions, first):
        x1, y1, x2, y2 = region.bbox
        width, height = x2 - x1, y2 - y1
        attributes: dict[str, Any] = {"caption": region.caption}
        if (x1 + width, y1 + height) != (x2, y2):
            attributes[EXACT] = list(region.bbox)
        made.append(
            {
                "id": number,
                "image_id": image,
                "category_id": 1,
                "bbox": [x1, y1, width, height],
                "area": width * height,
                "segmentation": [],
                "iscrowd": 0,
                "attributes": attributes,
            }
        )
    return made


def save_coco(
    annotations: Iterable[Annotation],
    out: Path,
    *,
    images: Path,
    link: bool = False,
    on_error: OnError = raise_error,
) -> int:
    """Write one JSON file; images stay where they are.

    Args:
        annotations: the records.
        out: the file.
        images: folder that `file_name` is relative to, as it is to be named when the file is read.
        link: means nothing here.
        on_error: called with the error of each record that is passed over; without it the first raises.

    Returns:
        How many records were written.

    Raises:
        DataError: an image lies outside `images`.
    """

    def placed(annotation: Annotation) -> tuple[Annotation, str]:
        return annotation, str(path_in(images, annotation))

    count, regions = 0, 0
    with open(out, "wb") as file, tempfile.TemporaryFile(dir=out.parent) as second:
        file.write(b'{"categories": [{"id": 1, "name": "flaw"}],\n"images": [')
        for count, (annotation, path) in enumerate(each_good(annotations, placed, on_error), 1):
            image = to_coco_image(annotation, count, path)
            file.write((b",\n" if count > 1 else b"\n") + to_json(image))
            for each in to_coco_annotations(annotation, count, regions + 1):
                regions += 1
                second.write((b",\n" if regions > 1 else b"\n") + to_json(each))
        file.write(b'],\n"annotations": [')
        second.seek(0)
        shutil.copyfileobj(second, file)
        file.write(b"]}\n")
    return count
