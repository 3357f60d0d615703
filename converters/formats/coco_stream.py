"""Images of a COCO file, each with its annotations, in memory that does not grow with the file.

COCO files reach hundreds of megabytes, with annotations before or after their images. The file is streamed three times
(categories, annotations, images), and annotations wait for their images in a private temporary database on disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from swift_plugins.fakexplain.errors import NOTHING, DataError
from swift_plugins.fakexplain.json_items import as_utf8, load_json_items
from swift_plugins.fakexplain.json_values import require

_TABLES = """
CREATE TABLE annotations (number INTEGER PRIMARY KEY, image TEXT, content BLOB);
CREATE TABLE images (image TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
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
        table.execute("CREATE INDEX of_image ON annotations (image)")
        for number, (at, image) in enumerate(_items(path, "images")):
            key = key_of(image, "id")
            twin = table.execute("SELECT number FROM images WHERE image = ?", (key,)).fetchone()
            if key is not None and not twin:
                table.execute("INSERT INTO images VALUES (?, ?)", (key, number))
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
    for item in load_json_items(path, f"{name}.item"):
        empty = False
        yield item
    if empty and required:
        import ijson

        with open(path, "rb") as file:
            events = ijson.parse(as_utf8(file), use_float=True)
            if not any((at, event) == (name, "start_array") for at, event, _ in events):
                raise DataError(f"a list of {name}", NOTHING, field=name).at(str(path), 0)


def key_of(data: Any, name: str) -> str | None:
    """An id as JSON, so that 1 and "1" differ; None if it is missing or no id, which `from_coco` reports.

    >>> key_of({"id": 1}, "id"), key_of({"id": "1"}, "id"), key_of({}, "id")
    ('1', '"1"', None)
    """
    id = data.get(name) if isinstance(data, dict) else None
    return msgspec.json.encode(id).decode() if isinstance(id, (int, str)) and not isinstance(id, bool) else None


def _pack(annotation: Any) -> bytes:
    if isinstance(annotation, dict) and annotation.get("bbox") is not None:
        annotation.pop("segmentation", None)  # the longest part, and not needed
    return msgspec.json.encode(annotation)


def _unpack(row: tuple[int, bytes]) -> tuple[str, Any]:
    return f"annotations[{row[0] - 1}]", msgspec.json.decode(row[1])


def _categories(path: Path) -> dict[str, str]:
    """Id as JSON -> name; a category may be listed twice."""
    names: dict[str, str] = {}
    for at, category in _items(path, "categories", required=False):
        id = require(category, "id", (int, str), "the category's id", at)
        name = require(category, "name", str, "the category's name", at)
        if (first := names.setdefault(key_of(category, "id") or "", name)) != name:
            raise DataError(f"one name of category {id!r}, which is {first!r} earlier", name, field=f"{at}.name")
    return names
