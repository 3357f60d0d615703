"""`--dataset fakexplained[:SUBSET]`: the annotations file in FAKEXPLAINED as an ms-swift dataset."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from datasets import Dataset, Features, Value
from datasets.features import Json, List
from swift.dataset import DatasetLoader, DatasetMeta, RowPreprocessor
from swift.dataset import register_dataset as register

from ..annotation import read_annotations
from ..images import check_image
from ..rows import Subset, parse_subset, select, to_row

NAME = "fakexplained"

# The columns that ms-swift's preprocessor makes from a stock file, so that both can be mixed in one run.
_FEATURES = Features(
    {
        "messages": List(Json()),
        "images": List({"bytes": Value("binary"), "path": Value("string")}),
        "objects": Json(),
        "solution": Value("string"),
    }
)


def annotations_path() -> Path:
    """Return the path in FAKEXPLAINED.

    Raises:
        ValueError: the variable is not set.
    """
    path = os.environ.get("FAKEXPLAINED")
    if not path:
        raise ValueError(
            "the dataset `fakexplained` needs the path of an annotations file in the environment variable "
            "FAKEXPLAINED, which is not set; e.g. FAKEXPLAINED=data/folds.jsonl swift sft ..."
        )
    return Path(path).expanduser().absolute()


def load_rows(path: str | Path, subset: Subset, preprocessor: RowPreprocessor) -> Dataset:
    """Load the rows of a subset and check every record and image header.

    ms-swift's own preprocessor is called here, not through `Dataset.map`, which would write and read all rows twice
    more.

    Raises:
        DataError: a bad record, or an image that is missing or not of the size in its record. ms-swift would replace
            such a row with a random other one.
        ValueError: the subset is empty.
    """

    def rows() -> Iterator[dict[str, Any]]:
        for annotation in select(read_annotations(path), subset):
            check_image(annotation)
            yield to_row(annotation, subset.variant)

    stream = rows()
    tables = []
    collecting = gc.isenabled()
    gc.disable()  # rows hold no cycles, and the search for cycles takes an eighth of the time
    try:
        while batch := list(islice(stream, 1000)):
            columns = preprocessor.batched_preprocess(
                preprocessor.rows_to_batched(batch), strict=True, ignore_max_length_error=False
            )
            tables.append(_table(columns))
    finally:
        if collecting:
            gc.enable()
    if not tables:
        raise ValueError(f"{path}: no record belongs to {subset}")
    table = pa.concat_tables(tables)
    return Dataset(table, fingerprint=_fingerprint(table))


def _table(columns: dict[str, list[Any]]) -> pa.Table:
    """The table of `Dataset.from_dict` in half its time, because it infers no types from values."""
    encode = msgspec.json.Encoder().encode
    stored = columns | {
        "messages": [[encode(message) for message in messages] for messages in columns["messages"]],
        "objects": [encode(objects) for objects in columns["objects"]],
    }
    schema = _FEATURES.arrow_schema
    as_text = {"messages": pa.list_(pa.string()), "objects": pa.string()}
    arrays = [pa.array(stored[field.name], as_text.get(field.name, field.type)).cast(field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _fingerprint(table: pa.Table) -> str:
    """A hash of the table, by which `datasets` finds earlier results; its own hash would copy the table."""
    digest = hashlib.blake2b(digest_size=8)
    for column in table.itercolumns():
        for chunk in column.chunks:
            for buffer in filter(None, chunk.buffers()):
                digest.update(buffer)
    return digest.hexdigest()


class FakeXplainedLoader(DatasetLoader):
    """Reads records instead of a hub's files."""

    def load(self, dataset_syntax: Any = None, dataset_meta: Any = None, *, use_hf: bool | None = None) -> Any:
        path = annotations_path()
        datasets = []
        for name in dataset_syntax.subsets or ["all"]:
            dataset: Any = load_rows(path, parse_subset(name), dataset_meta.preprocess_func)
            if self.streaming:
                dataset = dataset.to_iterable_dataset()
            if self.remove_unused_columns:
                dataset = RowPreprocessor.remove_useless_columns(dataset)
            datasets.append(dataset)
        return self.concat_datasets(datasets)


def register_dataset() -> None:
    """Put `fakexplained` into ms-swift's dataset registry."""
    register(
        DatasetMeta(
            dataset_name=NAME,
            ms_dataset_id=NAME,
            hf_dataset_id=NAME,
            loader=FakeXplainedLoader,
            preprocess_func=RowPreprocessor(),
            help="FakeXplain annotations, from the file in FAKEXPLAINED",
        ),
        exist_ok=True,
    )
