"""JSON text: how deep it is nested, and whether a key occurs twice in an object, which decoders do not report."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

import msgspec

from .errors import DataError, Unquoted

MAX_DEPTH = 100
"""Levels of lists and objects. No annotation format needs ten; a parser's time or memory grows with their square."""

_STRUCTURE = b'"[]{}'
_SLICE = 8192  # bytes whose copies are in memory at once
_OTHERS = bytes(sorted({*range(256)} - {*_STRUCTURE}))
_STRING = re.compile(rb'"[^"]*"')
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class DepthCheck:
    """Checks the depth of JSON text that is read in parts, in constant memory.

    >>> check = DepthCheck()
    >>> check.add(b'[{"a": "[[[')
    >>> check.add(b'"}]')
    >>> check.add(b"[" * 101)
    Traceback (most recent call last):
    swift_plugins.fakexplain.errors.DataError: expected data nested less deeply, found more than 100 levels
    """

    def __init__(self) -> None:
        self._depth, self._rest = 0, b""

    def add(self, part: bytes) -> None:
        """Check the next part of the text.

        Raises:
            DataError: it is nested too deeply.
        """
        for start in range(0, len(part), _SLICE):
            self._add(part[start : start + _SLICE])

    def _add(self, part: bytes) -> None:
        text = self._rest + part
        if b"\\" in text:
            escapes = len(text) - len(text.rstrip(b"\\"))
            self._rest = b"\\" * (escapes % 2)  # it may escape the next part's first character
            text = text[: len(text) - escapes].replace(b"\\\\", b"").replace(b'\\"', b"")
        else:
            self._rest = b""
        brackets, quote, _ = _STRING.sub(b"", text.translate(None, _OTHERS)).partition(b'"')
        if quote:  # a string goes on in the next part
            self._rest = quote + self._rest
        if max(accumulate(map(_STEP.__getitem__, brackets), initial=self._depth)) > MAX_DEPTH:
            raise DataError("data nested less deeply", Unquoted(f"more than {MAX_DEPTH} levels"))
        self._depth += sum(map(_STEP.__getitem__, brackets))


def second_key(key: str) -> DataError:
    """The error of an object that has a key twice."""
    return DataError("each key once", Unquoted("a second one"), field=key)


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, from `json.loads` as its `object_pairs_hook`.

    Raises:
        DataError: a key occurs twice; field: the key.

    >>> unique_keys([("a", 1), ("a", 2)])
    Traceback (most recent call last):
    swift_plugins.fakexplain.errors.DataError: a: expected each key once, found a second one
    """
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise second_key(key)
        found[key] = value
    return found


def check_keys(raw: bytes, value: object) -> None:
    """Check that no object of a text has a key twice; a decoder keeps only the last one's value.

    Args:
        raw: the text, valid JSON in UTF-8, or with NaN and infinite numbers.
        value: what it decodes to.

    Raises:
        DataError: one has; field: the key.

    >>> check_keys(b'{"a": {"b": 1, "b": 2}}', {"a": {"b": 2}})
    Traceback (most recent call last):
    swift_plugins.fakexplain.errors.DataError: b: expected each key once, found a second one
    """
    if raw.count(b":") != _count_colons(raw, value):
        json.loads(raw, object_pairs_hook=unique_keys)


def _count_colons(raw: bytes, value: object) -> int:
    """Colons in a text that has each key once: those of keys, and those in strings; -1 if that is not known."""
    if b"\\u" in raw:  # may stand for a colon
        return -1
    return msgspec.json.encode(value).count(b":")
