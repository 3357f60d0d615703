"""Parquet files of one size, `data/SPLIT-00000-of-00003.parquet`, written in memory that does not grow with them."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from .hf_card import features

_GROUP_BYTES = 32 * 2**20  # of images, in memory at a time
_GROUP_ROWS = 2_000


def schema_of(*, embed: bool) -> Any:
    """The Arrow schema of the columns, with the features of the `datasets` library in its metadata."""
    import pyarrow as pa

    columns = features(embed=embed)
    note = json.dumps({"info": {"features": columns}})
    return pa.schema([(name, _arrow_type(each)) for name, each in columns.items()], metadata={"huggingface": note})


def _arrow_type(feature: Any) -> Any:
    import pyarrow as pa

    if isinstance(feature, list):
        return pa.list_(_arrow_type(feature[0]))
    kind = feature.get("_type")
    if kind is None:
        return pa.struct([(name, _arrow_type(each)) for name, each in feature.items()])
    if kind == "Sequence":
        return pa.list_(_arrow_type(feature["feature"]), feature.get("length", -1))
    if kind == "Image":
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return pa.int64() if kind == "ClassLabel" else pa.type_for_alias(feature["dtype"])


class Shards:
    """The Parquet files of one split; a context manager, which gives them their final names.

    Args:
        folder: the folder of the files.
        split: name of the split.
        schema: that of the rows.
        limit: bytes of a file before the next one is begun.
    """

    def __init__(self, folder: Path, split: str, schema: Any, limit: int) -> None:
        self.count = 0
        self._folder, self._split, self._schema, self._limit = folder, split, schema, limit
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self._files: list[Path] = []
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> Shards:
        return self

    def add(self, row: dict[str, Any], size: int) -> None:
        """Add a row whose image has `size` bytes."""
        if self._rows and (self._bytes + size > _GROUP_BYTES or len(self._rows) == _GROUP_ROWS):
            self._write_group()
        self._rows.append(row)
        self._bytes += size
        self.count += 1

    def _write_group(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is not None and self._file.tell() + self._bytes > self._limit:
            self._close()
        if self._writer is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._files.append(self._folder / f"{self._split}-{len(self._files):05}")
            self._file = open(self._files[-1], "wb")  # noqa: SIM115  (closed by `_close`)
            # a page is cut after so many values at the earliest, and a reader holds whole pages
            self._writer = pq.ParquetWriter(
                self._file, self._schema, use_dictionary=["label", "generator", "family"], write_batch_size=16
            )
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._bytes = [], 0

    def _close(self) -> None:
        writer, file = self._writer, self._file
        self._writer = self._file = None
        try:
            writer.close()
        finally:
            file.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None and self._rows:
            self._write_group()
        if self._writer is not None:
            self._close()
        if error is None:
            for number, path in enumerate(self._files):
                path.rename(path.with_name(f"{self._split}-{number:05}-of-{len(self._files):05}.parquet"))
