"""Images of one size: boxes against drawn rectangles, errors, duplicates."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from converters.images.prepare import PrepareSettings, annotation_jobs, folder_jobs, prepare
from swift_plugins.fakexplain.annotation import parse_record, read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.conftest import record
from tests.converters.pictures import drawn, scene
from tests.pictures.profiles import BGR


def run(folder: Path, *records: dict, **settings):
    """Prepare records whose images lie in a folder; the new records and the counts."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    annotations = [parse_record(each, folder=folder, file="a.jsonl", line=n) for n, each in enumerate(records, 1)]
    counts = prepare(annotation_jobs(annotations), out, PrepareSettings(**settings))
    return list(read_annotations(out / "annotations.jsonl")), counts


def red_box(path: Path) -> tuple[int, int, int, int]:
    with Image.open(path) as image:
        pixels = np.asarray(image).astype(int)
    rows, columns = np.nonzero(pixels[..., 0] - pixels[..., 2] > 0)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("wh", [(200, 200), (64, 48), (160, 80), (80, 160)])
def test_a_box_is_where_its_pixels_are(tmp_path, turn, fit, wh):
    [new], counts = run(tmp_path, drawn(tmp_path / "a.png", turn), wh=wh, how=fit)
    with Image.open(new.path) as image:
        assert image.size == new.image_wh == wh and image.mode == "RGB" and not image.getexif()
    assert new.regions[0].bbox == pytest.approx(red_box(new.path), abs=1.01)
    assert counts["turned"] == (turn != 1) and counts["images"] == 1
    assert not counts["dropped"]


def test_boxes_are_exact(tmp_path):
    """By hand: of 160x80, the 80 pixels from 40 on are shown, each 6.4 wide."""
    [new], _ = run(tmp_path, drawn(tmp_path / "a.png"))
    assert new.regions[0].bbox == pytest.approx((51.2, 76.8, 320, 422.4), abs=1e-9)


def test_an_image_of_the_right_size_keeps_its_pixels_and_its_record(tmp_path):
    Image.effect_noise((64, 64), 90).convert("RGB").save(tmp_path / "a.png")
    fields = {"generator": "FLUX.1-dev", "family": "dit", "fold": 2, "annotator": "a1", "mine": {"x": [1.5]}}
    old = drawn(tmp_path / "b.png") | {"id": "n/ä.v1", "image": "a.png", "width": 64, "height": 64} | fields
    old["regions"] = [{"bbox": [0.1, 0.2, 63.9, 64.0], "caption": "Noise."}]
    [new], counts = run(tmp_path, old, wh=(64, 64))
    assert new.image == "images/n/ä.v1.png" and counts == {"images": 1}
    with Image.open(tmp_path / "a.png") as a, Image.open(new.path) as b:
        assert a.tobytes() == b.tobytes()
    written = json.loads((tmp_path / "out/annotations.jsonl").read_text("utf-8"))
    assert written == old | {"image": "images/n/ä.v1.png", "tags": list(new.tags)}


def test_what_is_cropped_away_is_counted(tmp_path):
    image = drawn(tmp_path / "a.png")
    boxes = {"left": [0, 0, 40, 80], "half": [30, 0, 50, 80], "tenth": [22, 0, 42, 80], "whole": [60, 0, 70, 10]}
    image["regions"] = [{"bbox": box, "caption": name} for name, box in boxes.items()]
    [new], counts = run(tmp_path, image)
    assert [region.caption for region in new.regions] == ["half", "tenth", "whole"]
    assert [region.bbox for region in new.regions[:2]] == [(0, 0, 64, 512), (0, 0, 12.8, 512)]
    assert (counts["cropped"], counts["dropped"], counts["cut"], counts["bare"]) == (1, 1, 2, 0)
    image["region_origins"] = ["new", "accepted", "changed", "accepted"]
    [new], counts = run(tmp_path, image, min_visible=0.2)
    assert new.extra["region_origins"] == ["accepted", "accepted"]  # of those that are left
    assert [region.caption for region in new.regions] == ["half", "whole"] and counts["dropped"] == 2
    image["regions"] = image["regions"][:1]
    [new], counts = run(tmp_path, image)
    assert (new.label, new.regions, new.tags) == ("fake", (), ("structure_attribute_error",))
    assert counts["bare"] == 1


@pytest.mark.parametrize(
    ("wh", "fit", "expected"),
    [
        ((160, 80), "crop", {}),
        ((320, 160), "crop", {"up": 1}),
        ((40, 20), "crop", {"down": 1}),
        ((80, 80), "crop", {"cropped": 1}),
        ((80, 80), "pad", {"down": 1, "padded": 1}),
        ((160, 160), "pad", {"padded": 1}),
        ((80, 160), "stretch", {"up": 1}),
        ((80, 80), "stretch", {"down": 1}),
    ],
)
def test_counts(tmp_path, wh, fit, expected):
    _, counts = run(tmp_path, drawn(tmp_path / "a.png"), wh=wh, how=fit)
    assert {name: counts[name] for name in counts if name not in ("images", "cut")} == expected


def test_padding_is_black(tmp_path):
    [new], _ = run(tmp_path, drawn(tmp_path / "a.png"), wh=(160, 160), how="pad")
    with Image.open(new.path) as image:
        pixels = np.asarray(image)
    assert not pixels[:40].any() and not pixels[120:].any() and pixels[40:120].any(axis=-1).all()


def test_profiles_and_alpha_are_gone_from_the_files(tmp_path):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    Image.new("RGB", (64, 64), (255, 0, 0)).save(source / "bgr.png", icc_profile=BGR)
    Image.new("RGB", (64, 64), (255, 0, 0)).save(source / "bad.png", icc_profile=b"nothing")
    Image.new("LA", (64, 64), (0, 0)).save(source / "clear.png")
    counts = prepare(folder_jobs(source), out, PrepareSettings(wh=(32, 32)))
    assert counts == {"images": 3, "down": 3, "converted": 2, "profiles": 1, "near": 2}
    pixels = {}
    for name in ("bgr", "bad", "clear"):
        with Image.open(out / f"{name}.png") as image:
            assert image.mode == "RGB" and image.info == {}
            pixels[name] = image.getpixel((9, 9))
    assert pixels == {"bgr": (0, 0, 255), "bad": (255, 0, 0), "clear": (255, 255, 255)}


@pytest.mark.parametrize("names", [("a.png", "a.jpg"), ("b/c.webp", "b/c.png")])
def test_two_images_of_one_name_are_an_error(tmp_path, names):
    source, out = tmp_path / "src", tmp_path / "out"
    for name in names:
        drawn(source / name)
    out.mkdir()
    first, _ = sorted(source / name for name in names)
    with pytest.raises(
        DataError, match=rf"^image: expected a unique name for the new image \({first} already uses this one\), found"
    ):
        prepare(folder_jobs(source), out)
    errors = []
    assert prepare(folder_jobs(source), out, on_error=errors.append)["images"] == len(errors) == 1


def test_errors_name_the_record_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 160 * 80)
    drawn(tmp_path / "bomb.png", wh=(400, 80))
    (tmp_path / "text.png").write_text("text")
    whole = drawn(tmp_path / "good.png")
    Image.effect_noise((64, 64), 90).save(tmp_path / "cut.png")
    raw = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(raw[:900])
    records = [
        whole | {"id": "none", "image": "none.png"},
        whole | {"id": "text", "image": "text.png"},
        whole | {"id": "bomb", "image": "bomb.png", "width": 400},
        whole | {"id": "cut", "image": "cut.png", "width": 64, "height": 64, "regions": []},
        whole | {"id": "size", "height": 81},
        whole | {"id": "../x"},
        whole | {"id": "good"},
    ]
    expected = [
        r"^a\.jsonl:1: image: expected an image file, found no file .*none\.png \(id 'none'\)",
        r"^a\.jsonl:2: image: expected a readable image, found .*text\.png: ",
        r"^a\.jsonl:3: image: expected a readable image, found .*bomb\.png: ",
        r"^a\.jsonl:4: image: expected a readable image, found .*cut\.png: ",
        r"^a\.jsonl:5: width, height: expected the size of the image, 160x80, found 160x81 \(id 'size'\)",
        r"^a\.jsonl:6: id: expected a relative path that stays inside .*'\.\./x'",
    ]
    out = tmp_path / "out"
    out.mkdir()
    annotations = [parse_record(each, folder=tmp_path, file="a.jsonl", line=n) for n, each in enumerate(records, 1)]
    for annotation, message in zip(annotations, expected, strict=False):
        with pytest.raises(DataError, match=message):
            prepare(annotation_jobs([annotation]), out)
    errors = []
    counts = prepare(annotation_jobs(annotations), out, on_error=errors.append)
    assert [error.id for error in errors] == ["none", "text", "bomb", "cut", "size", "../x"]
    assert counts["images"] == 1 and [new.id for new in read_annotations(out / "annotations.jsonl")] == ["good"]
    with pytest.raises(DataError, match="expected at least one image, found none in the source"):
        prepare([], out)


def duplicates_folder(folder: Path) -> list[str]:
    """Images in order of their names: a, its copy, b, a smaller a, c, a turned copy of b."""
    exif = Image.Exif()
    exif[0x0112] = 6
    images = {
        "1-a.png": scene(1),
        "2-copy.webp": scene(1),
        "3-b.png": scene(2),
        "4-small.png": scene(1).resize((100, 100)),
        "5-c.png": scene(3),
        "6-turned.png": scene(2).transpose(Image.Transpose.ROTATE_90),
    }
    for name, image in images.items():
        image.save(folder / name, lossless=True, exif=exif if name == "6-turned.png" else Image.Exif())
    return list(images)


def test_duplicates_are_listed_and_records_have_their_group(tmp_path):
    names = duplicates_folder(tmp_path)
    sides = {"4-small.png": 100}
    records = [
        record(0, "real", id=name[0], image=name, width=sides.get(name, 256), height=sides.get(name, 256))
        | {"duplicate_group": 9}
        for name in names
    ]
    new, counts = run(tmp_path, *records, wh=(64, 64))
    assert (counts["exact"], counts["near"]) == (2, 1)
    assert [each.extra.get("duplicate_group") for each in new] == [1, 1, 2, 1, None, 2]
    with open(tmp_path / "out/duplicates.csv", newline="") as file:
        rows = [(*row[:3], int(row[3])) for row in list(csv.reader(file))[1:]]
    assert [row[:3] for row in rows] == [
        ("1", "exact", "images/1.png"),
        ("1", "exact", "images/2.png"),
        ("1", "near", "images/4.png"),
        ("2", "exact", "images/3.png"),
        ("2", "exact", "images/6.png"),
    ]
    assert [row[3] for row in rows if row[1] == "exact"] == [0] * 4 and rows[2][3] <= 6
