"""Matching against brute force, and box counts by hand."""

from __future__ import annotations

from itertools import permutations
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.boxes import union_iou
from swift_plugins.fakexplain.matching import (
    BoxCounts,
    Match,
    box_counts,
    box_scores,
    match_boxes,
    pairwise_iou,
)

edge = st.integers(0, 8)
box = st.tuples(edge, edge, edge, edge).map(
    lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]) + 1, max(v[1], v[3]) + 1)
)
boxes = st.lists(box, max_size=5)


@given(boxes, boxes)
def test_pairwise_iou_equals_union_iou_of_single_boxes(pred, gold):
    iou = pairwise_iou(pred, gold)
    assert iou.shape == (len(pred), len(gold))
    assert iou.ravel().tolist() == pytest.approx([union_iou([p], [g]) for p in pred for g in gold], abs=1e-9)


def best_total(pred, gold):
    """The largest sum of IoUs of one-to-one pairs, found by trying all of them."""
    few, many = sorted((pred, gold), key=len)
    return max(
        sum(union_iou([a], [b]) for a, b in zip(few, chosen, strict=True)) for chosen in permutations(many, len(few))
    )


@settings(deadline=None)  # the first call imports scipy
@given(boxes, boxes)
def test_matching_equals_brute_force(pred, gold):
    matches = match_boxes(pred, gold)
    assert sum(match.iou for match in matches) == pytest.approx(best_total(pred, gold), abs=1e-9)
    assert [match.pred for match in matches] == sorted({match.pred for match in matches})  # each once, in order
    assert len({match.gold for match in matches}) == len(matches)
    for match in matches:
        assert match.iou == pytest.approx(union_iou([pred[match.pred]], [gold[match.gold]]), abs=1e-9)
        assert match.iou > 0


@settings(deadline=None)
@given(boxes, boxes)
def test_matching_is_symmetric(pred, gold):
    there, back = match_boxes(pred, gold), match_boxes(gold, pred)
    assert sum(match.iou for match in there) == pytest.approx(sum(match.iou for match in back), abs=1e-9)


def test_the_best_pair_of_each_box_is_not_the_best_matching():
    # p0 is nearest to g0 (2/3), but p1 has g0 alone (1/2): p0-g1 (1/2) and p1-g0 add up to 1
    gold = [(0, 0, 10, 10), (0, 0, 10, 30)]
    pred = [(0, 0, 10, 15), (0, 0, 5, 10)]
    assert match_boxes(pred, gold) == [Match(0, 1, 0.5), Match(1, 0, 0.5)]


def test_hits_are_those_of_the_best_matching():
    # p0 is g0; p1 and g1 overlap by 36 of 84. Crossed over, both would be hits (0.6), of a total of 1.2 < 1.43
    gold = [(0, 0, 10, 10), (0, 0, 6, 10)]
    pred = [(0, 0, 10, 10), (0, 0, 10, 6)]
    matches = match_boxes(pred, gold)
    assert matches == [Match(0, 0, 1.0), Match(1, 1, pytest.approx(36 / 84))]
    assert box_counts(matches, 2, 2).hits == 1


def test_one_region_is_found_once():
    # two halves cover the region (union IoU 1), and one of them matches it
    halves = [(0, 0, 5, 10), (5, 0, 10, 10)]
    matches = match_boxes(halves, [(0, 0, 10, 10)])
    assert [match.iou for match in matches] == [0.5]
    assert box_counts(matches, 2, 1) == BoxCounts(1, 2, 1, 1, 0.5)


UNMATCHED = [  # box beside a gold box (0, 0, 10, 10): why it has no match
    ((10, 0, 20, 10), "touches"),
    ((0, 0, 0, 10), "has no area"),
    ((8, 8, 2, 2), "inverted"),
    ((nan, 0, 10, 10), "no number"),
    ((0, 0, inf, 10), "not finite"),
    ((-inf, -inf, inf, inf), "not finite"),
    ((-1e200, -1e200, 1e200, 1e200), "larger than a float can say"),
]


@pytest.mark.parametrize("odd, why", UNMATCHED)
@pytest.mark.filterwarnings("error")
def test_a_box_without_overlap_has_no_match(odd, why):
    gold = [(0, 0, 10, 10)]
    assert match_boxes([odd], gold) == []
    assert match_boxes([odd, (0, 0, 10, 5)], gold) == [Match(1, 0, 0.5)]  # and indices count it


@pytest.mark.filterwarnings("error")
def test_areas_that_overflow_have_no_iou():
    huge = (-1e200, -1e200, 1e200, 1e200)
    assert match_boxes([huge], [huge]) == []


@pytest.mark.parametrize("pred, gold", [([], []), ([], [(0, 0, 1, 1)]), ([(0, 0, 1, 1)], [])])
def test_an_empty_side_has_no_match(pred, gold):
    assert match_boxes(pred, gold) == []
    assert pairwise_iou(pred, gold).shape == (len(pred), len(gold))


@pytest.mark.parametrize("bad", [[(0, 0, 1)] * 4, [0, 0, 1, 1], [(0, 0, 1, 1), (0, 0, 1)]])
def test_boxes_of_other_than_four_numbers_raise(bad):
    with pytest.raises(ValueError):
        match_boxes(bad, [(0, 0, 1, 1)])
    with pytest.raises(ValueError):
        match_boxes([(0, 0, 1, 1)], bad)


def test_scores_of_summed_counts_by_hand():
    images = np.array(
        [
            box_counts([Match(0, 0, 0.5), Match(1, 2, 0.25)], 2, 3),  # at the threshold: a hit
            box_counts([], 4, 0),  # every predicted box is wrong
            box_counts([], 0, 1),  # nothing found
            box_counts([Match(0, 0, 0.9)], 1, 1),
        ]
    )
    scores = {name: float(score) for name, score in box_scores(images.sum(axis=0)).items()}
    assert scores == pytest.approx(
        {"precision": 2 / 7, "recall": 2 / 5, "f1": 4 / 12, "iou_matched": 1.65 / 3, "iou_gold": 1.65 / 5}
    )
    assert box_counts([Match(0, 0, 0.6)], 1, 1, threshold=0.75).hits == 0


def test_scores_keep_the_shape_of_resamples():
    images = np.array([box_counts([Match(0, 0, 1.0)], 1, 1), box_counts([], 1, 1)])
    weights = np.array([[2, 0], [0, 2], [1, 1]])
    assert box_scores(weights @ images)["f1"].tolist() == [1, 0, 0.5]


def test_no_boxes_have_no_scores():
    assert all(isnan(score) for score in box_scores(box_counts([], 0, 0)).values())
    scores = box_scores(box_counts([], 0, 2))
    assert isnan(scores["precision"]) and scores["recall"] == scores["f1"] == scores["iou_gold"] == 0
