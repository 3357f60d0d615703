"""Areas and overlaps against rational arithmetic, on both ways of measuring them; fragmentation by hand."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from math import inf, isfinite, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugins.fakexplain import boxes as module
from swift_plugins.fakexplain.boxes import clip_xyxy, fragmentation, union_area, union_iou

ONE = (0, 0, 10, 10)


def exact_areas(*sets):
    """Area of the intersection and of the union of box sets: every cell of their common grid is looked at."""
    sets = [[b for b in boxes if all(map(isfinite, b)) and b[0] < b[2] and b[1] < b[3]] for boxes in sets]
    xs = sorted({x for boxes in sets for b in boxes for x in b[::2]})
    ys = sorted({y for boxes in sets for b in boxes for y in b[1::2]})
    heights = [Fraction(below) - Fraction(above) for above, below in pairwise(ys)]
    shared = total = Fraction(0)
    for left, right in pairwise(xs):
        columns = [[b for b in boxes if b[0] <= left and right <= b[2]] for boxes in sets]
        in_all = in_any = Fraction(0)
        for y, height in zip(ys, heights, strict=False):
            covered = [any(b[1] <= y < b[3] for b in column) for column in columns]
            in_all += height * all(covered)
            in_any += height * any(covered)
        width = Fraction(right) - Fraction(left)
        shared += width * in_all
        total += width * in_any
    return shared, total


def exact_iou(pred, gold):
    shared, total = exact_areas(pred, gold)
    return shared / total if total else Fraction(not gold)


def any_power(rng):
    return rng.choice((-1, 1)) * rng.random() * 2.0 ** rng.randint(-1074, 1023)


COORDINATES = {  # kind of case -> how it draws a coordinate
    "lattice": lambda rng: rng.randint(0, 7),  # nested, touching, equal
    "pixels": lambda rng: rng.randint(0, 504),
    "fractions": lambda rng: rng.uniform(0, 504),
    "far": lambda rng: 1e9 + rng.randint(0, 40) * 2.0**-20,
    "far and wide": lambda rng: rng.choice((0.0, 1e9, 1e9 + 2.0**-20, 1e15, -1e15)),
    "huge": lambda rng: rng.choice((-1, 1)) * rng.uniform(1e307, 1.79e308),
    "minute": lambda rng: rng.randint(0, 30) * 5e-324,
    "any power": any_power,
}


def draw_box(rng, coordinate, garbage=0.0):
    while True:
        x1, x2 = sorted((coordinate(rng), coordinate(rng)))
        y1, y2 = sorted((coordinate(rng), coordinate(rng)))
        if x1 < x2 and y1 < y2:
            break
    box = [x1, y1, x2, y2]
    if rng.random() < garbage:
        box[rng.randrange(4)] = rng.choice((nan, inf, -inf, x1, y1))  # x1 and y1: no area, or inverted
    return tuple(box)


def draw_case(rng, kind, most):
    coordinate = COORDINATES[kind]
    gold = [draw_box(rng, coordinate) for _ in range(rng.randint(0, most))]
    pred = [draw_box(rng, coordinate, garbage=0.15) for _ in range(rng.randint(0, most))]
    if gold and rng.random() < 0.2:
        pred.append(rng.choice(gold))
    return pred, gold


@pytest.fixture(params=["few", "many"])
def way(request, monkeypatch):
    """Runs a test once on each way of measuring, whatever the number of boxes."""
    monkeypatch.setattr(module, "FEW", {"few": 10**9, "many": -1}[request.param])


@pytest.mark.parametrize("kind", COORDINATES)
def test_union_iou_is_rational_arithmetic(kind, monkeypatch):
    rng = random.Random(kind)
    seen = set()
    for case in range(2000):  # of each of eight kinds
        pred, gold = draw_case(rng, kind, most=3)
        expected = exact_iou([b for b in pred if exact_areas([b])[1]], gold)
        for few in (10**9, -1):
            monkeypatch.setattr(module, "FEW", few)
            found = union_iou(pred, gold)
            assert 0 <= found <= 1
            assert abs(Fraction(found) - expected) < 1e-9, (case, few, pred, gold)
        seen.add(round(float(expected), 2))
    assert {0, 1} < seen  # neither all apart nor all alike


@pytest.mark.parametrize("kind", ["pixels", "fractions", "lattice"])
@pytest.mark.parametrize("most", [12, 40])
def test_union_iou_of_many(kind, most, way):
    rng = random.Random(most)
    for _ in range(4):
        pred, gold = draw_case(rng, kind, most)
        assert abs(Fraction(union_iou(pred, gold)) - exact_iou(pred, gold)) < 1e-9


@pytest.mark.parametrize("lines", [63, 64, 65, 127, 128, 129])
def test_staircase(lines, way):
    stairs = [(i, i, i + 2, i + 1) for i in range(lines - 1)]  # steps that overlap in x, with this many y
    assert union_area(stairs) == 2 * (lines - 1)
    assert union_iou(stairs, [(0, 0, lines, lines - 1)]) == 2 / lines


def test_the_number_of_boxes_decides_the_way(monkeypatch):
    taken = []
    for name in ("_measure_few", "_measure_many"):
        monkeypatch.setattr(module, name, lambda *sets, name=name: taken.append(name) or (1.0, 2.0))
    union_iou([ONE] * 6, [ONE] * 6)
    union_iou([ONE] * 100, [ONE] * 100)
    assert taken == ["_measure_few", "_measure_many"]


@pytest.mark.parametrize(
    ("pred", "gold", "expected"),
    [
        pytest.param([], [], 1, id="both empty"),
        pytest.param([ONE], [], 0, id="no gold"),
        pytest.param([], [ONE], 0, id="no prediction"),
        pytest.param([(5, 5, 5, 9), (nan, 0, 1, 1), (0, 0, inf, 1), (9, 0, 1, 1)], [], 1, id="no valid box"),
        pytest.param([(0, 0, 10**400, 10)], [ONE], 0, id="a number no float can hold"),
        pytest.param([ONE, (-(10**400), 0, 1, nan)], [ONE], 1, id="an invalid box"),
        pytest.param([ONE], [ONE], 1, id="same"),
        pytest.param([ONE, ONE, (2, 2, 8, 8)], [ONE], 1, id="repeats and nested boxes are free"),
        pytest.param([(0, 0, 5, 10), (5, 0, 10, 10)], [ONE], 1, id="halves that touch"),
        pytest.param([(10, 0, 20, 10)], [ONE], 0, id="touching"),
        pytest.param([(5, 0, 15, 10)], [ONE], 1 / 3, id="half over"),
        pytest.param([(0, 0, 10, 10), (20, 0, 30, 10)], [ONE], 1 / 2, id="an extra box costs"),
        pytest.param([(-1e308, -1e308, 1e308, 1e308)], [(-1e308, -1e308, 0, 1e308)], 1 / 2, id="area beyond floats"),
        pytest.param([(0, 0, 1e-200, 1e-200)], [(0, 0, 1e-200, 2e-200)], 1 / 2, id="area below floats"),
        pytest.param([(0, 0, 1e308, 1e-300)], [(0, 0, 1e-300, 1e308)], 0, id="long and thin"),
        pytest.param([(1e9, 1e9, 1e9 + 1, 1e9 + 1)], [(1e9, 1e9, 1e9 + 2, 1e9 + 1)], 1 / 2, id="far away"),
    ],
)
def test_union_iou(pred, gold, expected, way):
    assert union_iou(pred, gold) == pytest.approx(expected, abs=1e-12)
    arrays = np.array(pred, object).reshape(-1, 4), np.array(gold, float).reshape(-1, 4)
    assert union_iou(*arrays) == union_iou(pred, gold)


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 10),
        (0, 0, 10, 10, 10),
        (0, 0, 0, 10),
        (0, 10, 10, 5),
        (nan, 0, 10, 10),
        (0, 0, inf, 10),
        (0, 0, 10**400, 10),
        (0, 0, "ten", 10),
        (0, 0, None, 10),
        7,
    ],
    ids=repr,
)
def test_bad_gold_raises(box):
    for pred in ([], [ONE]):
        with pytest.raises(ValueError, match=r"expected .*found"):
            union_iou(pred, [ONE, box])


@pytest.mark.parametrize("box", [(0, 0, 10), (0, 0, "ten", 10), None])
def test_values_that_are_not_boxes_raise(box):
    for measure in (union_area, lambda boxes: union_iou(boxes, [ONE])):
        with pytest.raises(ValueError, match="expected four numbers"):
            measure([box])


@pytest.mark.parametrize("kind", COORDINATES)
def test_union_area(kind, way):
    rng = random.Random(kind)
    for _ in range(100):
        boxes, _ = draw_case(rng, kind, most=4)
        _, expected = exact_areas(boxes)
        found = union_area(boxes)
        if found == inf:
            assert expected > 1.7e308
        else:
            assert abs(Fraction(found) - expected) <= Fraction(expected) / 10**9 + Fraction(5e-324) * 100
    assert union_area([]) == 0


numbers = st.integers(0, 40) | st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda v: round(v, 6))
valid_boxes = st.lists(
    st.tuples(numbers, numbers, numbers, numbers)
    .map(lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3])))
    .filter(lambda b: b[0] < b[2] and b[1] < b[3]),
    max_size=20,
)


@given(valid_boxes, valid_boxes, st.randoms(use_true_random=False), st.sampled_from([2, 3, 0.1, 1e-9, 1e9, 1e300]))
def test_order_side_and_unit_do_not_matter(pred, gold, rng, unit):
    iou = pytest.approx(union_iou(pred, gold), abs=1e-9)
    assert union_iou(gold, pred) == iou
    assert union_iou(rng.sample(pred, len(pred)), rng.sample(gold, len(gold))) == iou
    scaled = [[tuple(v * unit for v in box) for box in boxes] for boxes in (pred, gold)]
    assert union_iou(*scaled) == iou
    turned = [[(y1, x1, y2, x2) for x1, y1, x2, y2 in boxes] for boxes in (pred, gold)]
    assert union_iou(*turned) == iou


@given(valid_boxes)
def test_a_set_is_itself(boxes):
    assert union_iou(boxes, boxes) == 1


@given(valid_boxes, valid_boxes)
def test_overlap_follows_from_areas(pred, gold):
    covered = union_area(pred + gold)
    shared = union_area(pred) + union_area(gold) - covered
    assert union_iou(pred, gold) * (covered or 1) == pytest.approx(shared if covered else 1, abs=1e-6 + 1e-9 * covered)


anything = st.floats() | st.integers(-(10**400), 10**400) | st.integers(-20, 120)


@given(st.lists(st.tuples(anything, anything, anything, anything), max_size=8), st.integers(1, 100), st.integers(1, 60))
def test_any_numbers_clip_and_compare(boxes, width, height):
    clipped = clip_xyxy(boxes, (width, height))
    for x1, y1, x2, y2 in clipped:
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
    assert clip_xyxy(clipped, (width, height)) == clipped
    assert 0 <= union_iou(boxes, [ONE]) <= 1
    assert 0 <= union_iou(clipped, [ONE]) <= 1
    # a pixel's middle is in the clipped set exactly where it is in the boxes
    for x, y in ((0.5, 0.5), (width - 0.5, 0.5), (width / 2, height / 2)):
        inside = [any(x1 < x < x2 and y1 < y < y2 for x1, y1, x2, y2 in some) for some in (boxes, clipped)]
        assert inside[0] == inside[1]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((2, 3, 4, 5), [(2, 3, 4, 5)]),
        ((-5, -5, 50, 50), [(0, 0, 20, 10)]),
        ((-inf, -inf, inf, inf), [(0, 0, 20, 10)]),
        ((-1e308, 2, 1e308, 4), [(0, 2, 20, 4)]),
        ((-(10**400), 2, 10**400, 4), [(0, 2, 20, 4)]),
        ((20, 0, 30, 10), []),
        ((0, -4, 20, 0), []),
        ((30, 0, 40, 10), []),
        ((5, 5, 5, 8), []),
        ((8, 2, 4, 5), []),
        ((inf, 0, inf, 5), []),
        ((nan, 0, 5, 5), []),
        ((0, nan, 5, 5), []),
        ((0, 0, nan, 5), []),
        ((0, 0, 5, nan), []),
    ],
)
def test_clip_xyxy(box, expected):
    clipped = clip_xyxy([box], (20, 10))
    assert clipped == expected
    assert all(type(v) is float for found in clipped for v in found)


FRAGMENTS = [  # boxes in an image of 20 x 10, then their number, mean share of the image, share covered twice
    ([(0, 0, 10, 10)], 1, 1 / 2, 0),
    ([(0, 0, 10, 10), (10, 0, 20, 10)], 2, 1 / 2, 0),
    ([(0, 0, 10, 10), (5, 0, 15, 10)], 2, 1 / 2, 1 / 4),  # 150 of 200 covered
    ([(0, 0, 10, 10)] * 4, 4, 1 / 2, 3 / 4),
    ([(0, 0, 20, 10), (0, 0, 1, 1)], 2, 201 / 400, 1 / 201),
]


@pytest.mark.parametrize("xyxy, count, share, overlap", FRAGMENTS)
def test_fragmentation_by_hand(xyxy, count, share, overlap):
    assert fragmentation(xyxy, (20, 10)) == pytest.approx((count, share, overlap))


def test_no_boxes_have_no_size():
    boxes, share, overlap = fragmentation([], (20, 10))
    assert boxes == 0 and isnan(share) and isnan(overlap)


edge = st.integers(0, 8)
small_box = st.tuples(edge, edge, edge, edge).map(
    lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]) + 1, max(v[1], v[3]) + 1)
)


@given(st.lists(small_box, min_size=1, max_size=6))
def test_overlap_is_a_share_and_0_for_disjoint_boxes(xyxy):
    assert 0 <= fragmentation(xyxy, (9, 9)).overlap < 1
    apart = [(x1 + 10 * index, y1, x2 + 10 * index, y2) for index, (x1, y1, x2, y2) in enumerate(xyxy)]
    assert fragmentation(apart, (100, 9)).overlap == pytest.approx(0, abs=1e-12)


def test_overlap_is_not_less_than_0_by_rounding():
    rng = random.Random(0)
    for _ in range(20):
        edges = sorted(rng.uniform(0, 1000) for _ in range(80))
        apart = [(x1, 0, x2, rng.uniform(1, 1000)) for x1, x2 in zip(edges[::2], edges[1::2], strict=True)]
        assert 0 <= fragmentation(apart, (1000, 1000)).overlap < 1e-12
