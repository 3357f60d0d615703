"""Whether two systems differ on the same images: paired bootstrap and McNemar's test. The paper has no such tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isclose
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .bootstrap import Interval, percentile_interval, resampled_values
from .ratios import Array, MetricFunction


class Difference(NamedTuple):
    """The difference of two systems in a metric.

    Attributes:
        value: first minus second system, on all images; None if either is undefined.
        interval: its percentile bootstrap interval.
        p: two-sided p-value of no difference; None if the interval is None.
    """

    value: float | None
    interval: Interval | None
    p: float | None


class Joint(NamedTuple):
    """Systems resampled together.

    Attributes:
        intervals: system -> metric -> interval.
        differences: (system, a system named before it) -> metric -> difference.
    """

    intervals: dict[str, dict[str, Interval | None]]
    differences: dict[tuple[str, str], dict[str, Difference]]


def joint_bootstrap(
    systems: Mapping[str, MetricFunction],
    n: int,
    *,
    compared: Collection[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    strata: ArrayLike | None = None,
) -> Joint:
    """Compute intervals of several systems' metrics on the same n images, and the differences of all pairs.

    Every system is evaluated on the same resamples.

    p = min(1, 2 (1 + min(#{d ≤ 0}, #{d ≥ 0})) / (1 + B)) over the differences d of the B resamples that define one. It
    is the level at which the interval would begin to include 0, with one resample added so that p is never 0. Rounding
    differences, below 1e-12 of the metrics, count as 0.

    Args: as `bootstrap`; image i is the same for all functions, and all return the same names. `compared` limits
        the differences to these metrics; None compares all.

    Raises:
        ValueError: an argument that `bootstrap` rejects, or the names differ.

    >>> from swift_plugins.fakexplain.scoring.metrics.ratios import Ratios
    >>> a = Ratios(["accuracy"], [[1]] * 80 + [[0]] * 20, [[1]] * 100)
    >>> b = Ratios(["accuracy"], [[1]] * 70 + [[0]] * 30, [[1]] * 100)
    >>> joint_bootstrap({"a": a, "b": b}, 100).differences["b", "a"]["accuracy"].p
    0.0009995002498750624
    """
    pairs = [(later, earlier) for i, later in enumerate(systems) for earlier in list(systems)[:i]]

    def all_values(weight: Array) -> dict[tuple[str, ...], float | None]:
        found = {name: system(weight) for name, system in systems.items()}
        first, *others = found.values()
        for other in others:
            if other.keys() != first.keys():
                odd = ", ".join(sorted(first.keys() ^ other.keys()))
                raise ValueError(f"the systems have different metrics: {odd}")
        values: dict[tuple[str, ...], float | None] = {
            (name, metric): value for name, each in found.items() for metric, value in each.items()
        }
        for a, b in pairs:
            for metric in first if compared is None else compared:
                values[a, b, metric] = _difference(found[a][metric], found[b][metric])
        return values

    values = all_values(np.ones(n))
    resampled = resampled_values(all_values, n, resamples, seed, level, strata)
    joint = Joint({name: {} for name in systems}, {pair: {} for pair in pairs})
    for key, value in values.items():
        interval = percentile_interval(resampled[key], level)
        if len(key) == 2:
            joint.intervals[key[0]][key[1]] = interval
        else:
            p = _p_value(resampled[key]) if interval else None
            joint.differences[key[0], key[1]][key[2]] = Difference(value, interval, p)
    return joint


def _difference(a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return None
    return 0.0 if isclose(a, b, rel_tol=1e-12) else a - b


def _p_value(differences: Array) -> float:
    fewer = min((differences <= 0).sum(), (differences >= 0).sum())
    return min(1.0, float(2 * (1 + fewer) / (1 + len(differences))))


def mcnemar_test(right_a: ArrayLike, right_b: ArrayLike) -> tuple[int, int, float]:
    """McNemar's exact test of two systems' verdicts on the same images.

    If the systems are equally accurate, each of the b + c images on which only one is right favours either with
    probability 1/2; p is the two-sided binomial probability. Exact, not the mid-p of Fagerland et al. (2013), which has
    more power but may exceed its level.

    Args:
        right_a: (n,) booleans, or 0 and 1: whether the first system's verdict is the label.
        right_b: (n,) the same for the second, on the same images.

    Returns:
        b, the number of images that only the first got right; c, only the second; p in [0, 1], 1 where b = c.

    Raises:
        ValueError: the shapes differ, or a value is neither 0 nor 1.

    >>> mcnemar_test([1, 1, 1, 1, 1, 0], [1, 0, 0, 0, 0, 0])  # 2 · (1/2)⁴
    (4, 0, 0.125)
    """
    from scipy.special import bdtr

    a, b = np.asarray(right_a, np.float64), np.asarray(right_b, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"expected two arrays of one length, got shapes {a.shape} and {b.shape}")
    if not np.isin((a, b), (0, 1)).all():
        raise ValueError("expected True (right) or False (wrong)")
    only_a, only_b = int((a > b).sum()), int((b > a).sum())
    p = min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))
    return only_a, only_b, p
