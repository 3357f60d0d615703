"""Label folders: which folder counts, other names, images outside any, what is not an image."""

import pytest
from PIL import Image

from converters.convert import Place, convert
from converters.formats.folder import from_folder, load_folder
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.rows import png, records

SOURCE = ASSETS / "folder/source"


def images(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png((8, 8)))
    return folder


def labels(folder, **names):
    return {piece.data["image"]: from_folder(piece.data)[0].label for piece in load_folder(folder, **names)}


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
    assert labels(images(tmp_path / "mine", "a.png", "ai/b.png"), others=True) == {"a.png": None, "ai/b.png": "fake"}
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
        ({}, r"real \(0_real, real, nature\) or fake \(1_fake, fake, ai\); --real, --fake name others"),
        ({"real": ["0_real", "photo"], "fake": ["FLUX"]}, r"real \(0_real, photo\) or fake \(FLUX\)"),
    ],
)
def test_an_image_outside_any_label_folder_is_an_error_that_does_not_stop_the_others(tmp_path, names, expected):
    images(tmp_path, "0_real/a.png", "b/a.png", "FLUX/a.png" if names else "ai/a.png")
    places = {"images": Place(tmp_path, "s"), "written": Place(tmp_path, "w")}
    errors = []
    found = list(convert(load_folder(tmp_path, **names), from_folder, **places, on_error=errors.append))
    assert sorted(record.label for record in found) == ["fake", "real"]
    assert [(error.file, error.field) for error in errors] == [(str(tmp_path / "b/a.png"), "label")]
    message = rf"a\.png: label: expected a folder named as {expected}.*, found none on the way to b/a\.png"
    with pytest.raises(DataError, match=message):
        list(convert(load_folder(tmp_path, **names), from_folder, **places))


@pytest.mark.parametrize("data", [None, 7, [1], {}, {"image": 7, "label": "fake"}, {"image": "a.png", "label": 7}])
def test_data_of_another_shape_is_an_error(data):
    with pytest.raises(DataError):
        from_folder(data)


def test_only_images_are_read(tmp_path):
    images(tmp_path, "real/a.png", "real/.b.png", ".real/c.png", "real/d.txt", "real/passed/e.png")
    assert [*labels(tmp_path, skip=[tmp_path / "real/passed"])] == ["real/a.png"]


def test_what_is_no_folder_of_label_folders_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder of label folders, found none"):
        list(load_folder(tmp_path / "none"))
    with pytest.raises(ValueError, match="expected names of real and of fake folders that differ, found 'ai' in both"):
        list(load_folder(tmp_path, real=["ai"]))
    with pytest.raises(DataError, match="expected at least one image"):
        records("folder", tmp_path, tmp_path)
