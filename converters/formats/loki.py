"""LOKI: the open-ended questions about synthetic images, JSON in UTF-16, with regions x, y, width, height.

The questions ask for the flaws of an image, so every image is fake. Descriptions of the whole image are kept as
`explanation`, and an item's own fields under their names; its id is the record's. Image paths are relative to the
dataset's folder. A region without words, of which the dataset has one, is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.json_values import read_box, require

from ..drafts.attributes import is_empty, text_of
from ..drafts.draft import Draft, DraftRegion, Piece, only_file
from ..drafts.fields import kept_fields, own_id, own_tags, size
from ..drafts.json_files import load_items

_TAKEN = ("image_path", "problems", "id", "tags", "width", "height")


def load_loki(src: Path) -> Iterator[Piece]:
    """Items of a JSON list; in a folder, of `image/open_ended_vqa.json` or else of its only JSON file."""
    path = only_file(src, "image/open_ended_vqa.json", "*.json")
    for at, item in load_items(path):
        yield Piece(item, str(path), at=at)


def from_loki(data: Any) -> list[Draft]:
    """The draft of one item.

    >>> problems = {"global": [{"desc": "Too smooth."}], "regional": [{"region": [1, 2, 3.5, 4], "desc": "Six toes."}]}
    >>> (draft,) = from_loki({"image_path": "image/a.png", "problems": problems})
    >>> draft.regions[0].box, draft.regions[0].caption, draft.fields
    ((1, 2, 4.5, 6), 'Six toes.', {'explanation': 'Too smooth.'})
    """
    image = require(data, "image_path", str, "the image's path")
    problems = require(data, "problems", dict, "an object of global and regional")
    regions = []
    for index, each in enumerate(require(problems, "regional", list, "a list of {region, desc}", "problems")):
        at = f"problems.regional[{index}]"
        expected = "four numbers x, y, width, height"
        x, y, width, height = read_box(require(each, "region", list, expected, at), expected, f"{at}.region")
        caption = text_of(require(each, "desc", (str, type(None)), "a description", at))
        others = {name: value for name, value in each.items() if name not in ("region", "desc")}
        regions.append(DraftRegion((x, y, x + width, y + height), caption, at, others, may_be_wordless=True))
    texts = [
        require(each, "desc", str, "a description", f"problems.global[{index}]")
        for index, each in enumerate(require(problems, "global", list, "a list of {desc}", "problems"))
    ]
    texts = [text for text in texts if not is_empty(text)]
    return [
        Draft(
            image,
            regions=regions,
            tags=own_tags(data),
            label="fake",
            id=own_id(data),
            wh=size(data, "width", "height"),
            image_at="image_path",
            fields=kept_fields(data, _TAKEN, {"explanation": "\n".join(texts)} if texts else {}),
        )
    ]
