"""X-AIGD: Parquet files of generated images with polygons in seven categories; no captions.

Every image is fake; the unlabeled splits, and images without a visible artifact, have no polygons. A uid identifies the
real image that supplied the prompt, so images of several generators share it: the id is GENERATOR/UID. A caption is the
category in words ("Low-level edge shape."). Two categories mean one of our tags (App. A.2). The others give only
regions: A.2 treats unreadable text, occlusion and shadow as regions, not tags. Its tags describe an image's subject,
and none covers edges, colours or scenes against common sense.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_values import require

from ..drafts.draft import Draft, DraftRegion, Piece, Unusable
from ..drafts.fields import kept_fields, own_id, own_tags
from ..drafts.parquet import image_bytes, load_parquet
from ..drafts.shapes import hull

COLUMNS = ("image", "generator", "uid", "labels", "width", "height")

CATEGORIES = {
    "low-level-edge_shape": None,
    "low-level-texture": "texture_error",
    "low-level-color": None,
    "low-level-symbol": None,
    "high-level-semantics": "structure_attribute_error",  # abnormal structures of objects
    "cognitive-level-commonsense": None,
    "cognitive-level-physics": None,
}
"""Category -> the tag that means the same, or None."""


def load_x_aigd(src: Path) -> Iterator[Piece]:
    """Rows of a Parquet file or a folder of them."""
    return load_parquet(src, columns=COLUMNS)


def from_x_aigd(data: Any) -> list[Draft]:
    """The draft of one row.

    >>> label = {"label": "low-level-texture", "points": [[3.0, 4.0], [9.5, 4.0], [5.0, 8.0]]}
    >>> row = {"image": b"...", "generator": "FLUX", "uid": "7", "labels": [label], "width": 16, "height": 16}
    >>> (draft,) = from_x_aigd({"row": row})
    >>> draft.id, draft.regions[0].box, draft.regions[0].caption, draft.tags
    ('FLUX/7', (3.0, 4.0, 9.5, 8.0), 'Low-level texture.', ['texture_error'])
    """
    row = require(data, "row", dict, "a row")
    generator = require(row, "generator", str, "the generator's name")
    uid = own_id(row, "uid") or require(row, "uid", str, "the image's uid")
    regions = []
    tags: list[str] = []
    labels = require(row, "labels", (list, type(None)), "a list of labels, or null")
    for index, label in enumerate(labels or []):
        at = f"labels[{index}]"
        stated = require(label, "label", str, "a category", at)
        category = stated.strip().lower()
        if category not in CATEGORIES:
            raise DataError(f"one of {', '.join(CATEGORIES)}", stated, field=f"{at}.label")
        points = require(label, "points", list, "a list of points [x, y]", at)
        box: Box | Unusable
        if len(points) < 3:
            box = Unusable("a polygon of at least three points", points, field=f"{at}.points")
        else:
            box = hull(points, f"{at}.points")
        regions.append(DraftRegion(box, _words(category), at))
        if (tag := CATEGORIES[category]) and tag not in tags:
            tags.append(tag)
    return [
        Draft(
            image_bytes(row, "image"),
            regions=regions,
            tags=own_tags(row, tags),
            label="fake",
            id=f"{generator}/{uid}",
            wh=(require(row, "width", int, "a whole number"), require(row, "height", int, "a whole number")),
            fields=kept_fields(row, {*COLUMNS, "tags"}, {"generator": generator}),
        )
    ]


def _words(category: str) -> str:
    words = category.replace("-level-", "-level ").replace("_", " ")
    return f"{words[0].upper()}{words[1:]}."
