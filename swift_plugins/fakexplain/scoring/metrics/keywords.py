"""Keywords of annotated and of predicted captions (Fig. 6).

App. A.2 analyses "the captions of the bounding boxes to find the most frequent phrases", such as contours and depth of
field. Here a keyword is a word, or a phrase of a given number of words, that neither begins nor ends with a stop word.
Its part of speech does not matter. Its frequency is the share of captions that contain it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PAUSE = re.compile(r"[^\w\s'’-]+")  # no phrase crosses it

STOP_WORDS = frozenset(
    _WORD.findall(
        """
        a about above after against all along also although an and any are aren't around as at be because
        been before being below behind between both but by can cannot can't could did do does doesn't don't
        down each either else even every for from had has have having he her here his how however i if in
        inside into is isn't it it's its itself just like may might more most much must my near neither no
        nor not of off on one only onto or other our out outside over own per quite rather s same seem seems
        shall she should so some such than that the their them themselves then there these they this those
        though through to together too toward towards under until up upon very was we were what when where
        whether which while who whose why will with within without would yet you your
        """
    )
)
_NOT_PLURAL = {"always", "atlas", "canvas", "chaos", "christmas", "gas", "lens", "news", "perhaps", "series", "species"}


class Keyword(NamedTuple):
    """A word or phrase, and the shares in [0, 1] of annotated and of predicted captions that contain it."""

    word: str
    gold: float
    pred: float


def keywords(gold: Iterable[str], pred: Iterable[str], words: int = 1, top: int = 20) -> list[Keyword]:
    """Find the most frequent keywords, by the sum of both shares; ties are in alphabetical order.

    Args:
        gold, pred: annotated and predicted captions; read once.
        words: number of words per keyword; 3 finds 'depth of field'.
        top: number of keywords to return.

    Returns:
        At most `top` keywords; a share is 0 if there are no captions.

    >>> keywords(["Blurry edges.", "Edge of a hand"], ["The edge is blurry"], top=2)
    [Keyword(word='edge', gold=1.0, pred=1.0), Keyword(word='blurry', gold=0.5, pred=1.0)]
    >>> keywords(["Wrong depth of field"], [], words=3)
    [Keyword(word='depth of field', gold=1.0, pred=0.0)]
    """
    (gold_counts, gold_captions), (pred_counts, pred_captions) = _count(gold, words), _count(pred, words)
    found = [
        Keyword(word, gold_counts[word] / max(1, gold_captions), pred_counts[word] / max(1, pred_captions))
        for word in gold_counts.keys() | pred_counts.keys()
    ]
    return sorted(found, key=lambda keyword: (-keyword.gold - keyword.pred, keyword.word))[:top]


def caption_keywords(caption: str, words: int = 1) -> set[str]:
    """Extract a caption's keywords: in lower case, plurals replaced by their singular.

    >>> sorted(caption_keywords("Left hand with six fingers, and glasses"))
    ['finger', 'glass', 'hand', 'left', 'six']
    >>> sorted(caption_keywords("Left hand with six fingers, and glasses", words=2))
    ['left hand', 'six finger']
    """
    found = set()
    for part in _PAUSE.split(caption.lower().replace("’", "'")):
        row = _WORD.findall(part)
        for phrase in zip(*(row[start:] for start in range(words)), strict=False):
            if phrase[0] not in STOP_WORDS and phrase[-1] not in STOP_WORDS:
                found.add(" ".join(map(_singular, phrase)))
    return found


def _count(captions: Iterable[str], words: int) -> tuple[Counter[str], int]:
    counts: Counter[str] = Counter()
    number = 0
    for caption in captions:
        number += 1
        counts.update(caption_keywords(caption, words))
    return counts, number


@lru_cache(maxsize=1 << 16)
def _singular(word: str) -> str:
    """Remove a plural ending, judging by spelling alone: right for most regular nouns."""
    if len(word) < 4 or word in _NOT_PLURAL or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word.removesuffix("'s").removesuffix("s")
