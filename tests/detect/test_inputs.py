"""Which images are examined, and what is refused with a reason."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.detect.inputs import count_inputs, read_inputs
from swift_plugins.fakexplain.errors import DataError
from tests.conftest import record, write_annotations_file


def read(*sources: Path) -> tuple[list[str], list[str]]:
    """Ids, and errors as text."""
    errors: list[DataError] = []
    return [item.id for item in read_inputs(sources, errors.append)], [str(error) for error in errors]


def save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def test_a_folder_gives_its_images_sorted_at_any_depth(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/b.png", "in/a/z.jpg", "in/a/deep/y.webp", "in/.hidden.png"):
        save(tmp_path / name)
    (tmp_path / "in" / "notes.txt").write_text("none")
    assert read(Path("in")) == (["in/a/deep/y.webp", "in/a/z.jpg", "in/b.png"], [])
    assert count_inputs([Path("in")]) == 3


def test_links_that_lead_out_of_a_folder_are_reported_and_not_followed(tmp_path):
    save(tmp_path / "secret" / "s.png")
    inside = save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").symlink_to("a.png")
    (tmp_path / "in" / "c.png").symlink_to(tmp_path / "secret" / "s.png")
    (tmp_path / "in" / "d").symlink_to(tmp_path / "secret")
    ids, errors = read(tmp_path / "in")
    assert ids == [str(inside), str(tmp_path / "in" / "b.png")]
    assert [error.partition(": image: expected no link that leads out")[0] for error in errors] == [
        str(tmp_path / "in" / name) for name in ("c.png", "d")
    ]


def test_a_list_is_relative_to_its_folder(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfa.png\n\n  sub/b c.png \r\nno\0pe.png\n\xff.png\n")
    ids, errors = read(tmp_path / "list.txt")
    assert ids == ["a.png", "sub/b c.png"]
    assert [error.partition(": expected")[0] for error in errors] == [f"{tmp_path}/list.txt:{n}" for n in (4, 5)]


def test_records_keep_their_ids_and_bad_ones_are_reported(tmp_path):
    path = write_annotations_file(tmp_path, [record(0), record(1, fold=9), record(2, "real")])
    ids, errors = read(path)
    assert ids == ["fake-000", "real-002"]
    assert len(errors) == 1 and "annotations.jsonl:2: fold" in errors[0]


def test_everything_else_is_an_image_whatever_its_name(tmp_path):
    assert read(tmp_path / "none.xyz") == ([str(tmp_path / "none.xyz")], [])


def test_an_image_that_is_named_twice_is_examined_once(tmp_path):
    path = save(tmp_path / "a.png")
    ids, errors = read(path, tmp_path, path)
    assert ids == [str(path)]
    assert len(errors) == 2 and all("a unique id" in error for error in errors)


@pytest.mark.parametrize("name", ["list.txt", "records.jsonl"])
def test_no_such_list(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=name):
        read(tmp_path / name)
    os.mkfifo(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="a pipe"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["empty.txt", "empty.jsonl"])
def test_empty_sources_are_reported(name, tmp_path):
    (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    assert len(read(tmp_path / name)[1]) == len(read(tmp_path / "folder")[1]) == 1


def test_a_name_that_is_not_utf8_is_reported(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.png"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", path)  # noqa: PTH104  (pathlib has no bytes)
    ids, errors = read(tmp_path)
    assert ids == [] and "text that UTF-8 can write" in errors[0] and json.dumps(errors[0])


def test_a_pipe_in_a_folder_is_an_image_that_cannot_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path) == ([str(tmp_path / "pipe.png")], [])
