"""A record's fields in an outside format: those of a record, and those that a source adds.

Annotation tools have no place for a generator or an annotator, but keep keys that they do not know. So a record's
fields are stored there under their own names: `own_fields` lists them, `read_statement` reads them back. Datasets have
fields of their own: `kept_fields` and `other_fields` select those that a record keeps; `own_id` and `own_tags` read the
two that mean the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from swift_plugins.fakexplain.annotation import LABELS, ORIGIN, Annotation, to_record
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_values import require
from swift_plugins.fakexplain.tags import canonical_tag

from .attributes import is_empty, switched
from .statements import NAMED, Statement, parts

TOOL_FIELDS = ("image", "width", "height", "regions")
"""Fields of a record that every tool stores in its own way."""

RECORD_FIELDS = frozenset({*TOOL_FIELDS, "id", "label", "tags"})
"""Fields of a record that no field of a source may replace."""

_STATED = frozenset({*NAMED, "label", "tags"})
"""Fields that are read in any case, and state nothing if they are empty."""


def own_fields(annotation: Annotation) -> dict[str, Any]:
    """Id, label, tags, the optional fields and those that the annotations file adds.

    >>> own_fields(Annotation("a", "a.png", 8, 8, "real", generator="camera", extra={"seed": 7}))
    {'id': 'a', 'label': 'real', 'tags': [], 'generator': 'camera', 'seed': 7}
    """
    return {name: value for name, value in to_record(annotation).items() if name not in TOOL_FIELDS}


def read_statement(data: dict[str, Any], at: str = "") -> Statement:
    """What a source's fields state about an image: id, label and tags by these names, and all others as `fields`.

    Args:
        data: the fields; null counts as missing. Without a label, a field `verdict` or a switch `real` or `fake` is it.
        at: path to them, for the error.

    Raises:
        DataError: id, label or tags have another type, or a field has one of the names in `TOOL_FIELDS`.

    >>> read_statement({"id": "a", "REAL": True, "generator": "__undefined__", "seed": 7})
    Statement(id='a', label='real', tags=[], fields={'seed': 7})
    """
    fields: dict[str, Any] = {}
    for name, value in data.items():
        known = name.lower() if name.lower() in _STATED else name
        if value is not None and not (known in _STATED and is_empty(value)) and (name == known or known not in data):
            fields[known] = value
    for name in TOOL_FIELDS:
        if name in fields:
            raise DataError("no field of this name, because the record has its own", fields[name], field=at + name)
    id, label, tags = (fields.pop(name, None) for name in ("id", "label", "tags"))
    if id is not None and (id := own_id({"id": id}, at=f"{at}id")) is not None and not id.strip():
        raise DataError("a non-empty string", id, field=f"{at}id")
    if label is not None:
        label = _stated_label(label, f"{at}label")
    if isinstance(tags, str):
        tags = parts(tags)
    if tags is not None and not is_text_list(tags):
        raise DataError("a list of tags", tags, field=f"{at}tags")
    tags = [tag for tag in tags or [] if not is_empty(tag)]
    if label is None:
        label = _other_label(fields, at)
    return Statement(id, label, tags, fields)


def _stated_label(label: object, at: str) -> str:
    folded = label.strip().lower() if isinstance(label, str) else label
    if folded not in LABELS:
        raise DataError("'fake' or 'real'", label, field=at)
    return str(folded)


def _other_label(fields: dict[str, Any], at: str) -> str | None:
    """The label by a field `verdict`, or by a switch named as a label; it is removed from the fields."""
    stated: dict[str, str] = {}
    for name, value in [*fields.items()]:
        folded = name.lower()
        if folded == "verdict" and isinstance(value, str) and value.strip().lower() in LABELS:
            stated[name] = value.strip().lower()
        elif folded in LABELS and switched(value) is not None:
            del fields[name]
            if switched(value):
                stated[name] = folded
    if len({*stated.values()}) > 1:
        raise DataError("one label", Unquoted(" and ".join(stated)), field=at + [*stated][-1])
    for name in stated:
        fields.pop(name, None)
    return next(iter(stated.values()), None)


def whole(value: object) -> int | None:
    """A whole number, also as a float or as text; None if the value is none.

    >>> whole(40.0), whole("40"), whole(40.5), whole(True)
    (40, 40, None, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def size(data: dict[str, Any], width: str, height: str, at: str = "") -> tuple[int, int] | None:
    """Width and height of an image, or None if the source gives neither: both missing, null, NaN or 0.

    Raises:
        DataError: one is missing or is not a whole number.

    >>> size({"width": 8.0, "height": 6}, "width", "height"), size({"width": 0, "height": 0}, "width", "height")
    ((8, 6), None)
    """
    if all(is_empty(data.get(name)) or whole(data.get(name)) == 0 for name in (width, height)):
        return None
    sides = []
    for name in (width, height):
        side = whole(data.get(name))
        sides.append(require(data, name, int, "a whole number of pixels", at) if side is None else side)
    return sides[0], sides[1]


def own_id(row: Mapping[str, Any], name: str = "id", at: str = "") -> str | None:
    """A row's own id, which may be a whole number, also as a float; None if it is missing, null or empty.

    Raises:
        DataError: neither text nor a whole number.

    >>> own_id({"id": 0}), own_id({"id": ""})
    ('0', None)
    """
    value = row.get(name)
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) not in (int, str):
        raise DataError("a text or a whole number", value, field=at or name)
    return str(value)


def own_tags(row: Mapping[str, Any], made: Collection[str] = (), at: str = "") -> list[str]:
    """The tags that a reader derives, then those in a row's own field `tags`.

    Raises:
        DataError: the field is neither null nor a list of texts.

    >>> own_tags({"tags": ["Wrong Texture", "artistic_style"]}, ["texture_error"])
    ['texture_error', 'artistic_style']
    """
    tags = row.get("tags")
    if tags is not None and not is_text_list(tags):
        raise DataError("a list of tags, or null", tags, field=f"{at}.tags" if at else "tags")
    return [*made, *(tag for tag in tags or [] if canonical_tag(tag) not in made)]


def other_fields(row: Mapping[str, Any], taken: Collection[str] = ()) -> dict[str, Any]:
    """Fields that a reader does not use and that JSON can hold; they are kept under their own names.

    Nulls and empty texts are skipped. So are bytes, dates and numbers that are not finite (pandas' null), and a list or
    an object that contains one.

    >>> other_fields({"image": b"", "uid": "a", "seed": 7, "scheduler": None, "size": [8, 6]}, taken=["uid"])
    {'seed': 7, 'size': [8, 6]}
    """
    return {
        name: value
        for name, value in row.items()
        if name not in RECORD_FIELDS and name not in taken and _has_content(value)
    }


def kept_fields(row: Mapping[str, Any], taken: Collection[str], made: dict[str, Any]) -> dict[str, Any]:
    """`Draft.fields`: those that a reader makes, and all others of its source.

    A field of the source is kept as source_NAME if its name means something else in a record, or is the name of a field
    the reader makes. A generator or annotator that is a number is kept as text, because a record stores names.

    Args:
        row: the source's fields.
        taken: those that the reader has used.
        made: the fields that it makes.

    >>> kept_fields({"label": 1, "path": "a.png", "seed": 7, "kind": "b", "annotator": 3}, ["path"], {"kind": "real"})
    {'source_label': 1, 'seed': 7, 'source_kind': 'b', 'annotator': '3', 'kind': 'real'}
    """
    kept = {}
    for name, value in row.items():
        if name not in taken and _has_content(value):
            if name in ORIGIN and is_empty(value):
                continue
            value = str(value) if name in ORIGIN and type(value) is int else value
            kept[f"source_{name}" if name in RECORD_FIELDS or name in made else name] = value
    return kept | made


def is_text_list(value: object) -> bool:
    """Whether a value is a list of texts.

    >>> is_text_list(["a"]), is_text_list("a"), is_text_list([1])
    (True, False, False)
    """
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _has_content(value: object) -> bool:
    return value is not None and value != "" and _is_json(value)


def _is_json(value: object) -> bool:
    """Whether JSON can hold a value and everything in it."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(map(_is_json, value.values())) and all(isinstance(name, str) for name in value)
    return value is None or isinstance(value, (str, int))
