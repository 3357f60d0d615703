"""Records as masks, for methods that learn to segment (§5.1: boxes converted to binary masks)."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import OnError, raise_error

from .sink import path_in, saved


def to_mask(annotation: Annotation) -> Any:
    """The mask of a record's regions.

    A pixel is in a box if its centre is, so a box of whole numbers is exactly its pixels, and edges err neither way; a
    box with no centre in it, along x or y, takes the one pixel there that holds its middle.

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
        assert region.bbox is not None
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


def save_masks(
    annotations: Iterable[Annotation],
    out: str | Path,
    *,
    images: Path,
    link: bool = False,
    on_error: OnError = raise_error,
) -> int:
    """Write a mask for each record, and `labels.csv`.

    Args:
        annotations: the records.
        out: folder that is there, to write into. The mask of `a/b.jpg` is `a/b.png`; `labels.csv` has the path of each
            image in `images`, that of its mask in `out`, and its label.
        images: folder that the masks' paths follow.
        link: not used, for no image is copied.
        on_error: called with the error of each record that is passed over; without it the first raises.

    Returns:
        How many masks were written.

    Raises:
        AnnotationError: an image outside `images`, or two whose masks would have one name.
    """
    from PIL import Image

    out, count = Path(out), 0

    def place(annotation: Annotation) -> PurePosixPath:
        return path_in(images, annotation).with_suffix(".png")

    def save(annotation: Annotation, target: PurePosixPath) -> None:
        (out / target).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(to_mask(annotation)).save(out / target)

    with (
        open(out / "labels.csv", "w", encoding="utf-8", newline="") as file,
        closing(saved(annotations, place, save, on_error)) as records,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("image", "mask", "label"))
        for annotation, mask in records:
            table.writerow((str(path_in(images, annotation)), str(mask), annotation.label))
            count += 1
    return count
