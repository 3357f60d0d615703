"""The keys under which objects of any notation hold boxes, the sides of boxes, and captions."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

BOX_KEY = re.compile(  # the first character is a set, which the search skips to
    r"([bBcCrRlLpP边坐](?<=\b.)(?i:(?<=b)(?:box(?:_2d|es)?|ox(?:_?2d|es)?|ounding_?box(?:es)?|ndbox)"
    r"|(?<=c)(?:oordinates?|oords)|(?<=r)(?:ect|egion)|(?<=l)ocation|(?<=p)osition|(?<=边)界框|(?<=坐)标))"
    r"[\"']?\s*[:=]\s*"
)
"""A key of a box, with the sign after it."""

SIDE = re.compile(
    r"([xXyYlLtTrRbBwWhH](?<=\b.)(?i:(?<=[xy])(?:_?(?:1|min|2|max)|t[lb]|b[rl])?|(?<=l)eft|(?<=t)op|(?<=r)ight|(?<=b)ottom"
    r"|(?<=w)(?:idth)?|(?<=h)(?:eight)?))[\"']?\s*[:=]\s*[\"']?([-+]?[\d.]+(?:[eE][-+]?\d+)?)(?![\d%])"
)
"""A key of a side, with its number."""

BOX_SIDES = (
    ("x1", "xmin", "xtl", "left"),
    ("y1", "ymin", "ytl", "top"),
    ("x2", "xmax", "xbr", "right"),
    ("y2", "ymax", "ybr", "bottom"),
)
"""Keys of x1, y1, x2, y2, in lower case and without underscores; of several of a side, the first counts."""

CAPTION_KEYS = {
    *("label", "caption", "desc", "description", "reason", "reasoning", "explanation", "rationale", "name", "object"),
    *("object_name", "title", "category", "class", "class_name", "text", "text_content", "flaw", "issue", "error"),
    *("problem", "anomaly", "artifact", "defect", "detail", "details", "comment", "note", "evidence", "phrase"),
    *("entity", "part", "alt", "finding", "observation", "标签", "描述", "原因", "说明", "名称", "问题", "解释"),
}
"""Keys of captions, in lower case."""


@lru_cache(maxsize=1024)
def is_box_key(key: str) -> bool:
    """Whether a key holds a box.

    >>> is_box_key("bbox_2d"), is_box_key("boxer")
    (True, False)
    """
    return BOX_KEY.fullmatch(f"{key}:") is not None


def has_sides(keys: Collection[str]) -> bool:
    """Whether there is a key for each side of a box, or for a corner and a size; in lower case.

    >>> has_sides(["x1", "y_1", "xmax", "bottom"]), has_sides(["x", "y", "w", "h"]), has_sides(["x", "y"])
    (True, True, False)
    """
    known = {key.replace("_", "") for key in keys}
    if not any(map(known.isdisjoint, BOX_SIDES)):
        return True
    return {"x", "y"} <= known and ({"w", "h"} <= known or {"width", "height"} <= known)
