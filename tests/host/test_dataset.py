"""`fakexplained` through ms-swift's own `load_dataset`."""

import json

import pytest
from PIL import Image
from swift.dataset import load_dataset

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.host.dataset import register_dataset
from tests.conftest import record, write_annotations_file

register_dataset()
IMAGE = "images/fake-000.png"


def load(name: str, **kwargs):
    return load_dataset(name, remove_unused_columns=False, load_from_cache_file=False, **kwargs)[0]


@pytest.fixture
def fakexplained(annotations_file, monkeypatch):
    monkeypatch.setenv("FAKEXPLAINED", str(annotations_file))
    return annotations_file


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("fakexplained", 16),
        ("fakexplained:fold1_train", 12),
        ("fakexplained:fold1_test__no_tags", 4),
        ("fakexplained:fold0_test/fold1_test", 8),
        ("fakexplained#5", 5),
    ],
)
def test_subsets(fakexplained, name, count):
    assert len(load(name)) == count


def test_a_row_after_ms_swift(fakexplained):
    rows = load("fakexplained:fold0_test")
    fake, real = rows[0], rows[1]
    assert [message["role"] for message in fake["messages"]] == ["system", "user", "assistant"]
    assert fake["images"][0]["path"].endswith("data/images/fake-000.png")
    assert fake["objects"]["bbox"] == [[10.0, 5.0, 50.0, 45.0], [60.0, 50.5, 100.0, 80.0]]
    assert real["objects"]["bbox"] == []
    assert json.loads(real["solution"])["label"] == "real"


def test_streaming(fakexplained):
    rows = list(load("fakexplained:fold0_train", streaming=True))
    assert len(rows) == 12
    assert rows[0]["solution"]


def test_a_relative_path_and_another_folder(fakexplained, monkeypatch):
    monkeypatch.chdir(fakexplained.parent)
    monkeypatch.setenv("FAKEXPLAINED", fakexplained.name)
    assert load("fakexplained")[0]["images"][0]["path"] == str(fakexplained.parent / "images/fake-000.png")


def test_exported_rows_load_alike(fakexplained, tmp_path):
    """`fakexplain export` and the plugin give ms-swift the same rows."""
    from converters.formats.rows import save_rows
    from swift_plugins.fakexplain.annotation import read_annotations

    out = tmp_path / "rows.jsonl"
    save_rows(read_annotations(fakexplained), out)
    ours, stock = load("fakexplained"), load(str(out))
    for column in ("messages", "images", "objects", "solution"):
        assert ours[:][column] == stock[:][column]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fakexplained:fold7_train", "fakexplained:fold7_train: no such subset"),
        ("fakexplained:fold3_test", "no record belongs to"),
    ],
)
def test_a_subset_that_is_not_there(tmp_path, monkeypatch, name, message):
    path = write_annotations_file(tmp_path, [record(0, fold=0)])
    monkeypatch.setenv("FAKEXPLAINED", str(path))
    with pytest.raises(ValueError, match=message):
        load(name)


def test_without_the_variable(monkeypatch):
    monkeypatch.delenv("FAKEXPLAINED", raising=False)
    with pytest.raises(ValueError, match="in the environment variable FAKEXPLAINED, which is not set"):
        load("fakexplained")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / IMAGE).unlink(), r":1: image: expected an image file, found no file"),
        (lambda folder: (folder / IMAGE).write_text("x"), ":1: image: expected a readable image"),
        (
            lambda folder: Image.new("RGB", (9, 9)).save(folder / IMAGE),
            ":1: width, height: expected the size of the image, 9x9",
        ),
        (lambda folder: (folder / "annotations.jsonl").write_text("{\n"), ":1: expected one JSON object"),
        (lambda folder: (folder / "annotations.jsonl").write_text(""), "expected at least one record"),
        (lambda folder: (folder / "annotations.jsonl").unlink(), "expected an annotations file"),
    ],
)
def test_what_is_wrong_stops_the_load(tmp_path, monkeypatch, spoil, message):
    path = write_annotations_file(tmp_path, [record(0)])
    monkeypatch.setenv("FAKEXPLAINED", str(path))
    spoil(tmp_path)
    with pytest.raises((DataError, FileNotFoundError), match=message):
        load("fakexplained")
