"""Files and folders that appear whole or not at all: each is written beside its place and moved there.

And what is read of them piece by piece: the files below a folder, lines of JSON, items of JSON too large for memory.
"""

from __future__ import annotations

import codecs
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import IO, Any

import msgspec

from .errors import AnnotationError, Words


def check_is_file(path: Path, what: str) -> None:
    """Refuse a path that is no file.

    Raises:
        FileNotFoundError: what was expected there, and whether there is a folder or nothing.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected {what}, found {'a folder' if path.is_dir() else 'no such file'}")


def partial_of(path: Path) -> Path:
    """Where a file or folder is written until it takes its place."""
    return path.with_name(path.name + ".partial")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path to write to, whose file takes the place of `path` once the block ends without an error.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp(), "out", "scores.json")
    >>> with replacing(place) as partial:
    ...     _ = partial.write_text("{}")
    ...     place.exists()
    False
    >>> [each.name for each in place.parent.iterdir()]
    ['scores.json']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | Path, *, whole: bool = False) -> Iterator[Path]:
    """A folder to write into, whose files take their places in `path` once the block ends without an error.

    What else lies in `path` stays, and a folder without a file is not made. The files of the top level are moved last:
    an annotations file is there only once the images beside it are.

    Args:
        path: the folder.
        whole: refuse to leave files of an earlier run among the new ones.

    Raises:
        ValueError: `whole`, and a file lies in `path` that the block has not written.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp(), "masks")
    >>> with replacing_folder(place) as partial:
    ...     _ = Path(partial, "a.png").write_bytes(b"")
    ...     place.exists()
    False
    >>> [each.name for each in place.iterdir()]
    ['a.png']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(path)
    if partial.is_dir():
        shutil.rmtree(partial)  # left by a run that was killed
    try:
        partial.mkdir()
        yield partial
        written = _files(partial)
        if whole and (others := _files(path) - written):
            raise ValueError(
                f"{path}: expected no files but those that are written, found {len(others)} more, such as "
                f"{min(others)}; remove the folder first"
            )
        with undisturbed():
            if written and not path.is_symlink() and not (path.exists() and any(path.iterdir())):
                partial.replace(path)
                return
            for each in sorted(written, key=lambda each: (-len(each.parts), each)):
                (path / each).parent.mkdir(parents=True, exist_ok=True)
                (partial / each).replace(path / each)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _files(folder: Path) -> set[Path]:
    return {each.relative_to(folder) for each in folder.rglob("*") if not each.is_dir()}


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block that Ctrl-C does not end in its middle: it waits until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []
    handler = signal.signal(signal.SIGINT, lambda *args: waiting.append(args))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if waiting and callable(handler):
            handler(*waiting[0])


def files_below(folder: Path, passed_over: Collection[Path] = ()) -> Iterator[Path]:
    """Files below a folder, each folder's entries in order; links are followed, hidden ones passed over.

    Args:
        folder: where to begin.
        passed_over: folders that are not entered.
    """

    def walk(here: Path, above: frozenset[Path]) -> Iterator[Path]:
        real = here.resolve()
        if real in above or real in without:  # a link may lead up
            return
        for entry in sorted(os.scandir(here), key=attrgetter("name")):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from walk(here / entry.name, above | {real})
            elif entry.is_file():
                yield here / entry.name

    without = {path.resolve() for path in passed_over}
    yield from walk(folder, frozenset())


def to_json(value: Any) -> bytes:
    """JSON on one line, in UTF-8, with blanks for people who read it.

    >>> to_json({"a": [1.0, "é"]}).decode()
    '{"a": [1.0, "é"]}'
    """
    return msgspec.json.format(encode(value), indent=0)


encode = msgspec.json.Encoder().encode
"""JSON in UTF-8 without blanks, in a third of the time."""


def write_jsonl(
    path: str | Path, lines: Iterable[dict[str, Any]], encoder: Callable[[dict[str, Any]], bytes] = to_json
) -> int:
    """Write one JSON object a line and return how many there were."""
    count = 0
    with replacing(path) as partial, open(partial, "wb", buffering=2**20) as file:
        for line in lines:
            file.write(encoder(line) + b"\n")
            count += 1
    return count


_decode_fast = msgspec.json.Decoder().decode


def decode_line(raw: bytes) -> object:
    """The value of one line of JSON.

    Raises:
        AnnotationError: it is not JSON in UTF-8, or holds text that UTF-8 cannot write.

    >>> decode_line(b'{"a": 1.0}')
    {'a': 1.0}
    """
    try:
        return _decode_fast(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _decode_saying_why(raw)


def _decode_saying_why(raw: bytes) -> object:
    try:
        value = json.loads(raw.decode(), parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError as error:
        found = Words(f"half of a surrogate pair, \\u{ord(error.object[error.start]):04x}")
        raise AnnotationError("text that UTF-8 can write", found) from None
    except UnicodeDecodeError as error:
        raise AnnotationError(
            "UTF-8 text", Words(f"byte {raw[error.start]:#04x} at column {error.start + 1}")
        ) from None
    except json.JSONDecodeError as error:
        found = Words(f"{error.msg.removesuffix(' at')} at column {error.colno}")
        raise AnnotationError("one JSON object", found) from None
    except (RecursionError, ValueError) as error:
        raise AnnotationError("one JSON object", Words(str(error))) from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name}, which is not JSON")


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
        AnnotationError: the file is not JSON, or holds something else where a list is to be.
    """
    import ijson

    with open(path, "rb") as raw:
        file = as_utf8(raw)
        try:
            if prefix == "item" and not is_json_list(path):
                raise AnnotationError("a JSON list", Words("none")).at(str(path), 0)
            if prefix.endswith("item"):
                for index, value in enumerate(ijson.items(file, prefix, use_float=True)):
                    yield f"{prefix[:-4].rstrip('.')}[{index}]", value
            else:
                yield from ijson.kvitems(file, prefix.rstrip("."), use_float=True)
        except (ijson.JSONError, UnicodeError) as error:
            what = error.args[0]
            what = what.decode(errors="replace") if isinstance(what, bytes) else str(error)
            raise AnnotationError("JSON", Words(what.partition("\n")[0])).at(str(path), 0) from None


def is_json_list(path: Path) -> bool:
    """Whether JSON begins with a list; true of what is no JSON, which its parser tells better."""
    with open(path, "rb") as raw:
        head = as_utf8(raw).read(1024).strip()
    return not head.startswith(b"{")
