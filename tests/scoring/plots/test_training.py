"""Logs line by line, as ms-swift writes them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.plots.training import read_log


def logged(step: int, **values: Any) -> dict[str, Any]:
    more = {"elapsed_time": "1s", "remaining_time": "1m 26s", "train_speed(s/it)": 1.46}
    return {**values, "epoch": step / 60, "global_step/max_steps": f"{step}/60", **more}


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "grpo" / "logging.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def test_grpo_log(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        logged(1, reward=2.25, omega_G=0.5, **{"rewards/FxIoU/mean": 0.75}),
        logged(2, reward=2.5, omega_G=0.75, **{"rewards/FxIoU/mean": 0.5}),
        logged(2, eval_reward=2.0, **{"eval_rewards/FxIoU/mean": 0.25}),
        "\n",
        logged(2, train_runtime=80.2, train_loss=4.3e-05),
        {"model_parameter_info": "2.9M", "global_step": 2, "log_history": [{"reward": 9.0, "step": 1}], "memory": 0},
    )
    log = read_log(path)
    assert (log.name, log.stage) == ("grpo", "GRPO")
    assert log.curves == {
        "reward": {1: 2.25, 2: 2.5},
        "omega_G": {1: 0.5, 2: 0.75},
        "rewards/FxIoU/mean": {1: 0.75, 2: 0.5},
        "eval_reward": {2: 2.0},
        "eval_rewards/FxIoU/mean": {2: 0.25},
        "epoch": {1: 1 / 60, 2: 2 / 60},
        "train_speed(s/it)": {1: 1.46, 2: 1.46},
    }


def test_sft_log(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, logged(1, loss=7, token_acc=0.0)), "SFT, all modules")
    assert (log.name, log.stage) == ("SFT, all modules", "SFT")
    assert log.curves["loss"] == {1: 7.0} and log.curves["token_acc"] == {1: 0.0}


def test_a_resumed_run_replaces_repeated_steps(tmp_path: Path) -> None:
    # logged every second step up to 6, resumed at 2 and logged at each: its lines count, in the order of steps
    lines = [logged(step, loss=10 + step) for step in (2, 4, 6)] + [logged(step, loss=20 + step) for step in (3, 4)]
    curve = read_log(written(tmp_path, *lines)).curves["loss"]
    assert list(curve.items()) == [(2, 12.0), (3, 23.0), (4, 24.0), (6, 16.0)]


def test_lines_of_a_trainers_state(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, {"loss": 0.5, "step": 10}, {"eval_loss": 0.25, "step": 20}))
    assert log.curves == {"loss": {10: 0.5}, "eval_loss": {20: 0.25}}


def test_values_that_are_not_numbers_are_skipped(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, {"loss": 0.5, "flag": True, "note": "x", "none": None, "list": [1], "step": 1}))
    assert log.curves == {"loss": {1: 0.5}}


def test_a_run_that_diverged(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, '{"loss": NaN, "step": 1}\n{"loss": Infinity, "step": 2}\n'))
    assert math.isnan(log.curves["loss"][1]) and log.curves["loss"][2] == math.inf


GOOD = '{"loss": 1, "step": 1}\n'


@pytest.mark.parametrize(
    "lines, message",
    [
        ("", ": expected at least one line with global_step/max_steps, found none"),
        ('{"model_parameter_info": "x"}\n', ": expected at least one line with global_step/max_steps, found none"),
        (GOOD + "[1]\n", ":2: expected a JSON object, found [1]"),
        (GOOD + '\n{"loss": 1\n', ":3: expected one JSON object, found "),
        (GOOD + '{"loss": NaN\n', ":2: expected one JSON object, found "),
        (GOOD + '{"loss": 1}\n', ":2: expected a line with global_step/max_steps or step, found loss"),
        (GOOD + '{"step": 1.5}\n', ":2: step: expected a whole number of at least 0, found 1.5"),
        (GOOD + '{"step": -1}\n', ":2: step: expected a whole number of at least 0, found -1"),
        (GOOD + '{"step": true}\n', ":2: step: expected a whole number of at least 0, found True"),
        (
            GOOD + '{"global_step/max_steps": "x/60"}\n',
            ":2: global_step/max_steps: expected STEP/STEPS, two whole numbers, found 'x/60'",
        ),
        (
            GOOD + '{"global_step/max_steps": 3}\n',
            ":2: global_step/max_steps: expected STEP/STEPS, two whole numbers, found 3",
        ),
        ('{"step": 1, "loss": 1' + "0" * 400 + "}\n", ":1: loss: expected a finite number"),
    ],
)
def test_errors_say_where(tmp_path: Path, lines: str, message: str) -> None:
    path = written(tmp_path, lines)
    with pytest.raises(DataError) as error:
        read_log(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected a training log \(logging\.jsonl\), found no such file"):
        read_log(tmp_path / "none.jsonl")
    with pytest.raises(FileNotFoundError, match="found a folder"):
        read_log(tmp_path)
