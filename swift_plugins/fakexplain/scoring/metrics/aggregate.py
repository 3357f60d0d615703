"""Metrics of many images: accuracy, IoU, AUROC and everything else that the paper's tables report.

A metric is a function of one weight per image (`ratios.MetricFunction`), computed from `columns.Columns`. The same code
computes the metrics of all images, of one generator and of a bootstrap resample.

Deviations from the paper, which says little about averaging: BLEU-2 and ROUGE-L leave out real images (`texts`);
box metrics, tag metrics and fragmentation are over fake images, as IoU is (§5.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from ...tags import TAGS
from .columns import Columns
from .definitions import METRIC_NAMES
from .ranking import Ranking
from .ratios import Array, Ratios
from .texts import bleu2, rouge_l


class WeightedMetrics:
    """Every metric of `METRICS`, as a function of image weights (`ratios.MetricFunction`).

    An undefined metric is None. If P(fake) is known for some images only, the others get the worst possible rank: below
    all images if fake, above all images if real.

    >>> from swift_plugins.fakexplain.annotation import Annotation
    >>> from swift_plugins.fakexplain.scoring.metrics.columns import Collector
    >>> from swift_plugins.fakexplain.scoring.metrics.image import Scored
    >>> collector = Collector()
    >>> collector.collect(Annotation("a", "a.png", 8, 8, "fake"), Scored("fake", "fake", iou=0.5))
    >>> collector.collect(Annotation("b", "b.png", 8, 8, "real"), Scored("real", "fake"))
    >>> metrics = WeightedMetrics(collector.columns())([1, 1])
    >>> metrics["accuracy"], metrics["false_positive_rate"], metrics["iou"], metrics["auroc"]
    (0.5, 1.0, 0.5, None)
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._ratios = _as_ratios(_sums(columns))
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
        return {name: found[name] for name in METRIC_NAMES}

    def unweighted(self) -> dict[str, float | None]:
        """Compute the metrics with every image counted once."""
        return self(np.ones(len(self._columns)))


def table1_metrics(columns: Columns) -> Ratios:
    """Accuracy and IoU, the two metrics of Table 1, as a function of image weights."""
    sums = _sums(columns)
    return _as_ratios({name: sums[name] for name in ("accuracy", "iou")})


def _as_ratios(sums: Mapping[str, tuple[Array, Array]]) -> Ratios:
    above, below = (np.stack(each, axis=1) for each in zip(*sums.values(), strict=True))
    return Ratios(list(sums), above, below)


def _sums(columns: Columns) -> dict[str, tuple[Array, Array]]:
    """Metric -> contributions of each image to its numerator and to its denominator, (n,) each."""
    fake, called, right = columns.fake, columns.called_fake, columns.right
    hits, pred, gold, matched, iou_sum = (
        np.nan_to_num(columns[name]) for name in ("hits", "pred_boxes", "gold_boxes", "matched", "iou_sum")
    )
    gold_tags, pred_tags = (
        np.array([columns.has_tag(tag, source) for tag in TAGS]) & fake & ~np.isnan(columns["pred_tags"])
        for source in ("gold", "pred")
    )
    pairs, pair_bleu2, pair_rouge_l = columns.matched_scores.T
    asked_for_tags = fake & ~np.isnan(columns["pred_tags"])

    def mean(values: Array) -> tuple[Array, Array]:
        """Mean of the values that are not NaN."""
        known = ~np.isnan(values)
        return np.where(known, values, 0.0), known

    sums = {
        "accuracy": (right, np.ones(len(columns))),
        "accuracy_fake": (right & fake, fake),
        "accuracy_real": (right & ~fake, ~fake),
        "precision": (called & fake, called),
        "recall": (called & fake, fake),
        "f1": (2 * (called & fake), called.astype(float) + fake),
        "false_positive_rate": (called & ~fake, ~fake),
        "unsure": mean(1 - columns["decided"]),
        "accuracy_decided": (right & (columns["decided"] == 1), columns["decided"] == 1),
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
    return {name: (np.asarray(a, float), np.asarray(b, float)) for name, (a, b) in sums.items()}
