"""JSON files as tools write them: with NaN and Infinity, which JSON has not, for values they could not compute."""

from __future__ import annotations

import mmap
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_items import load_json_items

_TEXT_OR_CONSTANT = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b', re.DOTALL)


def load_items(path: Path, prefix: str = "item") -> Iterator[tuple[str, object]]:
    """The items of a JSON file as `load_json_items` yields them; NaN and Infinity are read as null.

    Raises:
        FileNotFoundError, DataError: as `load_json_items`; a table is named as such.
    """
    if path.suffix.lower() in (".csv", ".tsv", ".xml", ".zip", ".txt"):
        raise DataError("the export as JSON", Unquoted(f"a file {path.suffix}")).at(str(path), 0)
    with readable_json(path) as readable:
        try:
            yield from load_json_items(readable, prefix)
        except DataError as error:
            raise error.at(str(path), 0) from None


@contextmanager
def readable_json(path: Path) -> Iterator[Path]:
    """The file itself, or, if it holds NaN or Infinity, a temporary copy with null in their place."""
    if not _has_constants(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, open(path, "rb") as file:
        copy = Path(folder, path.name)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, open(copy, "wb") as target:
            end = 0
            for match in _TEXT_OR_CONSTANT.finditer(content):
                if not match[0].startswith(b'"'):
                    target.write(content[end : match.start()])
                    target.write(b"null")
                    end = match.end()
            target.write(content[end:])
        yield copy


def _has_constants(path: Path) -> bool:
    with open(path, "rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return content.find(b"NaN") >= 0 or content.find(b"Infinity") >= 0
        except ValueError:  # an empty file
            return False
