"""Boxes in YAML, TOML and Python: each item is rewritten as an object of the form that `objects` reads.

- bbox: [x1, y1, x2, y2]                          YAML, the numbers also one per line or named x1 … y2
  caption: words
[[regions]]                                       TOML
bbox = [x1, y1, x2, y2]
caption = "words"
Region(bbox=(x1, y1, x2, y2), caption="words")    Python
("words", (x1, y1, x2, y2))
boxes = [[x1, y1, x2, y2], …]; captions = ["words", …], each on its line
"""

from __future__ import annotations

import json
import re

from .limits import MAX_REGIONS, hide_braces
from .object_keys import CAPTION_KEYS, has_sides, is_box_key

_KEY = r"[\"']?([^\W\d][\w -]{0,20})[\"']?[ \t]*"
_HEAD = re.compile(
    r"\n[ \t]*(?:-[ \t]+(?=[^\n:]+:)"  # most lines end here
    rf"{_KEY}:(?:[ \t]+[|>]|(?:[ \t][^\n]*)?\n[ \t]*(?:{_KEY}:[ \t\n]|-[ \t]+[-+\d.]))"
    r"|\[\[?[\w.]{1,30}\]\]?[ \t]*\n[ \t]*\w+[ \t]*=)"
)
_ITEM = re.compile(rf"([ \t]*)-[ \t]+(?={_KEY}:(?:[ \t]|$))")
_TABLE = re.compile(r"[ \t]*\[\[?[\w.]{1,30}\]\]?[ \t]*$")
_FIELD = re.compile(rf"[ \t]*(?:{_KEY}:(?:[ \t]+|$)|(\w{{1,20}})[ \t]*=[ \t]*)(.*)")
_MAX_LINES = 256
_LETTER = re.compile(r"[^\W\d_]")
_NUMBER_ITEM = re.compile(r"[ \t]*-[ \t]+([-+]?[\d.]+)[ \t]*$")
_CALL = re.compile(
    r"\b[A-Za-z_]\w{0,30}\((?=\s*\w{1,20}\s*=)((?:[^()'\"]|'[^'\n]*'|\"[^\"\n]*\"|\([^()\n]{0,80}\))*)\)"
)
_PLAIN_CALL = re.compile(r"\s*(b?box)=[\[(]([\d, ]+)[\])], ?(\w{1,20})=(['\"])([^'\"\\{}]*)\4\s*")
_ARGUMENT = re.compile(r"(?:^|,)\s*(\w{1,20})\s*=\s*")
_LISTS = re.compile(
    r"\n\w{0,20}(?:box(?:es)?|coords|coordinates|regions)[ ]?=[ ]?(\[\s*[\[(][-\d.,\s\[\]()]*\])"
    r"\s*\n(\w{1,20})[ ]?=[ ]?(\[[^\[\]]*\])"
)
_LIST_AFTER = re.compile(r"= ?\[")
_NUMBERS = r"([\[(]\s*[-+]?[\d.]+\s*,\s*[-+]?[\d.]+\s*,\s*[-+]?[\d.]+\s*,\s*[-+]?[\d.]+\s*[\])])"
_STRING = r"(\"[^\"\n]*\"|'[^'\n]*')"
_PAIR = re.compile(rf"[(\[]\s*(?:{_STRING}\s*,\s*{_NUMBERS}|{_NUMBERS}\s*,\s*{_STRING})\s*[)\]],?")


def rewrite_records(text: str, problems: set[str]) -> str:
    """The text with an object in place of each item that holds a box and a caption.

    Args:
        text: the text.
        problems: gets a code if there are items after the first `_MAX_LINES` lines.

    >>> rewrite_records("- bbox: [1, 2, 3, 4]\\n  caption: six fingers", set())
    '\\n{"bbox": [1, 2, 3, 4], "caption": "six fingers"}'
    """
    # a search from one character takes a third of the time of one for two
    if ("-" in text or "]" in text) and _HEAD.search(f"\n{text}") and ("- " in text or "]\n" in text):
        *lines, rest = text.split("\n", _MAX_LINES)
        if len(lines) < _MAX_LINES:
            text = _rewrite_items([*lines, rest])
        else:
            if _HEAD.search(rest):
                problems.add("too_long")
            text = f"{_rewrite_items(lines)}\n{rest}"
    if "=" in text and _LIST_AFTER.search(text):
        text = _LISTS.sub(r'\n{"boxes": \1, "\2": \3}', f"\n{text}", MAX_REGIONS)[1:]
    if "(" in text:
        if "=" in text:
            text = _CALL.sub(_of_call, text, MAX_REGIONS)
        if "'" in text or '"' in text:
            text = _PAIR.sub(_of_pair, text, MAX_REGIONS)
    return text


def _of_pair(match: re.Match[str]) -> str:
    first, box, other_box, last = match.groups()
    return f"\n{box or other_box} {first or last}\n"


def _of_call(match: re.Match[str]) -> str:
    if plain := _PLAIN_CALL.fullmatch(match.group(1)):
        box, numbers, key, _, words = plain.groups()
        return f'{{"{box}": [{numbers}], "{key}": "{words}"}}'
    held = _ARGUMENT.sub(r', "\1": ', match.group(1)).lstrip(", ")
    keys = [key.lower() for key in _ARGUMENT.findall(match.group(1))]
    if not (has_sides(keys) or any(map(is_box_key, keys))):
        return match.group()
    return "{" + hide_braces(held) + "}"


# Items of lines ------------------------------------------------------------------------------------------------------


def _rewrite_items(text: list[str]) -> str:
    """Lines with their items of YAML and tables of TOML as objects."""
    lines, item, indent = [], _Item(), -1
    for line in text:
        first = line.lstrip()[:1]
        if head := _ITEM.match(line) if first == "-" else _TABLE.match(line) if first == "[" else None:
            lines += item.lines()
            item = _Item(line)
            indent = len(head.group(1)) if head.re is _ITEM else -1
            if head.re is _ITEM:
                item.add(line[head.end() :])
        elif item.raw and first and len(line) - len(line.lstrip()) > indent and item.add(line):
            item.raw.append(line)
        else:
            lines += item.lines()
            item = _Item()
            lines.append(line)
    return "\n".join([*lines, *item.lines()])


class _Item:
    """An item that is being read.

    Attributes:
        raw: its lines; none if no item is being read.
    """

    def __init__(self, line: str | None = None) -> None:
        self.raw = [] if line is None else [line]
        self._fields: list[tuple[str, str]] = []

    def add(self, line: str) -> bool:
        """Add a line; False if it cannot belong to the item."""
        if "-" in line and (number := _NUMBER_ITEM.match(line)):
            if self._fields:
                self._extend(number.group(1), ", ")
            return bool(self._fields)
        if field := _FIELD.match(line):
            self._fields.append(((field.group(1) or field.group(2)).strip().replace(" ", "_"), field.group(3).strip()))
            return True
        if self._fields and line[:1].isspace():
            self._extend(line.strip(), " ")
            return True
        return False

    def _extend(self, words: str, by: str) -> None:
        key, value = self._fields[-1]
        self._fields[-1] = key, f"{value}{by}{words}" if value.strip("|>-") else words

    def lines(self) -> list[str]:
        """The item as an object, or its lines if it holds no box or no caption."""
        keys = [key.lower() for key, _ in self._fields]
        known = not CAPTION_KEYS.isdisjoint(keys) or any(
            " " in value and _LETTER.search(value) for _, value in self._fields
        )
        if not (known and (has_sides(keys) or any(map(is_box_key, keys)))):
            return self.raw
        held = ", ".join(f'"{key}": {_value(key, value)}' for key, value in self._fields if value)
        return ["", "{" + hide_braces(held) + "}"]


def _value(key: str, value: str) -> str:
    """A value in JSON: a box as it is, anything else as a string."""
    if is_box_key(key):
        return value if value[:1] in "[({\"'" else f"[{value}]"
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return json.dumps(value, ensure_ascii=False)
