"""AUROC and average precision against scikit-learn, by counting pairs, and by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from swift_plugins.fakexplain.scoring.metrics.ranking import Ranking, auroc, average_precision

COUNTS = st.integers(0, 4)
WEIGHTS = st.one_of(st.just(0.0), st.floats(1e-3, 1e3))
SCORES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))  # ties are frequent


def images(weights: st.SearchStrategy[Any], max_size: int = 40) -> st.SearchStrategy[list[tuple[bool, float, Any]]]:
    return st.lists(st.tuples(st.booleans(), SCORES, weights), max_size=max_size)


def columns(rows: list[tuple[bool, float, Any]]) -> tuple[list[bool], list[float], list[Any]]:
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def has_both(rows: list[tuple[bool, float, Any]]) -> bool:
    return {is_fake for is_fake, _, weight in rows if weight} == {True, False}


@settings(max_examples=150, deadline=None)
@given(st.one_of(images(WEIGHTS), images(COUNTS)))
@example([])
@example([(True, 0.5, 1.0)])
@example([(False, 0.5, 1.0)])
@example(
    [(True, 0.9, 0.0), (False, 0.8, 0.0), (True, 0.5, 1.0), (False, 0.5, 1.0)]
)  # nothing above the first thresholds
def test_equals_scikit_learn(rows: list[tuple[bool, float, Any]]) -> None:
    is_fake, score, weight = columns(rows)
    if not has_both(rows):
        assert auroc(is_fake, score, weight) is average_precision(is_fake, score, weight) is None
        return
    assert auroc(is_fake, score, weight) == pytest.approx(roc_auc_score(is_fake, score, sample_weight=weight), abs=1e-9)
    expected = average_precision_score(is_fake, score, sample_weight=weight)
    assert average_precision(is_fake, score, weight) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("decimals", [1, 3, 16])
def test_equals_scikit_learn_on_many(decimals: int) -> None:
    rng = np.random.default_rng(decimals)
    is_fake = rng.random(20_000) < 0.3
    score = np.round(rng.random(20_000) * 0.8 + is_fake * 0.2, decimals)
    weight = rng.exponential(size=20_000)
    for weights in (None, weight):
        expected = roc_auc_score(is_fake, score, sample_weight=weights)
        assert auroc(is_fake, score, weights) == pytest.approx(expected, abs=1e-9)
        expected = average_precision_score(is_fake, score, sample_weight=weights)
        assert average_precision(is_fake, score, weights) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(images(COUNTS, max_size=15))
def test_auroc_counts_pairs(rows: list[tuple[bool, float, int]]) -> None:
    """The definition itself; ties count half."""
    fakes = [score for is_fake, score, count in rows if is_fake for _ in range(count)]
    reals = [score for is_fake, score, count in rows if not is_fake for _ in range(count)]
    pairs = [(fake > real) + (fake == real) / 2 for fake, real in product(fakes, reals)]
    expected = pytest.approx(sum(pairs) / len(pairs), abs=1e-12) if pairs else None
    assert auroc(*columns(rows)) == expected


@settings(deadline=None)
@given(images(COUNTS))
def test_counts_equal_repeated_images(rows: list[tuple[bool, float, int]]) -> None:
    is_fake, score, count = columns(rows)
    repeated = Ranking(np.repeat(np.asarray(is_fake, bool), count), np.repeat(np.asarray(score, float), count))
    metrics = Ranking(is_fake, score)(count)
    assert metrics["auroc"] == repeated.auroc()  # integers until the last division
    expected = repeated.average_precision()
    assert metrics["average_precision"] == (expected if expected is None else pytest.approx(expected, abs=1e-12))


def test_functions_and_class_agree() -> None:
    is_fake, score, weight = [1, 0, 1, 0], [0.9, 0.8, 0.8, 0.1], [1, 2, 3, 4]
    ranking = Ranking(is_fake, score)
    for weights in (weight, [1, 1, 1, 1], None):
        expected = auroc(is_fake, score, weights), average_precision(is_fake, score, weights)
        assert (ranking.auroc(weights), ranking.average_precision(weights)) == expected
        if weights:
            assert tuple(ranking(weights).values()) == expected


BY_HAND: list[tuple[str, list[int], list[float], float | None, float | None]] = [
    ("apart", [1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1], 1.0, 1.0),
    # P at recall 1/2 is 1/3, at recall 1 it is 2/4
    ("wrong way round", [0, 0, 1, 1], [0.9, 0.8, 0.2, 0.1], 0.0, 1 / 2 * 1 / 3 + 1 / 2 * 1 / 2),
    ("all tie: half, and the share of fakes", [1, 0, 0, 0], [0.5] * 4, 0.5, 0.25),
    # the tied fake beats one real and half another; P is 1/1, then 2/3
    ("one tie", [1, 1, 0, 0], [0.9, 0.4, 0.4, 0.1], 3.5 / 4, 1 / 2 + 1 / 2 * 2 / 3),
    ("infinite scores tie with each other", [1, 0, 1, 0], [np.inf, np.inf, -np.inf, -np.inf], 0.5, 0.5),
    ("zero has no sign", [1, 0], [0.0, -0.0], 0.5, 0.5),
    ("no image", [], [], None, None),
    ("one image", [1], [0.5], None, None),
    ("no real image", [1, 1], [0.1, 0.9], None, None),
    ("no fake image", [0, 0], [0.1, 0.9], None, None),
]


@pytest.mark.parametrize(
    "is_fake, score, area, precision", [row[1:] for row in BY_HAND], ids=[row[0] for row in BY_HAND]
)
def test_by_hand(is_fake: list[int], score: list[float], area: float | None, precision: float | None) -> None:
    assert auroc(is_fake, score) == area
    assert average_precision(is_fake, score) == (
        precision if precision is None else pytest.approx(precision, abs=1e-12)
    )


def test_a_class_without_weight_is_missing() -> None:
    ranking = Ranking([1, 1, 0], [0.9, 0.1, 0.5])
    for weight in ([1, 1, 0], [0, 0, 1], [0, 0, 0]):
        assert ranking(weight) == {"auroc": None, "average_precision": None}


def test_order_of_images_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    is_fake, score, weight = rng.random(200) < 0.5, rng.random(200).round(1), rng.integers(0, 4, 200)
    mixed = rng.permutation(200)
    assert Ranking(is_fake, score)(weight) == Ranking(is_fake[mixed], score[mixed])(weight[mixed])


BAD: list[tuple[list[Any], list[Any], list[Any] | None, str]] = [
    ([1, 0], [0.5], None, "as many scores as labels"),
    ([[1, 0]], [[0.5, 0.1]], None, "as many scores as labels"),  # two dimensions
    ([1, 0, 0], [0.5, float("nan"), None], None, "2 of 3 images have no score"),
    ([1, 2], [0.5, 0.1], None, "True .fake. or False"),
    ([1, None], [0.5, 0.1], None, "True .fake. or False"),
    (["fake", "real"], [0.5, 0.1], None, "could not convert"),  # a string is not a truth value
    ([1, 0], [0.5, 0.1], [1], "2 finite weights"),
    ([1, 0], [0.5, 0.1], [1, -1], "2 finite weights"),
    ([1, 0], [0.5, 0.1], [1, float("nan")], "2 finite weights"),
    ([1, 0], [0.5, 0.1], [1, float("inf")], "2 finite weights"),
]


@pytest.mark.parametrize("is_fake, score, weight, message", BAD)
@pytest.mark.parametrize("metric", [auroc, average_precision])
def test_rejects(metric: Any, is_fake: list[Any], score: list[Any], weight: list[Any] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metric(is_fake, score, weight)
