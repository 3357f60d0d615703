"""Boxes in markup: the special tokens and elements of grounding models.

<ref>words</ref><box>[[x1, y1, x2, y2], …]</box>                              InternVL
<ref>words</ref><box>x1 y1 x2 y2</box>                                        MiniCPM-V
<ref>words</ref><box>(x1,y1),(x2,y2)</box>                                    Qwen-VL
<|object_ref_start|>words<|object_ref_end|><|box_start|>(x1,y1),(x2,y2)<|box_end|>      Qwen2-VL
<|ref|>words<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>                         DeepSeek-VL2
<|begin_of_box|>[[x1, y1, x2, y2]]<|end_of_box|>                              GLM-4.xV
<bbox>x1 y1 x2 y2</bbox>                                                      Doubao
<loc0001><loc0002><loc0003><loc0004> words                                    PaliGemma: y1 x1 y2 x2, of 1024
<p>words</p> {<x1><y1><x2><y2>}                                               MiniGPT-v2
<point x="…" y="…">, <points …>                                               Molmo: points, named, not read
"""

from __future__ import annotations

import re

from .brackets import BOX, numbers_of
from .limits import CLOSE, MAX_REGIONS, OPEN, mark_box

_LOC = re.compile(r"<loc(\d{1,4})>\s*<loc(\d{1,4})>\s*<loc(\d{1,4})>\s*<loc(\d{1,4})>")
_ANGLES = re.compile(r"<(\d{1,5})>\s*<(\d{1,5})>\s*<(\d{1,5})>\s*<(\d{1,5})>")
_POINT = re.compile(r"<points?\b[^<>]*>(?:[^<>]*</points?>)?|<\|point_start\|>[^<>]*<\|point_end\|>", re.IGNORECASE)
_START = r"<(?=[bc|])(?:b?box|\|box_start\||\|det\||\|begin_of_box\||bounding_?box|coordinates?)>"
_END = r"</b?box>|<\|box_end\|>|<\|/det\|>|<\|end_of_box\|>|</bounding_?box>|</coordinates?>"
_ELEMENT = re.compile(rf"({_START})([^<>]*)({_END})?", re.IGNORECASE)
_REF_START = r"<(?=[rp|])(?:ref|\|ref\||\|object_ref_start\||p|phrase)>"
_REF_END = r"</ref>|<\|/ref\|>|<\|object_ref_end\|>|</p>|</phrase>"
_INTEGER, _BETWEEN = r"([0-9]{1,9})", r"[\])]?[,\s]\s?[\[(]?"
_PLAIN = rf"(?:{_START})\s*[\[(]{{0,2}}{_BETWEEN.join([_INTEGER] * 4)}[\])]{{0,2}}\s*(?:{_END})"
"""Nearly every element: one box of integers, however they are divided."""
_PLAIN_ELEMENT = re.compile(_PLAIN, re.IGNORECASE)
_PLAIN_LINE = re.compile(rf"\n(?:{_REF_START})([^<>\n]*)(?:{_REF_END})[ \t]*{_PLAIN}(?=\n)", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")
_REF = re.compile(
    rf"(?:{_REF_START})([^<>\n]*)(?:{_REF_END})\s*"
    rf"({OPEN}[^{CLOSE}]*{CLOSE}(?:[\s,]*{OPEN}[^{CLOSE}]*{CLOSE})*)",
    re.IGNORECASE,
)
_AFTER_REF = re.compile(rf">\s*{OPEN}")
_SENTENCE_END = re.compile(r"[.!?](?:\s+|$)|[。！？]")


def mark_elements(text: str, y_first: bool, cut: bool, problems: set[str]) -> str:
    """Mark the boxes in markup, and put each named one on a line with its words.

    Args:
        text: the text.
        y_first: the text says that its boxes are y1, x1, y2, x2.
        cut: the text may have been cut short at its end.
        problems: gets a code for an element without a readable box, for points, and for the order y first.
    """
    if "<" not in text:
        return text
    if "<loc" in text:
        text, count = _LOC.subn(lambda m: mark_box(m.groups(), True), text, MAX_REGIONS)
        lost = re.search(r"<loc\d", text)
        problems.add("too_long" if lost and count == MAX_REGIONS else "bad_box" if lost and not cut else "y_first")
    if "<point" in text or "<|point" in text:
        text, count = _POINT.subn(" ", text)
        if count:
            problems.add("point")
    if "patch_index_" in text:
        problems.add("bad_box")
    text, count = _ANGLES.subn(lambda m: mark_box(m.groups(), y_first), text, MAX_REGIONS)
    if count == MAX_REGIONS and _ANGLES.search(text):
        problems.add("too_long")
    if not _ELEMENT.search(text):
        return _on_own_lines(text)

    def as_boxes(match: re.Match[str]) -> str:
        content = match.group(2)
        boxes = [
            mark_box(numbers, y_first and not each.group().startswith(OPEN))
            for each in BOX.finditer(content)
            if (numbers := numbers_of(each))
        ]
        found = _NUMBER.findall(content)
        if not boxes and found and len(found) % 4 == 0 and match.group(3):
            boxes = [mark_box(found[i : i + 4], y_first) for i in range(0, len(found), 4)]
        if boxes and match.group(3):
            if 4 * len(boxes) < len(found):
                problems.add("bad_box")
            return f" {','.join(boxes)} "
        if found and not boxes and not (cut and not match.string[match.end() :].strip()):
            problems.add("bad_box")
            return " "
        return f" {content} "

    text, left = _mark_plain(text, y_first)
    return _on_own_lines(_ELEMENT.sub(as_boxes, text, left) if left else text)


def _mark_plain(text: str, y_first: bool) -> tuple[str, int]:
    """Mark the plain elements, in a third of the time; return the text and how many others may be read.

    The text is unchanged if an element that is not plain comes before a plain one: it may lack its end.
    """
    marked, lines = _PLAIN_LINE.subn(  # a function takes two thirds of the time of a template
        lambda m: f"\n\n {m[1]} {mark_box(m.groups()[1:], y_first)}  ", f"\n{text}\n", MAX_REGIONS
    )
    marked, left = marked[1:-1], MAX_REGIONS - lines
    if left:
        marked, count = _PLAIN_ELEMENT.subn(lambda m: f" {mark_box(m.groups(), y_first)} ", marked, left)
        left -= count
    other = _ELEMENT.search(marked)
    return (text, MAX_REGIONS) if other and other.start() < marked.rfind(CLOSE) else (marked, left)


def _on_own_lines(text: str) -> str:
    """The text with each named box on a line with its words."""
    if OPEN in text and _AFTER_REF.search(text) and _REF.search(text):
        text = "\n".join(map(_named_boxes, text.split("\n")))
    return text


def _named_boxes(line: str) -> str:
    """A line with its named boxes each on a line of its own, if there are several, else with its sentence."""
    found = list(_REF.finditer(line)) if OPEN in line else []
    if len(found) > 1:
        return "\n".join(f"{match.group(2)} {match.group(1)}" for match in found)
    if not found:
        return line
    (match,) = found
    before, after = line[: match.start()], line[match.end() :]
    start = max((end.end() for end in _SENTENCE_END.finditer(before)), default=0) if before else 0
    stop = _SENTENCE_END.search(after)
    rest = after if stop is None else f"{after[: stop.end()]}\n{after[stop.end() :]}"
    return f"{before[:start]}\n{before[start:]} {match.group(1)} {match.group(2)} {rest}"
