"""The regions of an answer in any notation: each is marked in its place, then words and boxes are put together."""

from __future__ import annotations

import re
from itertools import islice

from ..annotation import NO_FLAW
from ..boxes import Box
from ..mentions import Mention
from .brackets import find_boxes, has_brackets, mark_bare_boxes, parse_box
from .captions import MAX_CAPTION, assign_words, clean_words, is_rejected
from .formatting import strip_html
from .limits import MAX_REGIONS, drop_marks, show_braces
from .markup import mark_elements
from .objects import mark_objects
from .records import rewrite_records
from .xml_elements import rewrite_xml

_Y_FIRST = re.compile(
    r"[\[(]\s*y_?(?:min|1|0|top)?\s*,\s*x_?(?:min|1|0|left)?\s*,\s*y_?(?:max|2|1|bottom)\s*,\s*x_?(?:max|2|1|right)\s*[\])]",
    re.IGNORECASE,
)
_NO_DIGITS = re.compile(r"\D*")
_THREE_MORE = r",\s*[-+]?\d[\d.]*\s*,\s*[-+]?\d[\d.]*\s*,\s*[-+]?\d"
_AFTER_FIRST, _LOOSE_NUMBERS = re.compile(_THREE_MORE), re.compile(rf"(?<![\d.])\d[\d.]*\s*{_THREE_MORE}")
_PERCENTAGES = re.compile(r"[(（\[]\s*\d[\d.]*\s*%\s*,\s*\d[\d.]*\s*%")
_SIDES = re.compile(
    r"[xXlL](?<=\b.)(?=[\W\d_mMe])(?i:(?<=x)(?:_?(?:1|min))?\W{1,4}(?:\d[^\n]{0,80}\by(?:_?(?:1|min))?\W{1,4}\d|y_?(?:1|min)\b)"
    r"|(?<=l)eft:\s*\d[^\n]{0,20}\btop:\s*\d)"
)
"""Names of the sides of a box beside numbers, or as the head of a table."""
_BARE_LINE = re.compile(r"\n[ \t]*\d[\d.]{0,9}(?:[ \t]\d[\d.]{0,9}){3}(?![\d.])")
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
    lower = text.lower() if has_brackets(text) or "<" in text else ""  # which is slow if it is not ASCII
    if not _has_digit(text) and "nan" not in lower and "inf" not in lower:
        return []
    if ("[" in text or "(" in text) and _Y_FIRST.search(text):
        y_first = True
        problems.add("y_first")
        text = _Y_FIRST.sub(" ", text)
    text = rewrite_xml(text, lower, problems)
    text = rewrite_records(text, problems)
    text = mark_objects(text, y_first, problems)
    text = mark_elements(text, y_first, cut, problems)
    text = strip_html(text)
    text = mark_bare_boxes(text, y_first)
    groups, tail = _boxes_with_gaps(text, problems, cut, y_first)
    captions = assign_words([gap for gap, _ in groups], tail, problems, [bool(boxes) for _, boxes in groups])
    regions = []
    for (_, boxes), caption in zip(groups, captions, strict=True):
        if boxes and is_rejected(caption):
            problems.add("rejected_box")
            continue
        if len(caption) >= MAX_CAPTION:
            problems.add("too_long")
        caption = show_braces(caption)
        regions += [Mention(box, caption) for box in boxes]
    return regions


def _has_digit(text: str) -> bool:
    if any(digit in text for digit in "0123456789"):
        return True
    if text.isascii():
        return False
    match = _NO_DIGITS.match(text)  # three times as fast as a search for one
    return match is not None and match.end() < len(text)


def _boxes_with_gaps(
    text: str, problems: set[str], cut: bool, y_first: bool
) -> tuple[list[tuple[str, list[Box]]], str]:
    """Groups of boxes that stand side by side, each with the text before it; and the text after the last."""
    groups: list[tuple[str, list[Box]]] = []
    position = 0
    for match in find_boxes(text, problems, cut):
        gap = text[position : match.start()]
        position = match.end()
        if groups and not gap.strip(_BETWEEN_BOXES):
            groups[-1][1].extend(parse_box(match, problems, y_first))
        else:
            groups.append((gap, parse_box(match, problems, y_first)))
    gaps = [*(gap for gap, _ in groups), text[position:]]
    if "too_long" not in problems and (
        any(map(_has_loose_numbers, gaps)) or (not groups and (_names_sides(text, problems) or _has_bare_line(text)))
    ):
        problems.add("doubtful_box")
    return groups, text[position:]


def _names_sides(text: str, problems: set[str]) -> bool:
    """Whether a text gives the sides of a box by name, or as a table, and nothing has been said of it yet."""
    return "point" not in problems and _SIDES.search(text) is not None


def _has_bare_line(text: str) -> bool:
    """Whether a line begins with four numbers, or four stand between tabs."""
    return _BARE_LINE.search(f"\n{text}") is not None or ("\t" in text and _TABBED.search(text) is not None)


def _has_loose_numbers(text: str) -> bool:
    """Whether a text holds four numbers in a row or two percentages; a search for commas first takes a fifth."""
    text = text.replace("，", ",").replace(";", ",")
    if "%" in text and ("%," in text or "% ," in text) and _PERCENTAGES.search(text):
        return True
    return _AFTER_FIRST.search(text) is not None and _LOOSE_NUMBERS.search(text) is not None


def read_captions(text: str, problems: set[str]) -> list[Mention]:
    """Regions of an answer without boxes: its lines."""
    text = strip_html(text)
    lines = [words for line in islice(text.split("\n"), MAX_REGIONS) if (words := clean_words(line))]
    if text.count("\n") >= MAX_REGIONS:
        problems.add("too_long")
    return [Mention(None, words) for words in lines if words != NO_FLAW]
