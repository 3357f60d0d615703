"""Parquet files of the `datasets` library and the Hugging Face hub, with the images inside.

Files that `save_hf` wrote hold every field of a record, exactly. In others, the user may name the column of the image
and that of the label. A label is a name; what a number means is in the file's own metadata (ClassLabel), or said by the
user, never guessed. Other columns are kept as fields.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import ORIGIN, Annotation, to_record
from swift_plugins.fakexplain.errors import NOTHING, DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.images import path_in
from swift_plugins.fakexplain.json_values import read_box, require
from swift_plugins.fakexplain.jsonl import decode_line, to_compact_json
from swift_plugins.fakexplain.parallel import map_good

from ..drafts.draft import Draft, DraftRegion, Piece
from ..drafts.fields import RECORD_FIELDS, kept_fields, own_id, own_tags, size
from ..drafts.parquet import load_parquet
from ..drafts.sink import check_upright, each_good, reject
from .hf_card import LABEL_NAMES, features, write_card
from .hf_shards import Shards, schema_of
from .label_folders import FAKE_FOLDERS, REAL_FOLDERS, folder_labels

_OWN = frozenset(features(embed=True))


class HubColumns(NamedTuple):
    """Where a file that `save_hf` has not written holds what a record needs.

    Attributes:
        image: column of the image; None for `image`.
        label: column of the label; None for `label`, which may be missing.
        values: label as text, in lower case -> 'fake' or 'real'.
    """

    image: str | None = None
    label: str | None = None
    values: dict[str, str] = folder_labels(REAL_FOLDERS, FAKE_FOLDERS)


def load_hf(
    src: Path,
    *,
    image_column: str | None = None,
    label_column: str | None = None,
    real_values: Collection[str] = (),
    fake_values: Collection[str] = (),
) -> Iterator[Piece]:
    """Rows of a Parquet file or a folder of them, each with the names of its ClassLabels and its `HubColumns`.

    Args:
        src: file or folder.
        image_column, label_column: see `HubColumns`; required columns, if named.
        real_values, fake_values: values of the label column, in any case; by default the names that folders of images
            may have, such as real and fake.

    Raises:
        FileNotFoundError: no such file.
        DataError: a folder without Parquet files.
        ValueError: a value means both labels.
    """
    values = folder_labels(real_values, fake_values) if real_values or fake_values else HubColumns().values
    columns = HubColumns(image_column, label_column, values)
    for piece in load_parquet(src, columns=[image_column or "image", *([label_column] if label_column else [])]):
        if isinstance(piece.data, DataError):
            if piece.data.expected == "a column" and piece.data.field == "image":
                piece.data.expected = "a column of images, or --image-column NAME"
            yield piece
            continue
        folder = Path(piece.file).parent.relative_to(src).as_posix() if src.is_dir() else "."
        number = piece.data["number"] if folder == "." else f"{folder}/{piece.data['number']}"
        yield piece._replace(data=piece.data | {"number": number, "columns": columns})


def from_hf(data: Any) -> list[Draft]:
    """The draft of one row.

    Without a column `id`, the id is the name of the file and the number of the row; the name of the image's file is
    kept as `source_image`.

    >>> row = {"image": {"bytes": b"...", "path": "a.png"}, "label": "fake", "seed": 7}
    >>> (draft,) = from_hf({"row": row, "names": {}, "number": "train-000000", "columns": HubColumns()})
    >>> draft.id, draft.label, draft.fields
    ('train-000000', 'fake', {'seed': 7, 'source_image': 'a.png'})
    """
    row, columns = require(data, "row", dict, "a row"), data["columns"]
    if row.keys() >= _OWN and columns.image in (None, "image") and columns.label in (None, "label"):
        return [_own_draft(row, data)]
    image = columns.image or "image"
    content, path = _image(row, image)
    label_column = columns.label or "label"
    made = {"source_image": path} if path and content is not None else {}
    id = own_id(row) or (data["number"] if content is not None else None)
    return [
        Draft(
            path if content is None else content,
            label=_label(row.get(label_column), label_column, data),
            id=id,
            image_at=image,
            fields=kept_fields(row, {image, label_column, "id"}, made),
        )
    ]


def _own_draft(row: dict[str, Any], data: Any) -> Draft:
    """The draft of a row that `save_hf` wrote."""
    content, path = _image(row, "image")
    regions = []
    for index, region in enumerate(row["regions"] or []):
        at = f"regions[{index}]"
        box = read_box(require(region, "bbox", list, "a box", at), "four numbers x1, y1, x2, y2", f"{at}.bbox")
        caption = require(region, "caption", (str, type(None)), "a caption", at)
        regions.append(DraftRegion(box, caption or "", at, ordered=True))
    fields = {name: row[name] for name in (*ORIGIN, "fold") if row[name] is not None}
    return Draft(
        path if content is None else content,
        regions=regions,
        tags=own_tags(row),
        label=_label(row["label"], "label", data),
        id=require(row, "id", str, "an id"),
        wh=size(row, "width", "height"),
        fields=fields | _extra(row["extra"]),
    )


def _extra(text: object) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        fields = decode_line(text.encode()) if isinstance(text, str) else text
    except DataError as error:
        raise DataError("a JSON object, or null", error.found, field="extra") from None
    if not isinstance(fields, dict):
        raise DataError("a JSON object, or null", text, field="extra")
    if taken := sorted(fields.keys() & _TAKEN):
        raise DataError("no field of a record, which has a column of its own", taken[0], field="extra")
    return fields


_TAKEN = RECORD_FIELDS | {*ORIGIN, "fold"}


def _image(row: dict[str, Any], name: str) -> tuple[bytes | None, str]:
    """The bytes of an image's file, or None if it is outside the source; and its path, which may be empty."""
    cell = row.get(name)
    content, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
    if isinstance(content, str) and path is None:
        content, path = None, content
    if isinstance(content, bytes) and content:
        return content, path if isinstance(path, str) else ""
    if content is None and isinstance(path, str) and path:
        return None, path
    found = cell if name in row else NOTHING
    raise DataError("an image: bytes, a path, or an object of both", found, field=name)


def _label(value: object, name: str, data: Any) -> str | None:
    """'fake' or 'real'; None where the row says neither."""
    if value is None:
        return None
    names = data["names"].get(name)
    if names is not None and type(value) is int and 0 <= value < len(names):
        value = names[value]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    values = data["columns"].values
    if isinstance(value, (str, int)) and (label := values.get(str(value).strip().lower())):
        return str(label)
    known = ", ".join(values)
    if isinstance(value, str):
        raise DataError(f"one of {known}; --real-value and --fake-value name others", value, field=name)
    expected = f"a label: one of {known}, or a number that --real-value or --fake-value names"
    raise DataError(expected, value, field=name)


def to_hf(annotation: Annotation, image: object) -> dict[str, Any]:
    """The row of a record.

    Args:
        annotation: the record.
        image: {"bytes": …, "path": …}, or the image's path.

    >>> row = to_hf(Annotation("a", "a.png", 8, 6, "fake", tags=("texture_error",), extra={"seed": 7}), "a.png")
    >>> row["label"], row["tags"], row["generator"], row["extra"]
    (1, ['texture_error'], None, '{"seed":7}')
    """
    row = to_record(annotation) | {"image": image, "label": LABEL_NAMES.index(annotation.label)}
    extra = {name: row.pop(name) for name in annotation.extra}
    return row | {
        **{name: getattr(annotation, name) for name in (*ORIGIN, "fold")},
        "extra": to_compact_json(extra).decode() if extra else None,
    }


def save_hf(
    annotations: Iterable[Annotation],
    out: Path,
    *,
    images: Path,
    embed: bool = True,
    check: bool = True,
    shard_mb: int = 500,
    by_fold: bool = False,
    on_error: OnError = raise_error,
) -> int:
    """Write Parquet files and a data set card. See `Writer`.

    Args:
        annotations: the records.
        out: the folder.
        images: the folder that image paths are relative to.
        embed: write the bytes of the images' files as they are; else only their paths.
        check: open each image to refuse one that is not upright; images that are embedded are always opened.
        shard_mb: megabytes of a file before the next one is begun.
        by_fold: write the splits fold0 to fold3, not one split train; a record without a fold is an error.
        on_error: called with the error of each record that is skipped.
    """

    def read(annotation: Annotation) -> tuple[str, dict[str, Any], int]:
        path = str(path_in(images, annotation))
        if by_fold and annotation.fold is None:
            raise reject(annotation, "a fold, because each fold is a split", NOTHING, "fold")
        split = f"fold{annotation.fold}" if by_fold else "train"
        if check or embed:
            check_upright(annotation)
        if not embed:
            return split, to_hf(annotation, path), 0
        try:
            content = annotation.path.read_bytes()
        except OSError as error:
            found = Unquoted(f"{annotation.path}: {error.strerror}")
            raise reject(annotation, "a file that can be read", found, "image") from None
        return split, to_hf(annotation, {"bytes": content, "path": path}), len(content)

    schema = schema_of(embed=embed)
    splits: dict[str, Shards] = {}
    with ExitStack() as files:
        if check or embed:  # files are opened, which several threads do faster
            rows: Iterator[tuple[str, dict[str, Any], int]] = files.enter_context(
                closing(map_good(read, annotations, on_error))
            )
        else:
            rows = each_good(annotations, read, on_error)
        for split, row, length in rows:
            if split not in splits:
                splits[split] = files.enter_context(Shards(out / "data", split, schema, shard_mb * 10**6))
            splits[split].add(row, length)
    counts = {split: splits[split].count for split in sorted(splits)}
    if counts:
        (out / "README.md").write_text(write_card(counts, embed=embed), encoding="utf-8")
    return sum(counts.values())
