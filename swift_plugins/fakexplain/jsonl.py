"""JSON Lines: one JSON object per line, in UTF-8."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from .atomic import atomic_file
from .errors import DataError, Unquoted
from .json_text import check_keys
from .paths import check_is_file


def to_json(value: Any) -> bytes:
    """JSON on one line, in UTF-8, with spaces for human readers.

    >>> to_json({"a": [1.0, "é"]}).decode()
    '{"a": [1.0, "é"]}'
    """
    return msgspec.json.format(to_compact_json(value), indent=0)


to_compact_json = msgspec.json.Encoder().encode
"""JSON in UTF-8 without spaces, in a third of the time."""


def to_indented_json(value: Any) -> str:
    """JSON over several lines, for files that people read.

    >>> print(to_indented_json({"a": "é"}), end="")
    {
      "a": "é"
    }
    """
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def read_lines(path: Path, what: str) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a JSON Lines file, undecoded, each with its number; skip empty ones.

    Args:
        path: the file; a byte order mark at its start is ignored.
        what: the content of the file in words, for the error.

    Raises:
        FileNotFoundError: no such file.
    """
    check_is_file(path, what)
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if line.strip():
                yield number, line


def write_jsonl(
    path: str | Path, lines: Iterable[dict[str, Any]], encoder: Callable[[dict[str, Any]], bytes] = to_json
) -> int:
    """Write one JSON object per line and return their number."""
    count = 0
    with atomic_file(path) as partial, open(partial, "wb", buffering=2**20) as file:
        for line in lines:
            file.write(encoder(line) + b"\n")
            count += 1
    return count


_decode_fast = msgspec.json.Decoder().decode


def decode_line(raw: bytes) -> object:
    """Decode one line of JSON.

    Raises:
        DataError: it is not JSON in UTF-8, has a key twice, or holds text that UTF-8 cannot write.

    >>> decode_line(b'{"a": 1.0}')
    {'a': 1.0}
    """
    value = decode_unchecked(raw)
    check_keys(raw, value)
    return value


def decode_unchecked(raw: bytes) -> Any:
    """Decode one line of JSON as `decode_line` does, but let the last value of a key stand.

    Raises:
        DataError: it is not JSON in UTF-8, or holds text that UTF-8 cannot write.
    """
    try:
        return _decode_fast(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _decode_with_reason(raw)


def _decode_with_reason(raw: bytes) -> object:
    try:
        value = json.loads(raw.decode(), parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError as error:
        found = Unquoted(f"half of a surrogate pair, \\u{ord(error.object[error.start]):04x}")
        raise DataError("text that UTF-8 can write", found) from None
    except UnicodeDecodeError as error:
        raise DataError("UTF-8 text", Unquoted(f"byte {raw[error.start]:#04x} at column {error.start + 1}")) from None
    except json.JSONDecodeError as error:
        found = Unquoted(f"{error.msg.removesuffix(' at')} at column {error.colno}")
        raise DataError("one JSON object", found) from None
    except (RecursionError, ValueError) as error:
        raise DataError("one JSON object", Unquoted(str(error))) from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name}, which is not JSON")
