"""Records as masks, for methods that learn to segment (§5.1: boxes converted to binary masks)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path, PurePosixPath

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import OnError, raise_error
from swift_plugins.fakexplain.images import path_in
from swift_plugins.fakexplain.masks import to_mask

from ..drafts.sink import saved


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
        DataError: an image outside `images`, or two whose masks would have one name.
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
