"""The tags of an answer, from its blocks: names in a list, or sentences about them."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from ..tags import TAG_WORDS, canonical_tag

# A tag's own words inside a sentence; its other names are read only if they stand alone.
_TAG_IN_PROSE = re.compile("|".join(r"[\W_]".join(re.findall("[a-z]+", w)) for w in TAG_WORDS.values()), re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:no|not|without|never|neither|nor|none|free of|lacks?|absence of|zero)\b|n't\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"[.:!?]|\b(?:but|however|only)\b", re.IGNORECASE)
_MAX_TAGS = 64
_canonical_tag = lru_cache(maxsize=256)(canonical_tag)  # a sentence may repeat a tag a thousand times


def read_tags(blocks: list[str], problems: set[str]) -> tuple[str, ...]:
    """Canonical tags, each once.

    Args:
        blocks: the text in each block of tags.
        problems: gets the codes of tags that are unknown, denied, or in other words.
    """
    tags: dict[str, None] = {}
    for block in islice(dict.fromkeys(blocks), _MAX_TAGS):
        unknown = in_prose = False
        for name in islice((part.strip() for part in re.split("[,;\n]", block)), _MAX_TAGS):
            if tag := canonical_tag(name):
                tags[tag] = None
                if name != TAG_WORDS[tag]:
                    problems.add("wording")
            elif _TAG_IN_PROSE.search(name):
                tags |= dict.fromkeys(_stated_tags(name, problems))
                in_prose = True
                problems.add("wording")
            elif name.strip(".").lower() not in ("", "none"):
                unknown = True
        if unknown and not in_prose:
            problems.add("unknown_tag")
    return tuple(tags)


def _stated_tags(text: str, problems: set[str]) -> list[str]:
    """The tags that a sentence states, without those that it denies: what follows a negation in it."""
    stated = []
    for sentence in _SENTENCE.split(text):
        negation = _NEGATION.search(sentence)
        for match in _TAG_IN_PROSE.finditer(sentence):
            if negation and negation.start() < match.start():
                problems.add("denied_tag")
            elif tag := _canonical_tag(match.group()):
                stated.append(tag)
    return stated
