"""Records in the formats of others, by name, and as a stock ms-swift JSONL for runs that cannot take a plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

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


class Writer(NamedTuple):
    """How one format is written.

    Attributes:
        save: called with the records, the file or folder to write, `images=` (folder that image paths are relative
            to) and `link=` (hard links in place of copies); a folder is there already. Returns how many records.
        folder: whether it writes a folder.
        words: what it is, for the help text.
    """

    save: Callable[..., int]
    folder: bool
    words: str


def _save_rows(annotations: Iterable[Annotation], out: Path, *, images: Path, link: bool, variant: str = "full") -> int:
    return export_rows(annotations, out, variant)


WRITERS = {
    "rows": Writer(_save_rows, False, "stock ms-swift JSONL, one row for each record"),
}
