"""Files that appear whole or not at all: each is written beside its place and moved there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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


def write_jsonl(path: str | Path, lines: Iterable[dict[str, Any]]) -> int:
    """Write one JSON object a line and return how many there were."""
    count = 0
    encode = json.JSONEncoder(ensure_ascii=False).encode
    with replacing(path) as partial, open(partial, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(encode(line) + "\n")
            count += 1
    return count
