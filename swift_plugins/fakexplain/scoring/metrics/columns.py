"""Contributions of each image to the metrics, collected one image at a time and kept as columns of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from ...annotation import Annotation
from ...answer import PROBLEMS
from ...matching import BoxCounts
from ...tags import TAGS
from .image import Scored
from .text_counts import text_counts
from .texts import Text, bleu2, rouge_l

TEXT_BATCH = 4096  # number of texts counted at once
_UNSURE, _MISSING, _UNREADABLE, _REAL, _FAKE = -3, -2, -1, 0, 1
_VERDICTS = {"real": _REAL, "fake": _FAKE, "unsure": _UNSURE, None: _UNREADABLE}
_NO_BOXES = (nan,) * len(BoxCounts._fields)
_NO_FRAGMENTS = (nan,) * 3
_COLUMNS = (
    "fake", "verdict", "p_fake", "iou", "exact", "problems", "gold_tags", "pred_tags", "fold", "gold_regions",
    "hits", "pred_boxes", "gold_boxes", "matched", "iou_sum", "boxes", "area", "overlap", "decided",
)  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """Numbers of n images.

    Attributes:
        values: (n, c) numbers, a column for each of `_COLUMNS`; NaN where an image has none.
        texts: (n, 8) caption counts from `text_counts`; zeros if there is nothing to compare.
        matched_texts: (n, 8) the same, summed over pairs of matched regions.
        matched_scores: (n, 3) number of these pairs with a gold text, and the sums of their BLEU-2 and ROUGE-L.
    """

    values: np.ndarray
    texts: np.ndarray
    matched_texts: np.ndarray
    matched_scores: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[:, _COLUMNS.index(name)]

    def where(self, chosen: ArrayLike) -> Columns:
        """Select the columns of the chosen images.

        Args:
            chosen: (n,) booleans.
        """
        rows = np.asarray(chosen, bool)
        return Columns(self.values[rows], self.texts[rows], self.matched_texts[rows], self.matched_scores[rows])

    @property
    def fake_without_regions(self) -> np.ndarray:
        """Answered fake images without annotated regions: their IoU is 1 if the prediction marks none."""
        return self.fake & self.answered & (self["gold_regions"] == 0)

    @property
    def fake(self) -> np.ndarray:
        return self["fake"] == 1

    @property
    def called_fake(self) -> np.ndarray:
        return self["verdict"] == _FAKE

    @property
    def answered(self) -> np.ndarray:
        return self["verdict"] != _MISSING

    @property
    def right(self) -> np.ndarray:
        return self["verdict"] == self["fake"]

    def has_tag(self, tag: str, source: str) -> np.ndarray:
        """Whether each image has a tag, (n,) booleans.

        Args:
            tag: the tag.
            source: 'gold' or 'pred'; tags that were not asked for count as not predicted.
        """
        bits = np.nan_to_num(self[f"{source}_tags"]).astype(np.int64)
        return (bits >> TAGS.index(tag)) & 1 == 1

    def confusion(self) -> dict[str, dict[str, int]]:
        """Label -> verdict ('fake', 'real', 'unsure', 'unreadable' or 'missing') -> number of images."""
        names = {"fake": _FAKE, "real": _REAL, "unsure": _UNSURE, "unreadable": _UNREADABLE, "missing": _MISSING}
        return {
            label: {name: int((self["verdict"][of] == code).sum()) for name, code in names.items()}
            for label, of in (("fake", self.fake), ("real", ~self.fake))
        }

    def problems(self) -> dict[str, int]:
        """Every code of `PROBLEMS` -> number of answers with it."""
        bits = self["problems"].astype(np.int64)
        return {code: int(((bits >> index) & 1).sum()) for index, code in enumerate(PROBLEMS)}


class Collector:
    """Collects one system's scores, one image at a time, in about 300 bytes per image."""

    def __init__(self) -> None:
        self._values = array("d")
        self._counted: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._texts: list[tuple[Text, Text]] = []
        self._pairs: list[tuple[Text, Text]] = []
        self._pairs_of: list[int] = []

    def collect(self, annotation: Annotation, scored: Scored) -> None:
        """Add the scores of one image."""
        self._values.extend(
            (
                annotation.label == "fake",
                _VERDICTS[scored.verdict] if scored.answered else _MISSING,
                nan if scored.p_fake is None else scored.p_fake,
                nan if scored.iou is None else scored.iou,
                nan if scored.exact is None else scored.exact,
                _bits(scored.problems, _PROBLEM_BITS),
                _bits(annotation.tags, _TAG_BITS),
                nan if scored.tags is None else _bits(scored.tags, _TAG_BITS),
                nan if annotation.fold is None else annotation.fold,
                len(annotation.regions),
                *(scored.boxes or _NO_BOXES),
                *(scored.fragments or _NO_FRAGMENTS),
                nan if scored.decided is None else scored.decided,
            )
        )
        self._texts.append(scored.text or ((), ()))
        self._pairs.extend(scored.matched)
        self._pairs_of.append(len(scored.matched))
        if len(self._texts) >= TEXT_BATCH:
            self._count_texts()

    def _count_texts(self) -> None:
        whole = text_counts([pred for pred, _ in self._texts], [gold for _, gold in self._texts])
        pairs = text_counts([pred for pred, _ in self._pairs], [gold for _, gold in self._pairs])
        has_gold = pairs[:, 4] > 0
        scores = np.stack((has_gold, bleu2(pairs, sentence=True), rouge_l(pairs)), axis=1)
        owner = np.repeat(np.arange(len(self._pairs_of)), self._pairs_of)
        sums = np.zeros((len(self._texts), 8), np.int64), np.zeros((len(self._texts), 3))
        np.add.at(sums[0], owner, pairs)
        np.add.at(sums[1], owner, np.nan_to_num(scores))
        self._counted.append((whole, *sums))
        self._texts, self._pairs, self._pairs_of = [], [], []

    def columns(self) -> Columns:
        """Columns of the collected images, in their order."""
        self._count_texts()
        values = np.frombuffer(self._values, float).reshape(-1, len(_COLUMNS))
        texts, matched, scores = (np.concatenate(parts) for parts in zip(*self._counted, strict=True))
        return Columns(values, texts, matched, scores)


_TAG_BITS = {tag: 1 << index for index, tag in enumerate(TAGS)}
_PROBLEM_BITS = {code: 1 << index for index, code in enumerate(PROBLEMS)}


def _bits(names: Sequence[str], bits: Mapping[str, int]) -> int:
    return sum(map(bits.__getitem__, names))
