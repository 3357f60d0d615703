"""Parquet sources: bounded memory, folders, files that are none."""

import os
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Image

from converters.drafts.fields import other_fields
from converters.drafts.parquet import class_names, image_bytes, load_parquet, parquet_files
from swift_plugins.fakexplain.errors import DataError
from tests.converters.rows import png, records


def write(path, *groups):
    """A file of row groups, each a number of rows with 100 kB images."""
    schema = pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))])
    with pq.ParquetWriter(path, schema, use_dictionary=False, write_batch_size=1) as writer:
        for size in groups:
            rows = [{"image": {"bytes": os.urandom(100_000), "path": "a.png"}} for _ in range(size)]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("groups", [(8,) * 10, (8,) * 40, (80,), (320,)])
def test_memory_does_not_grow_with_the_rows(tmp_path, groups):
    path = write(tmp_path / "a.parquet", *groups)
    before = pa.total_allocated_bytes()
    peak = max(pa.total_allocated_bytes() - before for _ in load_parquet(path, columns=["image"]))
    assert 8e5 < peak < 6e6  # 8 to 60 rows; the files have 80 and 320


def test_rows_of_a_folder_come_in_the_order_of_its_files(tmp_path):
    (tmp_path / "data").mkdir()
    write(tmp_path / "data/b.parquet", 1)
    write(tmp_path / "a.parquet", 9, 1)
    pieces = list(load_parquet(tmp_path, columns=["image"]))
    numbers = [f"a-{number:06}" for number in range(10)] + ["b-000000"]
    assert [piece.data["number"] for piece in pieces] == numbers
    assert [piece.at for piece in pieces] == [f"[{number}]" for number in range(10)] + ["[0]"]
    assert pieces[-1].file == str(tmp_path / "data/b.parquet")


def test_names_of_labels_are_those_the_datasets_library_wrote(tmp_path):
    features = Features({"image": Image(), "label": ClassLabel(names=["b", "a"])})
    rows = [{"image": {"bytes": png((4, 4)), "path": None}, "label": 1}]
    Dataset.from_list(rows, features=features).to_parquet(str(tmp_path / "a.parquet"))
    (piece,) = load_parquet(tmp_path / "a.parquet", columns=["label"])
    assert piece.data["names"] == {"label": ["b", "a"]}
    assert image_bytes(piece.data["row"], "image") == png((4, 4))


def test_columns_that_are_not_asked_for_hold_the_names_of_their_labels(tmp_path):
    features = Features({"label": ClassLabel(names=["b", "a"]), "generator": ClassLabel(names=["FLUX", "SD"])})
    rows = [{"label": 1, "generator": 1}, {"label": 0, "generator": None}]
    Dataset.from_list(rows, features=features).to_parquet(str(tmp_path / "a.parquet"))
    found = [piece.data["row"] for piece in load_parquet(tmp_path, columns=["label"])]
    assert found == [{"label": 1, "generator": "SD"}, {"label": 0, "generator": None}]


@pytest.mark.parametrize(
    "note",
    [
        b"{",
        b"[]",
        b'{"info": null}',
        *(b'{"info": {"features": %s}}' % each for each in (b"[]", b'{"label": null}', b'{"label": {"names": 7}}')),
    ],
)
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
    with pytest.raises(DataError, match=message):
        records("so-fake", tmp_path, tmp_path)


def test_a_truncated_file_is_an_error(tmp_path):
    path = write(tmp_path / "a.parquet", 4)
    path.write_bytes(path.read_bytes()[:200_000] + path.read_bytes()[300_000:])
    *_, last = load_parquet(path, columns=[])
    assert (last.data.expected, last.file) == ("a Parquet file", str(path))


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path):
    def rows(name, *columns):
        row = {"image": png((8, 8)), "label": "real", "id": name}
        pq.write_table(
            pa.Table.from_pylist([{column: row[column] for column in columns}]), tmp_path / f"{name}.parquet"
        )

    rows("a", "image", "label", "id")
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-20])
    rows("c", "label", "id")
    rows("d", "image", "label", "id")
    errors = []
    found = records("so-fake", tmp_path, tmp_path, on_error=errors.append)
    assert [record.id for record in found] == ["real/a", "real/d"]
    assert [(error.file, error.field, error.expected) for error in errors] == [
        (str(tmp_path / "b.parquet"), "", "a Parquet file"),
        (str(tmp_path / "c.parquet"), "image", "a column"),
    ]


def test_a_row_that_cannot_be_read_does_not_stop_the_others(tmp_path):
    texts = pa.array([b"a", b"\xff", b"c"]).view(pa.string())  # Arrow does not look whether it is UTF-8
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    first, second, third = load_parquet(tmp_path, columns=["text"])
    assert [piece.data["row"]["text"] for piece in (first, third)] == ["a", "c"]
    assert isinstance(second.data, DataError) and second.at == "[1]"


def test_hidden_files_and_folders_of_that_name_are_skipped(tmp_path):
    (tmp_path / "a.parquet").mkdir()
    write(tmp_path / "a.parquet/part-0.parquet", 1)
    (tmp_path / ".cache").mkdir()
    write(tmp_path / ".cache/b.parquet", 1)
    assert parquet_files(tmp_path) == [tmp_path / "a.parquet/part-0.parquet"]


def test_no_such_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none: expected a Parquet file or a folder of them"):
        list(load_parquet(tmp_path / "none", columns=[]))


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
    with pytest.raises(DataError, match=f"^image: expected the bytes of an image, found {found}$"):
        image_bytes(row, "image")


def test_only_columns_that_say_something_are_kept():
    row = {"seed": 0, "scale": float("nan"), "prompt": "", "good": False, "points": [1], "none": None, "tags": "x"}
    assert other_fields(row) == {"seed": 0, "good": False, "points": [1]}


@pytest.mark.parametrize("value", [[], {}, [1, [None, True]], {"a": {"b": ["c", 1.5]}}, [{}], -1, 10**30])
def test_what_json_can_hold_is_kept(value):
    assert other_fields({"value": value}) == {"value": value}


@pytest.mark.parametrize(
    "value",
    [
        *(b"x", float("inf"), datetime(2026, 1, 2), date(2026, 1, 2), timedelta(1), Decimal("1.5"), (1, 2), {1}),
        *([b"x"], {"a": [b"x"]}, [float("nan")], {"a": float("-inf")}, {"a": [{"b": date(2026, 1, 2)}]}, {1: 2}),
    ],
)
def test_what_json_cannot_hold_is_not(value):
    assert other_fields({"value": value}) == {}


def test_columns_land_in_the_records_own_fields(tmp_path):
    own = {"generator": "FLUX", "family": "diffusion", "class_name": "cat", "annotator": 7, "fold": 3}
    row = {"image": png((8, 8)), "label": "tampered", "tags": ["Wrong Texture"], "boxes": [[1, 2], []]} | own
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    (record,) = records("so-fake", tmp_path, tmp_path)
    assert record.tags == ("texture_error",) and record.extra == {"boxes": [[1, 2], []], "kind": "tampered"}
    assert {name: getattr(record, name) for name in own} == own | {"annotator": "7"}
