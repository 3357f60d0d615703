"""BLEU-2 and ROUGE-L of captions (Table 2 and Table 4), computed from counts that can be summed (`text_counts`).

Only the captions are compared, in the order of the answer. The paper scores "model responses against the FakeXplained
dataset" (§5.2) and prints a dash for a model that writes no captions (Table 4, no-caption and label-only), so its text
is the captions. Boxes, tags and verdicts have their own metrics here, and markup that all answers share would only
raise the scores.

An image without an annotated caption (every real one, A.5) has no text to compare with and is left out. If two empty
texts scored 1, every right answer about a photograph would score 1, and hide how well fakes are explained. An answer
about an image with annotated captions that has no captions itself scores 0, whatever its verdict.

Systems that explain in prose (FakeShield and LEGION in Table 2, FakeVLM) have no captions. What they say about an
image, as it stands, is compared with its captions ("model responses against the FakeXplained dataset", §5.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...annotation import Annotation
from ...answer import Answer, target_regions
from ...matching import Match
from ...mentions import RegionLike

TEXT_SETTINGS: dict[str, Any] = {
    "text": "captions, joined by a space; no boxes, tags, verdict or markup",
    "prose": "for systems without captions: the explanation as it stands, against the captions joined by a space",
    "images": "those whose annotation has a caption; an answer without one scores 0",
    "matched": "each pair of regions whose boxes match, at any IoU above 0, is a pair of texts",
    "other_scripts": "gold texts mostly in a script without spaces, or without a-z and 0-9: BLEU-2 with sacrebleu's "
    "tokeniser zh, ROUGE-L over characters, or words where spaces divide them",
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
"""How BLEU-2 and ROUGE-L are computed, as recorded in a run; the named libraries give equal scores."""

Text = Sequence[str]
"""A sequence of captions. They are compared as one string, joined by single spaces; line breaks count as spaces."""


def caption_text(source: Annotation | Answer) -> Text:
    """Collect the captions of an annotation or an answer, in the order of an answer.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> rail, sky = Region((1, 6, 5, 8), "Bent rail."), Region((1, 2, 5, 6), "Sky with 2 suns.")
    >>> caption_text(Annotation("a", "a.png", 8, 8, "fake", (rail, sky), ("texture_error",)))
    ('Sky with 2 suns.', 'Bent rail.')
    """
    regions = target_regions(source) if isinstance(source, Annotation) else source.regions
    return tuple(region.caption for region in regions if region.caption)


_MARKUP = re.compile(r"<(?:/?[a-zA-Z][\w-]{0,20}|\|/?\w{1,20}\|)>|\[(?:CLS|SEG|END)\]")


def prose_text(response: str) -> Text:
    """The explanation in a response without captions: its words, without markup.

    >>> prose_text("[CLS] This is a fake image. <think>The rail bends.</think>")
    ('This is a fake image. The rail bends.',)
    """
    words = " ".join(_MARKUP.sub(" ", response).split())
    return (words,) if words else ()


def matched_texts(
    pred: Sequence[RegionLike], gold: Sequence[RegionLike], matches: Iterable[Match]
) -> list[tuple[Text, Text]]:
    """Pair the predicted and gold texts of regions with matching boxes; a missing caption is an empty text.

    Args:
        pred, gold: the regions, in the order in which their boxes were matched.
        matches: from `match_boxes`.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> matched_texts([Region((0, 0, 4, 4), "Rail.")], [Region((0, 0, 4, 4), "Bent rail.")], [Match(0, 0, 1.0)])
    [(('Rail.',), ('Bent rail.',))]
    """

    def text(region: RegionLike) -> Text:
        return (region.caption,) if region.caption else ()

    return [(text(pred[match.pred]), text(gold[match.gold])) for match in matches]


def bleu2(counts: ArrayLike, sentence: bool = False) -> np.ndarray:
    """Compute BLEU-2 from counts (Table 2).

    BP · sqrt(p1 · p2), with p_n the precision of n-grams and BP = min(1, exp(1 - gold/predicted length)). If no bigram
    is shared, p2 is 1 / (2 · predicted bigrams), sacrebleu's smoothing 'exp'.

    Args:
        counts: (..., 8) from `text_counts`: of single pairs for sentence BLEU, or summed over images with any weights
            for corpus BLEU.
        sentence: score a prediction of one token by p1 only (effective order, sacrebleu's default for sentences; for
            corpora its default is 0).

    Returns:
        (...) ratios in [0, 1]; NaN if the gold text is empty.

    >>> from swift_plugins.fakexplain.scoring.metrics.text_counts import text_counts
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
    """Compute ROUGE-L of pairs from their counts (Table 2): F1 = 2 · LCS / (predicted + gold words).

    Words are runs of a-z and 0-9; in other scripts, runs of letters or, where no spaces divide them, single letters.

    Args:
        counts: (..., 8) from `text_counts`.

    Returns:
        (...) ratios in [0, 1]; NaN if the gold text has no words.

    >>> from swift_plugins.fakexplain.scoring.metrics.text_counts import text_counts
    >>> rouge_l(text_counts([["Rail, bent."]], [["Bent rail."]]))
    array([0.5])
    """
    lcs, pred, gold = np.moveaxis(np.asarray(counts, float), -1, 0)[5:]
    return np.divide(2 * lcs, pred + gold, out=np.full(gold.shape, np.nan), where=gold > 0)
