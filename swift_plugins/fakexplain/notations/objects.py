"""Boxes in objects: JSON as Qwen, Gemini, Kimi and others write it, whole, broken or cut short, and its likes.

{"bbox_2d": [x1, y1, x2, y2], "label": …}         Qwen2.5-VL, Qwen3-VL, Kimi-VL
{"box_2d": [y1, x1, y2, x2], "label": …}          Gemini, Gemma: y first
{"label": …, "x_min": …, "y_min": …, …}           detectors, and models asked for such keys
{"point_2d": [x, y], "label": …}                  a point: named, not read
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from .brackets import BOX, numbers_of
from .captions import clean_words
from .limits import MAX_REGIONS, OPEN, hide_braces, mark_box
from .object_keys import BOX_KEY, BOX_SIDES, CAPTION_KEYS, SIDE, is_box_key

_OBJECT = re.compile(r"\{[^{}]*\}?")
_BARE_BRACE = re.compile(r"\{ ?[^\"'\s}]")
_QUOTED = re.compile(  # the first character is a set, which the search skips to
    r"[\"'](?:(?<=\")(?:[^\"\\\n]|\\.)*\"|(?<=')(?<!\w')(?:[^'\\\n]|\\.)*'(?!\w))"
)
_UNQUOTED = re.compile(r"[{,]\s*(\w{2,20})\s*:\s*([^\s\"'\[\](){},\d][^\"'\[\]{},]{0,500})")
_CONTAINERS = {
    *("regions", "region", "objects", "object", "flaws", "flaw", "issues", "result", "results", "answer", "output"),
    *("analysis", "detections", "detection", "annotations", "annotation", "properties", "data", "response"),
}
"""Keys that hold objects and say nothing about them."""
_LIST = re.compile(r"[\"'](\w{2,20})[\"']\s*:\s*\[([^\[\]]*)\]")
_IN_LIST = re.compile(r"\"([^\"\\]*(?:\\.[^\"\\]*)*)\"|'([^'\\]*(?:\\.[^'\\]*)*)'")
_NESTED = re.compile(r":\s*\{([^{}]*)\}")
_KEY_BEFORE = re.compile(r"[\"']([^\"'\n]{2,80})[\"']\s*$")
_POINT_KEY = re.compile(r"[\"']points?(?:_2d)?[\"']\s*:", re.IGNORECASE)
_CORNERS = re.compile(
    r"(?:top_?left|upper_?left|min|start)[\"']?\s*:\s*[\[(]([^\[\](),]*),([^\[\](),]*)[\])]\W*"
    r"(?:bottom_?right|lower_?right|max|end)[\"']?\s*:\s*[\[(]([^\[\](),]*),([^\[\](),]*)[\])]",
    re.IGNORECASE,
)
_STRING = re.compile(
    r"[\"'](\w{2,20})[\"']\s*:\s*(?:\"([^\"\\]*(?:\\.[^\"\\]*)*)\"?|'([^'\\]*(?:\\.[^'\\]*)*)'?)", re.DOTALL
)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")
_PLAIN, _COMMA = r"([0-9]{1,9}(?:\.[0-9]{1,9}|))\s*", r",\s*"
_QWEN = re.compile(
    rf'\{{\s*"(b?box(?:_2d)?)"\s*:\s*\[\s*{_PLAIN}{_COMMA}{_PLAIN}{_COMMA}{_PLAIN}{_COMMA}{_PLAIN}\]'
    r'\s*,\s*"(\w{2,20})"\s*:\s*"([^"\\]*)"\s*\}'
)
"""What most models write: a box of plain numbers and one text; read in a third of the time."""
_CAPTION = r'"(\w{2,20})"\s*:\s*"([^"\\]*)"'
_NAMED_SIDES = re.compile(
    rf'\{{\s*(?:{_CAPTION}\s*,\s*)?"x_?(?:1|min)"\s*:\s*{_PLAIN}{_COMMA}"y_?(?:1|min)"\s*:\s*{_PLAIN}{_COMMA}'
    rf'"x_?(?:2|max)"\s*:\s*{_PLAIN}{_COMMA}"y_?(?:2|max)"\s*:\s*{_PLAIN}(?:,\s*{_CAPTION}\s*)?\}}'
)
_WORDS = (
    "box",
    "x1",
    "x_1",
    "min",
    "left",
    "point",
    "coord",
    "rect",
    "bndbox",
    "xtl",
    "region",
    "location",
    "position",
    "width",
    '"w',
    "坐标",
    "边界",
)


def mark_objects(text: str, y_first: bool, problems: set[str]) -> str:
    """Write each object that holds boxes as a line of its own: marked boxes, then its caption.

    Args:
        text: the text.
        y_first: the text says that its boxes are y1, x1, y2, x2.
        problems: gets a code for an object without a readable box, for points, and for the order y first.
    """
    if "{" not in text or not any(map(text.lower().__contains__, _WORDS)):
        return text
    if ("'" in text or '"' in text) and _BARE_BRACE.search(text):
        text = _QUOTED.sub(lambda match: hide_braces(match.group()), text)
    if "}" in text:
        text = _NESTED.sub(_flatten, text, count=MAX_REGIONS)
    end = len(text.rstrip())

    def as_line(match: re.Match[str]) -> str:
        found = match.group()
        if ":" not in found and "=" not in found:
            return found
        if found[-1] == "}" and '"' in found and (plain := _as_plain_line(found, y_first, problems)):
            return plain
        if not BOX_KEY.search(found) and not SIDE.search(found):
            if _POINT_KEY.search(found):
                problems.add("point")
                return "\n"
            return found
        return _as_line(found, y_first, match.end() >= end and found[-1] != "}", problems)

    return _OBJECT.sub(as_line, text, count=MAX_REGIONS)


def _flatten(match: re.Match[str]) -> str:
    """An object as the value of a key, if it is a box: the box in its place; the key may be its caption."""
    held = match.group(1)
    before = _KEY_BEFORE.search(match.string, max(0, match.start() - 90), match.start())
    key = before.group(1) if before else None
    named = key is not None and not is_box_key(key) and key.lower() not in _CONTAINERS
    if corners := _CORNERS.search(held):
        numbers: list[str] | None = [number.strip() for number in corners.groups()]
    else:
        numbers = sides_of(held)
    if numbers is None:
        if named and BOX_KEY.search(held) and not any(k.lower() in CAPTION_KEYS for k, *_ in _STRING.findall(held)):
            return f': {{"label": "{key}", {held}}}'
        return match.group()
    label = f'"label": "{key}", ' if named else ""
    return f': {label}"bbox": {mark_box(numbers)}'


def sides_of(text: str) -> list[str] | None:
    """The four numbers of an object that names the sides of a box, x1 y1 x2 y2."""
    named = SIDE.findall(text)
    if len(named) < 4:
        return None
    sides = {name.lower().replace("_", ""): number for name, number in named}
    found = [next((sides[name] for name in names if name in sides), None) for names in BOX_SIDES]
    if None not in found:
        return [str(number) for number in found]
    x, y, width, height = (sides.get(n) or sides.get(n[0]) for n in ("x", "y", "width", "height"))
    if x and y and width and height:
        try:
            return [x, y, repr(float(x) + float(width)), repr(float(y) + float(height))]
        except ValueError:
            return None
    return None


def _as_plain_line(text: str, y_first: bool, problems: set[str]) -> str:
    """An object of the two most common forms as a line; empty for any other."""
    if (plain := _QWEN.fullmatch(text)) and plain.group(6) in CAPTION_KEYS:
        if swapped := y_first or plain.group(1) == "box_2d":
            problems.add("y_first")
        return f"\n{mark_box(plain.group(2, 3, 4, 5), swapped)} {clean_words(plain.group(7))}\n"
    if (plain := _NAMED_SIDES.fullmatch(text)) and (plain.group(1) or plain.group(7)) in CAPTION_KEYS:
        return f"\n{mark_box(plain.group(3, 4, 5, 6))} {clean_words(plain.group(2) or plain.group(8) or '')}\n"
    return ""


def _as_line(text: str, y_first: bool, cut: bool, problems: set[str]) -> str:
    captions: dict[str, None] = {}

    def collect(match: re.Match[str]) -> str:
        key, double, single = match.groups()
        if key.lower() not in CAPTION_KEYS:
            return match.group()
        raw = single if double is None else double
        if "\\" in raw:
            with suppress(ValueError):
                raw = json.loads(f'"{raw}"', strict=False)
        captions[clean_words(str(raw))] = None
        return " "

    text = _STRING.sub(collect, text)
    found = _LIST.findall(text) if "]" in text else []
    lists = [words for key, held in found if (words := _words_in_list(key, held))]
    text = _LIST.sub(lambda match: " " if _words_in_list(*match.groups()) else match.group(), text) if lists else text
    boxes = _boxes_of(text, y_first, cut, problems)
    caption = " ".join(filter(None, captions))
    for each in lists:
        if len(each) == len(boxes) > 1 and not caption:
            return "\n" + "\n".join(f"{box} {words}" for box, words in zip(boxes, each, strict=True)) + "\n"
        if len(boxes) == 1:
            caption = ", ".join(filter(None, [caption, *each]))
        else:
            problems.add("loose_words")
    if boxes and not caption:
        caption = _other_words(text, problems)
    return f"\n{','.join(boxes)} {caption}\n"


def _other_words(text: str, problems: set[str]) -> str:
    """The caption of an object without a key for one: the only text of a known key without quotes, or of any key."""
    if plain := [value for key, value in _UNQUOTED.findall(text) if key.lower() in CAPTION_KEYS]:
        return clean_words(" ".join(plain))
    texts = [words for _, *values in _STRING.findall(text) if " " in (words := "".join(values).strip())]
    if len(texts) > 1:
        problems.add("loose_words")
    return clean_words(texts[0]) if len(texts) == 1 else ""


def _words_in_list(key: str, held: str) -> list[str]:
    """The captions in a list of strings under a key of captions, such as "flaws"; empty for any other list."""
    key = key.lower()
    if CAPTION_KEYS.isdisjoint((key, key.removesuffix("s"), key.removesuffix("es"))):
        return []
    return [clean_words(double or single) for double, single in _IN_LIST.findall(held)]


def _boxes_of(text: str, y_first: bool, cut: bool, problems: set[str]) -> list[str]:
    """The boxes of an object without its captions, marked; near misses as they are."""
    key = BOX_KEY.search(text)
    if key is not None:
        swapped = y_first or key.group(1).lower() in ("box_2d", "box2d")
        value = text[key.end() :]
        boxes = [
            match.group() if match.group().startswith(OPEN) or not numbers else mark_box(numbers, swapped)
            for match in BOX.finditer(value)
            for numbers in [numbers_of(match)]
        ]
        if not boxes and not cut and "%" not in value and len(numbers := _NUMBER.findall(value)) == 4:
            boxes = [mark_box(numbers, swapped)]
        if boxes:
            if swapped:
                problems.add("y_first")
            return boxes
    if sides := sides_of(text):
        return [mark_box(sides)]
    if not cut and key is not None and _NUMBER.search(text[key.end() :]):
        problems.add("bad_box")
    elif not cut and key is None:
        problems.add("point")
    return []
