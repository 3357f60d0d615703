"""Boxes of methods that detect: by image, or COCO results.

An empty list says that there is nothing to see in an image; null, or an image that is not named, says nothing. COCO's
results cannot tell the two apart, so there every image of the annotations file counts as looked at.

Boxes by image are x1 y1 x2 y2 in pixels of the original image, and nothing else is guessed at: an x2 left of x1, which
is a width, and numbers up to 1, which are shares of the image, are refused.
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
from .labels import AS_IT_IS, NAMES, BaselinePrediction, Convention, image_at, places_of, prediction_of


def read_boxes_json(
    path: str | Path,
    images: str | Path,
    convention: Convention = AS_IT_IS,
    columns: Mapping[str, str] = {},
    fake_if_boxes: bool = False,
) -> Iterator[BaselinePrediction]:
    """Boxes of a JSON file: {image: [[x1, y1, x2, y2] ...]}, or a list of {image, boxes, verdict, score}.

    Args:
        path: the file. In a list, `boxes`, verdict and score may be missing; fields are found by `NAMES`.
        images: folder that image paths are relative to.
        convention: what numbers mean. Without a verdict it follows from the score.
        columns: names to use in place of `NAMES`, as for `read_label_csv`.
        fake_if_boxes: without verdict and score, an image with a box is called fake and one with an empty list real.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): not JSON, a field that is missing, doubtful or cannot be read, or boxes that are
            no x1 y1 x2 y2 in pixels; no image.
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
            said = prediction_of(value, at, images, convention, str(path))
            if value.get("boxes") is not None:
                said = said._replace(boxes=_boxes(value["boxes"], at["boxes"]))
            if fake_if_boxes and said.verdict is None and said.score is None and said.boxes is not None:
                said = said._replace(verdict="fake" if said.boxes else "real")
            yield said
        if empty:
            raise DataError("at least one prediction", Unquoted("none"))
    except DataError as error:
        raise error.at(str(path), 0) from None


def _fields(at: str, item: Any, columns: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Role -> value, and role -> the way to it."""
    if not isinstance(item, dict):
        raise DataError("an object with image and boxes", item, field=at)
    if "image_id" in item and "bbox" in item:
        raise DataError("image and boxes (--coco FILE reads COCO results)", item, field=at)
    names = list(item)
    try:
        places = places_of(names, columns, tuple(NAMES))
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
    """Boxes of COCO's format of results: a list of {image_id, bbox: [x, y, width, height], score}.

    Args:
        paths: the results, in one file or in several; categories are not read. They are kept in memory.
        images: folder that image paths are relative to.
        coco: COCO annotations whose `images` have the ids and file names. Each of these has a prediction, for results
            say that nothing was found in an image by not naming it.
        min_score: boxes below it are left out.
        fake_if_boxes: an image with a box left is called fake, one without real. The highest score of an image's boxes
            is not its own: with no box there is none.

    Yields:
        In the order of `images`.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): not JSON, a field that is missing or wrong, an id that is no image's or two's.
    """
    images, coco = Path(images), Path(coco)
    check_is_file(coco, "a JSON file of COCO annotations")
    names: dict[int | str, str] = {}
    try:
        for at, image in load_json_items(coco, "images.item"):
            id = require(image, "id", (int, str), "the image's id", at)
            if id in names:
                raise DataError("an id of its own", id, field=f"{at}.id")
            name = require(image, "file_name", str, "the path of the image", at)
            names[id] = image_at(images, name, f"{at}.file_name")
        if not names:
            raise DataError("at least one image", NOTHING, field="images")
    except DataError as error:
        raise error.at(str(coco), 0) from None
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
