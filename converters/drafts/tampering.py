"""What So-Fake and SID_Set share: real, fully synthetic and tampered images, and the masks of tampered ones."""

from __future__ import annotations

import io
from typing import Any

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.images import open_image, turn_upright, upright_wh

from .parquet import image_bytes

KINDS = {"real": "real", "full_synthetic": "fake", "tampered": "fake"}
"""What a source calls an image -> its label."""

CAPTION = "Tampered area."

Tampered = tuple[float, float, float, float, str]


def kind_of(label: Any, names: list[str] | None) -> str:
    """One of `KINDS`, from a label that is a name, or a number and the names that the file itself gives.

    Args:
        label: a name in any case, or the index of one.
        names: of the ClassLabel column; None where the file says none.

    Raises:
        DataError: neither a name nor the index of one, or a number without names.

    >>> kind_of(1, ["real", "tampered", "full_synthetic"]), kind_of("FULL_SYNTHETIC", None)
    ('tampered', 'full_synthetic')
    """
    name = label
    if isinstance(label, int) and not isinstance(label, bool):
        if not isinstance(names, list):
            expected = "a label's name, or a number and its names in the file's Hugging Face metadata"
            raise DataError(expected, label, field="label")
        if not 0 <= label < len(names):
            raise DataError(f"a number below {len(names)}", label, field="label")
        name = names[label]
    kind = name.lower() if isinstance(name, str) else None
    if kind not in KINDS:
        raise DataError(f"one of {', '.join(KINDS)}", name, field="label")
    return kind


def mask_regions(row: dict[str, Any], kind: str, image: bytes) -> list[Tampered]:
    """The tight box of every area of the row's mask: pixels that touch, also by a corner, are one area.

    Pixels brighter than half the mask's brightest are in, so 0 and 1, 0 and 255 and a JPEG of either read alike.

    Args:
        row: `mask` may be null or not there.
        kind: one of `KINDS`; a fully synthetic image has no region, and its mask is empty or whole.
        image: the bytes of the image that it is a mask of.

    Raises:
        DataError: no image, of another size than the image, not empty for a real image, or in part for a fully
            synthetic one; field `mask`.
    """
    held = image_bytes(row, "mask", required=False)
    if held is None:
        return []
    import numpy as np
    from scipy import ndimage

    with open_image(io.BytesIO(image), "the image") as opened:
        wh = upright_wh(opened)
    try:
        with open_image(io.BytesIO(held), "the mask", decode=True) as opened:
            mask = np.asarray(turn_upright(opened).convert("L"))
    except DataError as error:
        error.field = "mask"
        raise
    if mask.shape != wh[::-1]:
        found = Unquoted(f"{mask.shape[1]}x{mask.shape[0]}")
        raise DataError(f"a mask of the image's own {wh[0]}x{wh[1]} pixels", found, field="mask")
    inside = mask > mask.max() / 2
    if kind != "tampered" and inside.any() and not (kind == "full_synthetic" and inside.all()):
        found = Unquoted(f"one of {int(inside.sum())} pixels")
        raise DataError(f"no mask, for the image is {kind}", found, field="mask")
    if kind != "tampered":
        return []
    areas, _ = ndimage.label(inside, structure=np.ones((3, 3)))
    boxes = ndimage.find_objects(areas)
    return [(float(x.start), float(y.start), float(x.stop), float(y.stop), CAPTION) for y, x in boxes]
