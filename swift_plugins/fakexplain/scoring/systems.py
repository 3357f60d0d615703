"""Group runs by data set, and collect their systems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .checkpoints import parse_checkpoint

if TYPE_CHECKING:
    from .run import Run

Result = Mapping[str, Any]
"""The result of one system, as `results.results` returns it."""


def name_key(name: str) -> str:
    """Key that ignores spelling differences in a data set's name.

    >>> name_key("GPT-Image-1") == name_key("gpt image 1")
    True
    """
    return re.sub(r"[\W_]", "", name.casefold())


def main_runs(runs: Iterable[Run]) -> list[Run]:
    """Runs on the main data set: that of the first run on unperturbed images."""
    unperturbed = [run for run in runs if not run.perturbation]
    return [run for run in unperturbed if name_key(run.dataset) == name_key(unperturbed[0].dataset)]


def external_runs(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Every other data set -> its runs."""
    unperturbed = [run for run in runs if not run.perturbation]
    found: dict[str, list[Run]] = {}
    for run in unperturbed:
        if name_key(run.dataset) != name_key(unperturbed[0].dataset):
            name = next((name for name in found if name_key(name) == name_key(run.dataset)), run.dataset)
            found.setdefault(name, []).append(run)
    return found


def perturbed_runs(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Perturbation -> its runs on any data set: `perturb` writes one folder per perturbation."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if run.perturbation:
            found.setdefault(run.perturbation, []).append(run)
    return found


def systems_of(runs: Sequence[Run]) -> dict[str, Result]:
    """Collect the systems of runs on one data set, in their order.

    Raises:
        ValueError: two runs have a system with the same name.
    """
    found: dict[str, Result] = {}
    where: dict[str, Run] = {}
    for run in runs:
        for name, result in run.systems.items():
            if name in found:
                raise ValueError(
                    f"{run.folder}: systems: expected names that do not occur in {where[name].folder}, because both "
                    f"runs are on {run.dataset}; found {name!r}"
                )
            found[name], where[name] = result, run
    return found


def checkpoints(names: Iterable[str]) -> dict[str, dict[int, str]]:
    """Group checkpoints of one training run, if it has two or more: common name -> step -> system name.

    >>> checkpoints(["7B checkpoint-200", "7B checkpoint-100", "SFT checkpoint-300", "NPR"])
    {'7B': {100: '7B checkpoint-100', 200: '7B checkpoint-200'}}
    """
    found: dict[str, dict[int, str]] = {}
    for name in names:
        if place := parse_checkpoint(name):
            training, step = place
            found.setdefault(training, {})[step] = name
    return {training: dict(sorted(steps.items())) for training, steps in found.items() if len(steps) > 1}


def without_checkpoints(systems: Mapping[str, Result]) -> dict[str, Result]:
    """Systems that are not checkpoints; checkpoints get their own table and Fig. 4.

    All systems, if there are only checkpoints.
    """
    points = {name for steps in checkpoints(systems).values() for name in steps.values()}
    return {name: result for name, result in systems.items() if name not in points} or dict(systems)
