"""What a caption should be (App. A.2), by simple rules: warnings for people to read, never edits.

"The descriptive sentence must start with a noun, followed by one or several adjective phrases or short clauses, and
must exclusively describe content that appears in the region." One line without markers is what the reader of records
asks for already.

A caption's form is judged by closed lists of words, of English alone. They hold what can hardly be meant otherwise, so
a caption without a warning may still be a bad one. A part-of-speech tagger small enough to depend on was wrong more
often: it is trained on whole sentences, and takes 'Tint' and 'Handle' at the start of a caption for verbs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from swift_plugins.fakexplain.annotation import Annotation

LONGEST = 30  # words
OFTEN = 3  # regions of one image with one caption

RULES = {
    "noun-phrase": "does not start with a noun phrase, or is a whole sentence",
    "elsewhere": "speaks of more than the region, whose box covers less than half of the image",
    "short": "is a single word: it cannot say what is wrong",
    "long": f"has more than {LONGEST} words",
    "unfinished": "ends in the middle of a phrase",
    "markup": "holds coordinates, a link or markup",
    "repeated": f"stands at {OFTEN} or more regions of one image",
}
"""Rule -> what a caption does that it warns of."""


class Warning(NamedTuple):
    """What a rule says of a record.

    Attributes:
        field: such as `regions[2].caption`.
        rule: one of `RULES`.
        text: why.
        caption: the caption.
    """

    field: str
    rule: str
    text: str
    caption: str


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What no noun phrase starts with.
_OPENERS = _set(
    "i you he she it we they him them who which when where why how whether there here it's there's that's "
    "in on at from with within without into onto to for of by beside between along during through behind under over "
    "like and or but because since as if although though while so also then "
    "is are was were be has have had do does did could may might shall should will would cannot can't don't doesn't "
    "didn't isn't aren't wasn't weren't "
    "looks looking seems seem appears appear shows showing contains depicts feels makes "
    "not never maybe perhaps probably possibly apparently definitely please nobody everyone someone"
)
# A clause of its own starts here: verbs behind it do not make the caption a sentence.
_RELATIVE = _set("that which who whose whom what where when while as than if because how why")
_FINITE = _set(
    "is are was were has have had do does did could may might shall should will would cannot can't don't doesn't "
    "didn't isn't aren't wasn't weren't hasn't haven't won't looks seems seem appears appear becomes lacks contains "
    "shows feels melts merges disappears vanishes grows belongs connects extends continues begins overlaps intersects"
)
# So do these, but each may be a noun or an adjective, save behind a plural.
_PLURAL = _set("look merge melt disappear vanish overlap become float grow end make fade connect extend continue begin")
_JUDGEMENTS = _set(
    "blurry blurred weird strange odd unreal realistic unrealistic natural unnatural distorted deformed wrong bad ugly "
    "fake missing artificial generated ai drawn smooth unclear impossible off inconsistent illegible unreadable"
)
_BESIDE_JUDGEMENTS = _set("and or but too very so not a bit rather quite at all more much")

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ELSEWHERE = re.compile(
    r"\b(?:(?:the|this|whole|entire) image|(?:whole|entire) (?:picture|photo|photograph|scene)"
    r"|(?:in|of|across|throughout) (?:the|this) (?:picture|photo|photograph)"
    r"|(?:in|across|throughout) the background|overall|(?<!from )elsewhere"
    r"|(?:top|bottom|upper|lower)[ -](?:left|right)(?:[ -]hand)? corner(?! of))\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"https?://|</?[a-z]|\*\*|`|[(\[]\s*-?\d+(?:\.\d+)?\s*,\s*-?\d", re.IGNORECASE)
_UNFINISHED = re.compile(r"(?:[,;:(\[/–-]|\b(?:a|an|the|of|with|and|or|than|its|their|very|which))$", re.IGNORECASE)


def lint(annotation: Annotation) -> Iterator[Warning]:
    """Warnings about the captions of a record, region by region.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> captions = ("Left hand with six fingers.", "There is an extra finger.")
    >>> regions = tuple(Region((0, 0, 4, 4), caption) for caption in captions)
    >>> for warning in lint(Annotation("a", "a.png", 8, 8, "fake", regions)):
    ...     print(*warning)
    regions[1].caption noun-phrase starts with 'there' There is an extra finger.
    """
    often = Counter(region.caption.casefold() for region in annotation.regions)
    for index, region in enumerate(annotation.regions):
        x1, y1, x2, y2 = region.bbox
        share = (x2 - x1) * (y2 - y1) / (annotation.width * annotation.height)
        for rule, text in _of_caption(region.caption, share):
            yield Warning(f"regions[{index}].caption", rule, text, region.caption)
        same = often.pop(region.caption.casefold(), 0)  # told once, at the first of them
        if same >= OFTEN:
            text = f"{same} regions have {_quoted(region.caption)}"
            yield Warning(f"regions[{index}].caption", "repeated", text, region.caption)


def _of_caption(caption: str, share: float) -> Iterator[tuple[str, str]]:
    """Rule and reason of each warning about a caption whose box covers this share of the image."""
    words = [word.lower().replace("’", "'") for word in _WORD.findall(caption)]
    if len(words) == 1 and caption.isascii():  # some scripts write no blanks
        yield "short", f"one word, {_quoted(caption)}"
    elif why := not_a_noun_phrase(words):
        yield "noun-phrase", why
    if len(words) > LONGEST:
        yield "long", f"{len(words)} words, more than {LONGEST}"
    if share < 0.5 and (said := _ELSEWHERE.search(caption)):
        yield "elsewhere", f"speaks of {said.group()!r}, its box covers {share:.0%} of the image"
    if end := _UNFINISHED.search(caption.rstrip(".")):
        yield "unfinished", f"ends in {end.group()!r}"
    if markup := _MARKUP.search(caption):
        yield "markup", f"holds {markup.group()!r}"


def not_a_noun_phrase(words: list[str]) -> str:
    """Why words are no noun phrase with what belongs to it; empty where nothing speaks against it.

    >>> not_a_noun_phrase("the hand has six fingers".split())
    "a sentence, by its verb 'has'"
    >>> not_a_noun_phrase("hand that has six fingers".split())
    ''
    """
    if not words:
        return "no word at all"
    if words[0] in _OPENERS:
        return f"starts with '{words[0]}'"
    if all(word in _JUDGEMENTS or word in _BESIDE_JUDGEMENTS or word.endswith("ly") for word in words):
        return "names no thing"
    if words[0] == "what":  # what looks like a spoon, growing out of the bowl
        return ""
    for before, word in pairwise(words):
        if word in _RELATIVE:
            break
        if word in _FINITE or (word in _PLURAL and before.endswith("s")):
            return f"a sentence, by its verb '{word}'"
    return ""


def _quoted(caption: str) -> str:
    return repr(caption if len(caption) <= 60 else caption[:59] + "…")
