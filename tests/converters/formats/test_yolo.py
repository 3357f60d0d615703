"""YOLO: boxes in shares and back, texts where trainers look, what is refused."""

import random

import pytest

from converters.formats.yolo import labels_path, save_yolo, to_yolo
from swift_plugins.fakexplain.annotation import parse_record, read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file
from tests.converters.pictures import picture
from tests.converters.various import RECORDS, various


def where_trainers_look(path):
    """The rule of YOLOv5 and Ultralytics, on the path as text."""
    return "/labels/".join(path.rsplit("/images/", 1)).rsplit(".", 1)[0] + ".txt"


def boxes(text, wh):
    """Boxes of a text, the other way round."""
    for line in text.splitlines():
        number, *shares = line.split(" ")
        assert number == "0" and all(0 <= float(share) <= 1 for share in shares)
        cx, cy, w, h = (float(share) * side for share, side in zip(shares, wh * 2, strict=True))
        yield cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2


def test_boxes_come_back_within_a_millionth_of_a_pixel():
    rng = random.Random(0)
    width, height = 10_000, 9_973
    wanted = [[0, 0, width, height], [0, 0, 1e-3, 1e-3], [width - 1e-3, height - 1e-3, width, height]]
    for _ in range(1000):
        xs, ys = sorted(rng.uniform(0, width) for _ in "12"), sorted(rng.uniform(0, height) for _ in "12")
        wanted.append([xs[0], ys[0], xs[1], ys[1]])
    regions = [{"bbox": box, "caption": "Flaw."} for box in wanted]
    text = to_yolo(parse_record(record(0, width=width, height=height, regions=regions)))
    found = list(boxes(text, (width, height)))
    assert len(found) == len(wanted)
    assert max(abs(a - b) for one, two in zip(found, wanted, strict=True) for a, b in zip(one, two, strict=True)) < 1e-6


def test_a_folder_as_trainers_want_it(tmp_path):
    deep = RECORDS[0] | {"id": "deep", "image": "x/images/d.v2.png"}
    before = various(tmp_path / "data", [*RECORDS, deep])
    out = tmp_path / "out"
    assert save_yolo(before, out, images=tmp_path / "data") == 4
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        "data.yaml",
        "images/a/v1.5 湖.png",
        "images/b.jpg",
        "images/c.png",
        "images/x/images/d.v2.png",
        "images/x/labels/d.v2.txt",
        "labels/a/v1.5 湖.txt",
        "labels/b.txt",
        "labels/c.txt",
    ]
    assert (out / "data.yaml").read_text() == "train: images\nval: images\nnames:\n  0: flaw\n"
    assert (out / "labels/b.txt").read_bytes() == (out / "labels/c.txt").read_bytes() == b""
    assert (out / "labels/a/v1.5 湖.txt").read_text() == (
        "0 0.015000000000 0.045000000000 0.015000000000 0.020000000000\n"  # 0.3 0.7 0.9 1.1 of 40x20
        "0 0.541666666667 0.500000250000 0.916666666667 0.999999500000\n"  # 10/3 1e-5 40 20
        "0 0.050000000000 0.150000000000 0.050000000000 0.100000000000\n"  # 1 2 3 4
    )
    for image in [*out.rglob("*.png"), *out.rglob("*.jpg")]:
        assert (tmp_path / where_trainers_look(str(image))).is_file()
        assert labels_path(image.relative_to(out)) == type(out)(where_trainers_look(str(image))).relative_to(out)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("../a.png", r"annotations.jsonl:1: image: expected an image in .*data \(--images"),
        (
            "b.png",
            r"annotations.jsonl:1: image: expected a unique output file, but an .*also uses .*b\.txt, found 'b\.png'",
        ),
        ("turned.jpg", r"annotations.jsonl:1: image: expected an upright image, .* EXIF orientation 6"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, image, message):
    annotations = various(tmp_path / "data", [RECORDS[1], RECORDS[2] | {"image": image}])
    picture(tmp_path / "data/turned.jpg", turn=6)
    with pytest.raises(DataError, match=message):
        save_yolo(annotations, tmp_path / "out", images=tmp_path / "data")


def test_the_command(tmp_path):
    source = write_annotations_file(tmp_path / "data", [record(0), record(1, "real")])
    done = fakexplain("export", source, "--to", "yolo", "--out", tmp_path / "out", "--link")
    assert done.returncode == 0, done.stderr
    for one in read_annotations(source):
        assert one.path.samefile(tmp_path / "out" / one.image)
        text = (tmp_path / f"out/labels/{one.path.stem}.txt").read_text()
        assert list(boxes(text, one.image_wh)) == [pytest.approx(region.bbox, abs=1e-6) for region in one.regions]
