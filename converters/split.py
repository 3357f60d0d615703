"""Folds for cross-validation (§5.2: four folds, 75% of the images train and 25% test)."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from swift_plugins.fakexplain.annotation import FOLDS, Annotation


def assign_folds(
    annotations: Iterable[Annotation], *, seed: int = 0, group_by: str | None = None, reassign: bool = False
) -> dict[str, int]:
    """A fold for every record, so that each fold has its share of every label and generator.

    A record that has a fold keeps it, as does its group. The others are shuffled within each (label, generator) and
    dealt one by one to the fold that has the fewest of them. With `group_by`, all records that share that field's value
    stay in one fold: groups are dealt from the largest down, each to the fold with the fewest records.

    Args:
        annotations: the records.
        seed: of the shuffle; the same seed and records give the same folds, whatever their order.
        group_by: name of a field of the record, such as class_name, or None.
        reassign: pass over the folds that records have.

    Returns:
        id -> fold in 0..3.

    Raises:
        ValueError: a record lacks the `group_by` field, or a group lies in two folds already.
    """
    groups: dict[Any, list[str]] = defaultdict(list)
    strata: dict[tuple[str, str], dict[Any, None]] = defaultdict(dict)
    kept: dict[Any, int] = {}
    for annotation in annotations:
        group: Any = annotation.id if group_by is None else _group(annotation, group_by)
        stratum = (annotation.label, annotation.generator or "") if group_by is None else ("", "")
        groups[group].append(annotation.id)
        strata[stratum][group] = None
        if annotation.fold is not None and not reassign and kept.setdefault(group, annotation.fold) != annotation.fold:
            raise ValueError(
                f"{annotation.file}:{annotation.line}: {group_by} {group!r} lies in folds {kept[group]} and "
                f"{annotation.fold} already; reassign all folds, or group by another field"
            )

    rng = random.Random(seed)
    folds: dict[str, int] = {}
    for _, members in sorted(strata.items()):
        sizes = Counter(dict.fromkeys(FOLDS, 0))
        order = sorted(members, key=str)
        rng.shuffle(order)
        order.sort(key=lambda group: (group not in kept, -len(groups[group])))
        for group in order:
            fold = kept.get(group, min(FOLDS, key=lambda fold: (sizes[fold], (fold + len(folds)) % len(FOLDS))))
            sizes[fold] += len(groups[group])
            folds.update((id, fold) for id in groups[group])
    return folds


def _group(annotation: Annotation, name: str) -> Any:
    value = getattr(annotation, name, None) or annotation.extra.get(name)
    if value is None:
        raise ValueError(f"{annotation.file}:{annotation.line}: no {name} to group by (id {annotation.id!r})")
    return value
