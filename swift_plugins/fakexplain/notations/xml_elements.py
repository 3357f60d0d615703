"""Boxes in XML, as VOC, CVAT and models asked for elements write them: each element is rewritten as an object.

<object><name>words</name><bndbox><xmin>x1</xmin><ymin>y1</ymin><xmax>x2</xmax><ymax>y2</ymax></bndbox></object>
<region><bbox>x1, y1, x2, y2</bbox><caption>words</caption></region>
<box label="words" xtl="x1" ytl="y1" xbr="x2" ybr="y2"/>
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from .limits import MAX_REGIONS, hide_braces, mark_box
from .object_keys import CAPTION_KEYS, has_sides, is_box_key
from .objects import sides_of

_LEAF = re.compile(r"<([a-zA-Z]\w{0,20})>([^<>]{0,2000})</\1>")
_OPENED_AFTER_CLOSED = re.compile(r"</[^<>]*>\s*<[a-zA-Z]")
_CHILD = r"<(?:attribute\s[^<>]{1,80}|[a-zA-Z]\w{0,20})>[^<>]{0,500}</[a-zA-Z]\w{0,20}>"
_WITH_ATTRIBUTES = re.compile(
    rf"<([a-zA-Z]\w{{0,20}})(\s[^<>]{{1,1000}}=[^<>]{{0,1000}})>(?:((?:\s*{_CHILD})+)|([^<>]{{0,2000}})</\1>)?"
)
_CHILDREN = re.compile(r"<(?:attribute\sname=\"([^\"<>]{1,30})\"|([a-zA-Z]\w{0,20}))>([^<>]{0,500})")
_ATTRIBUTE = re.compile(r"([\w-]{1,30})\s?=\s?(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'/]+))")
_TAG = re.compile(r"<[^<>]*>")
_SIDE_TAG = re.compile(r"</?[xy]_?(?:1|2|min|max)>", re.IGNORECASE)


def _before(sign: str, words: str) -> re.Pattern[str]:
    """Finds words before a sign: the search skips to that, and most end at the letter before it."""
    names = words.split()
    letters = "".join(sorted({name[-1] for name in names}))
    return re.compile(rf"{sign}(?<=[{letters}]{sign})(?:{'|'.join(f'(?<={name}{sign})' for name in names)})")


_ATTRIBUTE_WORDS = _before("=", "xtl min x1 left coords box width points")
_SIDE_WORDS = _before(">", "min x1 x_1 left width")
_BOX_WORDS = _before(">", "box coordinates region location position")
_CAPTION_WORDS = _before(
    ">",
    "caption label name desc description reason explanation text title flaw issue problem comment note object category "
    "class detail evidence defect",
)
_OUTLINE = re.compile(r"<(?:polygon|polyline)\s[^<>]{0,300}points=", re.IGNORECASE)
_POINTS = ("point", "points")


def rewrite_xml(text: str, problems: set[str]) -> str:
    """The text with an object in place of each element that holds a box, of the form that `objects` reads.

    Args:
        text: the text.
        problems: gets a code for sides of boxes that are not read.

    >>> rewrite_xml('<box label="hand" xtl="1" ytl="2" xbr="3" ybr="4"/>', set())
    '\\n{"label": "hand", "xtl": "1", "ytl": "2", "xbr": "3", "ybr": "4"}\\n'
    """
    if "<" not in text:
        return text
    lower = text.lower()
    if "=" in text and _ATTRIBUTE_WORDS.search(lower):
        if "points=" in lower and _OUTLINE.search(text):
            problems.add("bad_box")
        text, count = _WITH_ATTRIBUTES.subn(_of_attributes, text, MAX_REGIONS)
        if count == MAX_REGIONS and any(_of_attributes(each) != each[0] for each in _WITH_ATTRIBUTES.finditer(text)):
            problems.add("too_long")
    if "</" not in text:
        return text
    named = _SIDE_WORDS.search(lower) is not None
    if named or (_BOX_WORDS.search(lower) and _CAPTION_WORDS.search(lower)):
        text = _rewrite_leaves(text)
        if named and _SIDE_TAG.search(text):
            problems.add("bad_box")
    return text


def _of_attributes(match: re.Match[str]) -> str:
    name, attributes, children, content = match.groups()
    pairs = [(key, next(filter(None, values), "")) for key, *values in _ATTRIBUTE.findall(attributes)]
    keys = [key.lower() for key, _ in pairs]
    if name.lower() in _POINTS or not (has_sides(keys) or any(map(is_box_key, keys))):
        return match.group()
    pairs += [(one or other, held.strip()) for one, other, held in _CHILDREN.findall(children or "")]
    words = {value for key, value in pairs if key.lower() in CAPTION_KEYS}
    return _object([*pairs, *([("text", content)] if content and content not in words else [])])


def _rewrite_leaves(text: str) -> str:
    """The text with an object in place of each group of elements that hold text alone, if they hold a box."""
    leaves = list(_LEAF.finditer(text))
    groups: list[list[re.Match[str]]] = []
    for leaf in leaves:
        gap = text[groups[-1][-1].end() : leaf.start()] if groups else "start"
        if not gap.strip() or (groups and not _TAG.sub("", gap).strip() and not _OPENED_AFTER_CLOSED.search(gap)):
            groups[-1].append(leaf)
        else:
            groups.append([leaf])
    parts, position = [], 0
    for group in groups[:MAX_REGIONS]:
        keys = [leaf.group(1).lower() for leaf in group]
        boxed = any(map(is_box_key, keys)) and not CAPTION_KEYS.isdisjoint(keys)
        if boxed or has_sides(keys):
            pairs = [(leaf.group(1), leaf.group(2).strip()) for leaf in group]
            parts += [text[position : group[0].start()], _object(pairs)]
            position = group[-1].end()
    return "".join([*parts, text[position:]])


def _object(pairs: Iterable[tuple[str, str]]) -> str:
    pairs = list(pairs)
    if not any(key.lower() in CAPTION_KEYS for key, _ in pairs):  # its words are those on its line
        sides = sides_of(" ".join(f"{key}={value}" for key, value in pairs))
        if sides:
            return f" {mark_box(sides)} "
    held = ", ".join(f'"{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in pairs)
    return "\n{" + hide_braces(held) + "}\n"
