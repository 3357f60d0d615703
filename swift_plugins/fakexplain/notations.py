"""Answers in any other way of writing: how base models and other systems put boxes, captions, tags and verdicts.

Boxes with captions come as lines, lists, points between special tokens, or JSON; tags and verdicts in words of their
own; and a completion may be cut short anywhere. What can be read is read, and what cannot is named by a code of
`answer.PROBLEMS`. A text comes here that is not exactly an answer, or too long for one.

A completion is data, whatever it is: reading never raises and takes time linear in the text. Patterns here have one
way to match any text, hold no quantifier inside a quantifier over the same characters, and cannot start again inside
what a failed attempt has passed over. An answer has a few hundred characters; of a text, the first `LONGEST` are read,
and `MOST` regions.
"""

from __future__ import annotations

import json
import math
import re
from itertools import islice

from .annotation import NO_FLAW
from .mentions import Mention
from .tags import TAG_WORDS, canonical_tag

LONGEST, MOST = 100_000, 128

INTEGER_BOX = r"\[{0}, {0}, {0}, {0}\]".format("(0|[1-9][0-9]{0,8})")
"""A box as an answer writes it. Nine digits, for a float holds them and no image is wider."""

_FIELD = re.compile(r"<(tag|verdict)>([^<]*)(</\1>)?", re.IGNORECASE)


def read_notations(
    text: str, variant: str | None = None
) -> tuple[str | None, tuple[Mention, ...], tuple[str, ...], bool, set[str]]:
    """What can be read of a text.

    Args:
        text: any text.
        variant: lines without a box are regions where it is 'no_bbox', and where it is None unless the verdict is real.

    Returns:
        The fields of an `Answer`: verdict, regions, tags, whether regions are named; and the codes of its problems.

    >>> read_notations("<ref>Bent rail</ref><box>[[1, 2, 5, 6]]</box> <verdict>AI-generated</verdict>")[:2]
    ('fake', (Mention(bbox=(1.0, 2.0, 5.0, 6.0), caption='Bent rail'),))
    """
    problems: set[str] = set()
    if len(text) > LONGEST:
        problems.add("too_long")
        text = text[:LONGEST]
    fields = _FIELD.findall(text)
    if any(not closed for _, _, closed in fields):
        problems.add("unclosed")
    verdict = _read_verdict(text, [words for name, words, _ in fields if name.lower() == "verdict"], problems)
    tags = _read_tags([words for name, words, _ in fields if name.lower() == "tag"], problems)

    rest = _FIELD.sub("\n", text)
    before, think, after, said = _read_think(rest, problems)
    if before.strip() or after.strip():
        problems.add("extra_text")

    regions = _read_regions(rest, problems)
    if not regions and (variant == "no_bbox" or (variant is None and verdict != "real")):
        regions = _read_captions(think, problems)
    if verdict == "real" and (regions or tags):
        problems.add("real_with_flaws")
    states_regions = bool(regions) or (verdict is not None and (said or NO_FLAW in rest))
    return verdict, tuple(regions), tags, states_regions, problems


_THINK = re.compile(r"<think>", re.IGNORECASE)
_THINK_END = re.compile(r"</think>", re.IGNORECASE)


def _read_think(text: str, problems: set[str]) -> tuple[str, str, str, bool]:
    """Text before, in and after the think block, and whether the block ends.

    It reaches from the first opening to the last closing tag; the opening one may have been a part of the prompt.
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
_LONGEST_VERDICT = 80


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
    if len(words) > _LONGEST_VERDICT:
        return None
    names = [word for word in re.findall("[a-z]+", words.lower()) if word not in _FILLERS]
    return _VERDICT_OF_WORDS.get(" ".join(names))


# A tag's own words inside a sentence; other names of it are read only where they stand alone.
_TAG_IN_PROSE = re.compile("|".join(r"[\W_]".join(re.findall("[a-z]+", w)) for w in TAG_WORDS.values()), re.IGNORECASE)
_MOST_TAGS = 64


def _read_tags(blocks: list[str], problems: set[str]) -> tuple[str, ...]:
    tags: dict[str, None] = {}
    for block in islice(dict.fromkeys(blocks), _MOST_TAGS):
        unknown = in_prose = False
        for name in islice((part.strip() for part in re.split("[,;\n]", block)), _MOST_TAGS):
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
    text = _MARKER.sub(" ", _OBJECT.sub(_object_as_line, text, count=MOST))
    groups: list[tuple[list[tuple[float, float, float, float]], list[str]]] = []  # boxes, words around them
    position, box_first = 0, True
    for number, match in enumerate(_BOX.finditer(text)):
        if number == MOST:
            problems.add("too_long")
            break
        between = text[position : match.start()]
        position = match.end()
        if groups and not between.strip(_BETWEEN_BOXES):
            groups[-1][0].extend(_box(match, problems))
            continue
        after, before = "", between
        if "\n" in between:
            after, before = between.partition("\n")[0], between.rpartition("\n")[2]
        elif groups and ";" in between:
            after, _, before = between.rpartition(";")
        elif groups and box_first:
            after, before = between, ""
        if not groups or "\n" in between:
            box_first = not _words(before)
        if groups:
            groups[-1][1].append(after)
        groups.append((_box(match, problems), [before]))
    if groups:
        groups[-1][1].append(text[position:].partition("\n")[0])
    regions = []
    for boxes, words in groups:
        caption = _words(" ".join(filter(None, map(_words, words))))
        regions += [Mention(box, caption) for box in boxes]
    return regions


def _box(match: re.Match[str], problems: set[str]) -> list[tuple[float, float, float, float]]:
    """The box of a match, or nothing."""
    last = match.lastindex or 0
    try:
        numbers = map(float, match.group(last - 3, last - 2, last - 1, last) if last else ())
        x1, y1, x2, y2 = filter(math.isfinite, numbers)
    except ValueError:  # no number, or not four finite ones
        problems.add("bad_box")
        return []
    if x1 >= x2 or y1 >= y2:
        problems.add("inverted_box")
        return []
    if not _INTEGER_BOX.fullmatch(match.group()):
        problems.add("wording")
    return [(x1, y1, x2, y2)]


def _object_as_line(match: re.Match[str]) -> str:
    """A JSON object with a box in it, as a line of an answer."""
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
    """Regions of an answer that names no boxes: its lines."""
    lines = [words for line in islice(text.split("\n"), MOST) if (words := _words(_MARKER.sub(" ", line)))]
    if text.count("\n") >= MOST:
        problems.add("too_long")
    return [Mention(None, words) for words in lines if words != NO_FLAW]


def _words(text: str) -> str:
    """Text as a caption: one line, without bullets and brackets around it, and such that UTF-8 can write it; or ''."""
    words = " ".join(_BULLET.sub("", text, count=1).split()).rstrip(" ,;:*[]{}")
    if not _LETTER.search(words):
        return ""
    return words if words.isascii() else words.encode(errors="replace").decode()
