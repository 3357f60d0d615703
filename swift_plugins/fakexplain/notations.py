"""Answers in any other notation: how base models and other systems write boxes, captions, tags and verdicts.

Boxes with captions come as lines, lists, points between special tokens, or JSON; tags and verdicts come in other
words; and a completion may be cut short anywhere. Everything readable is read, and a code of `answer.PROBLEMS` names
each unreadable part. Only texts that are not exact answers, or are too long, come here.

A completion is data: reading never raises and takes time linear in the text. Each pattern here can match a text in
only one way, has no quantifier inside a quantifier over the same characters, and cannot start again inside the text of
a failed attempt. An answer has a few hundred characters; the first `MAX_CHARACTERS` of a text are read, and
`MAX_REGIONS` regions.
"""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import NamedTuple

from .annotation import NO_FLAW
from .boxes import Box
from .mentions import Mention
from .tags import TAG_WORDS, canonical_tag

MAX_CHARACTERS, MAX_REGIONS = 100_000, 128

INTEGER_BOX = r"\[{0}, {0}, {0}, {0}\]".format("(0|[1-9][0-9]{0,8})")
"""A box as an answer writes it. Nine digits fit into a float, and no image is wider."""

_FIELD = re.compile(r"<(tag|verdict)>([^<]*)(</\1>)?", re.IGNORECASE)


class Reading(NamedTuple):
    """The readable parts of a text: the fields of an `Answer`, with its problems in no order."""

    verdict: str | None
    regions: tuple[Mention, ...]
    tags: tuple[str, ...]
    states_regions: bool
    problems: set[str]


def read_notations(text: str, variant: str | None = None) -> Reading:
    """Read everything readable in a text.

    Args:
        text: any text.
        variant: lines without a box count as regions if it is 'no_bbox', or if it is None and the verdict is not real.

    >>> reading = read_notations("<ref>Bent rail</ref><box>[[1, 2, 5, 6]]</box> <verdict>AI-generated</verdict>")
    >>> reading.verdict, reading.regions
    ('fake', (Mention(bbox=(1.0, 2.0, 5.0, 6.0), caption='Bent rail'),))
    """
    problems: set[str] = set()
    if len(text) > MAX_CHARACTERS:
        problems.add("too_long")
        text = text[:MAX_CHARACTERS]
    fields = _FIELD.findall(text)
    if any(not end for _, _, end in fields):
        problems.add("unclosed")
    verdict = _read_verdict(text, [words for name, words, _ in fields if name.lower() == "verdict"], problems)
    tags = _read_tags([words for name, words, _ in fields if name.lower() == "tag"], problems)

    rest = _FIELD.sub("\n", text)
    before, think, after, closed = _read_think(rest, problems)
    if before.strip() or after.strip():
        problems.add("extra_text")

    regions = _read_regions(rest, problems)
    if not regions and (variant == "no_bbox" or (variant is None and verdict != "real")):
        regions = _read_captions(think, problems)
    if verdict == "real" and (regions or tags):
        problems.add("real_with_flaws")
    states_regions = bool(regions) or (verdict is not None and (closed or NO_FLAW in rest))
    return Reading(verdict, tuple(regions), tags, states_regions, problems)


_THINK = re.compile(r"<think>", re.IGNORECASE)
_THINK_END = re.compile(r"</think>", re.IGNORECASE)


def _read_think(text: str, problems: set[str]) -> tuple[str, str, str, bool]:
    """Text before, in and after the think block, and whether the block is closed.

    The block spans from the first opening tag to the last closing tag; the opening tag may be part of the prompt.
    """
    opening, closing = _THINK.search(text), [None, *_THINK_END.finditer(text)][-1]
    if opening and (closing is None or closing.start() < opening.start()):
        problems.add("unclosed")
        return text[: opening.start()], text[opening.end() :], "", False
    if closing is None:
        return text, "", "", False
    before, start = (text[: opening.start()], opening.end()) if opening else ("", 0)
    return before, text[start : closing.start()], text[closing.end() :], True


_VERDICT_WORDS = {
    "fake": "fake, generated, synthetic, synthesized, artificial, ai, ai generated, aigenerated, aigc, not real",
    "real": "real, authentic, genuine, natural, not fake, not generated, not ai generated",
}
_VERDICT_OF_WORDS = {words: verdict for verdict, line in _VERDICT_WORDS.items() for words in line.split(", ")}
_FILLERS = {"this", "the", "it", "image", "picture", "is", "a", "an", "s", "verdict", "answer"}
_MAX_VERDICT = 80


def _read_verdict(text: str, blocks: list[str], problems: set[str]) -> str | None:
    found = {words: _verdict(words) for words in blocks}
    if not blocks and (bare := _verdict(text)):
        problems.add("bare_verdict")
        return bare
    verdicts = set(found.values()) - {None}
    if len(verdicts) == 1:
        if not verdicts.issuperset(found):
            problems.add("wording")
        return verdicts.pop()
    problems.add("conflicting_verdicts" if verdicts else "no_verdict")
    return None


def _verdict(words: str) -> str | None:
    if len(words) > _MAX_VERDICT:
        return None
    names = [word for word in re.findall("[a-z]+", words.lower()) if word not in _FILLERS]
    return _VERDICT_OF_WORDS.get(" ".join(names))


# A tag's own words inside a sentence; its other names are read only if they stand alone.
_TAG_IN_PROSE = re.compile("|".join(r"[\W_]".join(re.findall("[a-z]+", w)) for w in TAG_WORDS.values()), re.IGNORECASE)
_MAX_TAGS = 64


def _read_tags(blocks: list[str], problems: set[str]) -> tuple[str, ...]:
    tags: dict[str, None] = {}
    for block in islice(dict.fromkeys(blocks), _MAX_TAGS):
        unknown = in_prose = False
        for name in islice((part.strip() for part in re.split("[,;\n]", block)), _MAX_TAGS):
            if tag := canonical_tag(name):
                tags[tag] = None
                if name != TAG_WORDS[tag]:
                    problems.add("wording")
            elif found := dict.fromkeys(_TAG_IN_PROSE.findall(name)):
                tags |= dict.fromkeys(filter(None, map(canonical_tag, found)))
                in_prose = True
                problems.add("wording")
            elif name.strip(".").lower() not in ("", "none"):
                unknown = True
        if unknown and not in_prose:
            problems.add("unknown_tag")
    return tuple(tags)


_N = r"\s*([-+.\w]+)\s*"
_BOX = re.compile(
    rf"\[{_N},{_N},{_N},{_N}\]"
    rf"|\({_N},{_N}\)(?:\s*,)?\s*\({_N},{_N}\)"
    rf"|\({_N},{_N},{_N},{_N}\)"
    r"|\[\s*[-+]?[\d.][-+.\w\s]*,[-+.\w\s,]*\]"  # numbers, but not four
)
_INTEGER_BOX = re.compile(INTEGER_BOX)
_OBJECT = re.compile(r'\{[^{}]*"bbox(?:_2d)?"\s*:[^{}]*\}?')
_LABEL = re.compile(r'"(?:label|caption|description)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"?', re.DOTALL)
_MARKER = re.compile(r"</?(?:think|ref|box)>|<\|\w{1,20}\|>|```(?:json)?", re.IGNORECASE)
_BULLET = re.compile(r"[\s\-*•,;:\[\]{}]*(?:\d{1,3}[.)]\s)?[\s\-*•,;:]*")
_LETTER = re.compile(r"\w")
_BETWEEN_BOXES = " \t\r,[]{}"


def _read_regions(text: str, problems: set[str]) -> list[Mention]:
    """Regions in any notation: a box, or several side by side, with the words before or after it on its line."""
    text = _MARKER.sub(" ", _OBJECT.sub(_object_as_line, text, count=MAX_REGIONS))
    groups, tail = _boxes_with_gaps(text, problems)
    captions = assign_words([gap for gap, _ in groups], tail)
    return [Mention(box, caption) for (_, boxes), caption in zip(groups, captions, strict=True) for box in boxes]


def _boxes_with_gaps(text: str, problems: set[str]) -> tuple[list[tuple[str, list[Box]]], str]:
    """Groups of boxes that stand side by side, each with the text before it; and the text after the last."""
    groups: list[tuple[str, list[Box]]] = []
    position = 0
    for number, match in enumerate(_BOX.finditer(text)):
        if number == MAX_REGIONS:
            problems.add("too_long")
            break
        gap = text[position : match.start()]
        position = match.end()
        if groups and not gap.strip(_BETWEEN_BOXES):
            groups[-1][1].extend(_box(match, problems))
        else:
            groups.append((gap, _box(match, problems)))
    return groups, text[position:]


def assign_words(gaps: list[str], tail: str) -> list[str]:
    """The caption of each box, from the text around the boxes.

    Words belong to a box on their own line. Of several boxes on one line, a semicolon ends the words of the box before
    it; without one, words follow their box if the line begins with a box, else they precede it.

    Args:
        gaps: N texts, one before each box.
        tail: text after the last box.

    Returns:
        N captions, '' for a box without words.

    >>> assign_words(["", " Clock. ", " Hand. "], " Sign."), assign_words(["Clock. ", " Hand. "], "")
    (['Clock.', 'Hand.', 'Sign.'], ['Clock.', 'Hand.'])
    """
    before, after = [], []
    box_first = True
    for index, gap in enumerate(gaps):
        of_previous, of_next = "", gap
        if "\n" in gap:
            of_previous, of_next = gap.partition("\n")[0], gap.rpartition("\n")[2]
        elif index and ";" in gap:
            of_previous, _, of_next = gap.rpartition(";")
        elif index and box_first:
            of_previous, of_next = gap, ""
        if not index or "\n" in gap:
            box_first = not _words(of_next)
        after.append(of_previous)
        before.append(of_next)
    after = [*after[1:], tail.partition("\n")[0]]
    return [_words(" ".join(filter(None, map(_words, pair)))) for pair in zip(before, after, strict=False)]


def _box(match: re.Match[str], problems: set[str]) -> list[Box]:
    """The box in a match, or none if it is no valid box."""
    last = match.lastindex or 0
    try:
        numbers = map(float, match.group(last - 3, last - 2, last - 1, last) if last else ())
        x1, y1, x2, y2 = filter(math.isfinite, numbers)
    except ValueError:  # not a number, or not four finite ones
        problems.add("bad_box")
        return []
    if x1 >= x2 or y1 >= y2:
        problems.add("inverted_box")
        return []
    if not _INTEGER_BOX.fullmatch(match.group()):
        problems.add("wording")
    return [(x1, y1, x2, y2)]


def _object_as_line(match: re.Match[str]) -> str:
    """A JSON object that holds a box, as a line of an answer."""
    text, caption = match.group(), ""
    if label := _LABEL.search(text):
        text = text[: label.start()] + text[label.end() :]
        try:
            caption = json.loads(f'"{label.group(1)}"', strict=False)
        except ValueError:
            caption = label.group(1)
    boxes = ",".join(box.group() for box in _BOX.finditer(text))
    return f"\n{boxes} {_words(caption)}\n"


def _read_captions(text: str, problems: set[str]) -> list[Mention]:
    """Regions of an answer without boxes: its lines."""
    lines = [words for line in islice(text.split("\n"), MAX_REGIONS) if (words := _words(_MARKER.sub(" ", line)))]
    if text.count("\n") >= MAX_REGIONS:
        problems.add("too_long")
    return [Mention(None, words) for words in lines if words != NO_FLAW]


def _words(text: str) -> str:
    """Text as a caption that UTF-8 can write: one line, without bullets and brackets around it; '' if none is left."""
    words = " ".join(_BULLET.sub("", text, count=1).split()).rstrip(" ,;:*[]{}")
    if not _LETTER.search(words):
        return ""
    return words if words.isascii() else words.encode(errors="replace").decode()
