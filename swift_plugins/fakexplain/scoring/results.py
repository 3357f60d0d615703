"""The result of a system: every metric with its interval, overall and for the groups of the paper's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..annotation import FOLDS, Annotation
from ..generators import family_of, generator_of
from ..tags import TAGS
from .metrics.aggregate import WeightedMetrics, table1_metrics
from .metrics.bootstrap import Interval, bootstrap, spread
from .metrics.columns import Columns
from .metrics.definitions import COMPARED
from .metrics.paired import Joint, joint_bootstrap, mcnemar_test


@dataclass(frozen=True)
class Resampling:
    """Settings of the bootstrap; 0 resamples give no intervals."""

    resamples: int = 2000
    seed: int = 0
    level: float = 0.95


@dataclass
class ImageGroups:
    """Ids, generators and families of the images, in the order of the columns; the same for every system."""

    ids: list[str] = field(default_factory=list)
    generators: list[str | None] = field(default_factory=list)
    families: list[str | None] = field(default_factory=list)

    def add(self, annotation: Annotation) -> None:
        """Add an image."""
        name = annotation.generator
        family = annotation.family or (family_of(name) if name else None)
        self.ids.append(annotation.id)
        self.generators.append((generator_of(name) or name) if name else None)
        self.families.append(family.lower() if family else None)


def results(
    columns: Mapping[str, Columns], groups: ImageGroups, resampling: Resampling
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Compute the results of every system and the differences of all pairs, as JSON values.

    Args:
        columns: name -> the system's scores; the same images in the same order for every system.
        groups: ids, generators and families of the images.
        resampling: settings of the bootstrap. Its strata are labels and folds.

    Returns:
        Name -> result, always with the same keys; and comparisons of each system with those before it: differences in
        the metrics `COMPARED` with intervals and p, and McNemar's test of the verdicts.
    """
    metrics = {name: WeightedMetrics(each) for name, each in columns.items()}
    joint = Joint({name: {} for name in columns}, {})
    first = next(iter(columns.values()))
    if resampling.resamples and len(first):
        joint = joint_bootstrap(metrics, len(first), compared=COMPARED, strata=_strata(first), **asdict(resampling))
    found = {
        name: _result(each, metrics[name], joint.intervals[name], groups, resampling) for name, each in columns.items()
    }
    names = list(columns)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[:i]]
    return found, [_comparison(a, b, columns, joint) for a, b in pairs]


def _comparison(a: str, b: str, columns: Mapping[str, Columns], joint: Joint) -> dict[str, Any]:
    differences = {
        name: {"difference": each.value, "interval": _pair(each.interval), "p": each.p}
        for name, each in joint.differences.get((a, b), {}).items()
    }
    only_a, only_b, p = mcnemar_test(columns[a].right, columns[b].right)
    return {"a": a, "b": b, "figures": differences, "mcnemar": {"only_a": only_a, "only_b": only_b, "p": p}}


def _result(
    columns: Columns,
    metrics: WeightedMetrics,
    intervals: Mapping[str, Interval | None],
    groups: ImageGroups,
    resampling: Resampling,
) -> dict[str, Any]:
    confusion = columns.confusion()
    by_fold, over_folds = _folds(columns)
    return {
        "n": len(columns),
        "answered": int(columns.answered.sum()),
        "fake": int(columns.fake.sum()),
        "real": int((~columns.fake).sum()),
        "unreadable": sum(verdicts["unreadable"] for verdicts in confusion.values()),
        **metrics.unweighted(),
        "intervals": {name: _pair(interval) for name, interval in intervals.items()},
        "confusion": confusion,
        "exact": int(np.nansum(columns["exact"])),
        "problems": columns.problems(),
        "fake_without_regions": int(columns.fake_without_regions.sum()),
        "tags": {tag: _tag(columns, tag) for tag in TAGS},
        "generators": _generators(columns, groups, resampling),
        "families": _by_name(columns, groups.families, columns.fake, resampling),
        "real_images": _group(columns.where(~columns.fake), resampling) if (~columns.fake).any() else None,
        "folds": by_fold,
        "over_folds": over_folds,
        "missing": [groups.ids[index] for index in np.flatnonzero(~columns.answered)],
    }


def _strata(columns: Columns) -> np.ndarray:
    """(n,) one number per combination of label and fold."""
    return 2 * np.nan_to_num(columns["fold"], nan=len(FOLDS)) + columns["fake"]


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _group(columns: Columns, resampling: Resampling) -> dict[str, Any]:
    metrics = table1_metrics(columns)
    values = metrics(np.ones(len(columns)))
    intervals = {}
    if resampling.resamples:
        intervals = bootstrap(metrics, len(columns), strata=_strata(columns), **asdict(resampling))
    return {"n": len(columns), **values, "intervals": {name: _pair(each) for name, each in intervals.items()}}


def _by_name(
    columns: Columns, names: Sequence[str | None], chosen: np.ndarray, resampling: Resampling
) -> dict[str, dict[str, Any]]:
    """Compute a group for each name among the chosen images, in alphabetical order."""
    names_of = np.array([name or "" for name in names], object)
    known = sorted({str(name) for name in names_of[chosen]} - {""})
    return {name: _group(columns.where(chosen & (names_of == name)), resampling) for name in known}


def _generators(columns: Columns, groups: ImageGroups, resampling: Resampling) -> dict[str, dict[str, Any]]:
    family = dict(zip(groups.generators, groups.families, strict=True))
    found = _by_name(columns, groups.generators, columns.fake, resampling)
    return {name: {"family": family[name], **group} for name, group in found.items()}


def _tag(columns: Columns, tag: str) -> dict[str, Any]:
    """Compute precision and recall of a tag on fake images, and accuracy on fake images with and without it."""
    fake, right = columns.fake, columns.right
    gold, pred = (fake & columns.has_tag(tag, source) for source in ("gold", "pred"))
    asked = bool((fake & ~np.isnan(columns["pred_tags"])).any())
    both = int((gold & pred).sum())
    return {
        "precision": _share(both, int(pred.sum())) if asked else None,
        "recall": _share(both, int(gold.sum())) if asked else None,
        "gold": int(gold.sum()),
        "predicted": int(pred.sum()),
        "accuracy_with": _share(int((right & gold).sum()), int(gold.sum())),
        "accuracy_without": _share(int((right & fake & ~gold).sum()), int((fake & ~gold).sum())),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _folds(columns: Columns) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Compute metrics per fold, and their mean and standard deviation; empty for fewer than two folds (§5.2)."""
    present = [fold for fold in FOLDS if (columns["fold"] == fold).any()]
    if len(present) < 2:
        return {}, {}
    parts = {str(fold): columns.where(columns["fold"] == fold) for fold in present}
    folds = {name: {"n": len(part), **WeightedMetrics(part).unweighted()} for name, part in parts.items()}
    over = {
        name: spread(value for each in folds.values() if (value := each[name]) is not None)._asdict()
        for name in next(iter(folds.values()))
        if name != "n"
    }
    return folds, over
