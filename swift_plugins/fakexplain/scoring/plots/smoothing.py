"""Reduce and smooth curves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def average_neighbours(curve: Mapping[int, float], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a curve to at most `most` points, each the mean of neighbours.

    Args:
        curve: step -> value, in the order of steps; values that are not finite are left out of the means.
        most: largest number of points.

    Returns:
        (n,) steps and (n,) values; NaN if no neighbour has a finite value.

    >>> steps, values = average_neighbours({1: 0.0, 2: 1.0, 3: 4.0, 4: 6.0}, 2)
    >>> steps.tolist(), values.tolist()
    ([1.5, 3.5], [0.5, 5.0])
    """
    steps, values = np.array(list(curve), float), np.array(list(curve.values()), float)
    parts = min(len(steps), most)
    starts = np.linspace(0, len(steps), parts, endpoint=False).astype(int)
    finite = np.isfinite(values)
    counts = np.add.reduceat(finite.astype(float), starts)
    sums = np.add.reduceat(np.where(finite, values, 0), starts)
    lengths = np.diff([*starts, len(steps)])
    means = np.divide(sums, counts, out=np.full(parts, np.nan), where=counts > 0)
    return np.add.reduceat(steps, starts) / lengths, means


def moving_mean(values: np.ndarray, half: int) -> np.ndarray:
    """Average each value with equally many neighbours on either side, so that the ends are not pulled inwards.

    Args:
        values: (n,) floats; a value that is not finite becomes NaN, and is left out of other means.
        half: largest number of neighbours on either side.

    Returns:
        (n,) means.

    >>> moving_mean(np.array([1, 2, 9, 4, 4.0]), 1).tolist()
    [1.0, 4.0, 5.0, 5.666666666666667, 4.0]
    """
    finite = np.isfinite(values)
    place = np.arange(len(values))
    reach = np.minimum(half, np.minimum(place, place[::-1]))
    sums, counts = (
        (total := np.concatenate(([0.0], np.cumsum(each))))[place + reach + 1] - total[place - reach]
        for each in (np.where(finite, values, 0.0), finite)
    )
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=finite)
