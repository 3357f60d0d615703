"""Turned rectangles and ellipses: shapely as the oracle, and what Label Studio's editor shows of them."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity

from converters.drafts.draft import Unusable
from converters.drafts.shapes import ellipse_box, hull, rotated_box, run_length_box
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


@st.composite
def masks(draw):
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    cells = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width).filter(any))
    return np.array(cells).reshape(height, width)


def runs_of(mask):
    """Run lengths of a mask, column by column."""
    runs, inside = [0], False
    for cell in mask.T.ravel():
        if cell != inside:
            runs.append(0)
            inside = cell
        runs[-1] += 1
    return runs


def compressed(runs):
    """Run lengths as COCO's text, five bits per character."""
    text = ""
    for index, run in enumerate(runs):
        rest = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            bits, rest = rest & 31, rest >> 5
            more = rest != (-1 if bits & 16 else 0)
            text += chr(bits + (32 if more else 0) + 48)
    return text


@given(masks())
def test_run_lengths_give_the_tight_box_of_their_mask(mask):
    ys, xs = np.nonzero(mask)
    box = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    height, width = mask.shape
    runs = runs_of(mask)
    for counts in (runs, compressed(runs), runs[: len(runs) // 2 * 2]):  # the last run outside may be missing
        assert run_length_box({"size": [height, width], "counts": counts}, "m") == (box, (width, height))


@pytest.mark.parametrize("mask", [{"size": [2, 2], "counts": [1, 4]}, {"size": [2, 2]}, {"size": [2], "counts": []}, 7])
def test_run_lengths_that_are_no_mask_are_an_error(mask):
    with pytest.raises(DataError, match="^m: expected run"):
        run_length_box(mask, "m")
    with pytest.raises(Unusable, match="^m: expected a mask with a pixel inside"):
        run_length_box({"size": [2, 2], "counts": [4]}, "m")
