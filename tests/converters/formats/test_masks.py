"""Masks against a loop over pixels, and the folder they are written to."""

import csv
import random
import time

import numpy as np
import pytest
from PIL import Image

from converters.formats import masks
from converters.formats.masks import save_masks
from swift_plugins.fakexplain.annotation import Annotation, Region, read_annotations
from swift_plugins.fakexplain.atomic import atomic_folder
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.masks import to_mask
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file


def annotation(*boxes, wh=(12, 9)) -> Annotation:
    return Annotation("a", "a.png", *wh, "fake", tuple(Region(box, "Hand.") for box in boxes))


def pixel_by_pixel(boxes, wh) -> list[list[int]]:
    """A pixel is in a box that its centre is in; a box with no centre in it along a side has the middle one there."""

    def within(start, end, count):
        inside = [index for index in range(count) if start <= index + 0.5 < end]
        return inside or [int((start + end) / 2)]

    mask = [[0] * wh[0] for _ in range(wh[1])]
    for x1, y1, x2, y2 in boxes:
        for y in within(y1, y2, wh[1]):
            for x in within(x1, x2, wh[0]):
                mask[y][x] = 255
    return mask


@pytest.mark.parametrize("seed", range(40))
def test_masks_are_those_of_a_loop_over_pixels(seed):
    lot = random.Random(seed)
    wh = lot.randint(1, 12), lot.randint(1, 9)
    step = lot.choice([1, 0.5, 0.01])
    boxes = []
    for _ in range(lot.randint(0, 4)):
        sides = [sorted(lot.sample(range(round(side / step) + 1), 2)) for side in wh]
        (x1, x2), (y1, y2) = [[min(end * step, side) for end in ends] for ends, side in zip(sides, wh, strict=True)]
        boxes.append((x1, y1, x2, y2))
    mask = to_mask(annotation(*boxes, wh=wh))
    assert mask.dtype == np.uint8 and mask.tolist() == pixel_by_pixel(boxes, wh)


def test_a_box_of_whole_numbers_is_exactly_its_pixels():
    mask = to_mask(annotation((2.0, 3.0, 7.0, 5.0)))
    assert mask.shape == (9, 12) and mask.sum() == 255 * 5 * 2 and (mask[3:5, 2:7] == 255).all()
    assert (to_mask(annotation((2 - 1e-9, 3 + 1e-9, 7 + 1e-9, 5 - 1e-9))) == mask).all()


@pytest.mark.parametrize(
    ("box", "pixel"),
    [
        ((3.1, 4.1, 3.2, 4.2), (3, 4)),
        ((11.9, 8.9, 12, 9), (11, 8)),
        ((2.9, 0, 3.1, 0.1), (3, 0)),
        ((3, 4, 4, 5), (3, 4)),
    ],
)
def test_a_box_of_less_than_a_pixel_shows(box, pixel):
    rows, columns = np.nonzero(to_mask(annotation(box)))
    assert (columns.tolist(), rows.tolist()) == ([pixel[0]], [pixel[1]])


@pytest.fixture
def annotations(tmp_path):
    (tmp_path / "data/images/ä").mkdir(parents=True)
    turned = record(1, image="images/ä/turned.webp", width=110, height=120)
    path = write_annotations_file(tmp_path / "data", [record(0), turned, record(2, "real")])
    return path


def test_a_mask_for_each_image_and_a_table_of_them(annotations, tmp_path):
    (tmp_path / "out").mkdir()
    count = save_masks(read_annotations(annotations), tmp_path / "out", images=annotations.parent)
    assert count == 3
    with open(tmp_path / "out/labels.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [tuple(row.values()) for row in rows] == [
        ("images/fake-000.png", "images/fake-000.png", "fake"),
        ("images/ä/turned.webp", "images/ä/turned.png", "fake"),
        ("images/real-002.png", "images/real-002.png", "real"),
    ]
    for row, each in zip(rows, read_annotations(annotations), strict=True):
        assert (annotations.parent / row["image"]).is_file()
        with Image.open(tmp_path / "out" / row["mask"]) as mask:
            assert mask.mode == "L" and mask.size == each.image_wh
            assert (np.asarray(mask) == to_mask(each)).all()
            assert (np.asarray(mask).max() == 255) == (row["label"] == "fake")


def test_a_path_is_no_formula_and_can_be_opened(tmp_path):
    (tmp_path / "out").mkdir()
    records = [Annotation("a", "=a.png", 4, 4, "real", path=tmp_path / "=a.png")]
    assert save_masks(records, tmp_path / "out", images=tmp_path) == 1
    assert (tmp_path / "out/labels.csv").read_text() == "image,mask,label\n./=a.png,./=a.png,real\n"
    assert (tmp_path / "out/./=a.png").is_file()


def test_two_images_of_one_stem_are_an_error(annotations, tmp_path):
    path = write_annotations_file(tmp_path / "data", [record(0), record(1, image="images/fake-000.jpg")])
    (tmp_path / "out").mkdir()
    expected = r"annotations\.jsonl:2: image: expected a unique output file, but an .* also uses .*, found 'images/f"
    with pytest.raises(DataError, match=expected):
        save_masks(read_annotations(path), tmp_path / "out", images=path.parent)


def test_an_interrupt_waits_for_the_threads(tmp_path, monkeypatch):
    def slow(annotation):
        time.sleep(0.05)
        return np.zeros((1, 1), np.uint8)

    def interrupted(path, names, rows):
        for row in rows:
            if row[0] == "2.png":
                raise KeyboardInterrupt

    monkeypatch.setattr(masks, "to_mask", slow)
    monkeypatch.setattr(masks, "save_csv", interrupted)
    records = [Annotation(f"{n}", f"{n}.png", 9, 9, "real", path=tmp_path / f"{n}.png") for n in range(30)]
    with pytest.raises(KeyboardInterrupt) as held, atomic_folder(tmp_path / "out") as partial:
        save_masks(records, partial, images=tmp_path)
    assert held  # what it holds keeps everything alive, as a command's end does
    time.sleep(0.5)
    assert not list(tmp_path.iterdir())


class TestCommand:
    def test_export_writes_them_the_same_each_time(self, annotations, tmp_path):
        files = []
        for name in ("one", "two"):
            done = fakexplain("export", annotations, "--to", "masks", "-o", tmp_path / name)
            assert done.returncode == 0, done.stderr
            assert done.stdout == f"3 records in {tmp_path / name}\n"
            files.append({p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.*")})
        assert files[0] == files[1] and len(files[0]) == 4

    def test_an_image_outside_the_folder_of_images(self, annotations, tmp_path):
        (tmp_path / "other").mkdir()
        args = ["--to", "masks", "-o", tmp_path / "out", "--images", tmp_path / "other"]
        done = fakexplain("export", annotations, *args)
        assert done.returncode == 1 and ":1: image: expected an image in" in done.stderr
        assert not (tmp_path / "out").exists()
