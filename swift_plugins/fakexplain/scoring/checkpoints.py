"""Systems that are checkpoints of a training run: their names and scores.

A system is a checkpoint if its name ends in `checkpoint-STEP`, as ms-swift's folders do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .metrics.bootstrap import Interval

_CHECKPOINT = re.compile(r"(.*?)[-_/\s.]*checkpoint-(\d{1,15})/?", re.DOTALL)
_SCORES = ("accuracy", "iou")


class Checkpoint(NamedTuple):
    """Scores of a checkpoint in [0, 1], each with its interval."""

    step: int
    accuracy: float | None
    iou: float | None
    accuracy_interval: Interval | None = None
    iou_interval: Interval | None = None


def parse_checkpoint(system: str) -> tuple[str, int] | None:
    """Split the name of a checkpoint into run and step; None for other systems.

    >>> parse_checkpoint("grpo/checkpoint-60"), parse_checkpoint("checkpoint-500"), parse_checkpoint("7B")
    (('grpo', 60), ('', 500), None)
    """
    match = _CHECKPOINT.fullmatch(system)
    return (match[1], int(match[2])) if match else None


def checkpoint_scores(systems: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Checkpoint]]:
    """Collect the scores of the checkpoints among systems.

    Args:
        systems: name -> result, as in a run; systems that are not checkpoints are skipped.

    Returns:
        Run -> its checkpoints in the order of steps. The run is the part of the name before `checkpoint-STEP`.

    >>> result = {"accuracy": 0.75, "iou": None, "intervals": {"accuracy": [0.5, 0.9]}}
    >>> checkpoint_scores({"grpo/checkpoint-60": result})["grpo"]
    [Checkpoint(step=60, accuracy=0.75, iou=None, accuracy_interval=Interval(low=0.5, high=0.9), iou_interval=None)]
    """
    runs: dict[str, list[Checkpoint]] = {}
    for name, result in systems.items():
        if place := parse_checkpoint(name):
            run, step = place
            intervals = [Interval(*pair) if (pair := result["intervals"].get(key)) else None for key in _SCORES]
            runs.setdefault(run, []).append(Checkpoint(step, *(result[key] for key in _SCORES), *intervals))
    return {run: sorted(points, key=lambda point: point.step) for run, points in runs.items()}
