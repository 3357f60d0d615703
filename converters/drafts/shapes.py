"""Tight boxes of the shapes that annotation tools draw: points, rectangles and ellipses, also rotated ones, and masks
as run lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_values import check_numbers

from .draft import Unusable

DIGITS = 6
"""Decimals of a pixel that are kept: further digits of sines and percentages are noise."""


def hull(points: Sequence[Any], at: str) -> Box:
    """The tight box of (x, y) points.

    Raises:
        DataError: fewer than two points, or a point that is not two plausible numbers.

    >>> hull([[3, 4], [1, 9], [2, 2]], "points")
    (1, 2, 3, 9)
    """
    if not isinstance(points, Sequence) or isinstance(points, str):
        raise DataError("at least two points [x, y]", points, field=at)
    if len(points) < 2:
        raise Unusable("at least two points [x, y]", points, field=at)
    for index, point in enumerate(points):
        if not isinstance(point, Sequence) or len(point) != 2:
            raise DataError("two numbers x, y", point, field=f"{at}[{index}]")
        check_numbers(point, "two numbers x, y", f"{at}[{index}]")
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def flat_hull(polygon: object, expected: str, at: str) -> Box:
    """The tight box of a polygon given as one flat list [x, y, x, y, x, y ...].

    Args:
        polygon: at least three points.
        expected: description of the polygon, for the error.
        at: path to the polygon, for the error.

    Raises:
        DataError: not such a list, or a number that is not plausible.

    >>> flat_hull([3, 4, 1, 9, 2, 2], "a polygon", "segmentation[0]")
    (1, 2, 3, 9)
    """
    if not isinstance(polygon, list) or len(polygon) % 2:
        raise DataError(expected, polygon, field=at)
    if len(polygon) < 6:
        raise Unusable(expected, polygon, field=at)
    check_numbers(polygon, expected, at)
    return min(polygon[::2]), min(polygon[1::2]), max(polygon[::2]), max(polygon[1::2])


def run_length_box(mask: Any, at: str) -> tuple[Box, tuple[int, int]]:
    """The tight box of a mask in COCO's run lengths, compressed or not, and the mask's width and height.

    The runs alternate between outside and inside, column by column, and begin outside; pixels after the last run are
    outside.

    Args:
        mask: {"size": [height, width], "counts": a list of numbers, or text}.
        at: path to it, for the error.

    Raises:
        DataError: not such an object; the runs exceed the mask, or none is inside.

    >>> run_length_box({"size": [4, 3], "counts": [5, 2, 5]}, "segmentation")
    ((1, 1, 2, 3), (3, 4))
    """
    expected = "run lengths {size: [height, width], counts}"
    sides, counts = (mask.get("size"), mask.get("counts")) if isinstance(mask, dict) else (None, None)
    if not isinstance(sides, list) or len(sides) != 2 or not all(type(each) is int and each > 0 for each in sides):
        raise DataError(expected, mask, field=at)
    height, width = sides
    runs = _decompress(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in runs):
        raise DataError(expected, mask, field=at)
    if sum(runs) > height * width:
        raise DataError(f"runs within the {width}x{height} mask", mask, field=at)
    columns, rows = [], []
    start = 0
    for index, run in enumerate(runs):
        if index % 2 and run:
            (first, top), (last, bottom) = divmod(start, height), divmod(start + run - 1, height)
            columns += [first, last]
            rows += [top, bottom] if first == last else [0, height - 1]
        start += run
    if not columns:
        raise Unusable("a mask with a pixel inside", mask, field=at)
    return (min(columns), min(rows), max(columns) + 1, max(rows) + 1), (width, height)


def _decompress(counts: str) -> list[int]:
    """COCO's runs from text: five bits per character, and from the fourth on the difference to the last but one."""
    runs: list[int] = []
    number = shift = 0
    for character in counts:
        bits = ord(character) - 48
        number |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            number -= 1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
        number = shift = 0
    return runs


def xywh_box(x: float, y: float, width: float, height: float, at: str) -> Box:
    """The box of an upright rectangle, given by its upper left corner and its sides.

    Args:
        x, y: upper left corner; another one if a side is below 0.
        width, height: sides.
        at: path to the shape, for the error.

    Raises:
        DataError: a side of 0, or a value that is not a plausible number.

    >>> xywh_box(10, 10, 4, 2, "box"), xywh_box(14, 12, -4, -2, "box")
    ((10, 10, 14, 12), (14, 12, 10, 10))
    """
    _check((x, y, width, height), (width, height), at)
    return _rounded(x, y, x + width, y + height)


def rotated_box(
    x: float, y: float, width: float, height: float, degrees: float, pivot: tuple[float, float], at: str
) -> Box:
    """The tight box of a rotated rectangle.

    Args:
        x, y: upper left corner before the rotation; another one if a side is below 0.
        width, height: sides.
        degrees: rotation, clockwise on the screen (y points down).
        pivot: the fixed point of the rotation.
        at: path to the shape, for the error.

    Raises:
        DataError: a side of 0, or a value that is not a plausible number.

    >>> rotated_box(10, 10, 4, 2, 90, (10, 10), "box")
    (8.0, 10.0, 10.0, 14.0)
    """
    _check((x, y, width, height, degrees, *pivot), (width, height), at)
    sin, cos = _sin_cos(degrees)
    corners = [(a - pivot[0], b - pivot[1]) for a in (x, x + width) for b in (y, y + height)]
    xs = [pivot[0] + a * cos - b * sin for a, b in corners]
    ys = [pivot[1] + a * sin + b * cos for a, b in corners]
    return _rounded(min(xs), min(ys), max(xs), max(ys))


def ellipse_box(cx: float, cy: float, rx: float, ry: float, degrees: float, at: str) -> Box:
    """The tight box of an ellipse rotated about its centre.

    Args:
        cx, cy: centre.
        rx, ry: radii.
        degrees: rotation, clockwise on the screen.
        at: path to the shape, for the error.

    Raises:
        DataError: a radius of 0, or a value that is not a plausible number.

    >>> ellipse_box(10, 10, 4, 2, 90, "ellipse")
    (8.0, 6.0, 12.0, 14.0)
    """
    _check((cx, cy, rx, ry, degrees), (rx, ry), at)
    sin, cos = _sin_cos(degrees)
    half_x, half_y = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
    return _rounded(cx - half_x, cy - half_y, cx + half_x, cy + half_y)


def _check(numbers: tuple[float, ...], sides: tuple[float, float], at: str) -> None:
    check_numbers(numbers, "numbers", at)
    if 0 in sides:
        raise Unusable("sides or radii above 0", list(sides), field=at)


def _sin_cos(degrees: float) -> tuple[float, float]:
    return math.sin(math.radians(degrees)), math.cos(math.radians(degrees))


def _rounded(x1: float, y1: float, x2: float, y2: float) -> Box:
    return round(x1, DIGITS), round(y1, DIGITS), round(x2, DIGITS), round(y2, DIGITS)
