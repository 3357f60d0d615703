"""Folds for cross-validation (§5.2: four folds, 75% of the images train and 25% test)."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

from swift_plugins.fakexplain.annotation import FOLDS, Annotation
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.images import image_key

_TABLES = """
CREATE TABLE records (id TEXT PRIMARY KEY, image TEXT, team TEXT, stratum TEXT, fold INTEGER, line INTEGER);
CREATE INDEX by_team ON records (team);
CREATE INDEX by_image ON records (image, team);
CREATE TABLE dealt (team TEXT PRIMARY KEY, fold INTEGER) WITHOUT ROWID;
"""
_MATES = """
SELECT DISTINCT image, team FROM records WHERE image IN (
  SELECT image FROM records GROUP BY image HAVING min(team) < max(team)
)
ORDER BY image, team
"""
_TEAMS = """
SELECT team, fold, stratum, count(*) FROM (
  SELECT team, stratum, max(fold) OVER mates AS fold, count(*) OVER mates AS size FROM records
  WINDOW mates AS (PARTITION BY team)
)
GROUP BY team, stratum ORDER BY fold IS NULL, size DESC, lot(team), stratum
"""


class Folds(Mapping[str, int]):
    """id -> fold in 0..3, kept in a private temporary database that spills to disk."""

    def __init__(self, table: sqlite3.Connection) -> None:
        self._table = table

    def __getitem__(self, id: str) -> int:
        row = self._table.execute("SELECT dealt.fold FROM records JOIN dealt USING (team) WHERE id = ?", (id,))
        for (fold,) in row:
            return int(fold)
        raise KeyError(id)

    def __iter__(self) -> Iterator[str]:
        return map(itemgetter(0), self._table.execute("SELECT id FROM records ORDER BY id"))

    def __len__(self) -> int:
        return int(self._table.execute("SELECT count(*) FROM records").fetchone()[0])


def assign_folds(
    annotations: Iterable[Annotation],
    *,
    seed: int = 0,
    group_by: str | None = None,
    group_of: Callable[[Annotation], str | None] | None = None,
    reassign: bool = False,
) -> Folds:
    """A fold for every record, so that each fold has its share of every label and generator.

    Groups are dealt from the largest down, in an order drawn by lot, each to the fold that has the least of what the
    group holds, label by label and generator by generator. A record that has a fold keeps it, as does its group.
    Records of one image, by several annotators, are always a group.

    Args:
        annotations: the records, read once.
        seed: of the lots; the same seed and records give the same folds, whatever their order.
        group_by: name of a field of the record, such as class_name: records with one value of it stay in one fold,
            and one without a value goes on its own.
        group_of: a record's group by other means, such as near duplicates, or None. Whatever shares image, field or
            this stays together, and so on along the chain.
        reassign: pass over the folds that records have.

    Raises:
        DataError: no record has the `group_by` field, or a group lies in two folds already.
    """
    table = sqlite3.connect("", isolation_level=None)
    table.executescript(_TABLES + "BEGIN;")
    table.create_function("lot", 1, lambda team: blake2b(f"{seed} {team}".encode(), digest_size=8).digest())
    chains: dict[str, str] = {}  # group -> a group it shares a record or an image with

    def join(one: str, other: str) -> None:
        ends = sorted(_end(chains, each) for each in (one, other))
        if ends[0] != ends[1]:
            chains[ends[1]] = ends[0]

    totals: Counter[str] = Counter()
    file, named = "", 0
    for annotation in annotations:
        file = annotation.file
        groups = []
        if group_by is not None and (value := _value(annotation, group_by)) is not None:
            groups.append(f"{group_by} {value}")
            named += 1
        if group_of is not None and (other := group_of(annotation)):
            groups.append(other)
        groups = groups or [f"id {annotation.id}"]
        for group in groups[1:]:
            join(groups[0], group)
        stratum = f"{annotation.label} {annotation.generator or ''}"
        totals[stratum] += 1
        fold = None if reassign else annotation.fold
        row = (annotation.id, image_key(annotation.path), groups[0], stratum, fold, annotation.line)
        table.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", row)
    if totals and group_by is not None and not named:
        raise DataError("a value to group by", Unquoted("none in any record"), field=group_by).at(file, 0)
    for _, teams in groupby(table.execute(_MATES), key=itemgetter(0)):
        several = [team for _, team in teams]
        for team in several[1:]:
            join(several[0], team)
    for group in chains:
        table.execute("UPDATE records SET team = ? WHERE team = ?", (_end(chains, group), group))

    split = "SELECT team, min(fold), max(fold) FROM records GROUP BY team HAVING min(fold) < max(fold)"
    for team, fold, another in table.execute(split):
        find = "SELECT line, id FROM records WHERE team = ? AND fold = ? ORDER BY line"
        line, id = table.execute(find, (team, another)).fetchone()
        expected = f"{fold}, where others of its group ({team}) are; reassign all folds, or group otherwise"
        raise DataError(expected, another, field="fold").at(file, line, id)

    dealt: dict[int, Counter[str]] = defaultdict(Counter)
    for (team, fold), rows in groupby(table.execute(_TEAMS), key=itemgetter(0, 1)):
        parts = {stratum: count for _, _, stratum, count in rows}
        if fold is None:
            fold = min(FOLDS, key=lambda fold: _load(dealt[fold], parts, totals))
        dealt[fold].update(parts)
        table.execute("INSERT INTO dealt VALUES (?, ?)", (team, fold))
    return Folds(table)


def _load(dealt: Counter[str], parts: Mapping[str, int], totals: Counter[str]) -> tuple[float, int]:
    """How much a fold has of what a group holds, as a share of all there is; then how many records in all."""
    return sum(count * dealt[stratum] / totals[stratum] for stratum, count in parts.items()), dealt.total()


def _end(chains: dict[str, str], group: str) -> str:
    while group in chains:
        group = chains[group]
    return group


def _value(annotation: Annotation, name: str) -> Any:
    return annotation.extra[name] if name in annotation.extra else getattr(annotation, name, None)
