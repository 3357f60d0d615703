"""SynthScars of LEGION: JSON of synthetic images with polygons, each with a phrase and an explanation.

A list of objects {id: image}, or one object with all images. Every image is fake. The tight box of each polygon is a
region; its caption is the phrase (`sentence`) and the explanation (`explanation`), if the file has one. The caption of
the whole image is kept as `explanation`, and the image's own fields under their names. An image may have several ids,
so the id is the source's own. A region without words is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_items import is_json_list
from swift_plugins.fakexplain.json_values import require

from ..drafts.attributes import text_of
from ..drafts.draft import Draft, DraftRegion, Piece, Unusable, only_file
from ..drafts.fields import kept_fields, own_tags, size
from ..drafts.json_files import load_items
from ..drafts.shapes import flat_hull

_TAKEN = ("img_file_name", "caption", "refs", "tags", "width", "height")


def load_synthscars(src: Path) -> Iterator[Piece]:
    """Images of a JSON file, each as {id: image}; in a folder, of its only JSON file."""
    path = only_file(src, "*.json")
    if is_json_list(path):
        for at, item in load_items(path):
            for part in [{id: image} for id, image in item.items()] if isinstance(item, dict) and item else [item]:
                yield Piece(part, str(path), at=at)
    else:
        for id, image in load_items(path, ""):
            yield Piece({id: image}, str(path))


def from_synthscars(data: Any) -> list[Draft]:
    """The draft of one image.

    >>> ref = {"sentence": "Left hand.", "explanation": "Six fingers.", "segmentation": [[1, 2, 9.5, 2, 5, 8]]}
    >>> (draft,) = from_synthscars({"7": {"img_file_name": "a.png", "caption": "A hand.", "refs": [ref]}})
    >>> draft.id, draft.regions[0].box, draft.regions[0].caption, draft.fields
    ('7', (1, 2, 9.5, 8), 'Left hand: Six fingers.', {'explanation': 'A hand.'})
    """
    if not isinstance(data, dict) or len(data) != 1:
        raise DataError("an object {id: image}", data)
    ((id, image),) = data.items()
    name = require(image, "img_file_name", str, "the image's path", id)
    caption = require(image, "caption", (str, type(None)), "a caption", id) or ""
    regions = []
    for index, ref in enumerate(require(image, "refs", list, "a list of {sentence, segmentation}", id)):
        at = f"{id}.refs[{index}]"
        text = _caption(ref, at)
        others = {
            key: value for key, value in ref.items() if key not in ("sentence", "explanation", "segmentation", "bbox")
        }
        polygons = require(ref, "segmentation", list, "a list of polygons", at)
        if polygons and not any(isinstance(polygon, list) for polygon in polygons):
            polygons = [polygons]
        for number, polygon in enumerate(polygons):
            expected = "a polygon [x, y, …] of at least three points"
            place = f"{at}.segmentation[{number}]"
            try:
                box: Box | Unusable = flat_hull(polygon, expected, place)
            except Unusable as error:
                box = error
            regions.append(DraftRegion(box, text, place, others, may_be_wordless=True))
    return [
        Draft(
            name,
            regions=regions,
            tags=own_tags(image, at=id),
            label="fake",
            id=id,
            wh=size(image, "width", "height", id),
            fields=kept_fields(image, _TAKEN, {"explanation": caption} if caption.strip() else {}),
            image_at=f"{id}.img_file_name",
        )
    ]


def _caption(ref: Any, at: str) -> str:
    """A ref's phrase and explanation, or the one that is not empty."""
    phrase = text_of(require(ref, "sentence", (str, type(None)), "a phrase", at))
    text = require(ref, "explanation", (str, type(None)), "a text or null", at) if "explanation" in ref else None
    explanation = text_of(text)
    return f"{phrase.rstrip('.,:; ')}: {explanation}" if phrase and explanation else phrase or explanation
