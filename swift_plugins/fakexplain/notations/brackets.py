"""Boxes as numbers in brackets: the notation of an answer, and everything that comes near it.

A run of numbers in brackets that is no box is named by a code, so that none is lost in silence. Numbers in brackets
inside a caption are part of the caption (`find_boxes`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache

from ..boxes import Box
from .limits import CLOSE, INTEGER_BOX, MAX_REGIONS, OPEN, mark_box

_OPENING = f"[(（［【{{{OPEN}"
_R = r"[\])）］】}]"
_COMMA = "[,，、;；]"
_N = r"\s*([-+.\w]+)\s*"
_D = r"([-+]?(?:\d{1,15}(?:\.\d{0,15}|)|\.\d{1,15}))"
_GAP = rf"(?:\s*{_COMMA}\s*|\s+)"
_TO = (
    r"\s*(?:(?:[,，;；]|to\b|and\b|->|→|[-–—~～至到和])\s*|)"
    r"(?:(?:(?:the )?(?:bottom|lower)[ -]?right(?: corner)?|右下角?)\s*|)(?:(?:at\b|[:：=])\s*|)"
)
_CERTAIN = f"[［{OPEN}"
# most brackets end at the first of these, and round ones of prose at the second
_TWO = rf"(?=\s*[-+.\w%°]+(?:{_COMMA}|\s+{_COMMA}?)\s*[-+.\w])"
_TWO_NUMBERS = rf"(?=\s*[-+.\w](?:[-+.\w]*(?:{_COMMA}|\s+{_COMMA})|[.\d]*\s+[-+]?[.\d]))"
_FORMS = (
    rf"(?:(?<={OPEN})(\S+) (\S+) (\S+) (\S+){CLOSE}"
    rf"|{_N}{_COMMA}{_N}(?:{_COMMA}{_N}{_COMMA}{_N}{_R}"
    rf"|[\])）］]{_TO}[\[(（［]{_N}{_COMMA}{_N}[\])）］])"
    rf"|\s*{_D}{_GAP}{_D}{_GAP}{_D}{_GAP}{_D}\s*{_R}"
    # numbers, but not four, or in no closed brackets
    rf"|(?<=[\[［])\s*[-+]?[\d.][-+.\w\s%°]*{_COMMA}[-+.\w\s,，、;；%°]*[\]］]"
    rf"|(?<=[\[［])\s*{_D}{_COMMA}\s*{_D}{_COMMA}\s*[-+\d.,\s]*"
    rf"|(?<=[(（])\s*{_D}{_COMMA}\s*{_D}{_COMMA}\s*{_D}{_COMMA}\s*{_D}(?!\s*[\d,，)）.])"
    r")"
)
BOX = re.compile(rf"[\{_OPENING}]{_TWO}(?:(?<=[\{_CERTAIN}])|{_TWO_NUMBERS}){_FORMS}")  # the search skips to the set
_INTEGER_BOX = re.compile(INTEGER_BOX)
_DIGIT, _ALPHA = re.compile(r"\d"), re.compile(r"[^\W\d_]")
_ROUND = re.compile(r"[(（][^)）]*[)）]")
_FOUR = {4: (1, 2, 3, 4), 8: (5, 6, 7, 8), 10: (5, 6, 9, 10), 14: (11, 12, 13, 14)}
"""Last group of an alternative that is a box -> the groups of its numbers; those of the near misses come after them."""


def has_brackets(text: str) -> bool:
    """Whether a text holds a bracket that may open a box."""
    return any(map(text.__contains__, _OPENING))


def numbers_of(match: re.Match[str]) -> tuple[str, ...] | None:
    """The four numbers of a match of `BOX`; None for a near miss."""
    groups = _FOUR.get(match.lastindex or 0)
    return match.group(*groups) if groups else None


def parse_box(match: re.Match[str], problems: set[str], y_first: bool = False) -> list[Box]:
    """The box in a match of `BOX`, or none if it is no valid box.

    Args:
        match: the match.
        problems: gets a code for a box that is none, for shares, and for a notation other than an answer's.
        y_first: numbers in brackets are y1, x1, y2, x2.
    """
    numbers = numbers_of(match) or ()
    try:
        x1, y1, x2, y2 = map(float, numbers)
    except ValueError:  # not a number, or not four
        problems.add("bad_box")
        return []
    if not math.isfinite(x1 + y1 + x2 + y2) and not all(map(math.isfinite, (x1, y1, x2, y2))):
        problems.add("bad_box")
        return []
    text = match.group()
    marked = text[0] == OPEN
    if y_first and not marked:
        x1, y1, x2, y2 = y1, x1, y2, x2
    if x1 >= x2 or y1 >= y2:
        problems.add("inverted_box")
        return []
    if x2 <= 1 and y2 <= 1 and x1 >= 0 and y1 >= 0 and "." in "".join(numbers):
        problems.add("shares")
    if "wording" not in problems and (marked or not _INTEGER_BOX.fullmatch(text)):
        problems.add("wording")
    return [(x1, y1, x2, y2)]


def find_boxes(text: str, problems: set[str], cut: bool) -> Iterator[tuple[str, re.Match[str]]]:
    """The matches of `BOX` in a text that are meant as boxes, each after the text between it and the one before.

    On a line that begins with a box, a later one without words of its own is part of the caption; so is one in round
    brackets if the answer writes its boxes in another way. A code names both.

    Args:
        text: the text.
        problems: gets the codes.
        cut: the text may have been cut short at its end; a box that is not complete there has no code of its own.
    """
    matches = [
        match  # no words in round brackets
        for match in _matches(text, problems)
        if text[match.start()] in _CERTAIN or _DIGIT.search(text, *match.span())
    ]
    if cut and matches and numbers_of(matches[-1]) is None and matches[-1].end() >= len(text.rstrip()):
        matches.pop()
    in_round = [text[match.start()] in "(（" and bool(_ROUND.fullmatch(text, *match.span())) for match in matches]
    mixed = not all(in_round)
    begins_with_box = known = False
    position = 0
    for index, match in enumerate(matches):
        start = match.start()
        gap = text[position:start]
        if not index or "\n" in gap:
            line = gap.rpartition("\n")[2]
            begins_with_box = not (line and _ALPHA.search(line))
            known = begins_with_box and text[start] == OPEN
        elif begins_with_box and _ALPHA.search(gap):
            end = matches[index + 1].start() if index + 1 < len(matches) else len(text)
            words = text[match.end() : end].partition("\n")[0]
            if known and text[start] != OPEN:
                continue
            if not _ALPHA.search(words):
                problems.add("doubtful_box")
                continue
        if in_round[index] and mixed and _ALPHA.search(gap.rpartition("\n")[2]):
            problems.add("doubtful_box")
            continue
        position = match.end()
        yield gap, match


@cache
def _box_after(opening: str) -> re.Pattern[str]:
    """`BOX` after one character: a search for it takes a tenth of the time of one for a set, once it is compiled."""
    two = _TWO * (opening not in "(（") + _TWO_NUMBERS * (opening not in _CERTAIN)
    return re.compile(rf"\{opening}{two}{_FORMS}")


def _matches(text: str, problems: set[str]) -> Iterator[re.Match[str]]:
    openings = [each for each in _OPENING if each in text]
    if not openings:
        return
    pattern = BOX if openings[1:] else _box_after(openings[0])
    for number, match in enumerate(pattern.finditer(text)):
        if number == MAX_REGIONS:
            problems.add("too_long")
            return
        yield match


# Boxes without brackets ----------------------------------------------------------------------------------------------

_FOUR_NUMBERS = rf"{_D}{_GAP}{_D}{_GAP}{_D}{_GAP}{_D}"
_LABELLED = re.compile(  # the first character is a set here too
    r"([bBcC坐边位](?i:"
    r"(?:(?<=\bb)(?:b?ox|ounding box)|(?<=\bc)(?:oordinates|oords)|(?<=\b坐)标|(?<=\b边)界框|(?<=\b位)置)"
    rf"(?: ?(?:is|are|at|为|是)\b)?[ :：=\"'`*]{{0,6}})){_FOUR_NUMBERS}"
    rf"(?!{_GAP}?[\d\])%])"
)
_OWN_LINE = re.compile(rf"\n([ \t>*•-]{{0,8}}){_D}[,，]\s?{_D}[,，]\s?{_D}[,，]\s?{_D}[ \t]*(?=[:：|\n–—-])")
_CLOSED_ONLY = re.compile(rf"(?<![\w.,，\[(]){_D}\s*{_COMMA}\s*{_D}\s*{_COMMA}\s*{_D}\s*{_COMMA}\s*{_D}\s*[\]］]")
_NAMED = re.compile(
    r"[xXlL](?<=\b.)(?i:(?<=x)_?(?:1|min)|(?<=l)eft)\W{1,4}([-+\d.]+)\W{1,4}(?i:y_?(?:1|min)|top)\W{1,4}([-+\d.]+)"
    r"\W{1,4}(?i:x_?(?:2|max)|right)\W{1,4}([-+\d.]+)\W{1,4}(?i:y_?(?:2|max)|bottom)\W{1,4}(\d[\d.]*)"
)


_END = 4000
_BOX_WORDS = {  # word -> the word before what may be a number: searched for in less time than `_LABELLED`
    word: re.compile(rf"{word}{ending}(?: ?(?:[ai]\S{{1,3}}|[为是]))?[ :：=\"'`*]{{0,6}}[-+.\d]")
    for word, ending in (("box", ""), ("coord", r"\S{1,9}"), ("坐标", ""), ("边界框", ""), ("位置", ""))
}
_FIRST_SIDES, _LAST_SIDES = ("x1", "x_1", "xmin", "x_min", "top"), ("y2", "y_2", "ymax", "y_max", "bottom")


def mark_bare_boxes(text: str, y_first: bool) -> str:
    """Mark boxes that stand in no brackets, but after a word for a box, on a line of their own, or name their sides.

    Only in the first `_END` characters; numbers like those of a box after them are named by a code.
    """
    if len(text) > _END:
        return mark_bare_boxes(text[:_END], y_first) + text[_END:]
    lower = text.lower()
    if any(word in lower and beside.search(lower) for word, beside in _BOX_WORDS.items()):
        text = _LABELLED.sub(lambda m: m.group(1) + mark_box(m.group(2, 3, 4, 5), y_first), text, MAX_REGIONS)
    text = f"\n{text}\n"
    text = _OWN_LINE.sub(lambda m: f"\n{m.group(1)}{mark_box(m.group(2, 3, 4, 5), y_first)}", text, MAX_REGIONS)[1:-1]
    if ("]" in text or "］" in text) and text.count("]") + text.count("］") > text.count("[") + text.count("［"):
        text = _CLOSED_ONLY.sub(lambda m: mark_box(m.group(1, 2, 3, 4), y_first), text, MAX_REGIONS)
    if any(word in lower for word in _FIRST_SIDES) and any(word in lower for word in _LAST_SIDES):
        text = _NAMED.sub(lambda m: mark_box(m.groups()), text, MAX_REGIONS)
    return text
