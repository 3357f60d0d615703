"""Calibration: the threshold against counting, its bound against the binomial, the temperature against a search."""

from __future__ import annotations

import math
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.scoring.calibration import (
    calibrate,
    calibration_error,
    fit_temperature,
    limit,
    needed_images,
    scale,
    upper_bound,
)
from swift_plugins.fakexplain.scoring.metrics.reliability import expected_calibration_error
from swift_plugins.fakexplain.scoring.run import Run
from tests.scoring.runs import answer, line, write_run


def chance_of_at_most(count: int, n: int, rate: float) -> float:
    return sum(comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(count + 1))


@settings(deadline=None)
@given(st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_at_the_bound_so_few_have_a_chance_of_five_percent(case: tuple[int, int]):
    count, n = case
    bound = upper_bound(count, n)
    assert bound == 1 if count == n else chance_of_at_most(count, n, bound) == pytest.approx(0.05)


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.05, 0.01, 0.001])
def test_needed_images(rate: float):
    n = needed_images(rate)
    assert upper_bound(0, n) <= rate < upper_bound(0, n - 1)


shares = st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1)


@settings(deadline=None)
@given(st.lists(shares, min_size=1, max_size=200), st.floats(0.005, 0.6))
def test_the_limit_against_counting(values: list[float], rate: float):
    found = limit(values, rate)
    n = len(values)
    allowed = max((k for k in range(n) if upper_bound(k, n) <= rate), default=0)
    assert (found.allowed, found.bound) == (allowed, upper_bound(allowed, n))
    assert found.value in values
    assert sum(value > found.value for value in values) <= allowed
    lower = [value for value in values if value < found.value]
    assert not lower or sum(value > max(lower) for value in values) > allowed  # none lower would do


def test_the_bound_holds_on_further_images():
    """In 95 % of the draws at least, fewer further images than the bound are beyond the limit (here 0.96)."""
    rng = np.random.default_rng(0)
    kept = [1 - limit(rng.random(200).tolist(), 0.05).value <= 0.05 for _ in range(500)]
    assert np.mean(kept) > 0.93


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 0.999)), min_size=2, max_size=40))
def test_the_temperature_against_a_search(images: list[tuple[bool, float]]):
    is_fake, p = (np.array(each) for each in zip(*images, strict=True))
    found = fit_temperature(is_fake, p)
    if len(set(is_fake)) < 2 or not (p != 0.5).any():
        assert found == 1
        return

    def loss(temperature: float) -> float:
        q = np.clip(scale(p, temperature), 1e-300, 1 - 1e-16)
        return -float(np.mean(np.where(is_fake, np.log(q), np.log1p(-q))))

    assert 0.01 <= found <= 100
    assert loss(found) <= min(map(loss, np.geomspace(0.011, 99, 200))) + 1e-4


def test_an_overconfident_system_is_cooled():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, 4000)
    is_fake = rng.random(4000) < 1 / (1 + np.exp(-logits))
    p = 1 / (1 + np.exp(-3 * logits))
    assert fit_temperature(is_fake, p) == pytest.approx(3, rel=0.1)
    error = calibration_error(is_fake, p)
    assert error.held_out and error.before > 0.1 > 0.03 > error.after


def test_calibration_error_by_hand():
    # bins 0.0-0.1 (mean 0.05, none of 2 fake), 0.9-1.0 (mean 0.95, 1 of 2 fake): 2/4 · 0.05 + 2/4 · 0.45
    assert expected_calibration_error([0, 0, 1, 0], [0.0, 0.1 - 1e-12, 0.9, 1.0]) == pytest.approx(0.25)
    few = calibration_error(np.array([True, False]), np.array([0.9, 0.1]))
    assert not few.held_out and few.before == pytest.approx(0.1)


def run_of(folder: Path, images: list[tuple[str, float | None]], verdict: str | None = None, **changes) -> Run:
    """A run of images with a label and P(fake), each called by P(fake) > 0.5, or as stated."""
    lines = [
        line(f"i{index}", label, {"7B": answer(verdict or ("fake" if (p or 0) > 0.5 else "real"), p_fake=p, **changes)})
        for index, (label, p) in enumerate(images)
    ]
    return write_run(folder, lines)


def test_an_operating_point_by_hand(tmp_path: Path):
    """100 real images, 0.00 to 0.99; at 10 % the bound allows 4: upper_bound(4, 100) is 0.0892, of 5 0.1022."""
    images: list[tuple[str, float | None]] = [("real", index / 100) for index in range(100)]
    images += [("fake", p) for p in (0.96, 0.951, 0.95, 0.7, 0.2)]
    found = calibrate(run_of(tmp_path, images), "7B", 0.1)
    point = found.point
    assert (point.threshold, point.band) == (0.95, (0.5, 0.95))
    assert (point.n_real, point.false_positives, point.fpr, point.system) == (100, 4, 0.1, "7B")
    assert point.bound == pytest.approx(0.0892, abs=1e-4)
    assert found.decisions == {
        "real": {"fake": 4, "real": 50, "unsure": 46},
        "fake": {"fake": 2, "real": 1, "unsure": 2},
    }
    assert found.unknown == 0 and found.error.held_out


def test_a_wanted_share_of_missed_fakes_sets_the_low_end(tmp_path: Path):
    images: list[tuple[str, float | None]] = [("real", 0.1)] * 50 + [("real", 0.9)]
    images += [("fake", index / 100) for index in range(100)]
    found = calibrate(run_of(tmp_path, images), "7B", 0.1, 0.1)
    assert found.point.band == (0.04, 0.1)  # four of a hundred are below, as many as are allowed
    assert found.decisions["fake"]["real"] == 4
    assert found.miss_bound == pytest.approx(0.0892, abs=1e-4)
    never_above = calibrate(run_of(tmp_path / "b", [("real", 0.1), *[("fake", 0.9)] * 3]), "7B", 0.1, 0.5)
    assert never_above.point.band == (0.1, 0.1)


@pytest.mark.parametrize(
    ("images", "threshold", "real"),
    [
        ([("real", 0.3)], 0.3, {"fake": 0, "real": 0, "unsure": 1}),  # one real image alone
        ([("real", 0.7)] * 400 + [("fake", 0.7)], 0.7, {"fake": 0, "real": 0, "unsure": 400}),  # all equal
        ([("real", 1.0)] * 300 + [("fake", 1.0)], 1.0, {"fake": 0, "real": 0, "unsure": 300}),
        ([("real", 0.0)] * 300 + [("fake", 1.0)] * 300, 0.0, {"fake": 0, "real": 0, "unsure": 300}),
        ([("real", 0.2), ("real", None), ("fake", None)], 0.2, {"fake": 0, "real": 0, "unsure": 2}),
        ([("real", 0.9)] + [("real", None)] * 999 + [("fake", 0.8)], 0.0, {"fake": 1, "real": 0, "unsure": 999}),
    ],
)
def test_ties_ends_and_unknowns(tmp_path: Path, images: list, threshold: float, real: dict[str, int]):
    found = calibrate(run_of(tmp_path, images), "7B", 0.01)
    assert found.point.threshold == threshold
    assert found.point.band == (min(threshold, 0.5), threshold)
    assert found.decisions["real"] == real
    assert found.point.n_real == sum(real.values())
    assert math.isfinite(found.point.temperature) and found.point.temperature > 0
    assert found.unknown == sum(p is None for _, p in images)


def test_a_contradiction_is_not_called_real(tmp_path: Path):
    found = calibrate(run_of(tmp_path, [("real", 0.9), ("real", 0.1)], problems=["real_with_flaws"]), "7B", 0.5)
    assert found.decisions["real"] == {"fake": 0, "real": 0, "unsure": 2}


@pytest.mark.parametrize(
    ("images", "miss", "message"),
    [
        ([("real", None), ("fake", None)], None, "--logprobs true --top_logprobs 2, and score its answers again"),
        ([("fake", 0.9)], None, "7B: expected real images with P(fake), found fake images alone"),
        ([("fake", 0.9), ("real", None)], None, "expected real images with P(fake), found 1 real images without it"),
        ([("real", 0.9)], 0.1, "expected fake images, of which a share of 0.1 may be missed, found none"),
    ],
)
def test_what_cannot_be_calibrated_says_why(tmp_path: Path, images: list, miss: float | None, message: str):
    with pytest.raises(ValueError) as error:
        calibrate(run_of(tmp_path, images), "7B", 0.01, miss)
    assert message in str(error.value)


def test_the_system_must_be_in_the_run(tmp_path: Path):
    with pytest.raises(ValueError, match="expected one of the systems 7B, found '8B'"):
        calibrate(run_of(tmp_path, [("real", 0.1)]), "8B", 0.01)
