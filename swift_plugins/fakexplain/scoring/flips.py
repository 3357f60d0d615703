"""Flips: verdicts that a perturbation of the image changes, which accuracy hides where as many turn right as wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .metrics.bootstrap import Interval, wilson_interval

if TYPE_CHECKING:
    from .run import Run

Verdicts = dict[str, "dict[str, str | None]"]
"""System -> id of an image -> verdict; None without a readable one."""


class Flips(NamedTuple):
    """Changed verdicts of a system under a perturbation.

    Attributes:
        images: number of images in both runs, at least 1.
        changed: how many of them have another verdict than without the perturbation. An answer without a readable
            verdict, and none at all, is a verdict of its own, and so is unsure.
    """

    images: int
    changed: int

    @property
    def rate(self) -> float:
        """Share of the images whose verdict changes."""
        return self.changed / self.images

    def interval(self, level: float = 0.95) -> Interval:
        """Wilson's score interval of the rate."""
        return wilson_interval(self.changed, self.images, level)


def count_flips(perturbed: Mapping[str, Sequence[Run]], main: Sequence[Run]) -> dict[str, dict[str, Flips]]:
    """Count the flips of each system under each perturbation; images are paired by id.

    Args:
        perturbed: perturbation -> its runs.
        main: runs on the unperturbed images.

    Returns:
        Perturbation -> system -> flips, without pairs of runs that share no image.

    Raises:
        DataError: a line of images.jsonl is not as `fakexplain score` writes it.
    """
    shared = {name for runs in perturbed.values() for run in runs for name in run.systems}
    before = _verdicts(main, shared) if any(shared & run.systems.keys() for run in main) else {}
    found = {}
    for perturbation, runs in perturbed.items():
        after = _verdicts(runs, before.keys()) if before else {}
        flips = {name: flip for name, verdicts in after.items() if (flip := _flips(before[name], verdicts))}
        if flips:
            found[perturbation] = flips
    return found


def _verdicts(runs: Iterable[Run], systems: Iterable[str]) -> Verdicts:
    wanted = frozenset(systems)
    found: Verdicts = {}
    for run in runs:
        if not wanted & run.systems.keys():
            continue
        for record, answers in run.images("flips"):
            for name, answer in answers.items():
                if name in wanted:
                    found.setdefault(name, {})[record.id] = answer["verdict"] if answer else None
    return found


def _flips(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> Flips | None:
    ids = before.keys() & after.keys()
    return Flips(len(ids), sum(before[id] != after[id] for id in ids)) if ids else None
