"""Parquet sources: bounded memory, folders, files that are none."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Image

from converters.parquet import class_names, image_bytes, load_rows, other_fields
from swift_plugins.fakexplain.annotation import AnnotationError
from tests.converters.rows import png


def write(path, *groups):
    """A file of row groups, each a number of rows with 100 kB images."""
    schema = pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))])
    with pq.ParquetWriter(path, schema, use_dictionary=False, write_batch_size=1) as writer:
        for size in groups:
            rows = [{"image": {"bytes": os.urandom(100_000), "path": "a.png"}} for _ in range(size)]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return path


@pytest.mark.parametrize("groups", [(8,) * 10, (8,) * 40, (80,), (320,)])
def test_memory_does_not_grow_with_the_rows(tmp_path, groups):
    path = write(tmp_path / "a.parquet", *groups)
    before = pa.total_allocated_bytes()
    peak = max(pa.total_allocated_bytes() - before for _ in load_rows(path, columns=["image"]))
    assert 8e5 < peak < 6e6  # 8 to 60 rows; the files have 80 and 320


def test_rows_of_a_folder_come_in_the_order_of_its_files(tmp_path):
    (tmp_path / "data").mkdir()
    write(tmp_path / "data/b.parquet", 1)
    write(tmp_path / "a.parquet", 9, 1)
    pieces = list(load_rows(tmp_path, columns=["image"]))
    numbers = [f"a-{number:06}" for number in range(10)] + ["b-000000"]
    assert [piece.data["number"] for piece in pieces] == numbers
    assert [piece.at for piece in pieces] == [f"[{number}]" for number in range(10)] + ["[0]"]
    assert pieces[-1].file == str(tmp_path / "data/b.parquet")


def test_names_of_labels_are_those_the_datasets_library_wrote(tmp_path):
    features = Features({"image": Image(), "label": ClassLabel(names=["b", "a"])})
    rows = [{"image": {"bytes": png((4, 4)), "path": None}, "label": 1}]
    Dataset.from_list(rows, features=features).to_parquet(str(tmp_path / "a.parquet"))
    (piece,) = load_rows(tmp_path / "a.parquet", columns=["label"])
    assert piece.data["names"] == {"label": ["b", "a"]}
    assert image_bytes(piece.data["row"], "image") == png((4, 4))


@pytest.mark.parametrize("note", [b"{", b"[]", b'{"info": null}', b'{"info": {"features": {"label": null}}}'])
def test_metadata_of_another_shape_name_nothing(note):
    assert class_names({b"huggingface": note}) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", r"a\.parquet: expected a Parquet file, found"),
        (b"PAR1 and no more", r"a\.parquet: expected a Parquet file, found"),
        (None, r"expected Parquet files, found none in the folder"),
    ],
)
def test_no_parquet_is_an_error(tmp_path, text, message):
    if text is not None:
        (tmp_path / "a.parquet").write_bytes(text)
    with pytest.raises(AnnotationError, match=message):
        list(load_rows(tmp_path, columns=[]))


def test_a_truncated_file_is_an_error(tmp_path):
    path = write(tmp_path / "a.parquet", 4)
    path.write_bytes(path.read_bytes()[:200_000] + path.read_bytes()[300_000:])
    with pytest.raises(AnnotationError, match=r"a\.parquet: expected a Parquet file, found"):
        list(load_rows(path, columns=[]))


def test_no_such_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none: expected a Parquet file or a folder of them"):
        list(load_rows(tmp_path / "none", columns=[]))


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, "nothing"),
        ({"image": None}, "None"),
        ({"image": {"bytes": None, "path": "a.png"}}, "the path a.png only"),
        ({"image": b""}, "b''"),
        ({"image": 3}, "3"),
    ],
)
def test_an_image_without_bytes_is_an_error(row, found):
    with pytest.raises(AnnotationError, match=f"^image: expected the bytes of an image, found {found}$"):
        image_bytes(row, "image")


def test_only_columns_that_say_something_are_kept():
    row = {"seed": 0, "scale": float("nan"), "prompt": "", "good": False, "points": [1], "none": None, "tags": "x"}
    assert other_fields(row) == {"seed": 0, "good": False}
