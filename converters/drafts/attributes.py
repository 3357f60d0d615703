"""Attributes that annotators named and filled in: names in any case, and values that mean nothing was chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BLANK = re.compile(
    r"(?:none|undefined|empty|null|nil|nan|nothing|n/a|no value|unset|not set"
    r"|(?:please )?(?:select|choose)(?: an?| one)?(?: option| value)?|(?:none|nothing|not) (?:selected|chosen))?"
)
_YES, _NO = ("true", "yes"), ("false", "no")


def is_empty(value: object) -> bool:
    """Whether a value is what a tool writes if nothing was chosen or typed.

    >>> [is_empty(value) for value in ("__undefined__", "None", "Select...", "--", " ", None, [], {})]
    [True, True, True, True, True, True, True, True]
    >>> [is_empty(value) for value in ("No eyes.", "nonesuch", 0, False)]
    [False, False, False, False]
    """
    if isinstance(value, str):
        return _BLANK.fullmatch(value.strip(" \t\r\n_-<>()[].…").lower()) is not None
    return value is None or (isinstance(value, float) and value != value) or value == [] or value == {}


def by_name(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that are not empty, by their names in lower case; of two such names the one in lower case counts.

    >>> by_name({"Caption": "Six fingers.", "NOTE": "a", "note": "b", "kind": "__undefined__"})
    {'caption': 'Six fingers.', 'note': 'b'}
    """
    folded: dict[str, Any] = {}
    for name, value in attributes.items():
        if not is_empty(value) and (name.strip().lower() not in folded or name == name.lower()):
            folded[name.strip().lower()] = value
    return folded


def chosen(value: object) -> list[Any]:
    """The values of an attribute: one text or number, those of a list, the names of checked boxes; empty ones skipped.

    >>> chosen({"hand": True, "eye": False}), chosen(["a", "None"]), chosen(" b "), chosen("__undefined__")
    (['hand'], ['a'], ['b'], [])
    """
    if isinstance(value, dict):
        return [name for name, checked in value.items() if switched(checked)]
    values = value if isinstance(value, list) else [value]
    return [each.strip() if isinstance(each, str) else each for each in values if not is_empty(each)]


def switched(value: object) -> bool | None:
    """Whether a switch is on or off, as true and false or in words; None if the value is no switch.

    >>> switched(True), switched("False"), switched("dim")
    (True, False, None)
    """
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    return True if word in _YES else False if word in _NO else None


def text_of(value: object) -> str:
    """The words of an attribute: a text, or several joined; the empty text if it has none.

    >>> text_of({"extra finger": True, "eye": False}), text_of(["a", "b"]), text_of("a\\n b"), text_of(7)
    ('extra finger', 'a, b', 'a b', '')
    """
    texts = [each for each in chosen(value) if isinstance(each, str) and switched(each) is None]
    return " ".join(", ".join(texts).split())
