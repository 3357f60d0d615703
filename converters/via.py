"""VGG Image Annotator (VIA) 1 and 2: a project, or annotations exported as JSON.

A region's caption is its attribute `caption` or `description`, else its only attribute that is text. The attributes of
a file say the label (`real`, `fake`) and the tags, by any of their names, as text, a choice or check boxes; all else is
kept under its own name. An ellipse gives its tight box, also where it was turned; a point has none.

VIA shows images as browsers do, turned as their EXIF says, and notes no sizes. Files are taken by their names, relative
to the folder of the images: the project's default path leads to somewhere on the annotator's machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import NOTHING, AnnotationError, Words

from .fields import draft_fields
from .shapes import ellipse_box, turned_box
from .source import Box, Draft, Piece, check_numbers, hull, load_json_items, need, one_line, only_file
from .statements import say

_POINTS = {"polygon": 3, "polyline": 2}
"""Shape -> the fewest points it has."""

_NUMBERS = {"rect": ("x", "y", "width", "height"), "circle": ("cx", "cy", "r"), "ellipse": ("cx", "cy", "rx", "ry")}

SHAPES = (*_NUMBERS, *_POINTS)

_PROJECT = "_via_img_metadata"


def load_via(src: Path) -> Iterator[Piece]:
    """The entries of a JSON file, one at a time: those of a project, or of an export of annotations alone.

    Raises:
        FileNotFoundError: neither file nor folder.
        AnnotationError: the file is not JSON, or a project without an image.
    """
    path = only_file(src, "*.json")
    project = False
    for key, entry in load_json_items(path, f"{_PROJECT}."):
        project = True
        yield Piece(entry, str(path), at=f"{_PROJECT}.{key}")
    if project:
        return
    for key, entry in load_json_items(path, ""):
        if key.startswith("_via_"):
            raise AnnotationError(f"at least one image in {_PROJECT}", NOTHING).at(str(path), 0)
        yield Piece(entry, str(path), at=key)


def from_via(data: Any) -> list[Draft]:
    """The draft of one entry.

    Raises:
        AnnotationError: a field that is missing or wrong, or a point.

    >>> shape = {"name": "rect", "x": 3, "y": 2, "width": 6, "height": 6}
    >>> region = {"shape_attributes": shape, "region_attributes": {"caption": "Six fingers."}}
    >>> file = {"tags": {"Wrong Texture": True}, "label": "fake"}
    >>> (draft,) = from_via({"filename": "a.png", "size": 9, "regions": [region], "file_attributes": file})
    >>> draft.image, draft.regions, draft.tags
    ('a.png', [(3.0, 2.0, 9.0, 8.0, 'Six fingers.')], ['texture_error'])
    """
    name = need(data, "filename", str, "the name of the image's file")
    regions = need(data, "regions", (list, dict), "a list of regions")
    items = regions.items() if isinstance(regions, dict) else enumerate(regions)
    said: dict[str, Any] = {"tags": []}
    for key, value in need(data, "file_attributes", dict, "an object of attributes").items():
        at = f"file_attributes.{key}"
        say(said, key, _values(key, value, at), at)
    return [Draft(name, regions=[_region(each, f"regions[{key}]") for key, each in items], **draft_fields(said))]


def _values(name: str, value: Any, at: str) -> list[Any]:
    """What an attribute holds: text as it is (several tags by commas), check boxes as the names of those checked."""
    if isinstance(value, dict):
        for box, checked in value.items():
            if not isinstance(checked, bool):
                raise AnnotationError("true or false", checked, field=f"{at}.{box}")
        return [box for box, checked in value.items() if checked]
    if isinstance(value, str):
        parts = value.split(",") if name in ("tag", "tags") else [value]
        return [part.strip() for part in parts if part.strip()]
    if value is None:
        return []
    if isinstance(value, (list, bool)):
        raise AnnotationError("text, a number or check boxes", value, field=at)
    return [value]


def _region(region: Any, at: str) -> tuple[float, float, float, float, str]:
    shape = need(region, "shape_attributes", dict, "an object with the shape", at)
    attributes = need(region, "region_attributes", dict, "an object of attributes", at)
    return (*_box(shape, f"{at}.shape_attributes"), _caption(attributes, f"{at}.region_attributes"))


def _caption(attributes: dict[str, Any], at: str) -> str:
    texts = {name: one_line(value) for name, value in attributes.items() if isinstance(value, str) and value.strip()}
    for name in ("caption", "description"):
        if name in texts:
            return texts[name]
    if len(texts) != 1:
        found = Words(", ".join(texts)) if texts else NOTHING
        raise AnnotationError("a `caption`, or one other attribute that is text", found, field=at)
    return next(iter(texts.values()))


def _box(shape: dict[str, Any], at: str) -> Box:
    kind = need(shape, "name", str, f"one of {', '.join(SHAPES)}", at)
    if kind in _POINTS:
        xs, ys = (need(shape, name, list, "a list of numbers", at) for name in ("all_points_x", "all_points_y"))
        if len(xs) != len(ys) or len(xs) < _POINTS[kind]:
            found = Words(f"{len(xs)} x and {len(ys)} y")
            raise AnnotationError(f"as many x as y, {_POINTS[kind]} or more", found, field=f"{at}.all_points_x")
        for name, values in (("all_points_x", xs), ("all_points_y", ys)):
            check_numbers(values, "numbers", f"{at}.{name}")
        return hull(list(zip(xs, ys, strict=True)), at)
    if kind not in _NUMBERS:
        raise AnnotationError(f"one of {', '.join(SHAPES)}, which have an area", kind, field=f"{at}.name")
    numbers = [need(shape, name, float, "a number", at) for name in _NUMBERS[kind]]
    if kind == "rect":
        x, y, width, height = numbers
        return turned_box(x, y, width, height, 0, (x, y), at)
    if kind == "circle":
        cx, cy, radius = numbers
        return ellipse_box(cx, cy, radius, radius, 0, at)
    theta = need({"theta": 0} | shape, "theta", float, "a number of radians", at)
    cx, cy, rx, ry = numbers
    return ellipse_box(cx, cy, rx, ry, math.degrees(theta), at)
