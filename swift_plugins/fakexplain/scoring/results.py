"""The result of a system: every figure with its interval, and the groups that the paper's tables ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..annotation import FOLDS, Annotation
from ..generators import family_of, generator_of
from ..tags import TAGS
from .metrics.aggregate import Collector, Columns, Measures, accuracy_and_iou
from .metrics.bootstrap import Interval, Joint, bootstrap, joint_bootstrap, mcnemar, spread
from .metrics.definitions import COMPARED
from .metrics.image import Scored


@dataclass(frozen=True)
class Resampling:
    """Settings of the bootstrap; no resamples give no intervals."""

    resamples: int = 2000
    seed: int = 0
    level: float = 0.95


@dataclass
class Tally:
    """A system's scores, one image after the other.

    Attributes:
        missing: ids of images that the system said nothing of.
        fake_without_regions: of the answered fake images, those whose annotation has no region: IoU 1 if the answer
            names none.
    """

    collector: Collector = field(default_factory=Collector)
    missing: list[str] = field(default_factory=list)
    fake_without_regions: int = 0

    def add(self, annotation: Annotation, scored: Scored) -> None:
        """Add an image."""
        self.collector.add(annotation, scored)
        if not scored.answered:
            self.missing.append(annotation.id)
        elif annotation.label == "fake" and not annotation.regions:
            self.fake_without_regions += 1


@dataclass
class Origins:
    """Where the images come from, the same for every system: names of generators and families, by place."""

    generators: list[str | None] = field(default_factory=list)
    families: list[str | None] = field(default_factory=list)

    def add(self, annotation: Annotation) -> None:
        """Add an image."""
        name = annotation.generator
        family = annotation.family or (family_of(name) if name else None)
        self.generators.append((generator_of(name) or name) if name else None)
        self.families.append(family.lower() if family else None)


def results(
    tallies: Mapping[str, Tally], origins: Origins, resampling: Resampling
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Everything about systems on the same images, and what parts each from those before it, for JSON.

    Args:
        tallies: name -> the system's scores.
        origins: of the images.
        resampling: of the bootstrap. Its strata are labels and folds.

    Returns:
        Name -> result, with the same keys whatever was scored; and comparisons of all pairs: differences in `COMPARED`
        with intervals and p, and McNemar's test of the verdicts.
    """
    columns = {name: tally.collector.columns() for name, tally in tallies.items()}
    measures = {name: Measures(each) for name, each in columns.items()}
    joint = Joint({name: {} for name in columns}, {})
    first = next(iter(columns.values()))
    if resampling.resamples and len(first):
        joint = joint_bootstrap(measures, len(first), compared=COMPARED, strata=_strata(first), **asdict(resampling))
    found = {
        name: _result(each, measures[name], joint.intervals[name], tallies[name], origins, resampling)
        for name, each in columns.items()
    }
    comparisons = []
    for i, a in enumerate(columns):
        for b in list(columns)[:i]:
            differences = joint.differences.get((a, b), {})
            figures = {
                name: {"difference": each.value, "interval": _pair(each.interval), "p": each.p}
                for name, each in differences.items()
            }
            only_a, only_b, p = mcnemar(columns[a].right, columns[b].right)
            test = {"only_a": only_a, "only_b": only_b, "p": p}
            comparisons.append({"a": a, "b": b, "figures": figures, "mcnemar": test})
    return found, comparisons


def _result(
    columns: Columns,
    measures: Measures,
    intervals: Mapping[str, Interval | None],
    tally: Tally,
    origins: Origins,
    resampling: Resampling,
) -> dict[str, Any]:
    confusion = columns.confusion()
    by_fold, over_folds = _folds(columns)
    return {
        "n": len(columns),
        "answered": len(columns) - len(tally.missing),
        "fake": int(columns.fake.sum()),
        "real": int((~columns.fake).sum()),
        "unreadable": sum(verdicts["unreadable"] for verdicts in confusion.values()),
        **measures.all(),
        "intervals": {name: _pair(interval) for name, interval in intervals.items()},
        "confusion": confusion,
        "exact": int(np.nansum(columns["exact"])),
        "problems": columns.problems(),
        "fake_without_regions": tally.fake_without_regions,
        "tags": {tag: _tag(columns, tag) for tag in TAGS},
        "generators": _generators(columns, origins, resampling),
        "families": _groups(columns, origins.families, columns.fake, resampling),
        "real_images": _group(columns.where(~columns.fake), resampling) if (~columns.fake).any() else None,
        "folds": by_fold,
        "over_folds": over_folds,
        "missing": tally.missing,
    }


def _strata(columns: Columns) -> np.ndarray:
    """A number for each label in each fold."""
    return 2 * np.nan_to_num(columns["fold"], nan=len(FOLDS)) + columns["fake"]


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _group(columns: Columns, resampling: Resampling) -> dict[str, Any]:
    figures = accuracy_and_iou(columns)
    values = figures(np.ones(len(columns)))
    intervals = {}
    if resampling.resamples:
        intervals = bootstrap(figures, len(columns), strata=_strata(columns), **asdict(resampling))
    return {"n": len(columns), **values, "intervals": {name: _pair(each) for name, each in intervals.items()}}


def _groups(
    columns: Columns, names: Sequence[str | None], of: np.ndarray, resampling: Resampling
) -> dict[str, dict[str, Any]]:
    """A group for each name, in alphabetical order."""
    where = np.array([name or "" for name in names], object)
    known = sorted({str(name) for name in where[of]} - {""})
    return {name: _group(columns.where(of & (where == name)), resampling) for name in known}


def _generators(columns: Columns, origins: Origins, resampling: Resampling) -> dict[str, dict[str, Any]]:
    family = dict(zip(origins.generators, origins.families, strict=True))
    groups = _groups(columns, origins.generators, columns.fake, resampling)
    return {name: {"family": family[name], **group} for name, group in groups.items()}


def _tag(columns: Columns, tag: str) -> dict[str, Any]:
    """One tag among fake images: how well it is found, and how well images with and without it are called fake."""
    fake, right = columns.fake, columns.right
    gold, pred = (fake & columns.has_tag(tag, whose) for whose in ("gold", "pred"))
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
    """Figures of each fold, and mean and spread over folds; nothing where there are fewer than two (§5.2)."""
    there = [fold for fold in FOLDS if (columns["fold"] == fold).any()]
    if len(there) < 2:
        return {}, {}
    parts = {str(fold): columns.where(columns["fold"] == fold) for fold in there}
    folds = {name: {"n": len(part), **Measures(part).all()} for name, part in parts.items()}
    over = {
        name: spread(value for each in folds.values() if (value := each[name]) is not None)._asdict()
        for name in next(iter(folds.values()))
        if name != "n"
    }
    return folds, over
