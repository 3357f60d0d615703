"""Stock ms-swift JSONL, for runs that cannot load a plugin; written, not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.jsonl import to_compact_json, write_jsonl
from swift_plugins.fakexplain.rows import to_row


def save_rows(annotations: Iterable[Annotation], out: str | Path, *, variant: str = "full") -> int:
    """Write the rows of `--dataset fakexplained`, one JSON line per record; image paths are absolute. See `Writer`.

    Args:
        annotations: the records.
        out: the file to write; it appears complete or not at all.
        variant: the parts of an answer.
    """

    def rows() -> Iterator[dict[str, Any]]:
        for annotation in annotations:
            row = to_row(annotation, variant)
            row["images"] = [str(annotation.path.absolute())]
            yield row

    return write_jsonl(out, rows(), to_compact_json)
