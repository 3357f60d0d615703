"""Names that must be unique, in constant memory."""

from __future__ import annotations

import sqlite3

from .errors import DataError


class Ids:
    """The ids read from one file so far, in a temporary database that spills to disk and is deleted when closed."""

    def __init__(self) -> None:
        self._seen = sqlite3.connect("")
        self._seen.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, place TEXT) WITHOUT ROWID")

    def add(self, id: str, place: str) -> None:
        """Add an id and the place of its record.

        Raises:
            DataError: another record has the same id.
        """
        if (first := self.find_or_add(id, place)) is not None:
            raise DataError(f"a unique id ({first} already uses this one)", id, field="id")

    def find_or_add(self, id: str, place: str) -> str | None:
        """The place of an earlier record with the same id; None if there is none, and then the id is added.

        Raises:
            DataError: UTF-8 cannot write it.
        """
        try:
            self._seen.execute("INSERT INTO ids VALUES (?, ?)", (id, place))
        except sqlite3.IntegrityError:
            (first,) = self._seen.execute("SELECT place FROM ids WHERE id = ?", (id,)).fetchone()
            return str(first)
        except UnicodeEncodeError:
            raise DataError("text that UTF-8 can write", id, field="id") from None
        return None

    def __contains__(self, id: str) -> bool:
        return self._seen.execute("SELECT 1 FROM ids WHERE id = ?", (id,)).fetchone() is not None

    def close(self) -> None:
        self._seen.close()
