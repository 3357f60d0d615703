"""Hugging Face Parquet: what `datasets` reads, the exact way back, foreign files, memory, hostile files."""

import json
import os
import tracemalloc
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Image, List, Value, load_dataset

from converters.convert import Place, convert
from converters.formats import FORMATS
from converters.formats.hf import load_hf, save_hf
from converters.formats.hf_card import features
from converters.formats.hf_shards import schema_of
from swift_plugins.fakexplain.annotation import ORIGIN, read_annotations, to_record
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file
from tests.converters.pictures import picture
from tests.converters.rows import png, records
from tests.converters.various import RECORDS, various, without_paths


def save(annotations, tmp_path, name="hf", **settings):
    out = tmp_path / name
    out.mkdir()
    count = save_hf(annotations, out, images=tmp_path / "data", **settings)
    return out, count


def read(source, tmp_path, settings=None, **others):
    """Records of a Parquet source, by settings of the user; images go to `tmp_path`/images."""
    (tmp_path / "images").mkdir(exist_ok=True)
    places = {"images": Place(tmp_path / "data", "data"), "written": Place(tmp_path / "images", "images")}
    pieces = FORMATS["hf"].load(source, **(settings or {}))
    return list(convert(pieces, FORMATS["hf"].parse, **(places | others)))


def load(folder, tmp_path):
    return load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


def write(path, rows, **types):
    """A file as the `datasets` library writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [row[name] for row in rows] for name in types}
    Dataset.from_dict(columns, features=Features(types)).to_parquet(str(path))
    return path


@pytest.mark.parametrize("embed", [True, False])
def test_records_come_back_as_they_were_to_the_last_bit(tmp_path, embed):
    before = various(tmp_path / "data")
    out, count = save(before, tmp_path, embed=embed)
    after = read(out, tmp_path)
    assert count == 3 and without_paths(after) == without_paths(before)
    if embed:
        assert [one.image for one in after] == ["images/flux-0001.png", "images/photo.jpg", "images/7.png"]
    for one, other in zip(after, before, strict=True):
        path = tmp_path / one.image if embed else tmp_path / "data" / one.image.removeprefix("data/")
        assert path.read_bytes() == other.path.read_bytes()


@pytest.mark.parametrize("embed", [True, False])
def test_datasets_gives_every_field_back(tmp_path, embed):
    before = various(tmp_path / "data")
    out, _ = save(before, tmp_path, embed=embed)
    found = load(out, tmp_path)
    assert [*found] == ["train"]
    table = found["train"]
    assert table.features == Features.from_dict(features(embed=embed))
    assert table.features["label"].names == ["real", "fake"]
    if embed:
        images = [each["bytes"] for each in table.cast_column("image", Image(decode=False))["image"]]
        assert images == [each.path.read_bytes() for each in before]
        assert table[0]["image"].size == (40, 20)
    for row, each in zip(table.remove_columns("image"), before, strict=True):
        expected = to_record(each)
        extra = {name: expected.pop(name) for name in each.extra}
        del expected["image"]
        assert json.loads(row.pop("extra") or "{}") == extra
        assert row == dict.fromkeys([*ORIGIN, "fold"]) | expected | {"label": int(each.label == "fake")}


@pytest.mark.parametrize("embed", [True, False])
def test_the_schema_is_the_one_that_datasets_would_write(embed):
    ours, theirs = schema_of(embed=embed), Features.from_dict(features(embed=embed)).arrow_schema
    assert ours.remove_metadata() == theirs.remove_metadata()
    assert Features.from_arrow_schema(ours) == Features.from_arrow_schema(theirs)


def test_what_datasets_writes_of_it_is_read_too(tmp_path):
    before = various(tmp_path / "data")
    out, _ = save(before, tmp_path)
    load(out, tmp_path)["train"].to_parquet(str(tmp_path / "again.parquet"))
    assert without_paths(read(tmp_path / "again.parquet", tmp_path)) == without_paths(before)


def test_folds_are_splits(tmp_path):
    before = various(tmp_path / "data", [RECORDS[0], RECORDS[1] | {"fold": 0}, RECORDS[2]])
    errors = []
    out, count = save(before, tmp_path, by_fold=True, on_error=errors.append)
    assert count == 2 and [(error.field, error.id) for error in errors] == [("fold", "7")]
    found = load(out, tmp_path)
    assert {name: table["id"][:] for name, table in found.items()} == {"fold0": ["photo"], "fold3": ["flux-0001"]}


def test_files_have_one_size_and_are_read_in_order(tmp_path):
    noise = os.urandom(700_000)
    rows = [RECORDS[1] | {"id": f"r{index}", "image": f"{index}.jpg"} for index in range(70)]
    before = various(tmp_path / "data", rows)
    for each in before:
        each.path.write_bytes(each.path.read_bytes() + noise)  # after an image's end, everything is ignored
    out, _ = save(before, tmp_path, shard_mb=1)
    names = sorted(path.name for path in (out / "data").iterdir())
    assert names == ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"]
    assert [each.id for each in read(out, tmp_path)] == [each.id for each in before]
    groups = [pq.ParquetFile(out / "data" / name).metadata.row_group(0).num_rows for name in names]
    assert groups == [47, 23]  # 32 MiB of 700 kB


@pytest.mark.parametrize("embed", [True, False])
def test_an_image_that_is_not_upright_is_refused(tmp_path, embed):
    before = various(tmp_path / "data")
    picture(before[1].path, turn=6)
    errors = []
    _, count = save(before, tmp_path, embed=embed, on_error=errors.append)
    assert count == 2 and errors[0].id == "photo" and "an upright image" in errors[0].expected


def test_the_same_records_give_the_same_bytes(tmp_path):
    before = various(tmp_path / "data")
    one, other = (save(before, tmp_path, name)[0] for name in ("one", "other"))
    for path in one.rglob("*.*"):
        assert path.read_bytes() == (other / path.relative_to(one)).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("embed", [True, False])
def test_memory_does_not_grow_with_the_records(tmp_path, embed):
    (template,) = various(tmp_path / "data", RECORDS[1:2])
    template.path.write_bytes(template.path.read_bytes() + bytes(2_000_000 if embed else 0))

    def peak(count):
        tracemalloc.start()
        save(
            (replace(template, id=f"r{index}") for index in range(count)),
            tmp_path,
            f"{count}",
            embed=embed,
            check=False,
        )
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = (peak(40), peak(120)) if embed else (peak(2_500), peak(7_500))
    assert many < few + (20_000_000 if embed else 1_000_000)  # an image has 2 MB, 1,000 rows take as much


def test_commands_there_and_back(tmp_path):
    source = write_annotations_file(tmp_path / "data", [record(0, annotator="a07"), record(1, "real", fold=2, seed=7)])
    there, back = tmp_path / "hf", tmp_path / "back/annotations.jsonl"
    done = fakexplain("export", source, "--to", "hf", "--out", there)
    assert done.returncode == 0, done.stderr
    assert fakexplain("export", source, "--to", "hf", "--out", there).returncode == 2  # no --force
    done = fakexplain("convert", "hf", there, "--out", back)
    assert done.returncode == 0, done.stderr
    assert without_paths(read_annotations(back)) == without_paths(read_annotations(source))
    done = fakexplain("export", source, "--to", "hf", "--out", tmp_path / "paths", "--no-images")
    assert done.returncode == 0, done.stderr
    done = fakexplain("convert", "hf", tmp_path / "paths", "--images", source.parent, "--out", back, "--force")
    assert done.returncode == 0, done.stderr
    assert without_paths(read_annotations(back)) == without_paths(read_annotations(source))


IMAGE = {"bytes": png((40, 30)), "path": "a.png"}


@pytest.mark.parametrize(
    ("types", "row", "settings", "label"),
    [
        ({"label": ClassLabel(names=["fake", "real"])}, {"label": 1}, {}, "real"),
        ({"label": ClassLabel(names=["AI", "Nature"])}, {"label": 0}, {}, "fake"),
        ({"label": Value("string")}, {"label": " Fake "}, {}, "fake"),
        ({"kind": ClassLabel(names=["b", "a"])}, {"kind": 1}, {"label_column": "kind", "real_values": ["A"]}, "real"),
        ({"kind": Value("int64")}, {"kind": 1}, {"label_column": "kind", "fake_values": ["1"]}, "fake"),
        ({"kind": Value("float32")}, {"kind": 0}, {"label_column": "kind", "real_values": ["0"]}, "real"),
        ({"kind": Value("bool")}, {"kind": True}, {"label_column": "kind", "fake_values": ["true"]}, "fake"),
    ],
)
def test_labels_of_other_files_are_names_or_what_the_user_says(tmp_path, types, row, settings, label):
    source = write(
        tmp_path / "a.parquet", [{"image": IMAGE, "seed": 7} | row], image=Image(), seed=Value("int8"), **types
    )
    (found,) = read(source, tmp_path, settings)
    assert (found.label, found.id, found.extra["seed"]) == (label, "a-000000", 7)
    assert found.extra["source_image"] == "a.png"


@pytest.mark.parametrize(
    ("kind", "value", "settings", "message"),
    [
        (Value("int64"), 1, {}, r"expected a label: one of .*, or a number that --real-value .* names, found 1"),
        (Value("bool"), True, {}, r"expected a label: one of .*, found True"),
        (Value("string"), "cat", {}, r"expected one of 0_real, real, .*; --real-value .* name others, found 'cat'"),
        (ClassLabel(names=["cat", "dog"]), 1, {}, r"expected one of .*, found 'dog'"),
        (ClassLabel(names=["real", "fake"]), -1, {}, r"expected a label: .*, found -1"),
        (List(Value("int64")), [0, 1], {"real_values": ["0"]}, r"expected a label: one of 0.*, found \[0, 1\]"),
        (List(Value("string")), ["fake"], {}, r"expected a label: .*, found \['fake'\]"),
        (Value("int64"), 2, {"real_values": ["0"], "fake_values": ["1"]}, r"expected a label: one of 0, 1.*, found 2"),
        (Value("string"), None, {}, r"expected 'fake' or 'real', or --label"),
    ],
)
def test_labels_are_never_guessed(tmp_path, kind, value, settings, message):
    source = write(tmp_path / "a.parquet", [{"image": IMAGE, "label": value}], image=Image(), label=kind)
    with pytest.raises(DataError, match=r"a\.parquet: \[0\]\.label: " + message):
        read(source, tmp_path, settings)


def test_the_user_names_the_column_of_images(tmp_path):
    row = {"image1": IMAGE, "image2": {"bytes": png((8, 8)), "path": None}, "model1": "FLUX"}
    source = write(tmp_path / "a.parquet", [row], image1=Image(), image2=Image(), model1=Value("string"))
    with pytest.raises(
        DataError, match=r"image: expected a column of images, or --image-column NAME, found columns image1"
    ):
        read(source, tmp_path)
    (found,) = read(source, tmp_path, {"image_column": "image2"}, label="fake")
    assert (found.image_wh, found.extra) == ((8, 8), {"model1": "FLUX"})
    with pytest.raises(DataError, match=r"kind: expected a column, found columns"):
        read(source, tmp_path, {"image_column": "image1", "label_column": "kind"})


def test_images_outside_the_file_are_found_by_their_paths(tmp_path):
    picture(tmp_path / "data/x/a.png")
    rows = [{"image": {"bytes": None, "path": "x/a.png"}, "label": "fake"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    pq.write_table(pa.table({"image": ["x/a.png"], "label": ["fake"]}), tmp_path / "b.parquet")
    for name in "ab":
        (found,) = read(tmp_path / f"{name}.parquet", tmp_path)
        assert (found.id, found.image) == ("x/a", "data/x/a.png")


@pytest.mark.parametrize(
    "image",
    [
        None,
        {"bytes": None, "path": None},
        {"bytes": b"", "path": ""},
        {"bytes": {"bytes": b"x", "path": "a"}},
        7,
        ["a.png"],
    ],
)
def test_a_cell_without_an_image_is_an_error(tmp_path, image):
    table = pa.Table.from_pylist([{"image": image, "label": "fake"}])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet: \[0\]\.image: expected an image: bytes, a path, or an object"):
        read(tmp_path / "a.parquet", tmp_path)


def test_bytes_that_are_no_image_are_an_error(tmp_path):
    pq.write_table(pa.Table.from_pylist([{"image": b"text", "label": "fake"}]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"\[0\]\.image: expected a readable image"):
        read(tmp_path / "a.parquet", tmp_path)


def test_files_without_rows_are_an_error_if_there_are_no_others(tmp_path):
    empty = tmp_path / "in/a.parquet"
    empty.parent.mkdir()
    pq.write_table(schema_of(embed=True).empty_table(), empty)
    with pytest.raises(DataError, match="expected at least one image, found none"):
        read(empty, tmp_path)
    write(tmp_path / "in/deep/a.parquet", [{"image": IMAGE, "label": "real"}], image=Image(), label=Value("string"))
    assert [each.id for each in read(tmp_path / "in", tmp_path)] == ["deep/a-000000"]


def test_a_truncated_file_is_an_error_and_the_others_are_read(tmp_path):
    for name in "ab":
        write(
            tmp_path / f"in/{name}.parquet", [{"image": IMAGE, "label": "real"}], image=Image(), label=Value("string")
        )
    path = tmp_path / "in/a.parquet"
    path.write_bytes(path.read_bytes()[:-30])
    errors = []
    assert [each.id for each in read(tmp_path / "in", tmp_path, on_error=errors.append)] == ["b-000000"]
    assert [(error.file, error.expected) for error in errors] == [(str(path), "a Parquet file")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "id: expected an id, found None"),
        ({"regions": [{"bbox": [1.0, 2.0, 3.0, None], "caption": "a"}]}, r"regions\[0\].bbox: expected four numbers"),
        ({"regions": [{"bbox": None, "caption": "a"}]}, r"regions\[0\].bbox: expected a box, found None"),
        ({"regions": [None]}, r"regions\[0\]: expected a JSON object, found None"),
        ({"regions": [{"bbox": [3.0, 2.0, 1.0, 4.0], "caption": "a"}]}, "expected x1 < x2 and y1 < y2"),
        ({"tags": ["shiny"]}, r"tags\[0\]: expected one of"),
        ({"width": 41}, "expected the size of the upright image, 40x30, found 41x30"),
        ({"extra": "{"}, "extra: expected a JSON object, or null"),
        ({"extra": "[1]"}, r"extra: expected a JSON object, or null, found '\[1\]'"),
        ({"extra": '{"label": "real"}'}, "extra: expected no field of a record, .* found 'label'"),
        ({"extra": '{"generator": "me"}'}, "extra: expected no field of a record, .* found 'generator'"),
        ({"label": 7}, "label: expected a label: .* found 7"),
        ({"fold": 9}, "fold: expected 0, 1, 2 or 3, found 9"),
    ],
)
def test_a_bad_row_of_our_own_file_is_an_error(tmp_path, changes, message):
    row = {"id": "a", "image": IMAGE, "width": 40, "height": 30, "label": 1, "regions": [], "tags": []}
    table = pa.Table.from_pylist([row | changes], schema=schema_of(embed=True))
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.parquet", tmp_path)


def test_a_value_that_means_both_labels_is_bad_usage(tmp_path):
    words = ("--real-value", "1", "--fake-value", "1", "--out", tmp_path / "o.jsonl")
    done = fakexplain("convert", "hf", tmp_path, *words)
    assert done.returncode == 2 and "'1' means both labels" in done.stderr
    with pytest.raises(ValueError, match="b"):
        list(load_hf(tmp_path, real_values=["b"], fake_values=["B"]))


def test_other_columns_of_images_and_fields_of_records_are_kept_apart(tmp_path):
    row = {"image": IMAGE, "label": "fake", "tags": ["funny"], "width": 7, "generator": "FLUX"}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    (found,) = records("hf", tmp_path / "a.parquet", tmp_path)
    assert found.generator == "FLUX" and found.tags == ()
    assert found.extra == {"source_tags": ["funny"], "source_width": 7, "source_image": "a.png"}
