"""Regions of Label Studio: from an annotation's or a prediction's results to boxes, captions and named fields."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.json_values import check_numbers, require

from ..drafts.attributes import is_empty
from ..drafts.draft import DraftRegion, Unusable, one_line
from ..drafts.fields import is_text_list, size
from ..drafts.shapes import ellipse_box, hull, rotated_box, xywh_box
from ..drafts.statements import add_field, add_tags
from .label_studio_results import CONTROLS, NUMBERS, SHAPES, ToolResult


def read_results(results: list[ToolResult]) -> tuple[list[DraftRegion], tuple[int, int] | None, dict[str, Any]]:
    """The regions, the image's size if a region gives it, and the fields of the whole image by name.

    Raises:
        DataError: a result is not as Label Studio writes it, or results give several sizes of the image.
    """
    shapes = [result for result in results if result.is_shape]
    ids = {result.data.get("id") for result in shapes} - {None}
    controls: dict[Any, list[ToolResult]] = defaultdict(list)  # id of a region -> the values of its own controls
    named: dict[str, Any] = {"tags": []}
    for result in results:
        if result.is_shape:
            continue
        if (id := result.data.get("id")) in ids:
            controls[id].append(result)
        else:
            add_field(named, _control(result), _words(result), f"{result.at}.value")
    sizes = {wh: shape.at for shape in shapes if (wh := _size(shape.data, shape.at))}
    regions = []
    for shape in shapes:
        region, labels = _read_region(shape, controls[shape.data.get("id")], next(iter(sizes), None))
        regions.append(region)
        add_tags(named["tags"], labels)
    if len(sizes) > 1:
        found = Unquoted(" and ".join(f"{w}x{h}" for w, h in sizes))
        raise DataError("the same image size in all results", found, field=f"{[*sizes.values()][-1]}.original_width")
    return regions, next(iter(sizes), None), named


def _read_region(
    shape: ToolResult, controls: list[ToolResult], wh: tuple[int, int] | None
) -> tuple[DraftRegion, list[Any]]:
    """The region of a shape and of the controls with its id, and its labels.

    Without the image's size, the region's box is a function of it.
    """
    value = require(shape.data, "value", dict, "a shape", shape.at)
    labels = _words(shape) if shape.kind != shape.shape and shape.kind in value else []
    texts = []
    attributes: dict[str, Any] = {}
    for each in controls:
        name, words = _control(each), _words(each)
        attributes[name] = words
        if each.kind == "textarea":
            texts.append((name, one_line(" ".join(words))))
        elif each.kind in ("choices", "labels"):
            labels += words
    caption = _caption(texts, shape.data, labels, shape.at)
    box: Any = partial(_box, shape.shape, value, f"{shape.at}.value")
    try:
        if shape.shape not in SHAPES:
            expected = f"one of {', '.join(SHAPES)} (with or without labels), {', '.join(CONTROLS)}"
            raise Unusable(expected, shape.kind, field=f"{shape.at}.type")
        checked = box(wh or (100, 100))
        box = checked if wh else box
    except Unusable as error:
        box = error
    id = shape.data.get("id") or ""
    return DraftRegion(box, caption, shape.at, attributes, rotated=bool(value.get("rotation")), id=id), labels


def _control(result: ToolResult) -> str:
    return require(result.data, "from_name", str, "the name of a control", result.at)


def _words(result: ToolResult) -> list[Any]:
    """The values of a control: its texts, or its number."""
    value = require(result.data, "value", dict, "a value", result.at)
    if result.kind == "taxonomy":
        return list(require(value, "taxonomy", list, "a list of paths", f"{result.at}.value"))
    if result.kind in NUMBERS and type(value.get(result.kind)) in (int, float):
        return [value[result.kind]]
    return _texts(value, "text" if result.kind == "textarea" else result.kind, f"{result.at}.value")


def _texts(holder: dict[str, Any], name: str, at: str) -> list[str]:
    """A text, or a list of texts, without empty ones."""
    value = require(holder, name, (str, list), "text", at)
    texts = [value] if isinstance(value, str) else value
    if not is_text_list(texts):
        raise DataError("a list of texts", value, field=f"{at}.{name}")
    return [text for text in texts if not is_empty(text)]


def _caption(own: list[tuple[str, str]], result: dict[str, Any], labels: list[str], at: str) -> str | DataError:
    named = {text for name, text in own if name.lower() in ("caption", "description") and text}
    texts = named or {text for _, text in own if text}
    if len(texts) > 1:
        return DataError("one text area of the region, or one called `caption`", sorted(texts), field=at)
    meta = result.get("meta")
    notes = _texts(meta, "text", f"{at}.meta") if isinstance(meta, dict) and meta.get("text") else []
    caption = next(iter(texts), "") or one_line(" ".join(notes)) or one_line(", ".join(labels))
    if not caption:
        return DataError("a caption: a text area of the region, or a label", NOTHING, field=at)
    return caption


def _size(result: dict[str, Any], at: str) -> tuple[int, int] | None:
    wh = size(result, "original_width", "original_height", at)
    check_numbers(wh or (), "a whole number of pixels", f"{at}.original_width, original_height")
    return wh


def _box(shape: str, value: dict[str, Any], at: str, wh: tuple[int, int]) -> Box:
    """The tight box in pixels; shapes are rotated in pixels, where both axes have the same unit."""
    across, down = wh[0] / 100, wh[1] / 100
    if shape == "polygon":
        points = require(value, "points", list, "a list of points [x, y]", at)
        if len(points) < 3:
            raise Unusable("3 points or more", points, field=f"{at}.points")
        x1, y1, x2, y2 = hull(points, f"{at}.points")
        check_numbers((number for point in points for number in point), "numbers", f"{at}.points")
        return xywh_box(x1 * across, y1 * down, (x2 - x1) * across, (y2 - y1) * down, at)

    def number(name: str) -> float:
        found = require(value, name, float, "a number", at)
        check_numbers([found], "a number", f"{at}.{name}")
        return found

    degrees = number("rotation") if "rotation" in value else 0
    x, y = number("x") * across, number("y") * down
    if shape == "ellipse":
        return ellipse_box(x, y, number("radiusX") * across, number("radiusY") * down, degrees, at)
    return rotated_box(x, y, number("width") * across, number("height") * down, degrees, (x, y), at)
