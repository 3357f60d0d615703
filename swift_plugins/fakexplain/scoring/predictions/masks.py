"""Read masks of segmentation methods.

A mask has the name of its image, so a folder of masks mirrors the folder of images. A mask of no record or of two
records is rejected.

Masks that would silently read as empty or full are rejected too: colours (a painted overlay), transparent pixels, 16
bits, and masks of only 0 and 1. So are masks of another shape, which methods that squeeze images into squares write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...annotation import Annotation
from ...errors import DataError, Unquoted
from ...images import image_key, open_image, path_in
from ...paths import check_is_folder, files_below
from .labels import BaselinePrediction


def read_masks(
    folder: str | Path,
    images: str | Path,
    annotations: Iterable[Annotation],
    min_area_share: float | None = None,
    threshold: int | None = None,
) -> Iterator[BaselinePrediction]:
    """Read the masks of a folder (SegFormer, ObjectFormer, LEGION, FakeShield ...).

    The mask of the image `a/b.jpg` is `a/b.png`, as `fakexplain export --to masks` writes it. Files other than PNG are
    ignored. That includes `labels.csv`, because an exported folder has one that holds the truth.

    Args:
        folder: folder of the masks.
        images: folder that the paths of the masks mirror.
        annotations: the records, streamed.
        min_area_share: in (0, 1]; an image is fake if at least this share of its pixels is in the mask, and the share
            is its score. None gives neither, because labels come from another file.
        threshold: as for `load_mask`.

    Yields:
        A prediction for each record with a mask, in the order of the records.

    Raises:
        FileNotFoundError: no such folder.
        DataError (a ValueError): a mask of no record or of two records, an unreadable mask, or no mask.
        ValueError: `min_area_share` out of range.
    """
    folder, images = Path(folder), Path(images)
    check_is_folder(folder, "a folder of masks")
    if min_area_share is not None and not 0 < min_area_share <= 1:
        raise ValueError(f"min_area_share: expected a number in (0, 1], found {min_area_share!r}")
    masks = dict.fromkeys((path for path in files_below(folder) if path.suffix == ".png"), "")  # -> its record's place
    if not masks:
        raise DataError("at least one mask (.png)", Unquoted("none")).at(str(folder), 0)
    for annotation in annotations:
        mask = folder / path_in(images, annotation).with_suffix(".png")
        if mask not in masks:
            continue
        place = f"{annotation.file}:{annotation.line}"
        if masks[mask]:
            found = Unquoted(f"the records {masks[mask]} and {place}")
            raise DataError("a mask of one record", found).at(str(mask), 0)
        masks[mask] = place
        prediction = BaselinePrediction(image_key(annotation.path), mask=str(mask), file=str(mask))
        if min_area_share is not None:
            share = float(load_mask(mask, annotation.image_wh, threshold).mean())
            prediction = prediction._replace(verdict="fake" if share >= min_area_share else "real", score=share)
        yield prediction
    if unowned := [mask for mask, place in masks.items() if not place]:
        found = Unquoted(f"none for it{f' nor for {len(unowned) - 1} others' if unowned[1:] else ''}")
        raise DataError(f"an image in {images} of a record", found).at(str(unowned[0]), 0)


def load_mask(path: str | Path, image_wh: tuple[int, int], threshold: int | None = None) -> Any:
    """Load a mask as the pixels of its image.

    A mask with another size than its image is scaled by nearest neighbour, if its aspect ratio agrees to within one
    pixel. Methods that squeeze images into squares have to stretch their masks back.

    Args:
        path: an opaque image file with 8 bits per channel, grey, or in colour with only grey pixels.
        image_wh: width and height of the image.
        threshold: 1 to 255, the least grey value that counts as masked. None means 128 and rejects masks of only 0
            and 1.

    Returns:
        (height, width) numpy bool.

    Raises:
        DataError (a ValueError): not an image, another shape, pixels other than these, or only 0 and 1.
        ValueError: the threshold is out of range.
    """
    import numpy as np
    from PIL import Image

    if threshold is not None and not 1 <= threshold <= 255:
        raise ValueError(f"threshold: expected 1 to 255, found {threshold!r}")
    try:
        with open_image(Path(path), Path(path).name, decode=True) as mask:
            grey = _grey(mask)
        (width, height), (w, h) = image_wh, grey.size
        if min(abs(w * height / width - h), abs(h * width / height - w)) > 1:
            raise DataError(f"the shape of its {width}x{height} image", Unquoted(f"{w}x{h}"), field="mask")
        if threshold is None and grey.getextrema()[1] == 1:
            expected = "values up to 255 (--mask-threshold 1 counts 1 as masked)"
            raise DataError(expected, Unquoted("only 0 and 1"), field="mask")
        if grey.size != image_wh:
            grey = grey.resize(image_wh, Image.Resampling.NEAREST)
        return np.asarray(grey) >= (128 if threshold is None else threshold)
    except DataError as error:
        error.field = "mask"
        raise error.at(str(path), 0) from None


def _grey(mask: Any) -> Any:
    """Convert a mask to 8-bit grey."""
    import numpy as np

    if mask.mode in ("1", "L") and not mask.has_transparency_data:
        return mask.convert("L")
    if mask.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        raise DataError("8 bits per channel", Unquoted(f"mode {mask.mode}"))
    rgba = mask.convert("RGBA")
    pixels = np.asarray(rgba)
    if (pixels[..., 3] < 255).any():
        raise DataError("no transparent pixel", Unquoted("some"))
    if (pixels[..., 1:3] != pixels[..., :1]).any():
        raise DataError("black, white and grey", Unquoted("colours"))
    return rgba.getchannel("R")
