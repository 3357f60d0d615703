"""What readers of Parquet datasets share: rows in bounded memory, columns that must be there, images within them.

The files are those of the `datasets` library: an image is a struct {bytes, path} (or plain bytes), and the names of a
ClassLabel stand in the schema's metadata, for its column holds integers only.

Readers of JSON take from here what they share with these: `own_id`, `own_tags` and `kept_fields` give what a row or an
item says beside that which its format is read for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from swift_plugins.fakexplain.annotation import ORIGIN
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.paths import files_below
from swift_plugins.fakexplain.tags import canonical_tag

from .draft import IMAGE_SUFFIXES, Piece

BATCH = 8
"""Rows held at a time; an image takes some megabytes."""


def parquet_files(src: Path) -> list[Path]:
    """The Parquet file itself, or those below a folder, in order.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: a folder without any.
    """
    if src.is_file():
        return [src]
    if not src.is_dir():
        raise FileNotFoundError(f"{src}: expected a Parquet file or a folder of them, found no such file")
    if files := [path for path in files_below(src) if path.suffix == ".parquet"]:
        return files
    raise DataError("Parquet files", Unquoted("none in the folder")).at(str(src), 0)


def load_rows(src: Path, *, columns: Collection[str]) -> Iterator[Piece]:
    """Rows of a Parquet file or of a folder of them, each with the names of its ClassLabel columns.

    Args:
        src: file or folder.
        columns: those that must be there; others are read too.

    Yields:
        A piece at `[row]` whose data is {"row": columns, "names": the names of each ClassLabel column, "number": a
        name of its own, from the file's and the row's number}. Columns that are not asked for have their ClassLabels'
        names already. In place of a row that cannot be read, and of the rest of a file that is not Parquet or has no
        such column, the error.

    Raises:
        FileNotFoundError: no such file.
        DataError: a folder without Parquet files.
    """
    import pyarrow
    import pyarrow.parquet

    for path in parquet_files(src):
        try:
            # Buffering ahead, Arrow's default, ends with the whole file in memory
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
                data = DataError("a row that can be read", Unquoted(str(error).partition("\n")[0]))
            else:
                for name, words in names.items():
                    if name not in columns and isinstance(row.get(name), int) and 0 <= row[name] < len(words):
                        row[name] = words[row[name]]
                data = {"row": row, "names": names, "number": f"{path.stem}-{number:06}"}
            yield Piece(data, str(path), at=f"[{number}]")
            number += 1


def class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """The names of each ClassLabel column, as the `datasets` library notes them in a schema's metadata.

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
    return {name: each["names"] for name, each in features if isinstance(each, dict) and _are_texts(each.get("names"))}


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def image_bytes(row: dict[str, Any], name: str, *, required: bool = True) -> bytes | None:
    """The file's bytes of an image column; None where it is null or not there and need not be.

    Raises:
        DataError: it is missing, or holds no bytes.

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
    found = NOTHING if name not in row else Unquoted(f"the path {path} only") if path else cell
    raise DataError("the bytes of an image", found, field=name)


def stem_of(name: str) -> str:
    """A file's name or path without the suffix of an image.

    >>> stem_of("v1.5-cat.png"), stem_of("v1.5-cat")
    ('v1.5-cat', 'v1.5-cat')
    """
    return name[: -len(suffix)] if (suffix := PurePosixPath(name).suffix).lower() in IMAGE_SUFFIXES else name


OWN = frozenset({"id", "image", "width", "height", "label", "regions", "tags"})
"""Fields of a record that no field of a source's own may stand in as it is."""


def other_fields(row: Mapping[str, Any], taken: Collection[str] = ()) -> dict[str, Any]:
    """Fields that a reader makes nothing of and that JSON can hold: they are kept under their own names.

    Nulls and empty texts say nothing. Bytes, dates and numbers that are none (pandas' null) stay out, and so does a
    list or an object with such a thing in it.

    >>> other_fields({"image": b"", "uid": "a", "seed": 7, "scheduler": None, "size": [8, 6]}, taken=["uid"])
    {'seed': 7, 'size': [8, 6]}
    """
    return {name: value for name, value in row.items() if name not in OWN and name not in taken and _says(value)}


def kept_fields(row: Mapping[str, Any], taken: Collection[str], made: dict[str, Any]) -> dict[str, Any]:
    """`Draft.fields`: those that a reader makes, and all others that its source has.

    A field of the source's own whose name has another meaning in a record, or is that of one the reader makes, is kept
    as source_NAME. A generator or an annotator that is a number is kept as text, for a record wants names.

    Args:
        row: the source's fields.
        taken: those that the reader has made use of.
        made: the fields that it makes.

    >>> kept_fields({"label": 1, "path": "a.png", "seed": 7, "kind": "b", "annotator": 3}, ["path"], {"kind": "real"})
    {'source_label': 1, 'seed': 7, 'source_kind': 'b', 'annotator': '3', 'kind': 'real'}
    """
    kept = {}
    for name, value in row.items():
        if name not in taken and _says(value):
            value = str(value) if name in ORIGIN and type(value) is int else value
            kept[f"source_{name}" if name in OWN or name in made else name] = value
    return kept | made


def own_id(row: Mapping[str, Any], name: str = "id", at: str = "") -> str | None:
    """A row's own id, which may be a whole number; None where it is not there, null or empty.

    Raises:
        DataError: neither text nor a whole number.

    >>> own_id({"id": 0}), own_id({"id": ""})
    ('0', None)
    """
    value = row.get(name)
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if type(value) not in (int, str):
        raise DataError("a text or a whole number", value, field=at or name)
    return str(value)


def own_tags(row: Mapping[str, Any], made: Collection[str] = (), at: str = "") -> list[str]:
    """The tags that a reader finds, and those of a row's own field `tags`.

    Raises:
        DataError: that field is neither null nor a list of texts.

    >>> own_tags({"tags": ["Wrong Texture", "artistic_style"]}, ["texture_error"])
    ['texture_error', 'artistic_style']
    """
    tags = row.get("tags")
    if tags is not None and not _are_texts(tags):
        raise DataError("a list of tags, or null", tags, field=f"{at}.tags" if at else "tags")
    return [*made, *(tag for tag in tags or [] if canonical_tag(tag) not in made)]


def _says(value: object) -> bool:
    return value is not None and value != "" and _is_json(value)


def _is_json(value: object) -> bool:
    """Whether JSON can hold a value, and all that is in it."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(map(_is_json, value.values())) and all(isinstance(name, str) for name in value)
    return value is None or isinstance(value, (str, int))
