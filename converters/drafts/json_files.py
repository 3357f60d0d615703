"""JSON files as tools write them: with NaN and Infinity, which JSON has not, for values they could not compute."""

from __future__ import annotations

import json
import mmap
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_items import load_json_items
from swift_plugins.fakexplain.json_text import check_keys, unique_keys
from swift_plugins.fakexplain.paths import check_is_regular

_TEXT_OR_CONSTANT = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b', re.DOTALL)


def load_json(path: Path) -> Any:
    """Load a small JSON file as a whole; NaN and Infinity are read as null.

    Raises:
        DataError: as `decode_json`; or no regular file.
    """
    try:
        check_is_regular(path)
        return decode_json(path.read_bytes(), "JSON")
    except DataError as error:
        raise error.at(str(path), 0) from None


def decode_json(raw: bytes, expected: str) -> Any:
    """Decode JSON in any encoding of Unicode; NaN and Infinity are read as null.

    Args:
        raw: the text.
        expected: what it is in words, for the error.

    Raises:
        DataError: it is not JSON, or has a key twice in an object.

    >>> decode_json(b'{"a": NaN}', "JSON")
    {'a': None}
    """
    try:
        value = msgspec.json.decode(raw)
        check_keys(raw, value)
        return value
    except DataError:
        raise
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    try:
        text = raw.decode(json.detect_encoding(raw))
        return json.loads(text, parse_constant=lambda _: None, object_pairs_hook=unique_keys)
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError(expected, Unquoted(str(error))) from None


def load_items(path: Path, prefix: str = "item") -> Iterator[tuple[str, object]]:
    """The items of a JSON file as `load_json_items` yields them; NaN and Infinity are read as null.

    Raises:
        FileNotFoundError, DataError: as `load_json_items`; a table is named as such, and what is no regular file.
    """
    if path.suffix.lower() in (".csv", ".tsv", ".xml", ".zip", ".txt"):
        raise DataError("the export as JSON", Unquoted(f"a file {path.suffix}")).at(str(path), 0)
    check_is_regular(path)
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
