"""Regions as pixel masks."""

from __future__ import annotations

import math
from typing import Any

from .annotation import Annotation


def to_mask(annotation: Annotation) -> Any:
    """The mask of a record's regions.

    A pixel is in a box if its centre is, so a box of whole numbers covers exactly its pixels, and rounding has no bias.
    A box that contains no centre along x or y covers the one pixel that holds its middle.

    Returns:
        (height, width) numpy uint8: 255 in any region, else 0; all 0 for a real image. Its pixels are those of the
        image as PIL opens it.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> regions = (Region((0.4, 0.0, 2.0, 1.0), "Hand."), Region((3.1, 1.6, 3.2, 1.9), "Eye."))
    >>> to_mask(Annotation("a", "a.png", 4, 2, "fake", regions)).tolist()
    [[255, 255, 0, 0], [0, 0, 0, 255]]
    """
    import numpy as np

    mask = np.zeros((annotation.height, annotation.width), np.uint8)
    for region in annotation.regions:
        x1, y1, x2, y2 = region.bbox
        mask[_pixels(y1, y2), _pixels(x1, x2)] = 255
    return mask


def _pixels(start: float, end: float) -> slice:
    """The pixels whose centres lie in [start, end), or the one in its middle."""
    first, last = math.ceil(start - 0.5), math.ceil(end - 0.5)
    if first < last:
        return slice(first, last)
    middle = math.floor((start + end) / 2)
    return slice(middle, middle + 1)
