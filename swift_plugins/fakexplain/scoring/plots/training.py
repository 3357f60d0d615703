"""Read training logs (Fig. 4).

ms-swift writes `logging.jsonl` into a run's folder, one line per logging step of its trainer:

    {"loss": 0.1, "reward": 2.24, "rewards/FxIoU/mean": 0.73, "omega_G": 0.5, ..., "global_step/max_steps": "1/60", ...}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DataError, Unquoted
from ...json_text import check_keys
from ...jsonl import decode_line, read_lines

STEP = "global_step/max_steps"
_SUMMARY = ("model_parameter_info", "log_history", "train_runtime")  # fields of lines about the whole run
_STEPS = re.compile(r"(\d{1,15})/-?\d+")


@dataclass(frozen=True)
class Log:
    """A training run's log.

    Attributes:
        name: name of the run.
        curves: quantity, as named in the log -> step -> value, in the order of steps. NaN is kept as a value: it
            shows that a run diverged.
    """

    name: str
    curves: Mapping[str, Mapping[int, float]]

    @property
    def stage(self) -> str:
        """'GRPO' if the log has rewards, else 'SFT'."""
        return "GRPO" if "reward" in self.curves else "SFT"


def read_log(path: str | Path, name: str = "") -> Log:
    """Read a training log of ms-swift.

    A line's step is the first number of `global_step/max_steps`, or `step` as in a trainer's state. If a step repeats,
    as in a resumed run, values of later lines replace earlier ones. Lines about the whole run and values that are not
    numbers are skipped.

    Args:
        path: JSON Lines.
        name: name of the run; default: the name of its folder.

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
    if b"NaN" in raw or b"Infinity" in raw:  # Python writes these although JSON has no such numbers
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            pass
        else:
            check_keys(raw, value)
            return value
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
                raise DataError("a finite number", value, field=name) from None


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
