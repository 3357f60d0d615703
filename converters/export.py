"""Records as a stock ms-swift JSONL, for runs that cannot take a plugin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.files import write_jsonl
from swift_plugins.fakexplain.rows import to_row


def export_rows(annotations: Iterable[Annotation], out: str | Path, variant: str = "full") -> int:
    """Write the rows that `--dataset fakexplained` gives, one JSON line each; image paths are absolute.

    Args:
        annotations: the records.
        out: the file to write; it appears whole or not at all.
        variant: what an answer holds.

    Returns:
        How many rows were written.
    """

    def rows() -> Iterator[dict[str, Any]]:
        for annotation in annotations:
            row = to_row(annotation, variant)
            yield row | {"images": [str(annotation.path.absolute())]}

    return write_jsonl(out, rows())
