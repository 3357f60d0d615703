"""Validate values read from files: required and optional fields, and plausible pixel coordinates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .errors import NOTHING, DataError

if TYPE_CHECKING:
    from .boxes import Box


def require(data: Any, name: str, kind: type | tuple[type, ...], expected: str, at: str = "") -> Any:
    """Return a required field of a JSON object.

    Args:
        data: the object.
        name: the field.
        kind: its type or types; `float` accepts whole numbers too, and True is not a number.
        expected: the type in words, for the error.
        at: path to `data` in its file, for the error.

    Raises:
        DataError: `data` is not an object, or the field is missing or of another type.

    >>> require({"width": 8}, "width", int, "a whole number")
    8
    """
    if not isinstance(data, dict):
        raise DataError("a JSON object", data, field=at)
    if type(data.get(name)) is kind:  # nearly always
        return data[name]
    place = f"{at}.{name}" if at else name
    if name not in data:
        raise DataError(expected, NOTHING, field=place)
    value = data[name]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if float in kinds:
        kinds = (*kinds, int)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise DataError(expected, value, field=place)
    return value


def optional(data: dict[str, Any], name: str, kind: type, expected: str) -> Any:
    """Return a field of a JSON object, or None if it is missing or null.

    Args:
        data: the object.
        name, kind, expected: as in `require`.

    Raises:
        DataError: the field is of another type.

    >>> optional({}, "fold", int, "0, 1, 2 or 3") is None
    True
    """
    return None if data.get(name) is None else require(data, name, kind, expected)


def check_numbers(values: Iterable[object], expected: str, field: str) -> None:
    """Check that values are plausible pixel coordinates: numbers between -1e9 and 1e9, not text and not True.

    Raises:
        DataError: at least one is not.

    >>> check_numbers([1, 2.5], "numbers", "bbox")
    """
    for value in values:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise DataError(expected, value, field=field)
        if not -1e9 < value < 1e9:
            raise DataError("finite numbers between -1e9 and 1e9", value, field=field)


def read_box(box: object, expected: str, at: str) -> Box:
    """Return the four numbers of a box, in the order of the file.

    Args:
        box: a list of four numbers.
        expected: their meaning in words, for the error.
        at: path to the box in its file, for the error.

    Raises:
        DataError: it is not such a list.

    >>> read_box([1, 2.5, 3, 4], "four numbers x1, y1, x2, y2", "bbox")
    (1, 2.5, 3, 4)
    """
    if not isinstance(box, list) or len(box) != 4:
        raise DataError(expected, box, field=at)
    check_numbers(box, expected, at)
    a, b, c, d = box
    return a, b, c, d
