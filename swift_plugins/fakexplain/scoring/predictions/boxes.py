"""Read boxes of detection methods: by image, or COCO results.

An empty list means that the method found nothing in the image. Null, or a missing image, means that it gave no output.
COCO results cannot distinguish the two, so every image of the COCO annotations counts as examined.

Boxes by image are x1 y1 x2 y2 in pixels of the original image. Other formats are rejected rather than guessed: an x2
left of x1 is a width, and numbers up to 1 are fractions of the image.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...boxes import Box
from ...errors import NOTHING, DataError, Unquoted
from ...json_items import is_json_list, load_json_items
from ...json_values import check_numbers, read_box, require
from ...paths import check_is_file
from .labels import (
    DEFAULT_CONVENTION,
    ROLE_NAMES,
    BaselinePrediction,
    Convention,
    build_prediction,
    find_columns,
    resolve_image,
)


def read_boxes_json(
    path: str | Path,
    images: str | Path,
    convention: Convention = DEFAULT_CONVENTION,
    columns: Mapping[str, str] = {},
    fake_if_boxes: bool = False,
) -> Iterator[BaselinePrediction]:
    """Read the boxes of a JSON file: {image: [[x1, y1, x2, y2] ...]}, or a list of {image, boxes, verdict, score}.

    Args:
        path: the file. In a list, `boxes`, verdict and score may be missing; fields are found by `ROLE_NAMES`.
        images: folder that image paths are relative to.
        convention: meaning of numbers. Without a verdict, the score decides it.
        columns: names to use in place of `ROLE_NAMES`, as for `read_label_csv`.
        fake_if_boxes: if verdict and score are missing, an image with boxes is fake, and an image with an empty list
            is real.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): not JSON; a missing, ambiguous or unreadable field; boxes other than x1 y1 x2 y2 in
            pixels; no image.
    """
    path, images = Path(path), Path(images)
    check_is_file(path, "a JSON file of boxes")
    is_list, empty = is_json_list(path), True
    try:
        for key, item in load_json_items(path, "item" if is_list else ""):
            empty = False
            if is_list:
                value, at = _fields(key, item, columns)
            else:
                value, at = {"image": key, "boxes": item}, {"image": "image", "boxes": repr(key)}
            prediction = build_prediction(value, at, images, convention, str(path))
            if value.get("boxes") is not None:
                prediction = prediction._replace(boxes=_boxes(value["boxes"], at["boxes"]))
            if fake_if_boxes and prediction.verdict is prediction.score is None and prediction.boxes is not None:
                prediction = prediction._replace(verdict="fake" if prediction.boxes else "real")
            yield prediction
        if empty:
            raise DataError("at least one prediction", Unquoted("none"))
    except DataError as error:
        raise error.at(str(path), 0) from None


def _fields(at: str, item: Any, columns: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Role -> value, and role -> path to it."""
    if not isinstance(item, dict):
        raise DataError("an object with image and boxes", item, field=at)
    if "image_id" in item and "bbox" in item:
        raise DataError("image and boxes (--coco FILE reads COCO results)", item, field=at)
    names = list(item)
    try:
        places = find_columns(names, columns, tuple(ROLE_NAMES))
    except DataError as error:
        error.field = f"{at}.{error.field}"
        raise
    if "image" not in places or len(places) < 2:
        raise DataError("an image, and boxes, a verdict or a score", item, field=at)
    value = {role: item[names[place]] for role, place in places.items()}
    return value, {role: f"{at}.{names[place]}" for role, place in places.items()}


def _boxes(boxes: Any, at: str) -> tuple[Box, ...]:
    if not isinstance(boxes, list):
        raise DataError("a list of boxes [x1, y1, x2, y2]", boxes, field=at)
    kept = []
    for index, box in enumerate(boxes):
        place = f"{at}[{index}]"
        x1, y1, x2, y2 = read_box(box, "four numbers x1, y1, x2, y2", place)
        if x1 > x2 or y1 > y2:
            raise DataError("x1 <= x2 and y1 <= y2 (not x, y, width, height)", box, field=place)
        if x1 < x2 <= 1 and y1 < y2 <= 1:
            raise DataError("pixels of the original image, not shares of it", box, field=place)
        kept.append((x1, y1, x2, y2))
    return tuple(kept)


def read_coco_results(
    paths: Sequence[str | Path],
    images: str | Path,
    coco: str | Path,
    min_score: float | None = None,
    fake_if_boxes: bool = False,
) -> Iterator[BaselinePrediction]:
    """Read boxes in COCO's results format: a list of {image_id, bbox: [x, y, width, height], score}.

    Args:
        paths: the results, in one or more files; categories are ignored. They are kept in memory.
        images: folder that image paths are relative to.
        coco: COCO annotations with the ids and file names in `images`. Each of these images gets a prediction,
            because results leave out images in which nothing was found.
        min_score: leave out boxes with a lower score.
        fake_if_boxes: an image with a remaining box is fake, an image without one is real. Images get no score: the
            highest score of their boxes would be undefined without boxes.

    Yields:
        In the order of `images`.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): not JSON, a missing or wrong field, an id of no image or of two images.
    """
    images, coco = Path(images), Path(coco)
    check_is_file(coco, "a JSON file of COCO annotations")
    names = _coco_images(coco, images)
    boxes: dict[int | str, list[Box]] = defaultdict(list)
    for path in map(Path, paths):
        check_is_file(path, "a JSON file of COCO results")
        try:
            for at, result in load_json_items(path):
                id = require(result, "image_id", (int, str), f"the id of an image of {coco}", at)
                if id not in names:
                    raise DataError(f"the id of an image of {coco}", id, field=f"{at}.image_id")
                expected = "four numbers x, y, width, height"
                box = require(result, "bbox", list, expected, at)
                x, y, width, height = read_box(box, expected, f"{at}.bbox")
                if width < 0 or height < 0:
                    raise DataError("a width and a height of at least 0", box, field=f"{at}.bbox")
                score = require(result, "score", float, "a number", at)
                check_numbers([score], "a number", f"{at}.score")
                if min_score is None or score >= min_score:
                    boxes[id].append((x, y, x + width, y + height))
        except DataError as error:
            raise error.at(str(path), 0) from None
    for id, image in names.items():
        kept = tuple(boxes.get(id, ()))
        verdict = ("fake" if kept else "real") if fake_if_boxes else None
        yield BaselinePrediction(image, verdict, None, kept, file=str(coco))


def _coco_images(coco: Path, images: Path) -> dict[int | str, str]:
    """Id -> real path of every image of COCO annotations."""
    names: dict[int | str, str] = {}
    try:
        for at, image in load_json_items(coco, "images.item"):
            id = require(image, "id", (int, str), "the image's id", at)
            if id in names:
                raise DataError("a unique id", id, field=f"{at}.id")
            name = require(image, "file_name", str, "the path of the image", at)
            names[id] = resolve_image(images, name, f"{at}.file_name")
        if not names:
            raise DataError("at least one image", NOTHING, field="images")
    except DataError as error:
        raise error.at(str(coco), 0) from None
    return names
