"""Errors in data files: place, expected value, found value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

# Control characters, halves of characters, and characters that turn the direction of the text around them.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Text that a terminal only prints: what could command it, or be no character, becomes an escape; lines stay.

    >>> print(printable("a\x1b[2Jb\udce9"))
    a\x1b[2Jb\udce9
    """
    return _UNPRINTABLE.sub(lambda match: match[0] if match[0] in "\n\t" else _escape(match[0]), text)


def on_one_line(text: str) -> str:
    r"""Printable text whose line breaks and tabs are escapes too.

    >>> print(on_one_line("a\nb"))
    a\nb
    """
    return _UNPRINTABLE.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class Record(Protocol):
    """A record with its origin."""

    @property
    def file(self) -> str: ...

    @property
    def line(self) -> int: ...

    @property
    def id(self) -> str: ...


class DataError(ValueError):
    """Invalid data in a file: place, expected value, found value."""

    def __init__(
        self, expected: str, found: object, *, field: str = "", file: str = "", line: int = 0, id: str | None = None
    ):
        self.expected, self.found, self.field, self.file, self.line, self.id = expected, found, field, file, line, id
        super().__init__(expected, found)

    def at(self, file: str, line: int, id: str | None = None) -> DataError:
        """The same error, with its place filled in."""
        self.file, self.line, self.id = file, line, id or self.id
        return self

    def at_record(self, record: Record) -> DataError:
        """The same error, placed at a record."""
        return self.at(record.file, record.line, record.id)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part)
        found = _shorten(self.found, 400) if isinstance(self.found, Unquoted) else _shorten(repr(self.found))
        what = f"{self.field}: " if self.field else ""
        who = f" (id {_shorten(repr(self.id))})" if self.id else ""
        return on_one_line(f"{place + ': ' if place else ''}{what}expected {self.expected}, found {found}{who}")


def _shorten(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


class Unquoted(str):
    """Words in an error that are not a value of the file, and therefore not quoted."""


NOTHING = Unquoted("nothing")

OnError = Callable[[DataError], None]
"""Called with the error of each bad record; if it returns, the record is skipped."""


def raise_error(error: DataError) -> None:
    """Stop at the first bad record; the default of readers and writers."""
    raise error
