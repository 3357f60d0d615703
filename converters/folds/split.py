"""Folds for cross-validation (§5.2: four folds, 75% of the images train and 25% test)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import FOLDS, Annotation
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.images import image_key


class _Member(NamedTuple):
    """The part of a record that assigning folds needs."""

    id: str
    group: str
    stratum: str  # label and generator
    fold: int | None
    line: int


def assign_folds(
    annotations: Iterable[Annotation],
    *,
    seed: int = 0,
    group_by: str | None = None,
    group_of: Callable[[Annotation], str | None] | None = None,
    reassign: bool = False,
) -> dict[str, int]:
    """Assign a fold to every record, stratified by label and generator.

    Groups are assigned from the largest to the smallest, groups of equal size in random order. Each goes to the fold
    that has the least of the group's labels and generators. A record that already has a fold keeps it, and so does its
    group. Records of the same image, by several annotators, always form a group.

    Args:
        annotations: the records, read once.
        seed: random seed; the same seed and records give the same folds, in any order of the records.
        group_by: field of the record, such as class_name: records with the same value stay in one fold, and a record
            without a value is a group of its own.
        group_of: returns a record's group by other means, such as near duplicates, or None. Records that share an
            image, the field or this group stay together, and so do all records along a chain of such pairs.
        reassign: ignore existing folds.

    Returns:
        id -> fold in 0..3.

    Raises:
        DataError: no record has the `group_by` field, or the records of a group have different folds.
    """
    members: list[_Member] = []
    links: dict[str, str] = {}  # group -> a group it shares a record or an image with
    of_image: dict[str, str] = {}  # image -> group of its first record
    strata: dict[str, str] = {}  # one string per stratum, not per record
    file, named = "", 0
    for annotation in annotations:
        file = annotation.file
        groups = []
        if group_by is not None and (value := _value(annotation, group_by)) is not None:
            groups.append(f"{group_by} {value}")
            named += 1
        if group_of is not None and (other := group_of(annotation)):
            groups.append(other)
        group = groups[0] if groups else f"id {annotation.id}"
        for other in (*groups[1:], of_image.setdefault(image_key(annotation.path), group)):
            _join(links, group, other)
        stratum = f"{annotation.label} {annotation.generator or ''}"
        fold = None if reassign else annotation.fold
        members.append(_Member(annotation.id, group, strata.setdefault(stratum, stratum), fold, annotation.line))
    if members and group_by is not None and not named:
        raise DataError("a value to group by", Unquoted("none in any record"), field=group_by).at(file, 0)
    del of_image

    teams: dict[str, list[_Member]] = defaultdict(list)  # linked groups
    for member in members:
        teams[_end(links, member.group)].append(member)
    folds = _existing_folds(teams, file)
    _assign_missing(teams, folds, Counter(member.stratum for member in members), seed)
    return {member.id: folds[_end(links, member.group)] for member in members}


def _existing_folds(teams: Mapping[str, list[_Member]], file: str) -> dict[str, int]:
    """The fold of each team that has one.

    Raises:
        DataError: a team has records in two folds.
    """
    existing: dict[str, int] = {}
    for team in sorted(teams):
        folds = {member.fold for member in teams[team] if member.fold is not None}
        if len(folds) > 1:
            expected = (
                f"{min(folds)}, the fold of others in its group ({team}); reassign all folds, or group differently"
            )
            wrong = min((each for each in teams[team] if each.fold == max(folds)), key=lambda each: each.line)
            raise DataError(expected, wrong.fold, field="fold").at(file, wrong.line, wrong.id)
        if folds:
            existing[team] = folds.pop()
    return existing


def _assign_missing(teams: Mapping[str, list[_Member]], folds: dict[str, int], totals: Counter[str], seed: int) -> None:
    """Add a fold for each team that has none."""

    def order(team: str) -> tuple[bool, int, bytes]:
        random_key = blake2b(f"{seed} {team}".encode(), digest_size=8).digest()
        return team not in folds, -len(teams[team]), random_key

    assigned: dict[int, Counter[str]] = defaultdict(Counter)
    for team in sorted(teams, key=order):
        counts = Counter(sorted(member.stratum for member in teams[team]))  # in one order: floats are summed
        if team not in folds:
            folds[team] = min(FOLDS, key=lambda fold: _load(assigned[fold], counts, totals))
        assigned[folds[team]].update(counts)


def _load(assigned: Counter[str], counts: Mapping[str, int], totals: Counter[str]) -> tuple[float, int]:
    """The share of a group's strata that a fold already has, and the fold's number of records."""
    return sum(count * assigned[stratum] / totals[stratum] for stratum, count in counts.items()), assigned.total()


def _join(links: dict[str, str], one: str, other: str) -> None:
    """Link two groups; the end of their chain is the first of all their names."""
    first, last = sorted((_end(links, one), _end(links, other)))
    if first != last:
        links[last] = first


def _end(links: dict[str, str], group: str) -> str:
    while group in links:
        group = links[group]
    return group


def _value(annotation: Annotation, name: str) -> Any:
    return annotation.extra[name] if name in annotation.extra else getattr(annotation, name, None)
