"""Errors of records and of all that becomes one: where, what was expected, what was there."""

from __future__ import annotations

from collections.abc import Callable


class DataError(ValueError):
    """A record that breaks the format: where, what was expected, what was there."""

    def __init__(
        self, expected: str, found: object, *, field: str = "", file: str = "", line: int = 0, id: str | None = None
    ):
        self.expected, self.found, self.field, self.file, self.line, self.id = expected, found, field, file, line, id
        super().__init__(expected, found)

    def at(self, file: str, line: int, id: str | None = None) -> DataError:
        """The same error, with its place filled in."""
        self.file, self.line, self.id = file, line, id or self.id
        return self

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part)
        found = self.found if isinstance(self.found, Unquoted) else repr(self.found)
        if len(found) > 120:
            found = found[:117] + "..."
        what = f"{self.field}: " if self.field else ""
        who = f" (id {self.id!r})" if self.id else ""
        return f"{place + ': ' if place else ''}{what}expected {self.expected}, found {found}{who}"


class Unquoted(str):
    """Words for an error that are no value of the file, and so are not quoted."""


NOTHING = Unquoted("nothing")

OnError = Callable[[DataError], None]
"""Called with the error of each bad record, which is passed over if it returns."""


def raise_error(error: DataError) -> None:
    """Stop at the first bad record: what readers and writers do unless told otherwise."""
    raise error
