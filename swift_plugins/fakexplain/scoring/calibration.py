"""Calibrate a system on a run: a threshold on P(fake) for a wanted false positive rate, a band and a temperature.

The threshold is an order statistic of the real images' P(fake), whose rank follows from their number alone: the most
false positives k whose upper Clopper-Pearson bound is at most the wanted rate. So the bound holds although the same
images give the threshold (Tong, Feng & Li 2018, Neyman-Pearson classification). Ties only lower the rate.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from ..annotation import LABELS
from ..operating_point import DECISIONS, WHENCE_P_FAKE, OperatingPoint, decide, logit, sigmoid
from .metrics.reliability import expected_calibration_error
from .run import Run

LEVEL = 0.95
FOLDS_OF_ERROR = 5
_TEMPERATURES = (0.01, 100.0)


@dataclass
class Probabilities:
    """P(fake) of every image of a run, as one system gives it.

    Attributes:
        is_fake: (n,) labels.
        p_fake: (n,) P(fake), NaN where it is unknown.
        problems: (n,) codes of the answers.
    """

    is_fake: list[bool] = field(default_factory=list)
    p_fake: list[float] = field(default_factory=list)
    problems: list[Sequence[str]] = field(default_factory=list)

    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels and P(fake) of the images where it is known."""
        p = np.array(self.p_fake)
        return np.array(self.is_fake, bool)[~np.isnan(p)], p[~np.isnan(p)]


def read_probabilities(runs: Iterable[Run], systems: Iterable[str] | None = None) -> dict[str, Probabilities]:
    """Read P(fake) of systems from runs.

    Args:
        runs: on one data set; a system belongs to one of them.
        systems: names; None reads all.

    Raises:
        DataError: a line of images.jsonl is not as `fakexplain score` writes it.
    """
    wanted = None if systems is None else set(systems)
    found: dict[str, Probabilities] = {}
    for run in runs:
        for record, answers in run.images("P(fake)"):
            for name, answer in answers.items():
                if wanted is None or name in wanted:
                    system = found.setdefault(name, Probabilities())
                    p = None if answer is None else answer["p_fake"]
                    system.is_fake.append(record.label == "fake")
                    system.p_fake.append(math.nan if p is None else p)
                    system.problems.append(answer["problems"] if answer else ())
    return found


def upper_bound(count: int, n: int, level: float = LEVEL) -> float:
    """Clopper-Pearson's upper confidence bound of a rate, one-sided.

    >>> round(upper_bound(0, 120), 4), upper_bound(3, 3)
    (0.0247, 1.0)
    """
    from scipy.special import betaincinv

    return float(betaincinv(count + 1, n - count, level)) if count < n else 1.0


def needed_images(rate: float, level: float = LEVEL) -> int:
    """Number of images of which none may fail to show that a rate is at most `rate`.

    >>> needed_images(0.01)
    299
    """
    return math.ceil(math.log1p(-level) / math.log1p(-rate))


class Limit(NamedTuple):
    """A limit that few values pass.

    Attributes:
        value: at most `allowed` of the values are beyond it.
        allowed: the most values whose share is shown to be at most the wanted rate; 0 if there are too few values.
        bound: upper bound of the share of further values beyond it.
    """

    value: float
    allowed: int
    bound: float


def limit(values: Sequence[float], rate: float, level: float = LEVEL) -> Limit:
    """The lowest limit that a share of at most `rate` of values such as these exceeds, with confidence `level`.

    Args:
        values: at least one.
        rate: in (0, 1).

    >>> limit([0.1] * 298 + [0.7], 0.01)[:2], limit([0.2, 0.7], 0.3)[:2], limit([0.5] * 472 + [0.7], 0.01)[:2]
    ((0.7, 0), (0.7, 0), (0.5, 1))
    """
    n = len(values)
    allowed = max(0, bisect_right(range(n), rate, key=lambda count: upper_bound(count, n, level)) - 1)
    return Limit(sorted(values, reverse=True)[allowed], allowed, upper_bound(allowed, n, level))


def fit_temperature(is_fake: np.ndarray, p_fake: np.ndarray) -> float:
    """Fit T of sigmoid(logit(P) / T) to labels, by maximum likelihood (Guo et al. 2017), between 0.01 and 100.

    T above 1: the system is surer than it is right. 1 if the images are all fake or all real, or every P is 1/2,
    because then no T is better than another or the best one is a limit.

    Args:
        is_fake: (n,) booleans.
        p_fake: (n,) numbers in [0, 1].
    """
    from scipy.optimize import minimize_scalar

    signs = np.where(is_fake, 1.0, -1.0)
    margins = signs * np.array([logit(p) for p in p_fake])
    if len(set(signs)) < 2 or not margins.any():
        return 1.0
    bounds = tuple(map(math.log, _TEMPERATURES))
    best = minimize_scalar(lambda x: np.logaddexp(0, -margins / math.exp(x)).mean(), bounds=bounds, method="bounded")
    return math.exp(float(best.x))


def scale(p_fake: np.ndarray, temperature: float) -> np.ndarray:
    """Apply a temperature to probabilities."""
    return np.array([sigmoid(logit(p) / temperature) for p in p_fake])


class CalibrationError(NamedTuple):
    """Expected calibration error of P(fake), as it is and after scaling.

    Attributes:
        before, after: in [0, 1].
        held_out: whether each image was scaled by a temperature fitted without it.
    """

    before: float
    after: float
    held_out: bool


def calibration_error(is_fake: np.ndarray, p_fake: np.ndarray) -> CalibrationError:
    """Measure the calibration error before and after scaling, cross-validated if each label has enough images.

    Each fold takes every fifth image of each label, in the order of the run.
    """
    before = expected_calibration_error(is_fake, p_fake)
    order = np.where(is_fake, np.cumsum(is_fake), np.cumsum(~is_fake)) % FOLDS_OF_ERROR
    held_out = min(is_fake.sum(), (~is_fake).sum()) >= FOLDS_OF_ERROR
    scaled = np.empty(len(p_fake))
    for fold in range(FOLDS_OF_ERROR):
        rows = order == fold
        fitted = ~rows if held_out else np.full(len(rows), True)
        scaled[rows] = scale(p_fake[rows], fit_temperature(is_fake[fitted], p_fake[fitted]))
    return CalibrationError(before, expected_calibration_error(is_fake, scaled), bool(held_out))


@dataclass(frozen=True)
class Calibration:
    """An operating point, and what it does on the run.

    Attributes:
        point: the operating point.
        allowed: the most false positives that it was chosen to allow.
        decisions: label -> decision -> number of images.
        unknown: number of images without P(fake).
        error: calibration error.
        miss_bound: upper bound of the share of fake images called real, if a rate was wanted.
    """

    point: OperatingPoint
    allowed: int
    decisions: Mapping[str, Mapping[str, int]]
    unknown: int
    error: CalibrationError
    miss_bound: float | None = None


def calibrate(run: Run, system: str, fpr: float, miss: float | None = None) -> Calibration:
    """Choose the operating point of a system.

    The band ends at the threshold. It begins at 1/2 or, with `miss`, where at most that share of fake images lies
    below; and never above the threshold. An image without P(fake) is unsure, and so never a false positive; real ones
    count in `n_real`.

    Args:
        run: has real images and, for `miss`, fake ones.
        system: its name in the run.
        fpr: wanted false positive rate, in (0, 1).
        miss: wanted share of fake images called real, in (0, 1).

    Raises:
        ValueError: no such system, no P(fake), no real image, or no fake one for `miss`.
    """
    place = f"{run.folder}: {system}"
    if system not in run.systems:
        raise ValueError(f"{run.folder}: expected one of the systems {', '.join(run.systems)}, found {system!r}")
    found = read_probabilities([run], [system]).get(system, Probabilities())
    is_fake, p_fake = found.known()
    reals, fakes = found.is_fake.count(False), found.is_fake.count(True)
    if not len(p_fake):
        raise ValueError(
            f"{place}: expected P(fake) of its answers, found none; {WHENCE_P_FAKE}, and score its answers again"
        )
    if is_fake.all():
        without = f"{reals} real images without it" if reals else "fake images alone"
        raise ValueError(f"{place}: expected real images with P(fake), found {without}")
    if miss is not None and not fakes:
        raise ValueError(f"{place}: expected fake images, of which a share of {miss} may be missed, found none")
    high = limit(_padded(p_fake[~is_fake], reals), fpr)
    threshold, low, miss_bound = max(0.0, high.value), 0.5, None
    if miss is not None:
        least = limit(_padded(-p_fake[is_fake], fakes), miss)
        low, miss_bound = -least.value, least.bound
    band = (min(low, threshold), threshold)
    temperature = fit_temperature(is_fake, p_fake)
    point = OperatingPoint(threshold, band, fpr, high.bound, reals, 0, temperature, str(run.folder), system)
    decisions = _decisions(found, point)
    point = replace(point, false_positives=decisions["real"]["fake"])
    unknown, error = reals + fakes - len(p_fake), calibration_error(is_fake, p_fake)
    return Calibration(point, high.allowed, decisions, unknown, error, miss_bound)


def _padded(values: np.ndarray, count: int) -> list[float]:
    """The values, and for each image without one a value that is beyond no limit."""
    return [*values.tolist(), *[-math.inf] * (count - len(values))]


def _decisions(found: Probabilities, point: OperatingPoint) -> dict[str, dict[str, int]]:
    none: dict[str, int] = dict.fromkeys(DECISIONS, 0)
    counts = {label: dict(none) for label in LABELS}
    for is_fake, p, problems in zip(found.is_fake, found.p_fake, found.problems, strict=True):
        decision = decide(None, None if math.isnan(p) else p, problems, point)
        counts["fake" if is_fake else "real"][decision] += 1
    return counts
