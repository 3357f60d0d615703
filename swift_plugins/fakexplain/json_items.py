"""Items of a JSON file too large for memory, one at a time."""

from __future__ import annotations

import codecs
import mmap
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from .errors import DataError, Unquoted
from .ids import Ids
from .json_text import DepthCheck, second_key
from .paths import check_is_regular


def as_utf8(file: IO[bytes]) -> Any:
    """Return a file that reads as UTF-8, converted from the Unicode encoding that its byte order mark names.

    Its `read` raises a `DataError` where the JSON is nested too deeply.
    """
    head = file.read(4)
    source: Any = file
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        file.seek(0)
        source = codecs.EncodedFile(file, "utf-8", "utf-16")
    else:
        file.seek(3 if head.startswith(codecs.BOM_UTF8) else 0)
    depth = DepthCheck()

    def read(size: int = -1) -> bytes:
        part: bytes = source.read(size)
        depth.add(part)
        return part

    return SimpleNamespace(read=read)  # ijson may bypass an EncodedFile and read raw bytes


def load_json_items(path: Path, prefix: str = "item") -> Iterator[tuple[str, Any]]:
    """Yield the items of a large JSON list or object one at a time.

    Args:
        path: a JSON file in UTF-8, or in UTF-16 with a byte order mark.
        prefix: their place in ijson's notation: `item` for a list at the top, `images.item` for a list under a key,
            the empty string for the values of an object at the top, `a.b.` for those of an inner object.

    Yields:
        The key or the index as `[0]`, and the value.

    Raises:
        FileNotFoundError: no such file.
        DataError: the file is not JSON, is nested too deeply, has the key of the list or object, or one in it, twice,
            or holds something else in place of the list.
    """
    import ijson

    _check_stands_once(path, prefix.removesuffix("item").rstrip("."))
    with open(path, "rb") as raw:
        file = as_utf8(raw)
        try:
            if prefix == "item" and not is_json_list(path):
                raise DataError("a JSON list", Unquoted("none")).at(str(path), 0)
            twice: list[str] = []
            kind = _keys_noted(twice)
            if prefix.endswith("item"):
                for index, value in enumerate(ijson.items(file, prefix, use_float=True, map_type=kind)):
                    _check_noted(twice)
                    yield f"{prefix[:-4].rstrip('.')}[{index}]", value
            else:
                with closing(Ids()) as keys:
                    for key, value in ijson.kvitems(file, prefix.rstrip("."), use_float=True, map_type=kind):
                        _check_noted(twice)
                        if keys.find_or_add(key, "") is not None:
                            raise second_key(key)
                        yield key, value
        except DataError as error:
            raise error.at(str(path), 0) from None
        except (ijson.JSONError, UnicodeError) as error:
            what = error.args[0]
            what = what.decode(errors="replace") if isinstance(what, bytes) else str(error)
            raise DataError("JSON", Unquoted(what.partition("\n")[0])).at(str(path), 0) from None


def _keys_noted(twice: list[str]) -> type[dict[str, Any]]:
    """A type of object that adds the keys it is given twice to a list: ijson may lose an error that it raises."""

    class Noting(dict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            if key in self:
                twice.append(key)
            super().__setitem__(key, value)

    return Noting


def _check_noted(twice: list[str]) -> None:
    if twice:
        raise second_key(twice[0])


def _check_stands_once(path: Path, place: str) -> None:
    """Check that a list or object does not stand twice at its place, because the items of both would be one list.

    Args:
        path: the file.
        place: in ijson's notation; empty for the top.

    Raises:
        DataError: it does; field: the place.
    """
    import ijson

    if not place or not _may_stand_twice(path, place.rpartition(".")[2]):
        return
    count = 0
    with open(path, "rb") as raw, suppress(ijson.JSONError, UnicodeError, DataError):  # reported with the items
        for at, event, _ in ijson.parse(as_utf8(raw)):
            count += at == place and event in ("start_array", "start_map")
    if count > 1:
        raise second_key(place).at(str(path), 0)


def _may_stand_twice(path: Path, key: str) -> bool:
    """Whether the text has a key more than once, at any place, or may have it in another encoding."""
    if not path.stat().st_size:
        return False
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if text[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return True
        return len(re.findall(rb'"%s"\s*:' % re.escape(key.encode()), text)) > 1


def is_json_list(path: Path) -> bool:
    """Whether JSON begins with a list; also True for invalid JSON, which its parser reports better.

    Raises:
        DataError: no regular file, or its JSON is nested too deeply.
    """
    check_is_regular(path)
    with open(path, "rb") as raw:
        try:
            head = as_utf8(raw).read(1024).strip()
        except DataError as error:
            raise error.at(str(path), 0) from None
    return not head.startswith(b"{")
