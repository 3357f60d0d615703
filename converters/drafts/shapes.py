"""Tight boxes of shapes that annotation tools draw turned: rectangles and ellipses."""

from __future__ import annotations

import math

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_values import check_numbers

DIGITS = 6
"""Decimals of a pixel that are kept: what sines and percentages add beyond them is noise."""


def turned_box(
    x: float, y: float, width: float, height: float, degrees: float, pivot: tuple[float, float], at: str
) -> Box:
    """The tight box of a rectangle that was turned.

    Args:
        x, y: its upper left corner before it is turned.
        width, height: its sides.
        degrees: clockwise, as images are seen (y points down).
        pivot: the point that stays in its place.
        at: the way to the shape, for the error.

    Raises:
        DataError: a side that is not above 0, or a number that is none.

    >>> turned_box(10, 10, 4, 2, 90, (10, 10), "box")
    (8.0, 10.0, 10.0, 14.0)
    """
    _check((x, y, width, height, degrees, *pivot), (width, height), at)
    sin, cos = _sin_cos(degrees)
    corners = [(a - pivot[0], b - pivot[1]) for a in (x, x + width) for b in (y, y + height)]
    xs = [pivot[0] + a * cos - b * sin for a, b in corners]
    ys = [pivot[1] + a * sin + b * cos for a, b in corners]
    return _rounded(min(xs), min(ys), max(xs), max(ys))


def ellipse_box(cx: float, cy: float, rx: float, ry: float, degrees: float, at: str) -> Box:
    """The tight box of an ellipse turned about its centre.

    Args:
        cx, cy: centre.
        rx, ry: radii.
        degrees: clockwise, as images are seen.
        at: the way to the shape, for the error.

    Raises:
        DataError: a radius that is not above 0, or a number that is none.

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
