"""Claims of the paper: the verdict on each, its interval, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from examples import toy_results, toy_tables
from examples.toy_claims import CLAIMS, Claim, check, explain
from examples.toy_curves import setting_names

ACCURACY = Claim("§0", "A is better than B", "accuracy", ("A", "test"), ("B", "test"))


def result(seed: int = 0, **systems: list[float]) -> dict:
    return {
        "seed": seed,
        "settings": "DIFFICULTY=0.35",
        "sets": {"test": {name: {"accuracy": values} for name, values in systems.items()}},
    }


@pytest.mark.parametrize(
    ("a", "b", "margin", "verdict"),
    [
        ([1] * 90 + [0] * 10, [1] * 50 + [0] * 50, 0, "holds"),
        ([1] * 50 + [0] * 50, [1] * 90 + [0] * 10, 0, "does not hold"),
        ([1] * 52 + [0] * 48, [0] * 50 + [1] * 50, 0, "cannot tell"),
        ([1] * 100, [1] * 100, 0, "cannot tell"),
        ([1] * 100, [1] * 100, 0.01, "holds"),
        ([1] * 90 + [0] * 10, [1] * 100, 0.01, "does not hold"),
    ],
)
def test_the_verdict_of_one_seed(a, b, margin, verdict):
    found = check(ACCURACY._replace(margin=margin), [result(A=a, B=b)])
    assert found.verdict == verdict and found.p is None
    assert found.low <= found.difference <= found.high
    assert found.difference == pytest.approx(np.mean(a) - np.mean(b))


def test_images_are_resampled_in_pairs():
    """Systems that are right about the same images differ by less than their own intervals say."""
    rng = np.random.default_rng(0)
    b = (rng.random(400) < 0.5).astype(int).tolist()
    a = [1 if index < 12 else value for index, value in enumerate(b)]
    found = check(ACCURACY, [result(A=a, B=b)])
    assert found.verdict == "holds" and found.high - found.low < 0.03


def test_seeds_that_disagree_widen_the_interval():
    """By Student's interval of the paired differences, as scipy gives it."""
    rng = np.random.default_rng(1)
    shares = [(0.9, 0.5), (0.55, 0.6), (0.7, 0.6)]
    results = [
        result(seed, A=(rng.random(2000) < a).tolist(), B=(rng.random(2000) < b).tolist())
        for seed, (a, b) in enumerate(shares)
    ]
    found = check(ACCURACY, results)
    differences = [a - b for a, b in found.values]
    by_scipy = stats.ttest_1samp(differences, 0)
    assert found.p == pytest.approx(by_scipy.pvalue)
    low, high = by_scipy.confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.verdict == "cannot tell"
    assert check(ACCURACY, results[:1]).verdict == "holds"


def test_a_seed_without_either_side_does_not_count():
    both = result(A=[1, 1], B=[0, 1])
    assert len(check(ACCURACY, [both, result(1, A=[1, 1])]).values) == 1
    assert check(ACCURACY, [result(A=[1])]) is None
    boxes = ACCURACY._replace(metric="box_area")
    areas = {"A": {"box_area": [0.2, None]}, "B": {"box_area": [0.1, 0.3]}}
    found = check(boxes, [{"seed": 0, "sets": {"test": areas}}])
    assert found.values == ((0.2, 0.2),)


def test_claims_are_about_settings_that_experiments_train():
    names = set(setting_names().values())
    for claim in CLAIMS:
        assert {claim.more[0], claim.less[0]} <= names
        assert {claim.more[1], claim.less[1]} <= set(toy_tables.SETS)
    assert len({(claim.place, claim.text, claim.metric) for claim in CLAIMS}) == len(CLAIMS)


def test_every_claim_that_does_not_hold_says_why():
    found = [finding for claim in CLAIMS if (finding := check(claim, toy_tables.of_claims(toy_results.load())))]
    assert [each.claim.text for each in found if each.verdict == "does not hold" and not each.claim.why] == []


@pytest.mark.parametrize(
    ("a", "b", "paper", "words"),
    [
        ([1] * 90 + [0] * 10, [1] * 50 + [0] * 50, (0.9,), "–"),
        ([1] * 50 + [0] * 50, [1] * 90 + [0] * 10, (0.1,), "the interval excludes the paper's difference"),
        ([1] * 50 + [0] * 50, [0] * 50 + [1] * 50, (-0.05, 0.9), "the interval includes the paper's difference"),
    ],
)
def test_what_the_numbers_leave_open(a, b, paper, words):
    claim = ACCURACY._replace(paper=paper)
    assert explain(check(claim, [result(A=a, B=b)])) == words
    why = claim._replace(why="a reason")
    assert explain(check(why, [result(A=a, B=b)])) == f"{words}; a reason".removeprefix("–; ")
    two = [result(A=a, B=b), result(1, A=b, B=a)]
    if check(claim, two).verdict == "cannot tell":
        assert explain(check(claim, two)).endswith(("agree in sign", "differ in sign"))


def test_sides_about_different_images_are_an_error():
    with pytest.raises(ValueError, match="seed 0: .* different numbers of images"):
        check(ACCURACY, [result(A=[1], B=[1, 0])])


def test_the_boxed_area_is_number_times_mean_area():
    answers = {"boxes": [2, 0, 1], "box_area": [0.1, None, 0.5]}
    claim = Claim("§0", "A boxes more", "boxed", ("A", "test"), ("B", "test"))
    sets = {"test": {"A": answers, "B": {"boxes": [0, 0, 0], "box_area": [None] * 3}}}
    assert check(claim, [{"seed": 0, "sets": sets}]).difference == pytest.approx(0.7 / 3)
