"""Turned rectangles and ellipses: shapely as the oracle, and what Label Studio's editor shows of them."""

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity

from converters.drafts.shapes import ellipse_box, hull, rotated_box
from swift_plugins.fakexplain.errors import DataError

place = st.floats(-1000, 1000)
side = st.floats(0.01, 1000)
degrees = st.floats(-720, 720)


@given(place, place, side, side, degrees, place, place)
def test_a_rectangle_turns_as_shapely_turns_it(x, y, width, height, turn, px, py):
    turned = affinity.rotate(shapely.box(x, y, x + width, y + height), turn, origin=(px, py))
    assert rotated_box(x, y, width, height, turn, (px, py), "") == pytest.approx(turned.bounds, abs=2e-6)


@given(place, place, side, side, degrees)
def test_an_ellipse_turns_as_shapely_turns_it(cx, cy, rx, ry, turn):
    circle = shapely.Polygon([(math.cos(a * math.tau / 2000), math.sin(a * math.tau / 2000)) for a in range(2000)])
    ellipse = affinity.translate(affinity.scale(circle, rx, ry, origin=(0, 0)), cx, cy)
    turned = affinity.rotate(ellipse, turn, origin=(cx, cy))
    assert ellipse_box(cx, cy, rx, ry, turn, "") == pytest.approx(turned.bounds, abs=2e-6 * max(rx, ry) + 2e-6)


@pytest.mark.parametrize("sides", [(0, 1), (1, 0), (1, math.inf), (math.nan, 1), ("1", 1), (True, 1)])
def test_sides_are_numbers_and_not_0(sides):
    with pytest.raises(DataError, match="^box: expected"):
        rotated_box(0, 0, *sides, 0, (0, 0), "box")
    with pytest.raises(DataError, match="^ellipse: expected"):
        ellipse_box(0, 0, *sides, 0, "ellipse")


def test_hull_wants_points():
    with pytest.raises(DataError, match=r"points\[1\]: expected two numbers x, y, found \[1\]"):
        hull([[1, 2], [1]], "points")
