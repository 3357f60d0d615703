"""Curves of training runs, and scores of their checkpoints (Fig. 4).

A curve comes from the `logging.jsonl` that ms-swift writes into a run's folder, a line for each log of its trainer:

    {"loss": 0.1, "reward": 2.24, "rewards/FxIoU/mean": 0.73, "omega_G": 0.5, ..., "global_step/max_steps": "1/60", ...}

A checkpoint's score comes from predictions made with it, where the system is named `...checkpoint-STEP`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DataError, Unquoted
from ...jsonl import decode_line, read_lines
from ..metrics.bootstrap import Interval

STEP = "global_step/max_steps"
_SUMMARY = ("model_parameter_info", "log_history", "train_runtime")  # of a line that is about the whole run
_STEPS = re.compile(r"(\d{1,15})/-?\d+")
_CHECKPOINT = re.compile(r"(.*?)[-_/\s.]*checkpoint-(\d{1,15})/?", re.DOTALL)


@dataclass(frozen=True)
class Log:
    """A training run's log.

    Attributes:
        name: of the run.
        curves: quantity, as the log names it -> step -> value, in the order of steps. NaN is a value: that of a run
            that diverged.
    """

    name: str
    curves: Mapping[str, Mapping[int, float]]

    @property
    def stage(self) -> str:
        """'GRPO' where it has rewards, else 'SFT'."""
        return "GRPO" if "reward" in self.curves else "SFT"


class Checkpoint(NamedTuple):
    """What a checkpoint scores, each share with its interval."""

    step: int
    accuracy: float | None
    iou: float | None
    accuracy_interval: Interval | None = None
    iou_interval: Interval | None = None


def read_log(path: str | Path, name: str = "") -> Log:
    """A log that ms-swift wrote, read line by line.

    A line's step is the first number of `global_step/max_steps`, or `step` as a trainer's state has it. Where a step
    comes again, as in a run that was resumed, a later line's values take the place of earlier ones. Lines about the
    whole run, and what is no number, are left out.

    Args:
        path: JSON Lines.
        name: of the run; that of its folder if not given.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): a line is not JSON or has no step, or no line has one.
    """
    path = Path(path)
    curves: dict[str, dict[int, float]] = {}
    for number, line in read_lines(path, "a training log (logging.jsonl)"):
        try:
            _add(_decode(line), curves)
        except DataError as error:
            raise error.at(str(path), number) from None
    if not curves:
        raise DataError(f"at least one line with {STEP}", Unquoted("none")).at(str(path), 0)
    return Log(name or path.absolute().parent.name, {key: dict(sorted(curve.items())) for key, curve in curves.items()})


def _decode(raw: bytes) -> object:
    if b"NaN" in raw or b"Infinity" in raw:  # which Python writes, though it is not JSON
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            pass
    return decode_line(raw)


def _add(line: object, curves: dict[str, dict[int, float]]) -> None:
    if not isinstance(line, dict):
        raise DataError("a JSON object", line)
    if any(name in line for name in _SUMMARY):
        return
    step = _step(line)
    for name, value in line.items():
        if name != "step" and isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                curves.setdefault(name, {})[step] = float(value)
            except OverflowError:
                raise DataError("a number of a sane size", value, field=name) from None


def _step(line: Mapping[str, Any]) -> int:
    if STEP in line:
        match = _STEPS.fullmatch(line[STEP]) if isinstance(line[STEP], str) else None
        if not match:
            raise DataError("STEP/STEPS, two whole numbers", line[STEP], field=STEP)
        return int(match[1])
    if "step" not in line:
        raise DataError(f"a line with {STEP} or step", Unquoted(", ".join(line) or "{}"))
    if type(line["step"]) is not int or not 0 <= line["step"] < 10**15:
        raise DataError("a whole number of at least 0", line["step"], field="step")
    return line["step"]


def checkpoint_of(system: str) -> tuple[str, int] | None:
    """The run and the step of a system named after a checkpoint, else None.

    >>> checkpoint_of("grpo/checkpoint-60"), checkpoint_of("checkpoint-500"), checkpoint_of("7B")
    (('grpo', 60), ('', 500), None)
    """
    match = _CHECKPOINT.fullmatch(system)
    return (match[1], int(match[2])) if match else None


def checkpoint_scores(systems: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Checkpoint]]:
    """Scores of checkpoints among systems.

    Args:
        systems: name -> result, as a run has them; those not named `...checkpoint-STEP` are left out.

    Returns:
        Run -> its checkpoints in the order of steps. The run is what its systems' names have before `checkpoint-STEP`.

    >>> result = {"accuracy": 0.75, "iou": None, "intervals": {"accuracy": [0.5, 0.9]}}
    >>> checkpoint_scores({"grpo/checkpoint-60": result})["grpo"]
    [Checkpoint(step=60, accuracy=0.75, iou=None, accuracy_interval=Interval(low=0.5, high=0.9), iou_interval=None)]
    """
    runs: dict[str, list[Checkpoint]] = {}
    for name, result in systems.items():
        if place := checkpoint_of(name):
            run, step = place
            intervals = [Interval(*pair) if (pair := result["intervals"].get(key)) else None for key in _SCORES]
            runs.setdefault(run, []).append(Checkpoint(step, *(result[key] for key in _SCORES), *intervals))
    return {run: sorted(points, key=lambda point: point.step) for run, points in runs.items()}


_SCORES = ("accuracy", "iou")
