"""Reading what other methods say: tables, masks and boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from converters.masks import save_masks, to_mask
from swift_plugins.fakexplain.annotation import Annotation, AnnotationError, Region
from swift_plugins.fakexplain.boxes import union_iou
from swift_plugins.fakexplain.scoring.baselines import (
    BaselinePrediction,
    Convention,
    load_mask,
    mask_iou,
    read_boxes_json,
    read_coco_results,
    read_label_csv,
    read_masks,
)

HAND = Region((2.0, 1.0, 6.0, 5.0), "Hand.")


def record(folder: Path, name: str, line: int = 1, *regions: Region, wh: tuple[int, int] = (12, 8)) -> Annotation:
    label = "fake" if regions else "real"
    return Annotation(name, name, *wh, label, regions, path=folder / name, file="gold.jsonl", line=line)


# Tables --------------------------------------------------------------------------------------------------------------


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "npr.csv"
    path.write_bytes(text.encode(encoding))
    return path


def said(path: Path, *args: Any, **named: Any) -> list[tuple[str | None, float | None]]:
    return [(each.verdict, each.score) for each in read_label_csv(path, path.parent, *args, **named)]


@pytest.mark.parametrize(
    ("text", "convention", "expected"),
    [
        ("image,label\na.png,fake\nb.png,Real\nc.png,AI-generated\nd.png,\n", {}, ["fake", "real", "fake", None]),
        ("image,verdict\na.png,<verdict>fake</verdict>\nb.png,The image is real.\n", {}, ["fake", "real"]),
        ("label,image\n1,a.png\n0,b.png\n1.0,c.png\n", {"one_is": "fake"}, ["fake", "real", "fake"]),
        ("label,image\n1,a.png\n0,b.png\nfake,c.png\n", {"one_is": "real"}, ["real", "fake", "fake"]),
        ("image,prob\na.png,0.5\nb.png,0.51\nc.png,\n", {}, [("real", 0.5), ("fake", 0.51), None]),
        ("image,prob\na.png,0.5\nb.png,0.51\n", {"higher_is": "real"}, [("fake", -0.5), ("real", -0.51)]),
        ("image,score\na.png,-3.5\nb.png,-2e0\n", {"threshold": -3}, [("real", -3.5), ("fake", -2.0)]),
        ("image,score\na.png,-3.5\nb.png,-2\n", {"threshold": -3, "higher_is": "real"}, [("fake", 3.5), ("real", 2.0)]),
        # a column of verdicts stands above the scores, whatever their scale
        ("image,pred,score\na.png,fake,-7\nb.png,,0.9\n", {}, [("fake", -7.0), (None, 0.9)]),
    ],
)
def test_labels_and_scores(tmp_path: Path, text: str, convention: dict[str, Any], expected: list):
    path = table(tmp_path, text)
    pairs = [each if isinstance(each, tuple) else (each, None) for each in expected]
    assert said(path, Convention(**convention)) == pairs


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_dialects_and_names_of_columns(tmp_path: Path, delimiter: str, end: str, encoding: str):
    rows = [["Filename", "epoch", "P Fake"], ['"湖, naïve.png"', "3", "0.25"], [], ["b.png", "3", "1"], ["", "", ""]]
    path = table(tmp_path, "".join(delimiter.join(row) + end for row in rows), encoding)
    assert list(read_label_csv(path, tmp_path / "images")) == [
        BaselinePrediction(str(tmp_path / "images" / "湖, naïve.png"), "real", 0.25, file=str(path), line=2),
        BaselinePrediction(str(tmp_path / "images" / "b.png"), "fake", 1.0, file=str(path), line=4),
    ]


def test_images_are_known_by_the_file_on_disk(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").touch()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "b.png").symlink_to("real/a.png")
    path = table(tmp_path, f"image,label\nlink/a.png,fake\nreal/../b.png,fake\n{tmp_path}/real/a.png,fake\n")
    assert {each.image for each in read_label_csv(path, tmp_path)} == {str((tmp_path / "real" / "a.png").resolve())}


def test_label_may_be_the_truth(tmp_path: Path):
    """A file of scores beside the truth must not be taken for a perfect method."""
    path = table(tmp_path, "image,label,prob\na.png,fake,0.1\n")
    with pytest.raises(AnnotationError, match=r"npr.csv:1: verdict: expected a verdict \(--column verdict=label .*"):
        said(path)
    assert said(path, columns={"verdict": ""}) == [("real", 0.1)]
    assert said(path, columns={"verdict": "label"}) == [("fake", 0.1)]
    assert said(path, columns={"score": ""}) == [("fake", None)]


def test_columns_chosen_by_name(tmp_path: Path):
    path = table(tmp_path, "id,image,path,out,prob,p_fake\n1,a.png,b.png,real,0.1,0.9\n")
    with pytest.raises(
        AnnotationError, match=r"npr.csv:1: image: expected one of image, .* found id, image, path, out"
    ):
        said(path)
    (found,) = read_label_csv(path, tmp_path, columns={"image": "path", "verdict": "out", "score": "p_fake"})
    assert (Path(found.image).name, found.verdict, found.score) == ("b.png", "real", 0.9)
    with pytest.raises(AnnotationError, match="npr.csv:1: score: expected one of p_real .*, found id, image"):
        said(path, columns={"image": "path", "score": "p_real"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " expected columns for the image and for a verdict or a score .* found nothing"),
        ("image\na.png\n", "1: expected columns for the image and for a verdict or a score .* found image"),
        ("name,label\na.png,fake\n", "1: expected columns for the image .* found name, label"),
        ("image,label\n", "1: expected at least one prediction, found none"),
        (
            "image,label,pred\na.png,real,fake\n",
            "1: verdict: expected one of verdict, prediction, .* found image, label, pred",
        ),
        (
            "image,label\na.png,fake\nb.png,1\n",
            "3: column 'label': expected fake or real in words .*--one-is.* found '1'",
        ),
        ("image,label\na.png,2\n", "2: column 'label': expected a word for fake or real, or nothing, found '2'"),
        (
            "image,label\na.png,nature\n",
            "2: column 'label': expected a word for fake or real, or nothing, found 'nature'",
        ),
        ("image,Prob\na.png,high\n", "2: column 'Prob': expected a finite number, or nothing, found 'high'"),
        ("image,prob\na.png,nan\n", "2: column 'prob': expected a finite number, or nothing, found 'nan'"),
        ("image,prob\na.png,1e999\n", "2: column 'prob': expected a finite number, or nothing, found '1e999'"),
        (
            "image,prob\na.png,0.2\nb.png,1.5\n",
            r"3: column 'prob': expected a number in \[0, 1\] .*--threshold.* found 1.5",
        ),
        ("image,label\n ,fake\n", "2: column 'image': expected the path of an image, found ' '"),
        ("image,label\na.png,fake,0.5\n", "2: expected 2 cells, as the first row has, found 3"),
        ("image,label\na.png\n", "2: expected 2 cells, as the first row has, found 1"),
        ('image,label\n"a.png,fake\nb.png,real\n', "3: expected CSV, found unexpected end of data"),
        ('image,label\n"a"b.png,fake\n', "2: expected CSV, found "),
    ],
)
def test_bad_table_says_what_and_where(tmp_path: Path, text: str, message: str):
    with pytest.raises(AnnotationError, match=rf"npr\.csv:{message}"):
        said(table(tmp_path, text))


def test_names_that_are_not_utf_8(tmp_path: Path):
    path = table(tmp_path, "image,label,note\na.png,real,é\né.png,fake,\n", "latin-1")
    with pytest.raises(
        AnnotationError, match="npr.csv:3: column 'image': expected the path of an image, in UTF-8, found"
    ):
        said(path)


def test_nul_in_a_name(tmp_path: Path):
    with pytest.raises(AnnotationError, match=r"npr.csv:2: "):
        said(table(tmp_path, "image,label\na\0.png,real\n"))


def test_no_file(tmp_path: Path):
    for read in (read_label_csv, read_boxes_json):
        with pytest.raises(FileNotFoundError, match="none: expected a .* file of .*, found no such file"):
            list(read(tmp_path / "none", tmp_path))
        with pytest.raises(FileNotFoundError, match="found a folder"):
            list(read(tmp_path, tmp_path))


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"one_is": "ai"}, "one_is: expected fake or real, found 'ai'"),
        ({"higher_is": "yes"}, "higher_is: expected fake or real, found 'yes'"),
        ({"threshold": float("nan")}, "threshold: expected a finite number, found nan"),
    ],
)
def test_a_convention_that_makes_no_sense(named: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        Convention(**named)


def test_tables_are_read_as_a_stream(tmp_path: Path):
    path = table(tmp_path, "image,label\na.png,fake\nb.png,perhaps\n")
    predictions = read_label_csv(path, tmp_path)
    assert next(predictions).verdict == "fake"
    with pytest.raises(AnnotationError, match="npr.csv:3"):
        next(predictions)


# Masks ---------------------------------------------------------------------------------------------------------------


def draw(path: Path, pixels: Any, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels, np.uint8))
    (image if mode is None else image.convert(mode)).save(path)
    return path


def half(height: int = 8, width: int = 12, value: int = 255) -> np.ndarray:
    """The left half in the mask."""
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = value
    return mask


@pytest.mark.parametrize("labels_csv", [True, False])
def test_masks_as_they_are_exported(tmp_path: Path, labels_csv: bool):
    """The gold's own masks have an IoU of 1, with their table or without; the table is the truth and not read."""
    names = ["trip/湖 naïve.jpg", "trip/b.c.png", "real.png"]
    records = [record(tmp_path, names[0], 1, HAND), record(tmp_path, names[1], 2, HAND), record(tmp_path, names[2], 3)]
    (tmp_path / "masks").mkdir()
    assert save_masks(records, tmp_path / "masks", images=tmp_path) == 3
    if not labels_csv:
        (tmp_path / "masks" / "labels.csv").unlink()
    found = list(read_masks(tmp_path / "masks", tmp_path, records))
    assert [each.image for each in found] == [str(tmp_path / name) for name in names]
    for each, annotation in zip(found, records, strict=True):
        assert each.mask is not None and (each.verdict, each.score, each.boxes) == (None, None, None)
        assert mask_iou(load_mask(each.mask, annotation.image_wh), annotation) == 1


def test_verdict_by_area(tmp_path: Path):
    records = [record(tmp_path, f"{name}.png", line) for line, name in enumerate("abc", 1)]
    draw(tmp_path / "masks" / "a.png", half())
    draw(tmp_path / "masks" / "b.png", np.eye(8, 12, dtype=np.uint8) * 255)  # 8 of 96 pixels
    found = list(read_masks(tmp_path / "masks", tmp_path, records, min_area_share=0.5))
    assert [(Path(each.image).name, each.verdict, each.score) for each in found] == [
        ("a.png", "fake", 0.5),
        ("b.png", "real", 8 / 96),
    ]  # c has no mask and so no prediction: it is missing
    for share in (0, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"min_area_share: expected a number in \(0, 1\]"):
            list(read_masks(tmp_path / "masks", tmp_path, records, min_area_share=share))
    with pytest.raises(ValueError, match="min_area_share: expected no labels beside it"):
        list(read_masks(tmp_path / "masks", tmp_path, records, [BaselinePrediction("a")], min_area_share=0.5))


def test_verdicts_of_a_table_of_its_own(tmp_path: Path):
    """A method that calls an image real need not draw a mask."""
    records = [record(tmp_path, f"{name}.png", line) for line, name in enumerate("abc", 1)]
    mask = draw(tmp_path / "masks" / "a.png", half())
    path = table(tmp_path, "image,label\na.png,fake\nb.png,real\n")
    found = list(read_masks(tmp_path / "masks", tmp_path, records, read_label_csv(path, tmp_path)))
    assert [(each.verdict, each.mask, each.line) for each in found] == [("fake", str(mask), 2), ("real", None, 3)]
    path = table(tmp_path, "image,label\nz.png,fake\n")
    found = list(read_masks(tmp_path / "masks", tmp_path, records, read_label_csv(path, tmp_path)))
    assert [Path(each.image).name for each in found] == ["a.png", "z.png"]  # which `join` tells as unknown


def test_masks_that_do_not_fit_the_records(tmp_path: Path):
    masks = tmp_path / "masks"
    with pytest.raises(FileNotFoundError, match="masks: expected a folder of masks, found none"):
        list(read_masks(masks, tmp_path, []))
    draw(tmp_path / "file.png", half())
    with pytest.raises(FileNotFoundError, match="found a file"):
        list(read_masks(tmp_path / "file.png", tmp_path, []))
    masks.mkdir()
    with pytest.raises(AnnotationError, match=r"masks: expected at least one mask \(.png\), found none"):
        list(read_masks(masks, tmp_path, []))
    draw(masks / "a.png", half())
    with pytest.raises(AnnotationError, match=r"a.png: expected an image in .* of a record, found none for it$"):
        list(read_masks(masks, tmp_path, []))
    draw(masks / "x" / "a.png", half())
    with pytest.raises(AnnotationError, match="found none for it nor for 1 others"):
        list(read_masks(masks, tmp_path, [record(tmp_path, "b.jpg")]))
    twins = [record(tmp_path, "a.jpg", 4), record(tmp_path, "a.webp", 9)]
    with pytest.raises(
        AnnotationError, match="a.png: expected a mask of one image, found the records gold.jsonl:4 and"
    ):
        list(read_masks(masks, tmp_path, twins))
    with pytest.raises(AnnotationError, match="gold.jsonl:1: image: expected an image in .*--images"):
        list(read_masks(masks, tmp_path / "elsewhere", [record(tmp_path, "a.jpg")]))


@pytest.mark.parametrize("mode", [None, "1", "RGB", "RGBA", "LA", "P"])
def test_masks_of_any_mode(tmp_path: Path, mode: str | None):
    path = draw(tmp_path / "a.png", half(), mode)
    assert load_mask(path, (12, 8)).tolist() == half().astype(bool).tolist()


@pytest.mark.parametrize(
    ("value", "threshold", "share"), [(127, None, 0), (128, None, 0.5), (1, 1, 0.5), (200, 201, 0), (0, None, 0)]
)
def test_grey_values(tmp_path: Path, value: int, threshold: int | None, share: float):
    assert load_mask(draw(tmp_path / "a.png", half(value=value)), (12, 8), threshold).mean() == share


@pytest.mark.parametrize(
    ("mask_wh", "image_wh", "fits"),
    [
        ((6, 4), (12, 8), True),
        ((24, 16), (12, 8), True),
        ((256, 192), (1024, 768), True),
        ((512, 287), (1456, 816), True),  # 286.9
        ((512, 288), (1456, 816), False),
        ((64, 64), (12, 8), False),  # squeezed into a square
        ((8, 12), (12, 8), False),
    ],
)
def test_masks_of_another_size(tmp_path: Path, mask_wh: tuple[int, int], image_wh: tuple[int, int], fits: bool):
    path = draw(tmp_path / "a.png", half(mask_wh[1], mask_wh[0]))
    if fits:
        expected = half(image_wh[1], image_wh[0]).astype(bool)
        assert np.array_equal(load_mask(path, image_wh), expected)
    else:
        found = (
            f"a.png: mask: expected the shape of its {image_wh[0]}x{image_wh[1]} image, found {mask_wh[0]}x{mask_wh[1]}"
        )
        with pytest.raises(AnnotationError, match=found):
            load_mask(path, image_wh)


def test_masks_that_cannot_be_read(tmp_path: Path):
    """What would silently read as empty, or as full, is refused."""
    path = tmp_path / "a.png"
    with pytest.raises(AnnotationError, match="a.png: mask: expected an image file, found no file a.png"):
        load_mask(path, (12, 8))
    path.write_bytes(b"no image")
    with pytest.raises(AnnotationError, match="a.png: mask: expected a readable image, found a.png: cannot identify"):
        load_mask(path, (12, 8))
    draw(path, half(value=1))
    with pytest.raises(
        AnnotationError, match="mask: expected values up to 255 .*--mask-threshold 1.*, found 0 and 1 alone"
    ):
        load_mask(path, (12, 8))
    draw(path, np.stack([half(), half() * 0, half() * 0], axis=-1))  # red: as grey it would fall below the threshold
    with pytest.raises(AnnotationError, match="mask: expected black, white and grey, found colours"):
        load_mask(path, (12, 8))
    draw(path, np.stack([half()] * 3 + [half()], axis=-1))
    with pytest.raises(AnnotationError, match="mask: expected no transparent pixel, found some"):
        load_mask(path, (12, 8))
    Image.fromarray(half().astype(np.uint16)).save(path)
    with pytest.raises(AnnotationError, match="mask: expected 8 bits of grey a pixel, found mode I;16"):
        load_mask(path, (12, 8))
    for threshold in (0, 256):
        with pytest.raises(ValueError, match=f"threshold: expected 1 to 255, found {threshold}"):
            load_mask(path, (12, 8), threshold)


def test_mask_iou_of_empty_ones_and_of_another_size(tmp_path: Path):
    fake, real = record(tmp_path, "a.png", 1, HAND), record(tmp_path, "b.png")
    empty, full = np.zeros((8, 12), bool), np.ones((8, 12), bool)
    assert mask_iou(empty, real) == 1
    assert mask_iou(empty, fake) == mask_iou(full, real) == 0
    assert mask_iou(full, fake) == 16 / 96
    with pytest.raises(ValueError, match=r"mask: expected 8 rows of 12 pixels, found \(12, 8\)"):
        mask_iou(full.T, fake)


@st.composite
def whole_boxes(draw: st.DrawFn) -> list[tuple[float, float, float, float]]:
    side = st.integers(0, 11)
    boxes = draw(st.lists(st.tuples(side, side, st.integers(1, 12), st.integers(1, 12)), max_size=4))
    return [(float(x), float(y), min(12.0, x + w), min(12.0, y + h)) for x, y, w, h in boxes]


@given(whole_boxes(), whole_boxes())
def test_mask_iou_is_union_iou_of_boxes_of_whole_pixels(pred, gold):
    pred_record, gold_record = (
        record(Path(), "a.png", 1, *(Region(box, "x") for box in boxes), wh=(12, 12)) for boxes in (pred, gold)
    )
    assert mask_iou(to_mask(pred_record) > 0, gold_record) == pytest.approx(union_iou(pred, gold), abs=1e-12)


# Boxes ---------------------------------------------------------------------------------------------------------------


def boxes_file(folder: Path, value: Any, name: str = "boxes.json") -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def test_boxes_by_image(tmp_path: Path):
    path = boxes_file(tmp_path, {"湖/naïve.png": [[1, 2.5, 30, 40]], "b.png": [], "c.png": None})
    found = list(read_boxes_json(path, tmp_path))
    assert found == [
        BaselinePrediction(str(tmp_path / "湖/naïve.png"), boxes=((1, 2.5, 30, 40),), file=str(path)),
        BaselinePrediction(str(tmp_path / "b.png"), boxes=(), file=str(path)),
        BaselinePrediction(str(tmp_path / "c.png"), file=str(path)),
    ]
    assert [each.verdict for each in read_boxes_json(path, tmp_path, fake_if_boxes=True)] == ["fake", "real", None]


@pytest.mark.parametrize(
    ("item", "named", "expected"),
    [
        ({"boxes": [[1, 2, 3, 4], [-5, 0, 900, 1]]}, {}, (None, None, ((1, 2, 3, 4), (-5, 0, 900, 1)))),
        ({"bboxes": [], "label": "real"}, {}, ("real", None, ())),
        ({"bboxes": [], "label": 0}, {"one_is": "real"}, ("fake", None, ())),
        ({"label": None, "boxes": None}, {}, (None, None, None)),
        ({"boxes": [[1, 2, 3, 4]], "score": 0.75}, {}, ("fake", 0.75, ((1, 2, 3, 4),))),
        ({"score": 3}, {"higher_is": "real", "threshold": 2}, ("real", -3.0, None)),
        ({"prediction": "fake", "score": -1}, {}, ("fake", -1.0, None)),
        ({"boxes": [[3, 3, 3, 5]]}, {}, (None, None, ((3, 3, 3, 5),))),  # no area: it counts as no box
    ],
)
def test_boxes_in_a_list(tmp_path: Path, item: dict, named: dict, expected: tuple):
    path = boxes_file(tmp_path, [{"image": "a.png"} | item])
    (found,) = read_boxes_json(path, tmp_path, Convention(**named))
    assert (found.verdict, found.score, found.boxes) == expected
    assert found.image == str(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[", "expected JSON, found "),
        ("{}", "expected at least one prediction, found none"),
        ("[]", "expected at least one prediction, found none"),
        ("3", "expected at least one prediction, found none"),
        ({"a.png": [1, 2, 3, 4]}, "'a.png'[0]: expected four numbers x1, y1, x2, y2, found 1"),
        ({"a.png": {}}, "'a.png': expected a list of boxes [x1, y1, x2, y2], found {}"),
        ({"a.png": [[1, 2, 3, 4], [1, 2, 3]]}, "'a.png'[1]: expected four numbers x1, y1, x2, y2, found [1, 2, 3]"),
        ({"a.png": [[1, 2, 3, "4"]]}, "'a.png'[0]: expected four numbers x1, y1, x2, y2, found '4'"),
        ({"a.png": [[1, 2, 3, True]]}, "'a.png'[0]: expected four numbers x1, y1, x2, y2, found True"),
        ({"a.png": [[1, 2, 3, 1e300]]}, "'a.png'[0]: expected finite numbers of a sane size, found 1e+300"),
        ({"a.png": [[90, 90, 20, 20]]}, "'a.png'[0]: expected x1 <= x2 and y1 <= y2 (not x, y, width, height), found"),
        ({"a.png": [[0.1, 0.2, 0.5, 1]]}, "'a.png'[0]: expected pixels of the original image, not shares of it, found"),
        ({"": []}, "image: expected the path of an image, found ''"),
        ({"a\0.png": []}, "image: expected the path of an image, found 'a\\x00.png'"),
        (["a.png"], "[0]: expected an object with image and boxes, found 'a.png'"),
        ([{"image": "a.png"}], "[0]: expected an image, and boxes, a verdict or a score, found {'image': 'a.png'}"),
        ([{"boxes": []}], "[0]: expected an image, and boxes, a verdict or a score, found {'boxes': []}"),
        ([{"image": 7, "boxes": []}], "[0].image: expected the path of an image, found 7"),
        ([{"image": "a", "path": "b", "boxes": []}], "[0].image: expected one of image, image_path"),
        ([{"image": "a", "bboxes": 5}], "[0].bboxes: expected a list of boxes [x1, y1, x2, y2], found 5"),
        ([{"image": "a", "label": 1}], "[0].label: expected fake or real in words (or --one-is, which says what 1"),
        ([{"image": "a", "label": True}], "[0].label: expected a word for fake or real, or nothing, found True"),
        ([{"image": "a", "label": "fake", "score": 0.2}], "[0].verdict: expected a verdict (--column verdict=label"),
        ([{"image": "a", "score": "high"}], "[0].score: expected a finite number, or nothing, found 'high'"),
        ([{"image": "a", "score": [1]}], "[0].score: expected a finite number, or nothing, found [1]"),
        ([{"image": "a", "score": 7}], "[0].score: expected a number in [0, 1] (or --threshold"),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 1}], "[0]: expected image and boxes (--coco FILE"),
    ],
)
def test_bad_boxes_say_what_and_where(tmp_path: Path, value: Any, message: str):
    path = boxes_file(tmp_path, value)
    with pytest.raises(AnnotationError) as error:
        list(read_boxes_json(path, tmp_path))
    assert str(error.value).startswith(f"{path}: {message}")


IMAGES = [{"id": 7, "file_name": "湖/a.png"}, {"id": "8", "file_name": "b.png"}]


def coco(folder: Path, results: Any, images: Any = IMAGES) -> dict[str, Path]:
    return {
        "path": boxes_file(folder, results),
        "images": folder,
        "coco": boxes_file(folder, {"annotations": [], "images": images}, "coco.json"),
    }


def test_coco_results(tmp_path: Path):
    """An image that no result names has no boxes, which is something said."""
    results = [
        {"image_id": 7, "category_id": 1, "bbox": [10, 20, 5.5, 6], "score": 0.9},
        {"image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 0.1},
    ]
    files = coco(tmp_path, results)
    found = list(read_coco_results(**files))
    assert [(each.image, each.boxes, each.verdict) for each in found] == [
        (str(tmp_path / "湖/a.png"), ((10, 20, 15.5, 26), (0, 0, 1, 1)), None),
        (str(tmp_path / "b.png"), (), None),
    ]
    found = list(read_coco_results(**files, min_score=0.5, fake_if_boxes=True))
    assert [(each.boxes, each.verdict) for each in found] == [(((10, 20, 15.5, 26),), "fake"), ((), "real")]


@pytest.mark.parametrize(
    ("results", "images", "message"),
    [
        ({"a": 1}, IMAGES, "boxes.json: expected a JSON list, found none"),
        ([5], IMAGES, "boxes.json: [0]: expected a JSON object, found 5"),
        ([{"bbox": [1, 2, 3, 4]}], IMAGES, "boxes.json: [0].image_id: expected the id of an image of "),
        (
            [{"image_id": 8, "bbox": [1, 2, 3, 4], "score": 1}],
            IMAGES,
            "boxes.json: [0].image_id: expected the id of an",
        ),
        (
            [{"image_id": 7, "score": 1}],
            IMAGES,
            "boxes.json: [0].bbox: expected four numbers x, y, width, height, found",
        ),
        (
            [{"image_id": 7, "bbox": [1, 2, 3], "score": 1}],
            IMAGES,
            "boxes.json: [0].bbox: expected four numbers x, y, w",
        ),
        ([{"image_id": 7, "bbox": [1, 2, -3, 4], "score": 1}], IMAGES, "boxes.json: [0].bbox: expected a width and a"),
        ([{"image_id": 7, "bbox": [1, 2, 3, 4]}], IMAGES, "boxes.json: [0].score: expected a number, found nothing"),
        ([], [], "coco.json: images: expected at least one image, found nothing"),
        ([], [{"id": 1}], "coco.json: images[0].file_name: expected the path of the image, found nothing"),
        ([], [{"id": 1.5, "file_name": "a"}], "coco.json: images[0].id: expected the image's id, found 1.5"),
        ([], [IMAGES[0], IMAGES[0]], "coco.json: images[1].id: expected an id of its own, found 7"),
    ],
)
def test_bad_coco_results_say_what_and_where(tmp_path: Path, results: Any, images: Any, message: str):
    with pytest.raises(AnnotationError) as error:
        list(read_coco_results(**coco(tmp_path, results, images)))
    assert str(error.value).startswith(f"{tmp_path}/{message}")
