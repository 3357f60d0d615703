"""SID_Set of SIDA: Parquet files of real, fully synthetic and tampered images, with masks of the tampered areas.

Labels are 0 real, 1 full_synthetic, 2 tampered, unless the file names them otherwise. A tampered image keeps the
img_id of the real one it was made from, so the id is KIND/IMG_ID.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.json_values import require

from ..drafts.draft import Draft, Piece
from ..drafts.fields import own_id
from ..drafts.parquet import load_parquet
from ..drafts.tampering import draft_row

COLUMNS = ("img_id", "image", "mask", "width", "height")
_KIND_NAMES = ["real", "full_synthetic", "tampered"]


def load_sid_set(src: Path) -> Iterator[Piece]:
    """Rows of a Parquet file or a folder of them."""
    return load_parquet(src, columns=COLUMNS)


def from_sid_set(data: Any) -> list[Draft]:
    """The draft of one row; its kind is kept as a field of that name.

    >>> row = {"img_id": "42", "image": b"...", "mask": None, "width": 8, "height": 8, "label": 1}
    >>> (draft,) = from_sid_set({"row": row, "names": {}})
    >>> draft.id, draft.label, draft.fields
    ('full_synthetic/42', 'fake', {'kind': 'full_synthetic'})
    """
    row = require(data, "row", dict, "a row")
    names = require(data, "names", dict, "names of labels").get("label", _KIND_NAMES)
    id = own_id(row, "img_id") or require(row, "img_id", str, "the image's id")
    wh = require(row, "width", int, "a whole number"), require(row, "height", int, "a whole number")
    return [draft_row(row, names, id, wh, {*COLUMNS, "label", "tags"})]
