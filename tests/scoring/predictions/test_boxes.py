"""Boxes: by image, in lists, as COCO results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.predictions.boxes import read_boxes_json, read_coco_results
from swift_plugins.fakexplain.scoring.predictions.labels import BaselinePrediction, Convention


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
        ({"a.png": [[1, 2, 3, 1e300]]}, "'a.png'[0]: expected finite numbers between -1e9 and 1e9, found 1e+300"),
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
def test_bad_boxes_are_reported_with_their_place(tmp_path: Path, value: Any, message: str):
    path = boxes_file(tmp_path, value)
    with pytest.raises(DataError) as error:
        list(read_boxes_json(path, tmp_path))
    assert str(error.value).startswith(f"{path}: {message}")


IMAGES = [{"id": 7, "file_name": "湖/a.png"}, {"id": "8", "file_name": "b.png"}]


def coco(folder: Path, results: Any, images: Any = IMAGES) -> dict[str, Any]:
    return {
        "paths": [boxes_file(folder, results)],
        "images": folder,
        "coco": boxes_file(folder, {"annotations": [], "images": images}, "coco.json"),
    }


def test_coco_results(tmp_path: Path):
    """An image without results has an empty list of boxes, which is a prediction."""
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
        ([], [IMAGES[0], IMAGES[0]], "coco.json: images[1].id: expected a unique id, found 7"),
    ],
)
def test_bad_coco_results_are_reported_with_their_place(tmp_path: Path, results: Any, images: Any, message: str):
    with pytest.raises(DataError) as error:
        list(read_coco_results(**coco(tmp_path, results, images)))
    assert str(error.value).startswith(f"{tmp_path}/{message}")


def test_results_in_several_files(tmp_path: Path):
    """An image gets one prediction, whichever files hold its boxes."""
    files = coco(tmp_path, [{"image_id": 7, "bbox": [1, 2, 3, 4], "score": 1}])
    more = boxes_file(tmp_path, [{"image_id": "8", "bbox": [5, 6, 7, 8], "score": 1}], "more.json")
    files["paths"].append(more)
    assert [each.boxes for each in read_coco_results(**files)] == [((1, 2, 4, 6),), ((5, 6, 12, 14),)]
    more.write_text("[5]")
    with pytest.raises(DataError, match=r"more.json: \[0\]: expected a JSON object, found 5"):
        list(read_coco_results(**files))


def test_no_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="none: expected a JSON file of boxes, found no such file"):
        list(read_boxes_json(tmp_path / "none", tmp_path))
    with pytest.raises(FileNotFoundError, match="found a folder"):
        list(read_boxes_json(tmp_path, tmp_path))
    files = coco(tmp_path, [])
    for name, what in (("paths", "results"), ("coco", "annotations")):
        missing = tmp_path / "none"
        with pytest.raises(FileNotFoundError, match=f"none: expected a JSON file of COCO {what}, found no such file"):
            list(read_coco_results(**files | {name: [missing] if name == "paths" else missing}))
