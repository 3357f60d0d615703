"""Items of a JSON file too large for memory, one at a time."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from .errors import DataError, Unquoted


def as_utf8(file: IO[bytes]) -> Any:
    """A file's text as UTF-8 bytes, whichever Unicode encoding its byte order mark says it has."""
    head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        file.seek(0)
        return SimpleNamespace(read=codecs.EncodedFile(file, "utf-8", "utf-16").read)  # of it, ijson may read raw
    file.seek(3 if head.startswith(codecs.BOM_UTF8) else 0)
    return file


def load_json_items(path: Path, prefix: str = "item") -> Iterator[tuple[str, Any]]:
    """The items of a large JSON list or object, one at a time.

    Args:
        path: a JSON file in UTF-8, or in UTF-16 with a byte order mark.
        prefix: where they are, in ijson's words: `item` for a list at the top, `images.item` for one under a key, and
            the empty string for the values of an object at the top, or `a.b` and a final dot for those of an inner one.

    Yields:
        The key or the index as `[0]`, and the value.

    Raises:
        FileNotFoundError: no such file.
        DataError: the file is not JSON, or holds something else where a list is to be.
    """
    import ijson

    with open(path, "rb") as raw:
        file = as_utf8(raw)
        try:
            if prefix == "item" and not is_json_list(path):
                raise DataError("a JSON list", Unquoted("none")).at(str(path), 0)
            if prefix.endswith("item"):
                for index, value in enumerate(ijson.items(file, prefix, use_float=True)):
                    yield f"{prefix[:-4].rstrip('.')}[{index}]", value
            else:
                yield from ijson.kvitems(file, prefix.rstrip("."), use_float=True)
        except (ijson.JSONError, UnicodeError) as error:
            what = error.args[0]
            what = what.decode(errors="replace") if isinstance(what, bytes) else str(error)
            raise DataError("JSON", Unquoted(what.partition("\n")[0])).at(str(path), 0) from None


def is_json_list(path: Path) -> bool:
    """Whether JSON begins with a list; true of what is no JSON, which its parser tells better."""
    with open(path, "rb") as raw:
        head = as_utf8(raw).read(1024).strip()
    return not head.startswith(b"{")
