"""Values of files made sure of: fields that must be there, numbers that pixels can have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .errors import NOTHING, DataError

if TYPE_CHECKING:
    from .boxes import Box


def require(data: Any, name: str, kind: type | tuple[type, ...], expected: str, at: str = "") -> Any:
    """A field that must be there and of a type.

    Args:
        data: a JSON object.
        name: the field.
        kind: its type; `float` takes whole numbers too, and True is no number.
        expected: the type in words, for the error.
        at: the way to `data`, for the error.

    Raises:
        DataError: `data` is no object, or the field is missing or of another type.

    >>> require({"width": 8}, "width", int, "a whole number")
    8
    """
    if not isinstance(data, dict):
        raise DataError("a JSON object", data, field=at)
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


def check_numbers(values: Iterable[object], expected: str, field: str) -> None:
    """Make sure that values are numbers that pixels can have: not text, not True, not infinite, not 400 digits long.

    Raises:
        DataError: one is not.

    >>> check_numbers([1, 2.5], "numbers", "bbox")
    """
    for value in values:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise DataError(expected, value, field=field)
        if not -1e9 < value < 1e9:
            raise DataError("finite numbers of a sane size", value, field=field)


def read_box(box: object, expected: str, at: str) -> Box:
    """The numbers of a box, as the file has them.

    Args:
        box: a list of four numbers.
        expected: what they are in words, for the error.
        at: the way to the box, for the error.

    Raises:
        DataError: it is no such list.

    >>> read_box([1, 2.5, 3, 4], "four numbers x1, y1, x2, y2", "bbox")
    (1, 2.5, 3, 4)
    """
    if not isinstance(box, list) or len(box) != 4:
        raise DataError(expected, box, field=at)
    check_numbers(box, expected, at)
    a, b, c, d = box
    return a, b, c, d
