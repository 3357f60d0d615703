"""What readers of Parquet datasets share: rows in bounded memory, columns that must be there, images within them.

The files are those of the `datasets` library: an image is a struct {bytes, path} (or plain bytes), and the names of a
ClassLabel stand in the schema's metadata, for its column holds integers only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from swift_plugins.fakexplain.annotation import NOTHING, AnnotationError, Words

from .source import IMAGE_SUFFIXES, Piece

BATCH = 8
"""Rows held at a time; an image takes some megabytes."""


def parquet_files(src: Path) -> list[Path]:
    """The Parquet file itself, or those below a folder, in order.

    Raises:
        FileNotFoundError: neither file nor folder.
        AnnotationError: a folder without any.
    """
    if src.is_file():
        return [src]
    if not src.is_dir():
        raise FileNotFoundError(f"{src}: expected a Parquet file or a folder of them, found no such file")
    if files := sorted(src.rglob("*.parquet")):
        return files
    raise AnnotationError("Parquet files", Words("none in the folder")).at(str(src), 0)


def load_rows(src: Path, *, columns: Collection[str]) -> Iterator[Piece]:
    """Rows of a Parquet file or of a folder of them, each with the names of its ClassLabel columns.

    Args:
        src: file or folder.
        columns: those that must be there; others are read too.

    Yields:
        A piece at `[row]` whose data is {"row": columns, "names": the names of each ClassLabel column, "number": a
        name of its own, from the file's and the row's number}.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: a file is not Parquet, or has no such column.
    """
    import pyarrow
    import pyarrow.parquet

    for path in parquet_files(src):
        try:
            # Buffering ahead, Arrow's default, ends with the whole file in memory
            with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
                schema = file.schema_arrow
                for name in columns:
                    if name not in schema.names:
                        found = Words(f"columns {', '.join(schema.names)}")
                        raise AnnotationError("a column", found, field=name).at(str(path), 0)
                names = class_names(schema.metadata or {})
                number = 0
                for batch in file.iter_batches(batch_size=BATCH, use_threads=False):
                    for row in batch.to_pylist():
                        data = {"row": row, "names": names, "number": f"{path.stem}-{number:06}"}
                        yield Piece(data, str(path), at=f"[{number}]")
                        number += 1
        except (pyarrow.ArrowException, OSError) as error:
            found = Words(str(error).partition("\n")[0])
            raise AnnotationError("a Parquet file", found).at(str(path), 0) from None


def class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """The names of each ClassLabel column, as the `datasets` library notes them in a schema's metadata.

    >>> note = {"info": {"features": {"label": {"names": ["real", "tampered"], "_type": "ClassLabel"}}}}
    >>> class_names({b"huggingface": json.dumps(note).encode()})
    {'label': ['real', 'tampered']}
    >>> class_names({})
    {}
    """
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {name: each["names"] for name, each in features.items() if "names" in each}
    except (KeyError, TypeError, ValueError):
        return {}


def image_bytes(row: dict[str, Any], name: str, *, required: bool = True) -> bytes | None:
    """The file's bytes of an image column; None where it is null or not there and need not be.

    Raises:
        AnnotationError: it is missing, or holds no bytes.

    >>> image_bytes({"image": {"bytes": b"...", "path": "a.png"}}, "image")
    b'...'
    """
    cell = row.get(name)
    held = cell.get("bytes") if isinstance(cell, dict) else cell
    if isinstance(held, bytes) and held:
        return held
    path = cell.get("path") if isinstance(cell, dict) else None
    if not required and held is None and path is None:
        return None
    found = NOTHING if name not in row else Words(f"the path {path} only") if path else cell
    raise AnnotationError("the bytes of an image", found, field=name)


def stem_of(name: str) -> str:
    """A file's name or path without the suffix of an image.

    >>> stem_of("v1.5-cat.png"), stem_of("v1.5-cat")
    ('v1.5-cat', 'v1.5-cat')
    """
    return name[: -len(suffix)] if (suffix := PurePosixPath(name).suffix).lower() in IMAGE_SUFFIXES else name


_OWN = frozenset({"id", "image", "width", "height", "label", "regions", "tags"})


def other_fields(row: dict[str, Any], taken: Collection[str] = ()) -> dict[str, Any]:
    """Columns of text, numbers and truth values that a reader makes nothing of: they are kept under their own names.

    >>> other_fields({"image": b"", "uid": "a", "seed": 7, "scheduler": None}, taken=["uid"])
    {'seed': 7}
    """
    return {
        name: value
        for name, value in row.items()
        if name not in _OWN
        and name not in taken
        and isinstance(value, (str, int, float, bool))
        and not (isinstance(value, float) and not math.isfinite(value))  # pandas' null
        and value != ""
    }
