"""Check captions by simple rules (App. A.2), and all texts for personal information (App. A.4): warnings, never edits.

"The descriptive sentence must start with a noun, followed by one or several adjective phrases or short clauses, and
must exclusively describe content that appears in the region." The reader of records already requires one line without
markers.

A caption's form is judged by fixed lists of English words. They hold only words with one likely meaning, so a caption
without a warning may still be bad. A part-of-speech tagger small enough to depend on was wrong more often: it is
trained on whole sentences, and mistakes 'Tint' and 'Handle' at the start of a caption for verbs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import NamedTuple

from swift_plugins.fakexplain.annotation import Annotation

from .personal import find_personal, free_texts

MAX_WORDS = 30
REPEATED = 3  # regions of one image with the same caption

RULES = {
    "noun-phrase": "does not start with a noun phrase, or is a whole sentence",
    "elsewhere": "describes more than its region, although the box covers less than half of the image",
    "short": "is a single word, which cannot say what is wrong",
    "long": f"has more than {MAX_WORDS} words",
    "unfinished": "ends in the middle of a phrase",
    "markup": "contains coordinates, a link or markup",
    "repeated": f"is the caption of {REPEATED} or more regions of one image",
    "e-mail": "contains an e-mail address",
    "handle": "contains a handle such as @name",
    "phone": "contains what may be a telephone number",
    "name": "contains the name of an annotator",
}
"""Rule -> the problem that it reports, as the end of a sentence about a caption."""


class CaptionWarning(NamedTuple):
    """A warning about a caption of a record, or about another text in it.

    Attributes:
        field: such as `regions[2].caption`.
        rule: one of `RULES`.
        text: the reason.
        caption: the caption, or the other text.
    """

    field: str
    rule: str
    text: str
    caption: str


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# No noun phrase starts with these.
_OPENERS = _set(
    "i you he she it we they him them who which when where why how whether there here it's there's that's "
    "in on at from with within without into onto to for of by beside between along during through behind under over "
    "like and or but because since as if although though while so also then "
    "is are was were be has have had do does did could may might shall should will would cannot can't don't doesn't "
    "didn't isn't aren't wasn't weren't "
    "looks looking seems seem appears appear shows showing contains depicts feels makes "
    "not never maybe perhaps probably possibly apparently definitely please nobody everyone someone"
)
# These start a subordinate clause: verbs after them do not make the caption a sentence.
_RELATIVE = _set("that which who whose whom what where when while as than if because how why")
_FINITE = _set(
    "is are was were has have had do does did could may might shall should will would cannot can't don't doesn't "
    "didn't isn't aren't wasn't weren't hasn't haven't won't looks seems seem appears appear becomes lacks contains "
    "shows feels melts merges disappears vanishes grows belongs connects extends continues begins overlaps intersects"
)
# Each of these may be a noun or an adjective, except after a plural.
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


def lint(annotation: Annotation, names: Collection[str] = ()) -> Iterator[CaptionWarning]:
    """Warn about the captions of a record, region by region, and about personal information in its further fields.

    Args:
        annotation: the record.
        names: of annotators, as `words_of_names` gives them; no text may contain one.

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
        for rule, text in (*_check_caption(region.caption, share), *_check_privacy(region.caption, names)):
            yield CaptionWarning(f"regions[{index}].caption", rule, text, region.caption)
        same = often.pop(region.caption.casefold(), 0)  # reported once, at the first of them
        if same >= REPEATED:
            text = f"{same} regions have {_quote(region.caption)}"
            yield CaptionWarning(f"regions[{index}].caption", "repeated", text, region.caption)
    for field, text in free_texts(annotation.extra):
        for rule, reason in _check_privacy(text, names):
            yield CaptionWarning(field, rule, reason, text)


def _check_privacy(text: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Rule and reason of each warning about personal information in a text."""
    for rule, words in find_personal(text, names):
        if rule != "phone" or any(map(str.isalpha, text)):  # digits alone are a number of something
            yield rule, f"contains {words!r}"


def _check_caption(caption: str, share: float) -> Iterator[tuple[str, str]]:
    """Rule and reason of each warning about a caption whose box covers this share of the image."""
    words = [word.lower().replace("’", "'") for word in _WORD.findall(caption)]
    if len(words) == 1 and caption.isascii():  # some scripts write no spaces
        yield "short", f"one word, {_quote(caption)}"
    elif why := not_a_noun_phrase(words):
        yield "noun-phrase", why
    if len(words) > MAX_WORDS:
        yield "long", f"{len(words)} words, more than {MAX_WORDS}"
    if share < 0.5 and (phrase := _ELSEWHERE.search(caption)):
        yield "elsewhere", f"mentions {phrase.group()!r}, but its box covers {share:.0%} of the image"
    if end := _UNFINISHED.search(caption.rstrip(".")):
        yield "unfinished", f"ends in {end.group()!r}"
    if markup := _MARKUP.search(caption):
        yield "markup", f"contains {markup.group()!r}"


def not_a_noun_phrase(words: list[str]) -> str:
    """Return the reason why words are not a noun phrase with its complements; empty if they may be one.

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


def _quote(caption: str) -> str:
    return repr(caption if len(caption) <= 60 else caption[:59] + "…")
