"""Rows of So-Fake and SID_Set: real, fully synthetic and tampered images, and the masks of tampered ones."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any

from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.images import check_wh, open_image, turn_upright, upright_wh

from .draft import Draft, DraftRegion
from .fields import kept_fields, own_tags
from .parquet import image_bytes, optional_image_bytes

KINDS = {"real": "real", "full_synthetic": "fake", "tampered": "fake"}
"""Kind of an image -> its label."""

CAPTION = "Tampered area."


def draft_row(
    row: dict[str, Any], names: list[str] | None, name: str, wh: tuple[int, int] | None, taken: Collection[str]
) -> Draft:
    """The draft of one row; its id is KIND/NAME, and its kind is kept as a field of that name.

    A row without a label is a draft without one, and its id is NAME.

    Args:
        row: the columns `image`, `label`, `mask`, `tags` and the source's own.
        names: those of the numbers that are labels, or None; see `kind_of`.
        name: name of the image, unique among its kind.
        wh: width and height that the row gives, or None.
        taken: columns that are not kept as fields.

    Raises:
        DataError: the label is none of `KINDS`, the image or its mask is missing or wrong, or `tags` is no list of
            texts.
    """
    kind = None if row.get("label") is None else kind_of(row["label"], names)
    image = image_bytes(row, "image")
    return Draft(
        image,
        regions=mask_regions(row, kind, image),
        tags=own_tags(row),
        label=KINDS[kind] if kind else None,
        id=f"{kind}/{name}" if kind else name,
        wh=wh,
        fields=kept_fields(row, taken, {"kind": kind} if kind else {}),
        unlabelled=None if kind else DataError(f"one of {', '.join(KINDS)}", NOTHING, field="label"),
    )


def kind_of(label: Any, names: list[str] | None) -> str:
    """One of `KINDS`, from a label that is a name, or a number and the names that the file itself gives.

    Args:
        label: a name in any case, or the index of one.
        names: those of the ClassLabel column; None if the file has none.

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


def mask_regions(row: dict[str, Any], kind: str | None, image: bytes) -> list[DraftRegion]:
    """The tight box of every area of the row's mask: pixels that touch, also at a corner, are one area.

    Pixels brighter than half the mask's maximum are inside, so masks of 0 and 1, of 0 and 255, and JPEGs of either give
    the same areas.

    Args:
        row: its `mask` may be null or missing.
        kind: one of `KINDS`, or None if unknown; a fully synthetic image has no region, and its mask marks no pixel or
            every pixel.
        image: bytes of the masked image's file.

    Raises:
        DataError: the mask is not an image, or not as large as the image; it marks pixels of a real image, or only
            some pixels of a fully synthetic one; field `mask`.
    """
    content = optional_image_bytes(row, "mask")
    if content is None:
        return []
    import numpy as np
    from scipy import ndimage

    mask = _decode_mask(content, image)
    inside = mask > mask.max() / 2
    if kind is None and inside.all():
        return []
    if kind not in (None, "tampered"):
        if inside.any() and not (kind == "full_synthetic" and inside.all()):
            found = Unquoted(f"one of {int(inside.sum())} pixels")
            raise DataError(f"no mask, because the image is {kind}", found, field="mask")
        return []
    areas, _ = ndimage.label(inside, structure=np.ones((3, 3)))
    boxes = ((float(x.start), float(y.start), float(x.stop), float(y.stop)) for y, x in ndimage.find_objects(areas))
    return [DraftRegion(box, CAPTION) for box in boxes]


def _decode_mask(mask: bytes, image: bytes) -> Any:
    """The (H, W) grey values of an image's mask, upright."""
    import numpy as np

    with open_image(io.BytesIO(image), "the image") as opened:
        wh = upright_wh(opened)
    try:
        with open_image(io.BytesIO(mask), "the mask", decode=True) as opened:
            pixels = np.asarray(turn_upright(opened).convert("L"))
    except DataError as error:
        error.field = "mask"
        raise
    check_wh(pixels.shape[::-1], wh, field="mask")
    return pixels
