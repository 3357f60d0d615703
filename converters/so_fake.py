"""So-Fake-OOD and So-Fake-Set: Parquet files of real, fully synthetic and tampered images.

Versions number the three otherwise (v1: full_synthetic, real, tampered; v2: real, tampered, full_synthetic) and a later
one writes their names: the names in the file count, never the numbers. The mask of a tampered image gives its regions.
The id is KIND/NAME, by the file's name (or the source's own id, or the row's number).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .parquet import image_bytes, load_rows, other_fields, stem_of
from .source import Draft, Piece
from .tampering import KINDS, kind_of, mask_regions

COLUMNS = ("image", "label")


def load_so_fake(src: Path) -> Iterator[Piece]:
    """Rows of a Parquet file or a folder of them."""
    return load_rows(src, columns=COLUMNS)


def from_so_fake(data: Any) -> list[Draft]:
    """The draft of one row; its kind is kept as a field of that name.

    >>> row = {"image": {"bytes": b"...", "path": "a.png"}, "label": 1}
    >>> (draft,) = from_so_fake({"row": row, "names": {"label": ["full_synthetic", "real", "tampered"]}})
    >>> draft.id, draft.label
    ('real/a', 'real')
    """
    row = data["row"]
    kind = kind_of(row["label"], data["names"].get("label"))
    image = image_bytes(row, "image")
    assert image is not None
    path = row["image"].get("path") if isinstance(row["image"], dict) else None
    name = row.get("id") or row.get("filename") or path or data["number"]
    sizes = row.get("width"), row.get("height")
    return [
        Draft(
            image,
            regions=[*mask_regions(row, kind, image)],
            label=KINDS[kind],
            id=f"{kind}/{stem_of(str(name))}",
            wh=sizes if None not in sizes else None,
            fields=other_fields(row) | {"kind": kind},
        )
    ]
