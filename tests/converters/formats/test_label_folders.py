"""Label folders, read and written: which folder counts, other names, images outside any, files that are no images."""

import pytest
from PIL import Image

from converters.convert import Place, convert
from converters.formats.label_folders import from_label_folders, load_label_folders, save_label_folders
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.rows import png, records

SOURCE = ASSETS / "folder/source"


def images(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png((8, 8)))
    return folder


def labels(folder, **names):
    return {
        piece.data["image"]: from_label_folders(piece.data)[0].label for piece in load_label_folders(folder, **names)
    }


def test_golden(tmp_path):
    check_golden("folder", tmp_path)


def test_an_image_lying_on_its_side_is_written_upright(tmp_path):
    *_, record = records("folder", SOURCE, tmp_path, images=Place(SOURCE, "source"))
    assert record.image == "images/GenImage/val/nature/ILSVRC2012_val_00000042.JPEG.png"
    with Image.open(tmp_path / record.image) as image:
        assert image.size == record.image_wh == (16, 24) and not image.getexif()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("0_real/a.png", "real"),
        ("real/b/c/a.JPG", "real"),
        ("nature/a.webp", "real"),
        ("1_fake/a.png", "fake"),
        ("fake/a.png", "fake"),
        ("val/ai/a.png", "fake"),
        ("ai/nature/a.png", "real"),
        ("nature/x/ai/y/a.png", "fake"),
        ("fake/real.png", "fake"),
        ("ai/naïve 湖/a.png", "fake"),
        ("0_Real/a.png", "real"),
        ("AI/a.png", "fake"),
    ],
)
def test_the_innermost_folder_is_the_label(tmp_path, name, label):
    assert labels(images(tmp_path, name)) == {name: label}


def test_the_source_s_own_name_counts_and_a_label_is_for_the_rest(tmp_path):
    assert labels(images(tmp_path / "1_fake", "a.png", "real/b.png")) == {"a.png": "fake", "real/b.png": "real"}
    assert labels(images(tmp_path / "mine", "a.png", "ai/b.png")) == {"a.png": None, "ai/b.png": "fake"}
    done = fakexplain("convert", "folder", tmp_path / "mine", "--label", "real", "-o", tmp_path / "a.jsonl")
    assert done.returncode == 0, done.stderr
    assert [each.label for each in read_annotations(tmp_path / "a.jsonl")] == ["real", "fake"]


def test_other_names_take_the_place_of_the_usual(tmp_path):
    folder = images(tmp_path, "camera/a.png", "FLUX/0_real/a.png", "SD/camera/a.png")
    assert labels(folder, real=["camera"], fake=["FLUX", "SD"]) == {
        "FLUX/0_real/a.png": "fake",
        "SD/camera/a.png": "real",
        "camera/a.png": "real",
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, r"real \(0_real, real, nature\) or fake \(1_fake, fake, ai\); use --real and --fake for other names"),
        ({"real": ["0_real", "photo"], "fake": ["FLUX"]}, r"real \(0_real, photo\) or fake \(FLUX\)"),
    ],
)
def test_an_image_outside_any_label_folder_is_an_error_that_does_not_stop_the_others(tmp_path, names, expected):
    images(tmp_path, "0_real/a.png", "b/a.png", "FLUX/a.png" if names else "ai/a.png")
    places = {"images": Place(tmp_path, "s"), "written": Place(tmp_path, "w")}
    errors = []
    found = list(convert(load_label_folders(tmp_path, **names), from_label_folders, **places, on_error=errors.append))
    assert sorted(record.label for record in found) == ["fake", "real"]
    assert [(error.file, error.field) for error in errors] == [(str(tmp_path / "b/a.png"), "label")]
    message = rf"a\.png: label: expected a folder named as {expected}.*, found none on the path b/a\.png"
    with pytest.raises(DataError, match=message):
        list(convert(load_label_folders(tmp_path, **names), from_label_folders, **places))


@pytest.mark.parametrize("data", [None, 7, [1], {}, {"image": 7, "label": "fake"}, {"image": "a.png", "label": 7}])
def test_data_of_another_shape_is_an_error(data):
    with pytest.raises(DataError):
        from_label_folders(data)


def test_only_images_are_read(tmp_path):
    images(tmp_path, "real/a.png", "real/.b.png", ".real/c.png", "real/d.txt", "real/passed/e.png")
    assert [*labels(tmp_path, skip=[tmp_path / "real/passed"])] == ["real/a.png"]


def test_what_is_no_folder_of_label_folders_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder of label folders, found no such folder"):
        list(load_label_folders(tmp_path / "none"))
    with pytest.raises(ValueError, match="expected different names for real and fake folders, found 'ai' in both"):
        list(load_label_folders(tmp_path, real=["ai"]))
    with pytest.raises(DataError, match="expected at least one image"):
        records("folder", tmp_path, tmp_path)


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
    assert save_label_folders(read_annotations(annotations), out, images=annotations.parent) == len(NAMES)
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.*")}
    assert files == {place: (annotations.parent / name).read_bytes() for name, (_, place) in NAMES.items()}


def test_links_take_no_room(annotations, tmp_path):
    (tmp_path / "out").mkdir()
    save_label_folders(read_annotations(annotations), tmp_path / "out", images=annotations.parent, link=True)
    assert (tmp_path / "out/1_fake/images/a.png").samefile(annotations.parent / "images/a.png")


def test_two_images_of_one_name_are_an_error(tmp_path):
    for name in ("ai/a.png", "fake/a.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
    path = write_annotations_file(tmp_path / "data", [record(0, image="ai/a.png"), record(1, image="fake/a.png")])
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=r"jsonl:2: image: expected a unique output file, but an .*also uses .*a\.png"):
        save_label_folders(read_annotations(path), tmp_path / "out", images=path.parent)


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


def test_the_folders_of_hydrafake_name_the_labels(tmp_path):
    real = ("test/AdobeFirefly/0_real/a.png", "val/real/b.png")
    fake = ("test/AdobeFirefly/1_fake/c.png", "val/fake/d.png", "train/fake/FS/blendface/e.png")
    images(tmp_path, *real, *fake)
    (tmp_path / "jsons/val").mkdir(parents=True)
    (tmp_path / "jsons/val/val.json").write_text("[]")
    found = {record.image.removeprefix("source/"): record.label for record in records("folder", tmp_path, tmp_path)}
    assert found == dict.fromkeys(fake, "fake") | dict.fromkeys(real, "real")
