"""Files and folders that appear whole or not at all: each is written beside its place and moved there."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec


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
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """A folder to write into, whose files take their places in `path` once the block ends without an error.

    What else lies in `path` stays, and a folder without a file is not made. The files of the top level are moved last:
    an annotations file is there only once the images beside it are.

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
    partial = path.with_name(path.name + ".partial")
    if partial.is_dir():
        shutil.rmtree(partial)  # left by a run that was killed
    partial.mkdir()
    try:
        yield partial
        written = [each.relative_to(partial) for each in partial.rglob("*") if not each.is_dir()]
        if written and not path.exists():
            partial.rename(path)
            return
        for each in sorted(written, key=lambda each: (-len(each.parts), each)):
            (path / each).parent.mkdir(parents=True, exist_ok=True)
            (partial / each).replace(path / each)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def to_json(value: Any) -> bytes:
    """JSON on one line, in UTF-8.

    >>> to_json({"a": [1.0, "é"]}).decode()
    '{"a": [1.0, "é"]}'
    """
    return msgspec.json.format(msgspec.json.encode(value), indent=0)


def write_jsonl(path: str | Path, lines: Iterable[dict[str, Any]]) -> int:
    """Write one JSON object a line and return how many there were."""
    count = 0
    with replacing(path) as partial, open(partial, "wb") as file:
        for line in lines:
            file.write(to_json(line) + b"\n")
            count += 1
    return count
