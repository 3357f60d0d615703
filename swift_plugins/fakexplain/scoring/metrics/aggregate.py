"""Figures of many images from their scores: accuracy, IoU, AUROC and all else that the paper's tables report.

What each image adds is kept as numbers in columns, and a figure is a function of one weight per image
(`statistics.Figures`). So figures of all images, of one generator and of a bootstrap resample come from one place.

Deviations from the paper, which says little of how it averages: BLEU-2 and ROUGE-L leave out real images (`texts`);
box metrics, tag metrics and fragmentation are of fake images, as IoU is (§5.1).
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from ...annotation import Annotation
from ...answer import PROBLEMS
from ...tags import TAGS
from .bootstrap import Array, Ratios
from .definitions import NAMES
from .image import Scored
from .matching import BoxCounts
from .ranking import Ranking
from .texts import Text, bleu2, rouge_l, text_counts

_BATCH = 4096  # texts counted at once
_MISSING, _UNREADABLE, _REAL, _FAKE = -2, -1, 0, 1
_VERDICTS = {"real": _REAL, "fake": _FAKE, None: _UNREADABLE}
_NO_BOXES = (nan,) * len(BoxCounts._fields)
_NO_FRAGMENTS = (nan,) * 3
_COLUMNS = (
    "fake", "verdict", "p_fake", "iou", "exact", "problems", "gold_tags", "pred_tags", "fold", "gold_regions",
    "hits", "pred_boxes", "gold_boxes", "matched", "iou_sum", "boxes", "area", "overlap",
)  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """What n images count.

    Attributes:
        values: (n, c) numbers by `_COLUMNS`; NaN where an image has none.
        texts: (n, 8) counts of captions, of `text_counts`; zeros where there is nothing to compare.
        matched_texts: (n, 8) the same, summed over pairs of matched regions.
        matched_scores: (n, 3) how many of these pairs have a gold text, and the sums of their BLEU-2 and ROUGE-L.
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
        """Those of chosen images; (n,) booleans."""
        rows = np.asarray(chosen, bool)
        return Columns(self.values[rows], self.texts[rows], self.matched_texts[rows], self.matched_scores[rows])

    @property
    def fake(self) -> np.ndarray:
        return self["fake"] == 1

    @property
    def called_fake(self) -> np.ndarray:
        return self["verdict"] == _FAKE

    @property
    def right(self) -> np.ndarray:
        return self["verdict"] == self["fake"]

    def has_tag(self, tag: str, whose: str) -> np.ndarray:
        """Whether images have a tag, by 'gold' or by 'pred'; predicted tags that were not asked for are none."""
        bits = np.nan_to_num(self[f"{whose}_tags"]).astype(np.int64)
        return (bits >> TAGS.index(tag)) & 1 == 1

    def confusion(self) -> dict[str, dict[str, int]]:
        """Label -> verdict ('fake', 'real', 'unreadable' or 'missing') -> images."""
        names = {"fake": _FAKE, "real": _REAL, "unreadable": _UNREADABLE, "missing": _MISSING}
        return {
            label: {name: int((self["verdict"][of] == code).sum()) for name, code in names.items()}
            for label, of in (("fake", self.fake), ("real", ~self.fake))
        }

    def problems(self) -> dict[str, int]:
        """Code of `PROBLEMS` -> answers that have it; every code is there."""
        bits = self["problems"].astype(np.int64)
        return {code: int(((bits >> index) & 1).sum()) for index, code in enumerate(PROBLEMS)}


class Collector:
    """Takes scores one image at a time, and gives them as columns; some 300 bytes an image."""

    def __init__(self) -> None:
        self._values = array("d")
        self._counted: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._texts: list[tuple[Text, Text]] = []
        self._pairs: list[tuple[Text, Text]] = []
        self._pairs_of: list[int] = []

    def add(self, annotation: Annotation, scored: Scored) -> None:
        """Add an image."""
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
            )
        )
        self._texts.append(scored.text or ((), ()))
        self._pairs.extend(scored.matched)
        self._pairs_of.append(len(scored.matched))
        if len(self._texts) >= _BATCH:
            self._count()

    def _count(self) -> None:
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
        """Columns of the images added, in their order."""
        self._count()
        values = np.frombuffer(self._values, float).reshape(-1, len(_COLUMNS))
        texts, matched, scores = (np.concatenate(parts) for parts in zip(*self._counted, strict=True))
        return Columns(values, texts, matched, scores)


_TAG_BITS = {tag: 1 << index for index, tag in enumerate(TAGS)}
_PROBLEM_BITS = {code: 1 << index for index, code in enumerate(PROBLEMS)}


def _bits(names: Sequence[str], bits: Mapping[str, int]) -> int:
    return sum(map(bits.__getitem__, names))


class Measures:
    """Figures of columns, as a function of weights (`statistics.Figures`), under the names of `METRICS`.

    A figure is None where there is nothing that it could be made from. P(fake), where it is known of any image, counts
    as wrong as can be where it is not: below all for a fake image, above all for a real one.

    >>> from swift_plugins.fakexplain.annotation import Annotation
    >>> collector = Collector()
    >>> collector.add(Annotation("a", "a.png", 8, 8, "fake"), Scored("fake", "fake", iou=0.5))
    >>> collector.add(Annotation("b", "b.png", 8, 8, "real"), Scored("real", "fake"))
    >>> figures = Measures(collector.columns())([1, 1])
    >>> figures["accuracy"], figures["false_positive_rate"], figures["iou"], figures["auroc"]
    (0.5, 1.0, 0.5, None)
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        parts = _ratios(columns)
        above, below = (np.stack(each, axis=1) for each in zip(*parts.values(), strict=True))
        self._ratios = Ratios(list(parts), above, below)
        self._corpora = {
            "bleu2_corpus": columns.texts[:, :5].T.astype(float),
            "matched_bleu2_corpus": columns.matched_texts[:, :5].T.astype(float),
        }

    @cached_property
    def _ranking(self) -> Ranking | None:
        p_fake = self._columns["p_fake"]
        if np.isnan(p_fake).all():
            return None
        wrong = np.where(self._columns.fake, -np.inf, np.inf)
        return Ranking(self._columns.fake, np.where(np.isnan(p_fake), wrong, p_fake))

    def __call__(self, weight: ArrayLike) -> dict[str, float | None]:
        weights = np.asarray(weight, float)
        found = self._ratios(weights)
        sides = found["accuracy_fake"], found["accuracy_real"]
        found["balanced_accuracy"] = None if sides[0] is None or sides[1] is None else (sides[0] + sides[1]) / 2
        found |= self._ranking(weights) if self._ranking else {"auroc": None, "average_precision": None}
        for name, counts in self._corpora.items():
            score = float(bleu2(np.append(counts @ weights, [0, 0, 0])))
            found[name] = None if np.isnan(score) else score
        return {name: found[name] for name in NAMES}

    def all(self) -> dict[str, float | None]:
        """Figures of all images alike."""
        return self(np.ones(len(self._columns)))


def accuracy_and_iou(columns: Columns) -> Ratios:
    """The two figures of Table 1, as a function of weights."""
    parts = {name: part for name, part in _ratios(columns).items() if name in ("accuracy", "iou")}
    above, below = (np.stack(each, axis=1) for each in zip(*parts.values(), strict=True))
    return Ratios(list(parts), above, below)


def _ratios(columns: Columns) -> dict[str, tuple[Array, Array]]:
    """Figure -> what each image adds above and below the line."""
    fake, called, right = columns.fake, columns.called_fake, columns.right
    hits, pred, gold, matched, iou_sum = (
        np.nan_to_num(columns[name]) for name in ("hits", "pred_boxes", "gold_boxes", "matched", "iou_sum")
    )
    gold_tags, pred_tags = (
        np.array([columns.has_tag(tag, whose) for tag in TAGS]) & fake & ~np.isnan(columns["pred_tags"])
        for whose in ("gold", "pred")
    )
    pairs, pair_bleu2, pair_rouge_l = columns.matched_scores.T
    asked_for_tags = fake & ~np.isnan(columns["pred_tags"])

    def mean(values: Array, of: Array | None = None) -> tuple[Array, Array]:
        """Mean of what is no NaN."""
        known = ~np.isnan(values) if of is None else of & ~np.isnan(values)
        return np.where(known, values, 0.0), known

    parts = {
        "accuracy": (right, np.ones(len(columns))),
        "accuracy_fake": (right & fake, fake),
        "accuracy_real": (right & ~fake, ~fake),
        "precision": (called & fake, called),
        "recall": (called & fake, fake),
        "f1": (2 * (called & fake), called.astype(float) + fake),
        "false_positive_rate": (called & ~fake, ~fake),
        "iou": mean(columns["iou"]),
        "box_precision": (hits, pred),
        "box_recall": (hits, gold),
        "box_f1": (2 * hits, pred + gold),
        "box_iou_matched": (iou_sum, matched),
        "box_iou_gold": (iou_sum, gold),
        "bleu2": mean(bleu2(columns.texts, sentence=True)),
        "rouge_l": mean(rouge_l(columns.texts)),
        "matched_bleu2": (pair_bleu2, pairs),
        "matched_rouge_l": (pair_rouge_l, pairs),
        "tags_exact": (asked_for_tags & (columns["gold_tags"] == columns["pred_tags"]), asked_for_tags),
        "tag_precision": ((gold_tags & pred_tags).sum(axis=0), pred_tags.sum(axis=0)),
        "tag_recall": ((gold_tags & pred_tags).sum(axis=0), gold_tags.sum(axis=0)),
        "format_rate": mean(columns["exact"]),
        "boxes_per_answer": mean(columns["boxes"]),
        "boxes_annotated": mean(np.where(fake, columns["gold_regions"], nan)),
        "box_area": mean(columns["area"]),
        "box_overlap": mean(columns["overlap"]),
    }
    return {name: (np.asarray(a, float), np.asarray(b, float)) for name, (a, b) in parts.items()}
