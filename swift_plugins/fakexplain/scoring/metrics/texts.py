"""BLEU-2 and ROUGE-L of what is said of the regions (Table 2 and Table 4), from counts that add up.

What is compared is the captions, in the order an answer gives them, and nothing else. The paper scores "model
responses against the FakeXplained dataset" (§5.2) and leaves a dash where a model writes no captions but still writes
tags and a verdict (Table 4, no-caption and label-only), so its text is the captions. Boxes, tags and verdicts have
metrics of their own here, and markup that every answer shares would only lift the scores.

An image whose annotation has no caption (every real one, A.5) has no text to be compared with. It is left out: were
two empty texts to score 1, every right answer about a photograph would, and hide how fakes are explained. An answer
that says nothing of a region that was described, by silence or by its verdict, scores 0.

sacrebleu and rouge-score need some 2 ms for a pair of sixty words each; `text_counts` counts what they count in less
than 0.1 ms, and the tests hold both figures to theirs within 1e-9.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from importlib.metadata import version
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...annotation import Annotation
from ...answer import Answer, target_regions
from ...mentions import RegionLike
from .matching import Match

SETTINGS: dict[str, Any] = {
    "text": "captions, joined by a blank; no boxes, tags, verdict or markup",
    "images": "those whose annotation has a caption; an answer without one scores 0",
    "matched": "each pair of regions whose boxes match, at any IoU above 0, is a pair of texts",
    "bleu2": {
        "library": f"sacrebleu {version('sacrebleu')}",
        "order": 2,
        "tokeniser": "13a",
        "lowercase": False,
        "smoothing": "exp",
        "sentence": "mean over images, effective order",
        "corpus": "counts summed over images, no effective order",
    },
    "rouge_l": {
        "library": "equal to rouge-score 0.1.2",
        "tokeniser": "runs of a-z and 0-9, lower case",
        "stemmer": False,
        "score": "F1 of the longest common subsequence",
        "averaging": "mean over images",
    },
}
"""What the figures depend on, for a result to carry; libraries are those whose figures these equal."""


Text = Sequence[str]
"""Captions. What they say together is they, joined by blanks; a line break in one is a blank."""


def whole_text(said: Annotation | Answer) -> Text:
    """The text of an annotation or an answer: its captions, in the order an answer gives them.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> rail, sky = Region((1, 6, 5, 8), "Bent rail."), Region((1, 2, 5, 6), "Sky with 2 suns.")
    >>> whole_text(Annotation("a", "a.png", 8, 8, "fake", (rail, sky), ("texture_error",)))
    ('Sky with 2 suns.', 'Bent rail.')
    """
    regions = target_regions(said) if isinstance(said, Annotation) else said.regions
    return tuple(region.caption for region in regions if region.caption)


def matched_texts(
    pred: Sequence[RegionLike], gold: Sequence[RegionLike], matches: Iterable[Match]
) -> list[tuple[Text, Text]]:
    """Predicted and gold text of each pair of regions whose boxes match; a caption that is missing is an empty text.

    Args:
        pred, gold: the regions whose boxes were matched, in that order.
        matches: from `match_boxes`.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> matched_texts([Region((0, 0, 4, 4), "Rail.")], [Region((0, 0, 4, 4), "Bent rail.")], [Match(0, 0, 1.0)])
    [(('Rail.',), ('Bent rail.',))]
    """

    def text(region: RegionLike) -> Text:
        return (region.caption,) if region.caption else ()

    return [(text(pred[match.pred]), text(gold[match.gold])) for match in matches]


def text_counts(pred: Sequence[Text], gold: Sequence[Text]) -> np.ndarray:
    """Counts from which BLEU-2 and ROUGE-L of pairs of texts follow, and by adding them up BLEU-2 of many.

    Args:
        pred, gold: N texts each, best some thousand at a time.

    Returns:
        (N, 8) whole numbers. In 13a tokens, as sacrebleu counts them: unigrams and bigrams that both texts of a pair
        have (each as often as both have it), unigrams and bigrams of the prediction, unigrams of the gold text. In
        words, as rouge-score counts them: the longest common subsequence, words of the prediction, of the gold text.
        A pair whose gold text is empty has zeros alone, and so adds nothing to a sum.

    Raises:
        ValueError: there are not as many of one as of the other.

    >>> text_counts([["Bent rail."], ["Sky"]], [["A bent rail, and", "a shadow."], []]).tolist()
    [[2, 0, 3, 2, 8, 2, 2, 6], [0, 0, 0, 0, 0, 0, 0, 0]]
    """
    if len(pred) != len(gold):
        raise ValueError(f"texts: expected as many predicted as gold ones, found {len(pred)} and {len(gold)}")
    if not len(pred):
        return np.zeros((0, 8), np.int64)
    number = _numbers()
    words = array("q")
    ends = [0]
    for text in chain(pred, gold):
        for caption in text:
            words.extend(map(number.__getitem__, caption.split()))
        ends.append(len(words))
    texts = np.array(words), np.array(ends)
    tokens, gold_tokens, width = _tokens(texts, number, _13a)
    bigrams, gold_bigrams = _bigrams(tokens, width), _bigrams(gold_tokens, width)
    spoken, gold_spoken, _ = _tokens(texts, number, _rouge)
    columns = [
        _shared(tokens, gold_tokens, width),
        _shared(bigrams, gold_bigrams, width**2),
        *(np.diff(starts) for _, starts in (tokens, bigrams, gold_tokens)),
        _lcs(spoken, gold_spoken),
        *(np.diff(starts) for _, starts in (spoken, gold_spoken)),
    ]
    counts = np.stack(columns, axis=1)
    counts[counts[:, 4] == 0] = 0
    return counts


def bleu2(counts: ArrayLike, sentence: bool = False) -> np.ndarray:
    """BLEU-2 from counts (Table 2).

    BP · sqrt(p1 · p2) with p_n the precision of n-grams and BP = min(1, exp(1 - gold/predicted length)); where no
    bigram is shared p2 is 1 / (2 · predicted bigrams), sacrebleu's smoothing 'exp'.

    Args:
        counts: (..., 8) from `text_counts`: of pairs for their own BLEU, or summed over images, in any weighting, for
            BLEU of the corpus.
        sentence: a prediction of one token is scored by p1 alone (effective order: sacrebleu's default for sentences;
            for corpora its default is 0).

    Returns:
        (...) ratios in [0, 1]; NaN where the gold text is empty.

    >>> counts = text_counts([["Bent rail."], ["Rail"]], [["Bent rail."], ["Bent rail."]])
    >>> bleu2(counts, sentence=True).tolist()
    [1.0, 0.0]
    >>> round(float(bleu2(counts.sum(axis=0))), 3)  # BP exp(1 - 6/4), p1 3/4, p2 2/2
    0.525
    """
    same1, same2, pred1, pred2, gold = np.moveaxis(np.asarray(counts, float), -1, 0)[:5]
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p2 = same1 / pred1, np.where(same2 > 0, same2, 0.5) / pred2
        score = np.exp(np.minimum(0, 1 - gold / pred1)) * np.where(pred2 > 0, np.sqrt(p1 * p2), p1 if sentence else 0.0)
    return np.where(gold > 0, np.where(same1 > 0, score, 0.0), np.nan)


def rouge_l(counts: ArrayLike) -> np.ndarray:
    """ROUGE-L of pairs from their counts (Table 2): F1 = 2 · LCS / (predicted + gold words).

    Words are runs of a-z and 0-9, so a text in another script has none.

    Args:
        counts: (..., 8) from `text_counts`.

    Returns:
        (...) ratios in [0, 1]; NaN where the gold text has no words.

    >>> rouge_l(text_counts([["Rail, bent."]], [["Bent rail."]]))
    array([0.5])
    """
    lcs, pred, gold = np.moveaxis(np.asarray(counts, float), -1, 0)[5:]
    return np.divide(2 * lcs, pred + gold, out=np.full(gold.shape, np.nan), where=gold > 0)


# Many texts are counted at once: words and tokens are numbers, and texts are one array of them beside the places where
# each text starts (and the last one ends).
_Texts = tuple[np.ndarray, np.ndarray]


def _numbers() -> dict[str, int]:
    """Gives everything it is asked for a number, from 0."""
    return defaultdict(count().__next__)


def _rows(texts: _Texts, rows: np.ndarray) -> _Texts:
    """The texts of these indices, in their order."""
    items, starts = texts
    sizes = np.diff(starts)[rows]
    new_starts = np.append(0, sizes.cumsum())
    return items[np.arange(new_starts[-1]) + np.repeat(starts[rows] - new_starts[:-1], sizes)], new_starts


def _tokens(texts: _Texts, words: Iterable[str], tokenise: Callable[[str], list[str]]) -> tuple[_Texts, _Texts, int]:
    """Tokens of the predicted and of the gold texts, and how many different ones there are."""
    number = _numbers()
    tokens, ends = array("q"), [0]
    for word in words:
        tokens.extend(map(number.__getitem__, tokenise(word)))
        ends.append(len(tokens))
    flat, starts = _rows((np.array(tokens), np.array(ends)), texts[0])
    starts = starts[texts[1]]
    half = len(starts) // 2
    middle = starts[half]
    return (flat[:middle], starts[: half + 1]), (flat[middle:], starts[half:] - middle), len(number)


@lru_cache(maxsize=1 << 16)
def _13a(word: str) -> list[str]:
    """Tokens of a word between blanks: no rule of 13a looks past a blank, and none takes letters and digits apart."""
    if word.isalnum():
        return [word]
    from sacrebleu import BLEU

    return BLEU(tokenize="13a").tokenizer(word).split()


@lru_cache(maxsize=1 << 16)
def _rouge(word: str) -> list[str]:
    return re.findall("[a-z0-9]+", word.lower())


def _bigrams(texts: _Texts, width: int) -> _Texts:
    tokens, starts = texts
    inside = np.ones(len(tokens), bool)
    inside[starts[starts > 0] - 1] = False  # the last token of a text begins none
    (at,) = inside.nonzero()
    return tokens[at] * width + tokens[at + 1], np.append(0, inside.cumsum())[starts]


def _shared(pred: _Texts, gold: _Texts, width: int) -> np.ndarray:
    """How many items both texts of a pair have, each as often as both have it."""
    from scipy.sparse import csr_array

    bags = [
        csr_array((np.ones_like(items), items, starts), shape=(len(starts) - 1, width), copy=True)
        for items, starts in (pred, gold)
    ]
    for bag in bags:
        bag.sum_duplicates()  # in place; and sorts them, or else `minimum` takes memory for every bigram there could be
    return bags[0].minimum(bags[1]).sum(axis=1)


_AT_ONCE = 1 << 14  # gold words


def _lcs(pred: _Texts, gold: _Texts) -> np.ndarray:
    """Lengths of the longest common subsequences, a row of their tables at a time, those of many pairs in one number.

    A 0 in `row` is a gold word at which the length grows by one (Hyyrö, Bit-Parallel LCS-Length Computation Revisited,
    2004). One more bit behind each gold text takes the carry.
    """
    lengths = np.zeros(len(pred[1]) - 1, np.int64)
    order = np.argsort(np.diff(pred[1]), kind="stable")  # a batch takes as many steps as its longest prediction
    number = np.cumsum(np.diff(gold[1])[order] + 1) // _AT_ONCE
    for batch in np.split(order, np.flatnonzero(np.diff(number)) + 1):
        words, starts = _rows(gold, batch)
        words = np.insert(words.astype(np.int32), starts[1:], -1)
        pair = np.repeat(np.arange(len(batch)), np.diff(starts) + 1)
        said, starts = _rows(pred, batch)
        sizes = np.diff(starts)

        row = full = _as_number(words >= 0)
        for step in range(sizes[-1]):
            word = np.where(step < sizes, said[np.minimum(starts[:-1] + step, len(said) - 1)], -1).astype(np.int32)
            kept = row & _as_number(words == word[pair])
            row = (row + kept | row - kept) & full
        grown = np.frombuffer((row ^ full).to_bytes(len(words) // 8 + 1, "little"), np.uint8)
        lengths[batch] = np.bincount(pair, np.unpackbits(grown, count=len(words), bitorder="little"))
    return lengths


def _as_number(bits: np.ndarray) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
