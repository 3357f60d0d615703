"""How far P(fake) is from the share of images that are fake: bins of a reliability diagram, and their mean error."""

from __future__ import annotations

from math import fsum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .bootstrap import Interval, wilson_interval

BINS = 10


class Bin(NamedTuple):
    """Images with similar P(fake).

    Attributes:
        images: their number, at least 1.
        mean: their mean P(fake).
        fake: how many of them are fake.
    """

    images: int
    mean: float
    fake: int

    @property
    def share(self) -> float:
        """Share of the images that are fake."""
        return self.fake / self.images

    def interval(self, level: float = 0.95) -> Interval:
        """Wilson's score interval of the share."""
        return wilson_interval(self.fake, self.images, level)


def reliability_bins(is_fake: ArrayLike, p_fake: ArrayLike, bins: int = BINS) -> list[Bin]:
    """Group images by P(fake) into bins of equal width, without the empty ones.

    Args:
        is_fake: (n,) booleans.
        p_fake: (n,) numbers in [0, 1].
        bins: number of bins; a number on an edge belongs to the bin above, and 1 to the last.

    >>> reliability_bins([False, True, True], [0.0, 0.95, 1.0])
    [Bin(images=1, mean=0.0, fake=0), Bin(images=2, mean=0.975, fake=2)]
    """
    fake, p = np.asarray(is_fake, bool), np.asarray(p_fake, float)
    of = np.minimum((p * bins).astype(int), bins - 1)
    chosen = (of == each for each in np.unique(of))
    return [Bin(int(rows.sum()), float(p[rows].mean()), int(fake[rows].sum())) for rows in chosen]


def expected_calibration_error(is_fake: ArrayLike, p_fake: ArrayLike, bins: int = BINS) -> float:
    """Mean distance of P(fake) from the share of fake images, over bins weighted by their images (Guo et al. 2017).

    Args: as `reliability_bins`, with at least one image.

    >>> expected_calibration_error([False, True], [0.25, 0.75])
    0.25
    """
    found = reliability_bins(is_fake, p_fake, bins)
    return fsum(each.images * abs(each.mean - each.share) for each in found) / sum(each.images for each in found)
