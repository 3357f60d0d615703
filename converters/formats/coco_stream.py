"""Images of a COCO file, each with its annotations, in memory that does not grow with the file.

COCO files reach hundreds of megabytes, with annotations before or after their images. The file is streamed four times
(categories, annotations, ids of images, images), and annotations wait for their images in a private temporary database
on disk.

Tools write one id as 1, 1.0 and "1". An id means the image or category that has exactly this one, else the only one
that has it in another notation.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from swift_plugins.fakexplain.errors import NOTHING, DataError
from swift_plugins.fakexplain.json_items import as_utf8
from swift_plugins.fakexplain.json_values import require

from ..drafts.attributes import is_empty
from ..drafts.json_files import load_items, readable_json

_TABLES = """
CREATE TABLE annotations (number INTEGER PRIMARY KEY, image TEXT, content BLOB);
CREATE TABLE images (image TEXT PRIMARY KEY, number INTEGER, loose TEXT) WITHOUT ROWID;
"""
_JOIN = """
CREATE INDEX of_image ON annotations (image);
CREATE INDEX of_loose ON images (loose);
CREATE TABLE others AS SELECT DISTINCT image FROM annotations WHERE image NOT IN (SELECT image FROM images);
"""
_ORPHANS = """
SELECT number, content FROM annotations WHERE image IS NULL OR image NOT IN (SELECT image FROM images) ORDER BY number
"""


def stream_images(path: Path) -> Iterator[dict[str, Any]]:
    """The images of a COCO file, in its order, each with its annotations; then annotations without an image.

    Yields:
        {"image": the object, "at": path to it, "annotations": (path, object) of each, "categories": id as JSON -> name,
        "twin": path to an earlier image with the same id, or None}; or {"orphan": an annotation without an image,
        "at": path to it}.

    Raises:
        DataError: the file is not JSON, has no list of images or of annotations, a category is malformed, or one
            category id has two names.
    """
    try:
        categories = _categories(path)
    except DataError as error:
        raise error.at(str(path), 0) from None
    with closing(sqlite3.connect("")) as table:
        table.executescript(_TABLES)
        rows = ((key_of(value, "image_id"), _pack(value)) for _, value in _items(path, "annotations"))
        table.executemany("INSERT INTO annotations (image, content) VALUES (?, ?)", rows)
        ids = ((key_of(image, "id"), number) for number, (_, image) in enumerate(_items(path, "images")))
        keys = ((key, number, _loose(key)) for key, number in ids if key is not None)
        table.executemany("INSERT OR IGNORE INTO images VALUES (?, ?, ?)", keys)
        table.executescript(_JOIN)
        for (other,) in table.execute("SELECT image FROM others WHERE image IS NOT NULL").fetchall():
            same = table.execute("SELECT image FROM images WHERE loose = ?", (_loose(other),)).fetchmany(2)
            if len(same) == 1:
                table.execute("UPDATE annotations SET image = ? WHERE image = ?", (*same[0], other))
        for number, (at, image) in enumerate(_items(path, "images")):
            key = key_of(image, "id")
            twin = table.execute("SELECT number FROM images WHERE image = ? AND number < ?", (key, number)).fetchone()
            own = table.execute("SELECT number, content FROM annotations WHERE image = ? ORDER BY number", (key,))
            yield {
                "image": image,
                "at": at,
                "annotations": [_unpack(row) for row in own],
                "categories": categories,
                "twin": f"images[{twin[0]}]" if twin else None,
            }
        for row in table.execute(_ORPHANS):
            at, orphan = _unpack(row)
            yield {"orphan": orphan, "at": at}


def _items(path: Path, name: str, *, required: bool = True) -> Iterator[tuple[str, Any]]:
    """The items of a list at the top level of the file.

    Raises:
        DataError: the list is required and missing.
    """
    empty = True
    for item in load_items(path, f"{name}.item"):
        empty = False
        yield item
    if empty and required:
        import ijson

        with readable_json(path) as readable, open(readable, "rb") as file:
            events = ijson.parse(as_utf8(file), use_float=True)
            if not any((at, event) == (name, "start_array") for at, event, _ in events):
                raise DataError(f"a list of {name}", NOTHING, field=name).at(str(path), 0)


def key_of(data: Any, name: str) -> str | None:
    """An id as JSON, so that 1 and "1" differ; None if it is missing or no id, which `from_coco` reports.

    >>> key_of({"id": 1.0}, "id"), key_of({"id": "1"}, "id"), key_of({}, "id")
    ('1', '"1"', None)
    """
    id = data.get(name) if isinstance(data, dict) else None
    if isinstance(id, float) and id.is_integer():
        id = int(id)
    return msgspec.json.encode(id).decode() if isinstance(id, (int, str)) and not isinstance(id, bool) else None


def _loose(key: str) -> str:
    """An id in one notation for 1, 1.0 and "1"."""
    return re.sub(r"^(-?\d+)\.0+$", r"\1", str(msgspec.json.decode(key)).strip())


def category_of(categories: dict[str, str], annotation: Any) -> str | None:
    """The name of an annotation's category; None if there is none.

    >>> category_of({"1": "hand", "2": "eye", '"2"': "ear"}, {"category_id": "1"})
    'hand'
    """
    key = key_of(annotation, "category_id")
    if key is None or key in categories:
        return categories.get(key or "")
    same = [name for other, name in categories.items() if _loose(other) == _loose(key)]
    return same[0] if len(same) == 1 else None


def _pack(annotation: Any) -> bytes:
    if isinstance(annotation, dict) and has_area(annotation.get("bbox")):
        annotation.pop("segmentation", None)  # the longest part, and not needed
    return msgspec.json.encode(annotation)


def has_area(bbox: object) -> bool:
    """Whether a bbox x, y, width, height is one, not a place holder.

    >>> has_area([1, 2, 3, 4]), has_area([]), has_area([0, 0, 0, 0]), has_area("box")
    (True, False, False, True)
    """
    return not is_empty(bbox) and not (isinstance(bbox, list) and 0 in bbox[2:])


def _unpack(row: tuple[int, bytes]) -> tuple[str, Any]:
    return f"annotations[{row[0] - 1}]", msgspec.json.decode(row[1])


def _categories(path: Path) -> dict[str, str]:
    """Id as JSON -> name; a category may be listed twice."""
    names: dict[str, str] = {}
    for at, category in _items(path, "categories", required=False):
        id = require(category, "id", (int, float, str), "the category's id", at)
        name = require(category, "name", str, "the category's name", at)
        if (first := names.setdefault(key_of(category, "id") or "", name)) != name:
            raise DataError(f"one name of category {id!r}, which is {first!r} earlier", name, field=f"{at}.name")
    return names
