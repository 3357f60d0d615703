"""Intervals and tests against scipy, closed forms and hand arithmetic."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from math import comb
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.scoring.metrics.bootstrap import Interval, bootstrap, spread
from swift_plugins.fakexplain.scoring.metrics.paired import Difference, joint_bootstrap, mcnemar_test
from swift_plugins.fakexplain.scoring.metrics.ranking import Ranking
from swift_plugins.fakexplain.scoring.metrics.ratios import MetricFunction, Ratios


def paired_bootstrap(a: MetricFunction, b: MetricFunction, n: int, **settings: Any) -> dict[str, Difference]:
    """The difference of the first system from the second."""
    return joint_bootstrap({"b": b, "a": a}, n, **settings).differences["a", "b"]


def means(*samples: Any) -> Ratios:
    """The mean of each sample, named by its place."""
    values = np.column_stack(samples)
    return Ratios([str(i) for i in range(values.shape[1])], values, np.ones_like(values))


def normal(n: int, k: int = 1, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, k))


# Ratios


def test_ratios_of_sums() -> None:
    # the third image is drawn twice, the first never: (0·1 + 1·2 + 2·3) / (0·1 + 1·0 + 2·2) = 8/4
    ratios = Ratios(["metric"], [[1], [2], [3]], [[1], [0], [2]])
    assert ratios([0, 1, 2]) == {"metric": 2.0}
    assert ratios([0, 1, 0]) == {"metric": None}  # the denominator is 0


def test_ratios_without_images_or_names() -> None:
    assert Ratios(["a", "b"], np.empty((0, 2)), np.empty((0, 2)))([]) == {"a": None, "b": None}
    assert Ratios([], np.empty((3, 0)), np.empty((3, 0)))([1, 1, 1]) == {}


@pytest.mark.parametrize(
    "names, numerators, denominators, message",
    [
        (["a"], [[1], [1]], [[1]], "two .n, 1. matrices"),
        (["a", "b"], [[1], [1]], [[1], [1]], "two .n, 2. matrices"),
        (["a"], [1, 1], [1, 1], "two .n, 1. matrices"),
        (["a", "a"], [[1, 1]], [[1, 1]], "duplicate names: a, a"),
        (["a"], [[float("nan")]], [[1]], "finite"),  # would be taken for a metric without a value
        (["a"], [[1]], [[float("inf")]], "finite"),
        (["a"], [[1]], [[-1]], "at least 0"),
    ],
)
def test_ratios_reject(names: list[str], numerators: Any, denominators: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ratios(names, numerators, denominators)


# Bootstrap


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_interval_equals_scipy_on_the_same_resamples(level: float) -> None:
    """One seed draws the same images in both, so nothing but rounding may differ."""
    (sample,) = normal(40).T
    expected = scipy.stats.bootstrap(
        (sample,), np.mean, n_resamples=500, confidence_level=level, method="percentile", rng=np.random.default_rng(3)
    )
    interval = bootstrap(means(sample), 40, resamples=500, seed=3, level=level)["0"]
    assert interval == pytest.approx(tuple(expected.confidence_interval), abs=1e-12)


def test_interval_of_a_ranking_equals_scipy_on_the_same_resamples() -> None:
    rng = np.random.default_rng(1)
    is_fake = rng.random(30) < 0.5
    score = (rng.random(30) + is_fake * 0.3).round(1)
    for name in ("auroc", "average_precision"):
        expected = scipy.stats.bootstrap(
            (is_fake, score),
            lambda labels, scores, name=name: getattr(Ranking(labels, scores), name)(),
            paired=True,
            vectorized=False,
            n_resamples=300,
            method="percentile",
            rng=np.random.default_rng(0),
        )
        interval = bootstrap(Ranking(is_fake, score), 30, resamples=300)[name]
        assert interval == pytest.approx(tuple(expected.confidence_interval), abs=1e-12)


def test_interval_of_an_accuracy_agrees_with_the_binomial() -> None:
    # a resample of 10,000 images, 8,000 of them right, has Binomial(10000, 0.8) right: 0.8 ± 1.96 · 0.004
    right = np.arange(10_000) < 8_000
    interval = bootstrap(means(right), 10_000)["0"]
    low, high = scipy.stats.binom(10_000, 0.8).interval(0.95)
    assert interval == pytest.approx((low / 1e4, high / 1e4), abs=6e-4)  # 2,000 resamples: quantiles to about 0.0003


def test_intervals_cover_and_tests_reject_at_their_nominal_rate() -> None:
    """400 experiments of 100 images, true mean 0: 95 % intervals hold it, and 5 % of tests reject it."""
    a, b = normal(100, 400), normal(100, 400, seed=8)
    covered = [low <= 0 <= high for low, high in bootstrap(means(a), 100, resamples=1000).values()]
    assert 0.91 < np.mean(covered) < 0.98
    differences = paired_bootstrap(means(a), means(b), 100, resamples=1000).values()
    assert 0.02 < np.mean([d.p < 0.05 for d in differences]) < 0.09
    assert 0.4 < np.mean([d.p for d in differences]) < 0.6


def test_the_seed_determines_the_resamples() -> None:
    metrics = means(normal(50))
    assert bootstrap(metrics, 50, seed=1) == bootstrap(metrics, 50, seed=1) != bootstrap(metrics, 50, seed=2)


def weights(n: int, resamples: int, **settings: Any) -> np.ndarray:
    """The counts that metrics are called with."""
    seen: list[np.ndarray] = []

    def metrics(weight: np.ndarray) -> dict[str, float | None]:
        seen.append(weight)
        return {"n": 1.0}

    bootstrap(metrics, n, resamples=resamples, **settings)
    assert len(seen) == resamples + 1 and (seen[0] == 1).all()
    return np.stack(seen[1:])


def test_resamples_draw_n_images_each_as_likely() -> None:
    drawn = weights(7, 7000)
    assert (drawn.sum(axis=1) == 7).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(7), abs=0.05)  # 0.93 / sqrt(7000) = 0.011
    assert drawn.var() == pytest.approx(6 / 7, abs=0.05)  # Binomial(7, 1/7)
    # the generator's own draws, counted
    rng = np.random.default_rng(0)
    assert (drawn[:5] == [np.bincount(rng.integers(0, 7, 7), minlength=7) for _ in range(5)]).all()


def test_strata_keep_their_sizes() -> None:
    strata = np.array(["b", "a", "b", "c", "a", "b"])
    drawn = weights(6, 3000, strata=strata)
    for name, size in (("a", 2), ("b", 3), ("c", 1)):
        assert (drawn[:, strata == name].sum(axis=1) == size).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(6), abs=0.1)
    assert (drawn[:, 1] != drawn[:, 4]).any() and (drawn[:, 0] == 3).any()


def test_strata_narrow_the_interval_of_a_chosen_mix() -> None:
    # 500 fakes, all found, and 500 reals, half of them: accuracy 0.75. With the mix fixed only reals vary:
    # sd = sqrt(500 · 1/4) / 1000 = 0.0112; with a free mix sd = sqrt(0.75 · 0.25 / 1000) = 0.0137
    label = np.repeat([0, 1], 500)
    metrics = means((label == 0) | (np.arange(1000) % 2 == 0))
    for strata, sd in ((label, 0.01118), (None, 0.01369)):
        low, high = bootstrap(metrics, 1000, resamples=4000, strata=strata)["0"] or (0, 0)
        assert (high - low) / 2 == pytest.approx(1.96 * sd, rel=0.06)


def test_undefined_resamples_are_left_out_up_to_a_share() -> None:
    def undefined_in(times: int) -> MetricFunction:
        calls: Iterator[int] = iter(range(10_000))
        # the first call is for the metric itself; then the resamples count from 1
        return lambda weight: {"x": None if 0 < next(calls) <= times else 5.0, "always": 1.0}

    assert bootstrap(undefined_in(5), 3, resamples=100) == {"x": Interval(5, 5), "always": Interval(1, 1)}
    assert bootstrap(undefined_in(6), 3, resamples=100) == {"x": None, "always": Interval(1, 1)}


def test_metric_that_is_never_defined_has_no_interval() -> None:
    metrics = Ratios(["accuracy_fake", "accuracy_real"], [[0, 1], [0, 0]], [[0, 1], [0, 1]])
    assert bootstrap(metrics, 2) == {"accuracy_fake": None, "accuracy_real": Interval(0, 1)}


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_images_have_no_interval(n: int) -> None:
    ones = means(np.ones(n))
    assert bootstrap(ones, n, strata=np.zeros(n)) == {"0": None}
    assert paired_bootstrap(ones, ones, n) == {"0": Difference(0.0 if n else None, None, None)}


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"resamples": 0}, "resamples >= 1"),
        ({"level": 1.0}, "0 < level < 1"),
        ({"level": 95}, "0 < level < 1"),
        ({"strata": ["a", "b"]}, "expected 3 strata, got shape .2,."),
        ({"strata": [["a", "b"]] * 3}, "expected 3 strata, got shape .3, 2."),
    ],
)
def test_bootstrap_rejects(settings: dict[str, Any], message: str) -> None:
    metrics = means(np.ones(3))
    with pytest.raises(ValueError, match=message):
        bootstrap(metrics, 3, **settings)
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(metrics, metrics, 3, **settings)


def test_memory_does_not_grow_with_resamples() -> None:
    n, resamples = 5000, 400  # all counts at once would take 16 MB
    metrics = means(np.ones(n))
    tracemalloc.start()
    try:
        bootstrap(metrics, n, resamples=resamples)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


# Two systems


def test_identical_systems_do_not_differ() -> None:
    (sample,) = normal(60).T
    assert paired_bootstrap(means(sample), means(sample), 60) == {"0": Difference(0.0, Interval(0, 0), 1.0)}


def test_rounding_is_no_difference() -> None:
    a = lambda weight: {"iou": 0.3}  # noqa: E731
    b = lambda weight: {"iou": 0.1 + 0.2}  # noqa: E731
    assert paired_bootstrap(a, b, 5) == {"iou": Difference(0.0, Interval(0, 0), 1.0)}


def test_difference_equals_the_mean_of_differences() -> None:
    """On one resample, mean(a) - mean(b) equals mean(a - b); separate resamples would break this."""
    a, b = normal(80, 2).T
    b = a + b / 10 - 0.02  # alike, so pairing matters
    difference = paired_bootstrap(means(a), means(b), 80, seed=5)["0"]
    assert difference.value == pytest.approx(np.mean(a - b), abs=1e-12)
    assert difference.interval == pytest.approx(bootstrap(means(a - b), 80, seed=5)["0"], abs=1e-12)
    swapped = paired_bootstrap(means(b), means(a), 80, seed=5)["0"]
    assert swapped.value == -difference.value and swapped.p == difference.p
    assert difference.interval and swapped.interval == pytest.approx((-difference.interval[1], -difference.interval[0]))


def scripted(values: list[float | None]) -> MetricFunction:
    """A metric that takes these values on the resamples, and the first on all images as well."""
    calls: Iterator[float | None] = iter([values[0], values[0], *values])
    return lambda weight: {"x": next(calls)}


ZERO = lambda weight: {"x": 0.0}  # noqa: E731


@pytest.mark.parametrize(
    "differences, p",
    [
        ([1.0] * 19, 2 * 1 / 20),  # none at or below 0
        ([-1.0] * 19, 2 * 1 / 20),
        ([1.0] * 17 + [-1.0] * 2, 2 * 3 / 20),
        ([1.0] * 17 + [-1.0, 0.0], 2 * 3 / 20),  # 0 speaks for either side
        ([1.0] * 10 + [-1.0] * 9, 1.0),  # 2 · 10 / 20
        ([0.0] * 19, 1.0),
        ([1.0] * 39 + [None], 2 * 1 / 40),  # one resample without a metric
    ],
)
def test_p_by_hand(differences: list[float | None], p: float) -> None:
    result = paired_bootstrap(scripted(differences), ZERO, 3, resamples=len(differences))["x"]
    assert result.p == pytest.approx(p, abs=1e-15)


def test_difference_needs_both_metrics() -> None:
    none: MetricFunction = lambda weight: {"x": None}  # noqa: E731
    for a, b in ((none, ZERO), (ZERO, none), (none, none)):
        assert paired_bootstrap(a, b, 4, resamples=10) == {"x": Difference(None, None, None)}
    with pytest.raises(ValueError, match="the systems have different metrics: auroc, x"):
        paired_bootstrap(ZERO, lambda weight: {"auroc": 1.0}, 4)


def verdicts(both: int, only_a: int, only_b: int, neither: int) -> tuple[list[bool], list[bool]]:
    pairs = [(True, True)] * both + [(True, False)] * only_a + [(False, True)] * only_b + [(False, False)] * neither
    return [a for a, _ in pairs], [b for _, b in pairs]


@pytest.mark.parametrize(
    "both, only_a, only_b, neither, p",
    [
        (0, 0, 0, 0, 1.0),  # no image
        (1, 0, 0, 0, 1.0),
        (5, 0, 0, 4, 1.0),  # never apart
        (3, 1, 0, 2, 1.0),  # 2 · 1/2
        (0, 5, 0, 9, 1 / 16),  # 2 · (1/2)⁵
        (9, 1, 5, 0, 14 / 64),  # 2 · (1 + 6) / 2⁶
        (1, 4, 4, 1, 1.0),  # level: above 1 before it is cut
        (40, 2, 10, 8, 158 / 4096),  # 2 · (1 + 12 + 66) / 2¹²
    ],
)
def test_mcnemar_by_hand(both: int, only_a: int, only_b: int, neither: int, p: float) -> None:
    a, b = verdicts(both, only_a, only_b, neither)
    assert mcnemar_test(a, b) == (only_a, only_b, pytest.approx(p, rel=1e-12))
    assert mcnemar_test(b, a) == (only_b, only_a, pytest.approx(p, rel=1e-12))


@settings(max_examples=100, deadline=None)
@given(*[st.integers(0, 60)] * 4)
def test_mcnemar_equals_the_binomial_test(both: int, only_a: int, only_b: int, neither: int) -> None:
    *counts, p = mcnemar_test(*verdicts(both, only_a, only_b, neither))
    assert counts == [only_a, only_b]
    discordant = only_a + only_b
    if discordant:
        assert p == pytest.approx(scipy.stats.binomtest(only_a, discordant).pvalue, rel=1e-9)
    tail = sum(comb(discordant, i) for i in range(min(only_a, only_b) + 1))
    assert p == pytest.approx(float(min(Fraction(1), Fraction(2 * tail, 2**discordant))), rel=1e-9)


def test_mcnemar_of_many() -> None:
    b, c, p = mcnemar_test(*verdicts(0, 50_300, 49_700, 0))
    assert p == pytest.approx(scipy.stats.binomtest(b, b + c).pvalue, rel=1e-9)


@pytest.mark.parametrize(
    "a, b, message",
    [
        ([1, 0], [1], "expected two arrays of one length"),
        ([[1]], [[1]], "expected two arrays of one length"),
        ([1, 0.5], [1, 0], "True .right. or False"),
        ([1, 0], [1, None], "True .right. or False"),
    ],
)
def test_mcnemar_rejects(a: Any, b: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mcnemar_test(a, b)


# Folds


def test_spread() -> None:
    assert spread([]) == (None, None)
    assert spread([0.3]) == (0.3, None)
    assert spread([0.1, 0.1, 0.1]) == (0.1, 0.0)  # exactly
    # mean 2.5; squares 2.25 + 0.25 + 0.25 + 2.25 = 5, over 3
    assert spread(iter([1, 2, 3, 4])) == (2.5, pytest.approx((5 / 3) ** 0.5, abs=1e-12))
