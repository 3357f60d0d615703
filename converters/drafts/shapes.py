"""Tight boxes of the shapes that annotation tools draw: points, rectangles and ellipses, also rotated ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_values import check_numbers

DIGITS = 6
"""Decimals of a pixel that are kept: further digits of sines and percentages are noise."""


def hull(points: Sequence[Any], at: str) -> Box:
    """The tight box of (x, y) points.

    Raises:
        DataError: fewer than two points, or a point that is not two plausible numbers.

    >>> hull([[3, 4], [1, 9], [2, 2]], "points")
    (1, 2, 3, 9)
    """
    if not isinstance(points, Sequence) or isinstance(points, str) or len(points) < 2:
        raise DataError("at least two points [x, y]", points, field=at)
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
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
        raise DataError(expected, polygon, field=at)
    check_numbers(polygon, expected, at)
    return min(polygon[::2]), min(polygon[1::2]), max(polygon[::2]), max(polygon[1::2])


def xywh_box(x: float, y: float, width: float, height: float, at: str) -> Box:
    """The box of an upright rectangle, given by its upper left corner and its sides.

    Args:
        x, y: upper left corner.
        width, height: sides, above 0.
        at: path to the shape, for the error.

    Raises:
        DataError: a side that is not above 0, or a value that is not a plausible number.

    >>> xywh_box(10, 10, 4, 2, "box")
    (10, 10, 14, 12)
    """
    _check((x, y, width, height), (width, height), at)
    return _rounded(x, y, x + width, y + height)


def rotated_box(
    x: float, y: float, width: float, height: float, degrees: float, pivot: tuple[float, float], at: str
) -> Box:
    """The tight box of a rotated rectangle.

    Args:
        x, y: upper left corner before the rotation.
        width, height: sides, above 0.
        degrees: rotation, clockwise on the screen (y points down).
        pivot: the fixed point of the rotation.
        at: path to the shape, for the error.

    Raises:
        DataError: a side that is not above 0, or a value that is not a plausible number.

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
        rx, ry: radii, above 0.
        degrees: rotation, clockwise on the screen.
        at: path to the shape, for the error.

    Raises:
        DataError: a radius that is not above 0, or a value that is not a plausible number.

    >>> ellipse_box(10, 10, 4, 2, 90, "ellipse")
    (8.0, 6.0, 12.0, 14.0)
    """
    _check((cx, cy, rx, ry, degrees), (rx, ry), at)
    sin, cos = _sin_cos(degrees)
    half_x, half_y = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
    return _rounded(cx - half_x, cy - half_y, cx + half_x, cy + half_y)


def _check(numbers: tuple[float, ...], sides: tuple[float, float], at: str) -> None:
    check_numbers(numbers, "numbers", at)
    if min(sides) <= 0:
        raise DataError("sides or radii above 0", list(sides), field=at)


def _sin_cos(degrees: float) -> tuple[float, float]:
    return math.sin(math.radians(degrees)), math.cos(math.radians(degrees))


def _rounded(x1: float, y1: float, x2: float, y2: float) -> Box:
    return round(x1, DIGITS), round(y1, DIGITS), round(x2, DIGITS), round(y2, DIGITS)
