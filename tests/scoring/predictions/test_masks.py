"""Masks: the image of each, the meaning of pixels, and their IoU with boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from converters.formats.masks import save_masks
from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.boxes import union_iou
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.masks import to_mask
from swift_plugins.fakexplain.scoring.metrics.image import mask_iou
from swift_plugins.fakexplain.scoring.predictions.masks import load_mask, read_masks

HAND = Region((2.0, 1.0, 6.0, 5.0), "Hand.")


def record(folder: Path, name: str, line: int = 1, *regions: Region, wh: tuple[int, int] = (12, 8)) -> Annotation:
    label = "fake" if regions else "real"
    return Annotation(name, name, *wh, label, regions, path=folder / name, file="gold.jsonl", line=line)


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
def test_exported_masks(tmp_path: Path, labels_csv: bool):
    """Masks drawn from the annotation have IoU 1, with or without their table, which is the truth and is not read."""
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


def test_masks_that_do_not_fit_the_records(tmp_path: Path):
    masks = tmp_path / "masks"
    with pytest.raises(FileNotFoundError, match="masks: expected a folder of masks, found no such folder"):
        list(read_masks(masks, tmp_path, []))
    draw(tmp_path / "file.png", half())
    with pytest.raises(FileNotFoundError, match="found a file"):
        list(read_masks(tmp_path / "file.png", tmp_path, []))
    masks.mkdir()
    with pytest.raises(DataError, match=r"masks: expected at least one mask \(.png\), found none"):
        list(read_masks(masks, tmp_path, []))
    draw(masks / "a.png", half())
    with pytest.raises(DataError, match=r"a.png: expected an image in .* of a record, found none for it$"):
        list(read_masks(masks, tmp_path, []))
    draw(masks / "x" / "a.png", half())
    with pytest.raises(DataError, match="found none for it nor for 1 others"):
        list(read_masks(masks, tmp_path, [record(tmp_path, "b.jpg")]))
    twins = [record(tmp_path, "a.jpg", 4), record(tmp_path, "a.webp", 9)]
    with pytest.raises(DataError, match="a.png: expected a mask of one record, found the records gold.jsonl:4 and"):
        list(read_masks(masks, tmp_path, twins))
    with pytest.raises(DataError, match="gold.jsonl:1: image: expected an image in .*--images"):
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
        with pytest.raises(DataError, match=found):
            load_mask(path, image_wh)


def test_unreadable_masks(tmp_path: Path):
    """Masks that would silently read as empty or full are rejected."""
    path = tmp_path / "a.png"
    with pytest.raises(DataError, match="a.png: mask: expected an image file, found no file a.png"):
        load_mask(path, (12, 8))
    path.write_bytes(b"no image")
    with pytest.raises(DataError, match="a.png: mask: expected a readable image, found a.png: cannot identify"):
        load_mask(path, (12, 8))
    draw(path, half(value=1))
    with pytest.raises(DataError, match="mask: expected values up to 255 .*--mask-threshold 1.*, found only 0 and 1"):
        load_mask(path, (12, 8))
    draw(path, np.stack([half(), half() * 0, half() * 0], axis=-1))  # red: as grey it would fall below the threshold
    with pytest.raises(DataError, match="mask: expected black, white and grey, found colours"):
        load_mask(path, (12, 8))
    draw(path, np.stack([half()] * 3 + [half()], axis=-1))
    with pytest.raises(DataError, match="mask: expected no transparent pixel, found some"):
        load_mask(path, (12, 8))
    Image.fromarray(half().astype(np.uint16)).save(path)
    with pytest.raises(DataError, match="mask: expected 8 bits per channel, found mode I;16"):
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
