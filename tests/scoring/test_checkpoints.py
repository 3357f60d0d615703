"""Systems that are checkpoints: their names and scores."""

from __future__ import annotations

from typing import Any

import pytest

from swift_plugins.fakexplain.scoring.checkpoints import Checkpoint, checkpoint_scores, parse_checkpoint
from swift_plugins.fakexplain.scoring.metrics.bootstrap import Interval


@pytest.mark.parametrize(
    "system, place",
    [
        ("checkpoint-500", ("", 500)),
        ("GRPO checkpoint-0", ("GRPO", 0)),
        ("out/v0-2025/checkpoint-60/", ("out/v0-2025", 60)),
        ("a-checkpoint-1-checkpoint-2", ("a-checkpoint-1", 2)),
        ("checkpoint-1 merged", None),
        ("checkpoint-", None),
        ("checkpoint-1.5", None),
        ("7B", None),
        ("", None),
    ],
)
def test_names_of_checkpoints(system: str, place: tuple[str, int] | None) -> None:
    assert parse_checkpoint(system) == place


def test_checkpoint_scores_in_the_order_of_steps() -> None:
    def result(right: float, overlap: float | None, **intervals: Any) -> dict[str, Any]:
        return {"accuracy": right, "iou": overlap, "intervals": intervals}

    systems = {
        "GRPO checkpoint-100": result(0.75, 0.25, accuracy=[0.5, 1.0], iou=None),
        "7B": result(0.5, 0.5),
        "SFT checkpoint-9": result(0.25, None),
        "GRPO checkpoint-20": result(0.5, 0.125, iou=[0.0, 0.25]),
    }
    assert checkpoint_scores(systems) == {
        "GRPO": [
            Checkpoint(20, 0.5, 0.125, None, Interval(0.0, 0.25)),
            Checkpoint(100, 0.75, 0.25, Interval(0.5, 1.0), None),
        ],
        "SFT": [Checkpoint(9, 0.25, None)],
    }
