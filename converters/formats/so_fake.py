"""So-Fake-OOD and So-Fake-Set: Parquet files of real, fully synthetic and tampered images.

Versions number the three kinds differently (v1: full_synthetic, real, tampered; v2: real, tampered, full_synthetic) and
a later one writes their names: the names in the file count, never the numbers. The mask of a tampered image gives its
regions. The id is KIND/NAME, where NAME is the source's own id, else the file's name, else the row's number.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.json_values import require

from ..drafts.draft import Draft, Piece
from ..drafts.fields import own_id, size
from ..drafts.parquet import load_parquet, stem_of
from ..drafts.tampering import draft_row

COLUMNS = ("image",)
_TAKEN = (*COLUMNS, "label", "id", "mask", "tags", "width", "height")


def load_so_fake(src: Path) -> Iterator[Piece]:
    """Rows of a Parquet file or a folder of them."""
    return load_parquet(src, columns=COLUMNS)


def from_so_fake(data: Any) -> list[Draft]:
    """The draft of one row; its kind is kept as a field of that name.

    >>> row = {"image": {"bytes": b"...", "path": "a.png"}, "label": 1}
    >>> (draft,) = from_so_fake({"row": row, "names": {"label": ["full_synthetic", "real", "tampered"]}})
    >>> draft.id, draft.label
    ('real/a', 'real')
    """
    row = require(data, "row", dict, "a row")
    names = require(data, "names", dict, "names of labels").get("label")
    cell = row.get("image")
    name = (
        own_id(row)
        or own_id(row, "filename")
        or own_id(cell if isinstance(cell, dict) else {}, "path", "image.path")
        or require(data, "number", str, "a name")
    )
    return [draft_row(row, names, stem_of(name), size(row, "width", "height"), _TAKEN)]
