"""Masks, for methods that learn to segment (§5.1: boxes converted to binary masks); written, not read."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path, PurePosixPath

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.csv_files import quote_formula, save_csv
from swift_plugins.fakexplain.errors import OnError, raise_error
from swift_plugins.fakexplain.images import path_in
from swift_plugins.fakexplain.masks import to_mask

from ..drafts.sink import save_each


def save_masks(annotations: Iterable[Annotation], out: Path, *, images: Path, on_error: OnError = raise_error) -> int:
    """Write one mask per record, and `labels.csv`. See `Writer`.

    The mask of `a/b.jpg` is `a/b.png`. `labels.csv` has the path of each image in `images`, the path of its mask in
    `out`, and its label. A path that a spreadsheet would run as a formula, such as `=a.png`, is written `./=a.png`.
    """
    from PIL import Image

    def place(annotation: Annotation) -> PurePosixPath:
        return path_in(images, annotation).with_suffix(".png")

    def save(annotation: Annotation, target: PurePosixPath) -> None:
        (out / target).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(to_mask(annotation)).save(out / target)

    with closing(save_each(annotations, place, save, on_error)) as records:
        rows = ((_cell(path_in(images, annotation)), _cell(mask), annotation.label) for annotation, mask in records)
        return save_csv(out / "labels.csv", ("image", "mask", "label"), rows)


def _cell(path: PurePosixPath) -> str:
    """A path that is no formula, and that programs which know nothing of `csv_files` can open."""
    text = str(path)
    return text if quote_formula(text) == text else f"./{text}"
