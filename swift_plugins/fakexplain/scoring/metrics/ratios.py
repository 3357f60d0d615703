"""Metrics as functions of image weights.

Weights of 1 give the metric itself. The counts of a bootstrap resample give its value on that resample, so no image is
scored twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
MetricFunction = Callable[[Array], Mapping[str, float | None]]
"""(n,) weights -> metric by name, the same names in every call; None if undefined."""


class Ratios:
    """Metrics that are one sum over images divided by another: accuracy, mean IoU, precision, F1.

    Called with weights it is a `MetricFunction`: one matrix-vector product gives all of them, None if a denominator is
    0.

    Args:
        names: k names.
        numerators: (n, k) contribution of each image to the numerators; finite.
        denominators: (n, k) its contribution to the denominators; finite, at least 0. Both together take 16·n·k bytes.

    Raises:
        ValueError: a shape, name or number is not as above.

    >>> right, fake = [1, 0, 1], [1, 1, 0]
    >>> ratios = Ratios(["accuracy", "accuracy_fake"], [[1, 1], [0, 0], [1, 0]], [[1, 1], [1, 1], [1, 0]])
    >>> ratios([1, 1, 1])
    {'accuracy': 0.6666666666666666, 'accuracy_fake': 0.5}
    """

    def __init__(self, names: Sequence[str], numerators: ArrayLike, denominators: ArrayLike) -> None:
        above, below = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
        if above.ndim != 2 or above.shape != below.shape or above.shape[1] != len(names):
            raise ValueError(f"expected two (n, {len(names)}) matrices, got shapes {above.shape} and {below.shape}")
        if len(set(names)) < len(names):
            raise ValueError(f"duplicate names: {', '.join(names)}")
        self._names = tuple(names)
        self._rows = np.ascontiguousarray(np.concatenate((above, below), axis=1).T)
        if not np.isfinite(self._rows).all() or (below < 0).any():
            raise ValueError("expected finite numerators and finite denominators of at least 0")

    def __call__(self, weight: ArrayLike) -> dict[str, float | None]:
        above, below = (self._rows @ np.asarray(weight, np.float64)).reshape(2, -1).tolist()
        return {name: a / b if b else None for name, a, b in zip(self._names, above, below, strict=True)}
