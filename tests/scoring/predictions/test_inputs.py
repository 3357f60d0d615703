"""Inputs of a system: every kind of path, several of one kind, and kinds that cannot be combined."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.predictions.answers import AnswerPrediction
from swift_plugins.fakexplain.scoring.predictions.inputs import ACCEPTED, BaselineOptions, read_system
from swift_plugins.fakexplain.scoring.predictions.join import index_by_image
from swift_plugins.fakexplain.scoring.predictions.labels import BaselinePrediction, Convention

NAMES = ("a.png", "b.png", "c.png", "d.png")


def read(folder: Path, *names: str, records: Iterable[str] = NAMES, **options: Any) -> list[Any]:
    """Predictions of a system with these paths."""

    def annotations() -> Iterable[Annotation]:
        for line, name in enumerate(records, 1):
            yield Annotation(name, name, 12, 8, "real", path=folder / name, file="gold.jsonl", line=line)

    paths = [folder / name for name in names]
    return list(read_system(paths, images=folder, annotations=annotations, options=BaselineOptions(**options)))


def write(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")


def mask(folder: Path, name: str, white: int = 6) -> Path:
    """A mask whose left columns are white."""
    image = Image.new("L", (12, 8))
    image.paste(255, (0, 0, white, 8))
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(folder / name)
    return folder / name


def short(predictions: list[BaselinePrediction]) -> list[tuple[Any, ...]]:
    """Name of the image, verdict, score, boxes, name of the mask."""
    return [
        (Path(each.image).name, each.verdict, each.score, each.boxes, each.mask and Path(each.mask).name)
        for each in predictions
    ]


def test_answers_of_folds(tmp_path: Path):
    for fold, name in enumerate(NAMES):
        write(tmp_path, f"fold{fold}.jsonl", json.dumps({"response": f"<{fold}>", "images": [str(tmp_path / name)]}))
    found = read(tmp_path, *(f"fold{fold}.jsonl" for fold in range(4)))
    assert [type(each) for each in found] == [AnswerPrediction] * 4
    assert [(Path(each.image).name, each.text, Path(each.file).name, each.line) for each in found] == [
        (name, f"<{fold}>", f"fold{fold}.jsonl", 1) for fold, name in enumerate(NAMES)
    ]


def test_tables(tmp_path: Path):
    write(tmp_path, "one.csv", "image,label\na.png,1\n")
    write(tmp_path, "TWO.TSV", "image\tlabel\nb.png\t0\n")
    assert short(read(tmp_path, "one.csv", "TWO.TSV", convention=Convention(one_is="real"))) == [
        ("a.png", "real", None, None, None),
        ("b.png", "fake", None, None, None),
    ]
    write(tmp_path, "three.csv", "path,out\nc.png,fake\n")
    assert short(read(tmp_path, "three.csv", columns={"verdict": "out"})) == [("c.png", "fake", None, None, None)]


def test_boxes(tmp_path: Path):
    write(tmp_path, "one.json", '{"a.png": [[1, 2, 3, 4]], "b.png": []}')
    write(tmp_path, "two.json", '[{"image": "c.png", "dots": [], "p": 0.4}]')
    assert short(read(tmp_path, "one.json", "two.json", fake_if_boxes=True, columns={"score": "p"})) == [
        ("a.png", "fake", None, ((1, 2, 3, 4),), None),
        ("b.png", "real", None, (), None),
        ("c.png", "real", 0.4, None, None),
    ]


def test_coco_results(tmp_path: Path):
    """Folds share one annotations file, and every image gets one prediction."""
    write(tmp_path, "coco.json", json.dumps({"images": [{"id": i, "file_name": name} for i, name in enumerate("ab")]}))
    for id, score in enumerate((0.9, 0.4)):
        write(tmp_path, f"{id}.json", json.dumps([{"image_id": id, "bbox": [1, 2, 3, 4], "score": score}]))
    options = {"coco": tmp_path / "coco.json", "fake_if_boxes": True}
    both = short(read(tmp_path, "0.json", "1.json", **options))
    assert both == [("a", "fake", None, ((1, 2, 4, 6),), None), ("b", "fake", None, ((1, 2, 4, 6),), None)]
    assert short(read(tmp_path, "0.json", "1.json", min_score=0.5, **options)) == [
        both[0],
        ("b", "real", None, (), None),
    ]


def test_masks(tmp_path: Path):
    mask(tmp_path, "fold0/a.png")
    mask(tmp_path, "fold1/b.png", white=1)
    assert short(read(tmp_path, "fold0", "fold1")) == [
        ("a.png", None, None, None, "a.png"),
        ("b.png", None, None, None, "b.png"),
    ]
    assert short(read(tmp_path, "fold0", "fold1", min_area_share=0.5)) == [
        ("a.png", "fake", 0.5, None, "a.png"),
        ("b.png", "real", 1 / 12, None, "b.png"),
    ]


def test_a_threshold_of_masks(tmp_path: Path):
    Image.new("L", (12, 8), 1).save(mask(tmp_path, "masks/a.png"))
    with pytest.raises(DataError, match="--mask-threshold 1 counts 1 as masked"):
        read(tmp_path, "masks", min_area_share=0.5)
    assert short(read(tmp_path, "masks", min_area_share=0.5, mask_threshold=1))[0][1:3] == ("fake", 1.0)


def test_masks_and_labels(tmp_path: Path):
    """A method that calls an image real need not draw a mask. Each image gets one prediction, from whichever file."""
    first = mask(tmp_path, "fold0/a.png")
    mask(tmp_path, "fold0/c.png")
    mask(tmp_path, "fold1/b.png")
    write(tmp_path, "fold0.csv", "image,label\na.png,fake\n")
    write(tmp_path, "fold1.csv", "image,label\nb.png,real\nd.png,real\nz.png,fake\n")
    found = read(tmp_path, "fold0.csv", "fold0", "fold1.csv", "fold1")
    assert short(found) == [
        ("a.png", "fake", None, None, "a.png"),
        ("c.png", None, None, None, "c.png"),
        ("b.png", "real", None, None, "b.png"),
        ("d.png", "real", None, None, None),
        ("z.png", "fake", None, None, None),  # `join_all` reports it as unknown
    ]
    # an error names the table that contains the image, or the mask if no table does
    assert [(Path(each.file).name, each.line) for each in found[:2]] == [("fold0.csv", 2), ("c.png", 0)]
    assert found[0].mask == str(first)


def test_boxes_and_labels(tmp_path: Path):
    write(tmp_path, "a.json", '{"a.png": [[0, 0, 4, 4]], "b.png": []}')
    write(tmp_path, "a.csv", "image,label,prob\na.png,,0.75\nc.png,,0.25\n")
    found = read(tmp_path, "a.json", "a.csv", columns={"verdict": ""})
    assert short(found) == [
        ("a.png", "fake", 0.75, ((0, 0, 4, 4),), None),
        ("b.png", None, None, (), None),
        ("c.png", "real", 0.25, None, None),
    ]


def test_an_image_with_two_predictions(tmp_path: Path):
    """`index_by_image`, which takes all predictions, rejects it."""
    mask(tmp_path, "masks/a.png")
    mask(tmp_path, "more/a.png")
    write(tmp_path, "one.csv", "image,label\na.png,fake\n")
    write(tmp_path, "two.csv", "image,label\nb.png,real\n./a.png,fake\n")
    for names in (["masks", "more"], ["masks", "more", "one.csv"], ["masks", "one.csv", "two.csv"]):
        with pytest.raises(ValueError, match=r"expected one answer per image, found a second about .*a\.png"):
            index_by_image(read(tmp_path, *names))


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["none.jsonl"], {}, f"none.jsonl: expected {ACCEPTED}, found no such file"),
        (["none"], {}, f"none: expected {ACCEPTED}, found no such file"),
        (["answers.txt"], {}, f"answers.txt: expected {ACCEPTED}, found a file with .txt"),
        (["answers"], {}, f"answers: expected {ACCEPTED}, found a file with no suffix"),
        (["empty"], {}, "empty: expected at least one mask (.png), found none"),
        (
            ["a.jsonl", "a.csv"],
            {},
            "expected one kind of files per system, or masks or boxes with labels, found answers (a.jsonl) and "
            "labels (a.csv)",
        ),
        (["a.json", "a.csv"], {"fake_if_boxes": True}, "--fake-if-boxes: expected no labels beside it"),
        (["a.json", "masks"], {}, "found boxes (a.json) and masks (masks)"),
        (["masks", "a.csv", "a.jsonl"], {}, "found masks (masks) and labels (a.csv) and answers (a.jsonl)"),
        (["a.csv", "masks"], {"min_area_share": 0.5}, "--min-area-share: expected no labels beside it"),
    ],
)
def test_rejected_inputs(tmp_path: Path, names: list[str], options: dict[str, Any], message: str):
    mask(tmp_path, "masks/a.png")
    (tmp_path / "empty").mkdir()
    for name in ("a.jsonl", "a.json", "answers.txt", "answers"):
        write(tmp_path, name, "{}")
    write(tmp_path, "a.csv", "image,label\na.png,fake\n")
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        read(tmp_path, *names, **options)
    assert message in str(error.value).replace(f"{tmp_path}/", "")


def test_all_paths_are_checked_before_any_is_read(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_system([tmp_path / "none.csv"], images=tmp_path, annotations=lambda: [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_score": 0.5}, "--min-score: expected --coco too"),
        ({"min_score": float("nan"), "coco": Path("coco.json")}, "--min-score: expected a number, found nan"),
        ({"min_area_share": 0.0}, r"--min-area-share: expected a number in \(0, 1\], found 0.0"),
        ({"min_area_share": 1.5}, r"--min-area-share: expected a number in \(0, 1\], found 1.5"),
        ({"min_area_share": float("nan")}, "--min-area-share: expected a number"),
    ],
)
def test_invalid_options(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        BaselineOptions(**options)
