"""A file of JSON lines that grows batch by batch, and that a run that was killed goes on with.

A batch is on the disk once `append` returns. A line that a kill or a full disk cut short is removed by the next run. A
second file holds the settings of the run; a run with others is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..atomic import InUseError, atomic_file, try_lock
from ..errors import DataError, Unquoted
from ..ids import Ids
from ..jsonl import decode_line, to_indented_json, to_json


class Journal:
    """Lines with ids, those of earlier runs included.

    Attributes:
        path: the file.
        count: number of its lines.
        resumed: number of lines that it had when it was opened.
    """

    def __init__(self, path: Path, descriptor: int, ids: Ids):
        self.path, self._descriptor, self._ids = path, descriptor, ids
        self.count = self._read()
        self.resumed = self.count

    def _read(self) -> int:
        """Remember the ids of whole lines, and cut off what follows the last one."""
        number = end = 0
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    number -= 1
                    break
                self._add(line, number)
                end += len(line)
        os.ftruncate(self._descriptor, end)
        return number

    def _add(self, line: bytes, number: int) -> None:
        try:
            record = decode_line(line)
            id = record.get("id") if isinstance(record, dict) else None
            if not isinstance(id, str):
                raise DataError("a line that an earlier run wrote", Unquoted("none with an id"))
            self._ids.add(id, f"line {number}")
        except DataError as error:
            raise error.at(str(self.path), number) from None

    def __contains__(self, id: str) -> bool:
        return id in self._ids

    def append(self, lines: Iterable[dict[str, Any]]) -> None:
        """Write lines with new ids, and wait until they are on the disk.

        Raises:
            OSError: the disk is full; names the file.
        """
        added = list(lines)
        text = memoryview(b"".join(to_json(line) + b"\n" for line in added))
        try:
            while text:
                text = text[os.write(self._descriptor, text) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        for line in added:
            self.count += 1
            self._ids.add(line["id"], f"line {self.count}")


@contextmanager
def open_journal(path: Path, settings_path: Path, settings: dict[str, Any]) -> Iterator[Journal]:
    """Open a journal for one run, and close it at the end.

    Args:
        path: the file; created if it is missing.
        settings_path: file beside it for the settings.
        settings: all that its lines depend on, apart from the images.

    Raises:
        InUseError: another run has it open.
        DataError (a ValueError): it was written with other settings, or something else wrote it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    ids = Ids()
    try:
        if not try_lock(descriptor):
            raise InUseError(f"{path}: another run is writing it; wait until it ends, or choose another path")
        if os.fstat(descriptor).st_size or settings_path.exists():
            _check_settings(settings_path, settings)
        else:
            with atomic_file(settings_path) as partial:
                partial.write_text(to_indented_json(settings), encoding="utf-8")
        yield Journal(path, descriptor, ids)
    finally:
        ids.close()
        os.close(descriptor)


def _check_settings(path: Path, settings: dict[str, Any]) -> None:
    try:
        found = decode_line(path.read_bytes())
    except FileNotFoundError:
        found = None
    except DataError as error:
        raise error.at(str(path), 0) from None
    if not isinstance(found, dict):
        raise DataError("the settings of the run that wrote the lines beside it (--force starts over)", found).at(
            str(path), 0
        )
    for name in {**settings, **found}:
        if found.get(name) != settings.get(name):
            expected = f"{settings.get(name)!r}, as this run has it (--force starts over)"
            raise DataError(expected, found.get(name), field=name).at(str(path), 0)
