"""Parquet datasets: rows in bounded memory, required columns, and the images in them.

The files are those of the `datasets` library. An image is a struct {bytes, path} (or plain bytes). The names of a
ClassLabel are in the schema's metadata, because its column holds integers only.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.images import IMAGE_SUFFIXES
from swift_plugins.fakexplain.paths import check_exists, check_is_regular, files_below

from .draft import Piece
from .fields import is_text_list

BATCH = 8
"""Rows in memory at a time; an image takes some megabytes."""


def parquet_files(src: Path) -> list[Path]:
    """The Parquet file itself, or those below a folder, in order.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: a folder without Parquet files.
    """
    if src.is_file():
        return [src]
    check_exists(src, "a Parquet file or a folder of them")
    if files := [path for path in files_below(src) if path.suffix == ".parquet"]:
        return files
    raise DataError("Parquet files", Unquoted("none in the folder")).at(str(src), 0)


def load_parquet(src: Path, *, columns: Collection[str]) -> Iterator[Piece]:
    """Rows of a Parquet file or of a folder of them, each with the names of its ClassLabel columns.

    Args:
        src: file or folder.
        columns: required columns; others are read too.

    Yields:
        A piece at `[row]` with the data {"row": columns, "names": the names of each ClassLabel column, "number": a
        unique name, made of the file's name and the row's number}. In columns that are not required, ClassLabels are
        already replaced by their names. The piece of an unreadable row is its error; so is the last piece of a file
        that is not Parquet or lacks a required column.

    Raises:
        FileNotFoundError: no such file.
        DataError: a folder without Parquet files.
    """
    import pyarrow
    import pyarrow.parquet

    for path in parquet_files(src):
        try:
            check_is_regular(path)
            # Arrow buffers ahead by default, and would end up with the whole file in memory
            with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
                yield from _rows(file, path, columns)
        except DataError as error:
            yield Piece(error, str(path))
        except (pyarrow.ArrowException, OSError) as error:
            found = Unquoted(str(error).partition("\n")[0])
            yield Piece(DataError("a Parquet file", found), str(path))


def _rows(file: Any, path: Path, columns: Collection[str]) -> Iterator[Piece]:
    schema = file.schema_arrow
    for name in columns:
        if name not in schema.names:
            raise DataError("a column", Unquoted(f"columns {', '.join(schema.names)}"), field=name)
    names = class_names(schema.metadata or {})
    number = 0
    for batch in file.iter_batches(batch_size=BATCH, use_threads=False):
        for index in range(batch.num_rows):
            data: Any
            try:
                (row,) = batch.slice(index, 1).to_pylist()
            except (ArithmeticError, LookupError, ValueError) as error:  # text not in UTF-8, a date past the year 9999
                data = DataError("a readable row", Unquoted(str(error).partition("\n")[0]))
            else:
                for name, words in names.items():
                    if name not in columns and isinstance(row.get(name), int) and 0 <= row[name] < len(words):
                        row[name] = words[row[name]]
                data = {"row": row, "names": names, "number": f"{path.stem}-{number:06}"}
            yield Piece(data, str(path), at=f"[{number}]")
            number += 1


def class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """The names of each ClassLabel column, as the `datasets` library writes them to a schema's metadata.

    >>> note = {"info": {"features": {"label": {"names": ["real", "tampered"], "_type": "ClassLabel"}}}}
    >>> class_names({b"huggingface": json.dumps(note).encode()})
    {'label': ['real', 'tampered']}
    >>> class_names({})
    {}
    """
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"].items()
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return {}
    return {
        name: each["names"] for name, each in features if isinstance(each, dict) and is_text_list(each.get("names"))
    }


def image_bytes(row: dict[str, Any], name: str) -> bytes:
    """The file's bytes of an image column.

    Raises:
        DataError: the column is missing, null, or holds no bytes.

    >>> image_bytes({"image": {"bytes": b"...", "path": "a.png"}}, "image")
    b'...'
    """
    content, path = _bytes_and_path(row.get(name))
    if isinstance(content, bytes) and content:
        return content
    found = NOTHING if name not in row else Unquoted(f"the path {path} only") if path else row[name]
    raise DataError("the bytes of an image", found, field=name)


def optional_image_bytes(row: dict[str, Any], name: str) -> bytes | None:
    """The file's bytes of an image column; None if it is missing or null.

    Raises:
        DataError: it holds something other than bytes.

    >>> optional_image_bytes({"mask": {"bytes": None, "path": None}}, "mask")
    """
    return None if _bytes_and_path(row.get(name)) == (None, None) else image_bytes(row, name)


def _bytes_and_path(cell: object) -> tuple[Any, Any]:
    return (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)


def stem_of(name: str) -> str:
    """A file's name or path without its image suffix.

    >>> stem_of("v1.5-cat.png"), stem_of("v1.5-cat")
    ('v1.5-cat', 'v1.5-cat')
    """
    return name[: -len(suffix)] if (suffix := PurePosixPath(name).suffix).lower() in IMAGE_SUFFIXES else name
