"""How well P(fake) ranks fake images above real ones, without a threshold: AUROC and average precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .ratios import Array


class Ranking:
    """Images sorted by P(fake), once for any number of weight vectors.

    Called with weights it is a `MetricFunction` of 'auroc' and 'average_precision'.

    Args:
        is_fake: (n,) booleans, or 0 and 1.
        score: (n,) numbers that grow with P(fake); infinite scores are allowed.

    Raises:
        ValueError: the shapes differ, a label is neither 0 nor 1, or a score is missing (None or NaN). Leaving that
            image out would favour a system that answers only when it is sure.

    >>> ranking = Ranking([True, True, False, False], [0.9, 0.4, 0.4, 0.1])
    >>> ranking.auroc(), ranking.auroc([1, 0, 1, 1])
    (0.875, 1.0)
    """

    def __init__(self, is_fake: ArrayLike, score: ArrayLike) -> None:
        fake, score = np.asarray(is_fake, np.float64), np.asarray(score, np.float64)
        if fake.ndim != 1 or fake.shape != score.shape:
            raise ValueError(f"expected as many scores as labels, got shapes {score.shape} and {fake.shape}")
        if not np.isin(fake, (0, 1)).all():
            raise ValueError("expected labels True (fake) or False (real)")
        if missing := np.isnan(score).sum():
            raise ValueError(f"{missing} of {len(score)} images have no score")
        self._order = np.argsort(-score, kind="stable")
        self._fake, ordered = fake[self._order], score[self._order]
        # number of images at or above each threshold, from none to all; images with equal scores enter together
        self._cuts = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(score)]))

    def __call__(self, weight: ArrayLike) -> dict[str, float | None]:
        curve = self._curve(weight)
        return {"auroc": _auroc(*curve), "average_precision": _average_precision(*curve)}

    def auroc(self, weight: ArrayLike | None = None) -> float | None:
        """See `auroc`."""
        return _auroc(*self._curve(weight))

    def average_precision(self, weight: ArrayLike | None = None) -> float | None:
        """See `average_precision`."""
        return _average_precision(*self._curve(weight))

    def roc(self) -> tuple[Array, Array] | None:
        """False-positive and true-positive rate at each threshold, the highest first; None without both labels.

        >>> [each.tolist() for each in Ranking([True, True, False, False], [0.9, 0.4, 0.4, 0.1]).roc()]
        [[0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0]]
        """
        fakes, reals = self._curve(None)
        return (reals / reals[-1], fakes / fakes[-1]) if fakes[-1] and reals[-1] else None

    def _curve(self, weight: ArrayLike | None) -> tuple[Array, Array]:
        """Weight of the fake and of the real images at or above each threshold, the highest first."""
        weight = np.ones(len(self._order)) if weight is None else np.asarray(weight, np.float64)
        if weight.shape != self._order.shape or not ((weight >= 0) & (weight < np.inf)).all():
            raise ValueError(f"expected {len(self._order)} finite weights of at least 0")
        ordered = weight[self._order]
        above = np.zeros((2, len(ordered) + 1))
        np.cumsum(ordered * self._fake, out=above[0, 1:])
        np.cumsum(ordered * (1 - self._fake), out=above[1, 1:])
        return above[0, self._cuts], above[1, self._cuts]


def auroc(is_fake: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float | None:
    """Area under the ROC curve: how often a fake image scores above a real one; a tie counts half.

    Args:
        is_fake: (n,) booleans, or 0 and 1.
        score: (n,) numbers that grow with P(fake).
        weight: (n,) finite weights of at least 0, such as a resample's counts; default: all 1.

    Returns:
        Area in [0, 1]; None if the fake or the real images are missing or have no weight.

    Raises:
        ValueError: as `Ranking`, or the weights are not as above.

    >>> auroc([1, 1, 0, 0], [0.9, 0.4, 0.4, 0.1])
    0.875
    """
    return Ranking(is_fake, score).auroc(weight)


def average_precision(is_fake: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float | None:
    """Average precision of the fake class: Σ (Rₖ - Rₖ₋₁) Pₖ over thresholds, the highest first.

    Steps, not trapezoids, and images with equal scores enter together, as in scikit-learn. If every image is fake, it
    would be 1 for any scores, so it is undefined then, as `auroc` is.

    Args, Returns, Raises: as `auroc`.

    >>> average_precision([1, 1, 0, 0], [0.9, 0.4, 0.4, 0.1])  # 1/2 · 1 + 1/2 · 2/3
    0.8333333333333333
    """
    return Ranking(is_fake, score).average_precision(weight)


def _auroc(fakes: Array, reals: Array) -> float | None:
    if not (fakes[-1] and reals[-1]):
        return None
    return min(1.0, float(np.diff(reals) @ (fakes[1:] + fakes[:-1]) / (2 * fakes[-1] * reals[-1])))


def _average_precision(fakes: Array, reals: Array) -> float | None:
    if not (fakes[-1] and reals[-1]):
        return None
    # if nothing above a threshold has weight, recall does not grow there; its precision only must not divide by 0
    precision = fakes[1:] / np.maximum(fakes[1:] + reals[1:], np.finfo(np.float64).tiny)
    return min(1.0, float(np.diff(fakes) @ precision / fakes[-1]))
