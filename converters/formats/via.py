"""VGG Image Annotator (VIA) 1 and 2: a project, or annotations exported as JSON.

A region's caption is the first of its attributes named in `statements.CAPTIONS`, else the only words among its other
attributes, also if several hold the same. The checked ones of check boxes are words too.
Tags among the values of its other attributes are tags of the image; `generator`, `family`, `class_name` and `annotator`
describe the image too. Attributes of a file that are named accordingly give the label (`real`, `fake`) and the tags, by
any of their names, as text, a choice or check boxes; all others are kept under their own names. A circle or ellipse,
also a rotated one, is read as its tight box; a point has none.

VIA shows images as browsers do, turned by their EXIF, and stores no sizes. Files are found by their names, relative to
the folder of the images, because the project's default path belongs to the annotator's machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.json_values import check_numbers, require
from swift_plugins.fakexplain.tags import canonical_tag

from ..drafts.attributes import by_name, chosen, switched, text_of
from ..drafts.draft import Draft, DraftRegion, Piece, Unusable, only_file
from ..drafts.fields import read_statement
from ..drafts.json_files import load_items
from ..drafts.shapes import ellipse_box, hull, xywh_box
from ..drafts.statements import ABOUT, CAPTIONS, TAGGED, Statement, add_field, add_region, caption_among, parts

_POINTS = {"polygon": 3, "polyline": 2}
"""Shape -> its minimum number of points."""

_NUMBERS = {"rect": ("x", "y", "width", "height"), "circle": ("cx", "cy", "r"), "ellipse": ("cx", "cy", "rx", "ry")}

_SHAPES = (*_NUMBERS, *_POINTS)

_PROJECT = "_via_img_metadata"


def load_via(src: Path) -> Iterator[Piece]:
    """The entries of a JSON file, one at a time: those of a project, or of exported annotations.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: the file is not JSON, or a project without an image.
    """
    path = only_file(src, "*.json")
    project = False
    for key, entry in load_items(path, f"{_PROJECT}."):
        project = True
        yield Piece(entry, str(path), at=f"{_PROJECT}.{key}")
    if project:
        return
    for key, entry in load_items(path, ""):
        if key == "project" and isinstance(entry, dict) and "pid" in entry:
            found = Unquoted("a project of VIA 3, which is not read")
            raise DataError("VIA 2; export as VIA 2 or COCO", found).at(str(path), 0)
        if key.startswith("_via_"):
            raise DataError(f"at least one image in {_PROJECT}", NOTHING).at(str(path), 0)
        yield Piece(entry, str(path), at=key)


def from_via(data: Any) -> list[Draft]:
    """The draft of one entry.

    Raises:
        DataError: a field is missing or wrong, or a region is a point.

    >>> shape = {"name": "rect", "x": 3, "y": 2, "width": 6, "height": 6}
    >>> region = {"shape_attributes": shape, "region_attributes": {"caption": "Six fingers."}}
    >>> file = {"tags": {"Wrong Texture": True}, "label": "fake"}
    >>> (draft,) = from_via({"filename": "a.png", "size": 9, "regions": [region], "file_attributes": file})
    >>> draft.image, [region[:3] for region in draft.regions], draft.tags
    ('a.png', [((3, 2, 9, 8), 'Six fingers.', 'regions[0]')], ['texture_error'])
    """
    name = require(data, "filename", str, "the name of the image's file")
    regions = require(data, "regions", (list, dict), "a list of regions")
    items = regions.items() if isinstance(regions, dict) else enumerate(regions)
    named: dict[str, Any] = {"tags": []}
    for key, value in require(data, "file_attributes", dict, "an object of attributes").items():
        at = f"file_attributes.{key}"
        add_field(named, key, _values(value, at), at)
    statement = read_statement(named)
    shapes = {f"regions[{key}]": each for key, each in items}
    found = [_region(each, at) for at, each in shapes.items()]
    for at, each in shapes.items():
        _add_region(statement, each["region_attributes"], f"{at}.region_attributes")
    return [Draft(name, regions=found, image_at="filename", **vars(statement))]


def _values(value: Any, at: str) -> list[Any]:
    """The values of an attribute: text or a number unchanged, check boxes as the names of the checked ones."""
    if isinstance(value, dict):
        for box, checked in value.items():
            if not isinstance(checked, bool):
                raise DataError("true or false", checked, field=f"{at}.{box}")
    if isinstance(value, list):
        raise DataError("text, a number or check boxes", value, field=at)
    return chosen(value)


def _region(region: Any, at: str) -> DraftRegion:
    shape = require(region, "shape_attributes", dict, "an object with the shape", at)
    attributes = require(region, "region_attributes", dict, "an object of attributes", at)
    try:
        box: Box | Unusable = _box(shape, f"{at}.shape_attributes")
    except Unusable as error:
        box = error
    rotated = shape.get("name") == "ellipse" and bool(shape.get("theta"))
    return DraftRegion(box, _caption(attributes, f"{at}.region_attributes"), at, attributes, rotated)


def _caption(attributes: dict[str, Any], at: str) -> str | DataError:
    if caption := caption_among(attributes):
        return caption
    texts = {name: text_of(value) for name, value in by_name(attributes).items() if name not in (*ABOUT, *TAGGED)}
    texts = {name: text for name, text in texts.items() if text}
    texts = {name: text for name, text in texts.items() if not canonical_tag(text)} or texts
    if len({*texts.values()}) != 1:
        found = Unquoted(", ".join(texts)) if texts else NOTHING
        return DataError("a `caption`, or one other attribute that is text", found, field=at)
    return next(iter(texts.values()))


def _add_region(statement: Statement, attributes: dict[str, Any], at: str) -> None:
    """Add what a region states about its whole image; VIA has no labels, so any attribute may be one."""
    labels: list[Any] = []
    about: dict[str, Any] = {}
    for name, value in by_name(attributes).items():
        if name in ABOUT:
            values = _values(value, f"{at}.{name}")
            about[name] = values[0] if len(values) == 1 else values or None
        elif name in TAGGED:
            labels += [part for each in _values(value, f"{at}.{name}") for part in parts(each)]
        elif name not in CAPTIONS:
            labels += [name] if switched(value) else chosen(value)
    add_region(statement, labels, about, at)


def _box(shape: dict[str, Any], at: str) -> Box:
    kind = require(shape, "name", str, f"one of {', '.join(_SHAPES)}", at)
    if kind in _POINTS:
        xs, ys = (require(shape, name, list, "a list of numbers", at) for name in ("all_points_x", "all_points_y"))
        if len(xs) != len(ys) or len(xs) < _POINTS[kind]:
            found = Unquoted(f"{len(xs)} x and {len(ys)} y")
            few = Unusable if len(xs) == len(ys) else DataError
            raise few(f"equal numbers of x and y, {_POINTS[kind]} or more", found, field=f"{at}.all_points_x")
        for name, values in (("all_points_x", xs), ("all_points_y", ys)):
            check_numbers(values, "numbers", f"{at}.{name}")
        return hull(list(zip(xs, ys, strict=True)), at)
    if kind not in _NUMBERS:
        raise Unusable(f"one of {', '.join(_SHAPES)}, which have an area", kind, field=f"{at}.name")
    numbers = [require(shape, name, float, "a number", at) for name in _NUMBERS[kind]]
    if kind == "rect":
        x, y, width, height = numbers
        return xywh_box(x, y, width, height, at)
    if kind == "circle":
        cx, cy, radius = numbers
        return ellipse_box(cx, cy, radius, radius, 0, at)
    theta = require({"theta": 0} | shape, "theta", float, "a number of radians", at)
    check_numbers([theta], "a number of radians", f"{at}.theta")
    cx, cy, rx, ry = numbers
    return ellipse_box(cx, cy, rx, ry, math.degrees(theta), at)
