"""What annotation tools' formats share: a record's fields under their own names, and sizes.

A tool has no place of its own for a generator or an annotator, but keeps keys that it does not know. There a record's
fields stand under their own names: `own_fields` gives them, `draft_fields` reads them back.
"""

from __future__ import annotations

from typing import Any

from swift_plugins.fakexplain.annotation import LABELS, Annotation, to_record
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_values import require

SAID_OTHERWISE = ("image", "width", "height", "regions")
"""Fields of a record that every tool has its own words for."""


def own_fields(annotation: Annotation) -> dict[str, Any]:
    """Id, label, tags, the optional fields and those of the file's own.

    >>> own_fields(Annotation("a", "a.png", 8, 8, "real", generator="camera", extra={"seed": 7}))
    {'id': 'a', 'label': 'real', 'tags': [], 'generator': 'camera', 'seed': 7}
    """
    return {name: value for name, value in to_record(annotation).items() if name not in SAID_OTHERWISE}


def draft_fields(data: dict[str, Any], at: str = "") -> dict[str, Any]:
    """What a `Draft` takes of fields under their own names: id, label, tags, and `fields` with all others.

    Args:
        data: the fields; null counts as not there.
        at: the way to them, for the error.

    Raises:
        DataError: id, label or tags are of another kind, or a field is there that the tool says in its own words.

    >>> draft_fields({"id": "a", "seed": 7})
    {'id': 'a', 'label': None, 'tags': [], 'fields': {'seed': 7}}
    """
    fields = {name: value for name, value in data.items() if value is not None}
    for name in SAID_OTHERWISE:
        if name in fields:
            raise DataError("no field of this name, for the record has its own", fields[name], field=at + name)
    id, label, tags = (fields.pop(name, None) for name in ("id", "label", "tags"))
    if id is not None and (not isinstance(id, str) or not id.strip()):
        raise DataError("a non-empty string", id, field=f"{at}id")
    if label is not None and label not in LABELS:
        raise DataError("'fake' or 'real'", label, field=f"{at}label")
    if tags is not None and (not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags)):
        raise DataError("a list of tags", tags, field=f"{at}tags")
    return {"id": id, "label": label, "tags": list(tags or []), "fields": fields}


def size(data: dict[str, Any], width: str, height: str, at: str = "") -> tuple[int, int] | None:
    """Width and height of an image, or None where the source says neither.

    Raises:
        DataError: one is missing, or no whole number.

    >>> size({"width": 8, "height": 6}, "width", "height")
    (8, 6)
    """
    if data.get(width) is None and data.get(height) is None:
        return None
    expected = "a whole number of pixels"
    return require(data, width, int, expected, at), require(data, height, int, expected, at)
