"""The regions of an answer in any notation: each is marked in its place, then words and boxes are put together."""

from __future__ import annotations

import re
from itertools import islice

from ..annotation import NO_FLAW
from ..boxes import Box
from ..mentions import Mention
from .brackets import find_boxes, has_brackets, mark_bare_boxes, parse_box
from .captions import MAX_CAPTION, assign_words, clean_words, is_rejected, may_be_rejected
from .formatting import strip_html
from .limits import MAX_REGIONS, OPEN, drop_marks, show_braces
from .markup import mark_elements
from .objects import mark_objects
from .records import rewrite_records
from .xml_elements import rewrite_xml

_BEFORE_Y = [re.compile(rf"{opening}\s*y", re.IGNORECASE) for opening in (r"\[", r"\(")]
"""Two searches for one character take a fifth of one for two."""
_Y_FIRST = re.compile(
    r"[\[(]\s*y_?(?:min|1|0|top)?\s*,\s*x_?(?:min|1|0|left)?\s*,\s*y_?(?:max|2|1|bottom)\s*,\s*x_?(?:max|2|1|right)\s*[\])]",
    re.IGNORECASE,
)
_NO_DIGITS = re.compile(r"\D*")
_THREE_MORE = r",\s*[-+]?\d[\d.]*\s*,\s*[-+]?\d[\d.]*\s*,\s*[-+]?\d"
_AFTER_FIRST, _LOOSE_NUMBERS = re.compile(_THREE_MORE), re.compile(rf"(?<![\d.])\d[\d.]*\s*{_THREE_MORE}")
_PERCENT = re.compile("% ?,")
_PERCENTAGES = re.compile(r"[(（\[]\s*\d[\d.]*\s*%\s*,\s*\d[\d.]*\s*%")
_X_Y = [
    re.compile(
        rf"{x}(?<=\b{x})(?=[\W\d_mM])(?i:(?:_?(?:1|min))?\W{{1,4}}"
        r"(?:\d[^\n]{0,80}\by(?:_?(?:1|min))?\W{1,4}\d|y_?(?:1|min)\b))"
    )
    for x in "xX"
]
_Y_OF_X = [re.compile(rf"{y}(?i:_?(?:1|min)|\W{{1,4}}\d)") for y in "yY"]
_LEFT_TOP = re.compile(r"\bleft:\s*\d[^\n]{0,20}\btop:\s*\d", re.IGNORECASE)
"""Names of the sides of a box beside numbers, or as the head of a table."""
_BARE = [
    re.compile(rf"{start}[ \t]*(?:[a-zA-Z_:]{{1,20}}[ \t]+|)" + r"[ \t]".join([r"\d[\d.]{0,9}"] * 4) + r"(?![\d.])")
    for start in (r"\n", r"\(")
]
_FOUR_NUMBERS = re.compile(  # what a lookahead has found is not tried again at each shorter length
    r"\d" + r"\d{1,9}".join(rf"(?=([^\d\n]{{1,40}}))\{n}" for n in (1, 2, 3)) + r"\d"
)
_TABBED = re.compile(r"\t\d[\d.]*\t\d[\d.]*\t\d[\d.]*\t\d")
_BETWEEN_BOXES = " \t\r,，、;[]{}"


def read_regions(text: str, problems: set[str], cut: bool = False, y_first: bool = False) -> list[Mention]:
    """Regions in any notation: a box, or several side by side, with the words that belong to them.

    Args:
        text: an answer without its tags and verdict.
        problems: gets the codes of what could not be read, or is doubtful.
        cut: the text may have been cut short at its end.
        y_first: numbers in plain brackets are y1, x1, y2, x2; also if the text says so itself.

    Returns:
        At most `MAX_REGIONS`, each with a box x1 y1 x2 y2.
    """
    text = drop_marks(text)
    if not _has_digit(text) and not _names_numbers(text):
        return []
    if ("y" in text or "Y" in text) and any(before.search(text) for before in _BEFORE_Y) and _Y_FIRST.search(text):
        y_first = True
        problems.add("y_first")
        text = _Y_FIRST.sub(" ", text)
    text = rewrite_xml(text, problems)
    text = rewrite_records(text, problems)
    text = mark_objects(text, y_first, problems)
    text = mark_elements(text, y_first, cut, problems)
    text = strip_html(text)
    text = mark_bare_boxes(text, y_first)
    groups, tail = _boxes_with_gaps(text, problems, cut, y_first)
    captions = assign_words([gap for gap, _ in groups], tail, problems, [bool(boxes) for _, boxes in groups])
    may_reject = may_be_rejected("\n".join(captions))
    regions = []
    for (_, boxes), caption in zip(groups, captions, strict=True):
        if boxes and may_reject and is_rejected(caption):
            problems.add("rejected_box")
            continue
        if len(caption) >= MAX_CAPTION:
            problems.add("too_long")
        caption = show_braces(caption)
        for box in boxes:
            regions.append(Mention(box, caption))
    return regions


def _has_digit(text: str) -> bool:
    if text.isascii():
        return any(map(text.__contains__, "0123456789"))
    match = _NO_DIGITS.match(text)  # three times as fast as a search for one
    return match is not None and match.end() < len(text)


def _names_numbers(text: str) -> bool:
    """Whether a text that may hold a box has words for numbers: `nan` and `inf`."""
    lower = text.lower() if has_brackets(text) or "<" in text else ""  # which is slow if it is not ASCII
    return "nan" in lower or "inf" in lower


def _boxes_with_gaps(
    text: str, problems: set[str], cut: bool, y_first: bool
) -> tuple[list[tuple[str, list[Box]]], str]:
    """Groups of boxes that stand side by side, each with the text before it; and the text after the last."""
    groups: list[tuple[str, list[Box]]] = []
    matches = list(find_boxes(text, problems, cut))
    for gap, match in matches:
        if groups and not gap.strip(_BETWEEN_BOXES):
            groups[-1][1].extend(parse_box(match, problems, y_first))
        else:
            groups.append((gap, parse_box(match, problems, y_first)))
    rest = text[matches[-1][1].end() :] if matches else text
    if "too_long" in problems:
        return groups, rest
    if len(matches) == MAX_REGIONS and _FOUR_NUMBERS.search(rest):
        problems.add("too_long")
    elif (
        _has_loose_numbers(OPEN.join([*(gap for gap, _ in groups), rest]))
        or _names_sides(rest, problems)
        or _has_bare_line(rest)
    ):
        problems.add("doubtful_box")
    return groups, rest


def _names_sides(text: str, problems: set[str]) -> bool:
    """Whether a text gives the sides of a box by name, or as a table, and nothing has been said of it yet."""
    if "point" in problems:
        return False
    if all(any(pattern.search(text) for pattern in patterns) for patterns in (_Y_OF_X, _X_Y)):
        return True
    return ":" in text and "left:" in text.lower() and _LEFT_TOP.search(text) is not None


def _has_bare_line(text: str) -> bool:
    """Whether a line or a round bracket begins with four numbers, or a word and four; or four stand between tabs."""
    if " " not in text and "\t" not in text:
        return False
    lines = f"\n{text}"
    return any(pattern.search(lines) for pattern in _BARE) or ("\t" in text and _TABBED.search(text) is not None)


def _has_loose_numbers(text: str) -> bool:
    """Whether a text holds four numbers in a row or two percentages; a search for commas first takes a fifth."""
    text = text.replace("，", ",").replace(";", ",")
    if "%" in text and _PERCENT.search(text) and _PERCENTAGES.search(text):
        return True
    return _AFTER_FIRST.search(text) is not None and _LOOSE_NUMBERS.search(text) is not None


def read_captions(text: str, problems: set[str]) -> list[Mention]:
    """Regions of an answer without boxes: its lines."""
    text = strip_html(text)
    lines = [words for line in islice(text.split("\n"), MAX_REGIONS) if (words := clean_words(line))]
    if text.count("\n") >= MAX_REGIONS:
        problems.add("too_long")
    return [Mention(None, words) for words in lines if words != NO_FLAW]
