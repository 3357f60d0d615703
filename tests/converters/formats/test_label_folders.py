"""Label folders: written, and read back by the reader of such folders."""

import pytest

from converters.formats.label_folders import save_folders
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file

NAMES = {  # image -> where it goes; two lie in folders that a reader would take for the other label
    "images/a.png": ("fake", "1_fake/images/a.png"),
    "images/b.jpg": ("real", "0_real/images/b.jpg"),
    "nature/ä/a.png": ("fake", "1_fake/ä/a.png"),
    "train/ai/c.webp": ("real", "0_real/train/c.webp"),
    "a.png": ("real", "0_real/a.png"),
    "1_fake/d.png": ("fake", "1_fake/d.png"),
}


@pytest.fixture
def annotations(tmp_path):
    for name in NAMES:
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
    records = [
        record(0, label, id=f"{index}", image=name, width=40 + index, height=30, regions=[])
        for index, (name, (label, _)) in enumerate(NAMES.items())
    ]
    return write_annotations_file(tmp_path / "data", records)


def test_images_lie_byte_for_byte_in_the_folder_of_their_label(annotations, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    assert save_folders(read_annotations(annotations), out, images=annotations.parent) == len(NAMES)
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.*")}
    assert files == {place: (annotations.parent / name).read_bytes() for name, (_, place) in NAMES.items()}


def test_links_take_no_room(annotations, tmp_path):
    (tmp_path / "out").mkdir()
    save_folders(read_annotations(annotations), tmp_path / "out", images=annotations.parent, link=True)
    assert (tmp_path / "out/1_fake/images/a.png").samefile(annotations.parent / "images/a.png")


def test_two_images_of_one_name_are_an_error(tmp_path):
    for name in ("ai/a.png", "fake/a.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
    path = write_annotations_file(tmp_path / "data", [record(0, image="ai/a.png"), record(1, image="fake/a.png")])
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=r"jsonl:2: image: expected an image of its own, for an .*a\.png as well"):
        save_folders(read_annotations(path), tmp_path / "out", images=path.parent)


def test_there_and_back(annotations, tmp_path):
    out = tmp_path / "out"
    done = fakexplain("export", annotations, "--to", "folders", "-o", out)
    assert done.returncode == 0 and done.stdout == f"6 records in {out}\n", done.stderr
    done = fakexplain("convert", "folder", out, "-o", tmp_path / "back.jsonl")
    assert done.returncode == 0, done.stderr
    back = {record.image: (record.label, record.image_wh) for record in read_annotations(tmp_path / "back.jsonl")}
    there = {record.image: record for record in read_annotations(annotations)}
    assert back == {f"out/{NAMES[name][1]}": (old.label, old.image_wh) for name, old in there.items()}
    # a second time nothing changes any more
    done = fakexplain("export", tmp_path / "back.jsonl", "--to", "folders", "-o", tmp_path / "o2", "--images", out)
    assert done.returncode == 0, done.stderr
    files, again = (sorted(path.relative_to(each) for path in each.rglob("*.*")) for each in (out, tmp_path / "o2"))
    assert files == again


def test_an_image_that_is_missing_leaves_nothing(annotations, tmp_path):
    (annotations.parent / "a.png").unlink()
    done = fakexplain("export", annotations, "--to", "folders", "-o", tmp_path / "out", "--no-check")
    assert done.returncode == 1 and "a.png" in done.stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.partial").exists()
