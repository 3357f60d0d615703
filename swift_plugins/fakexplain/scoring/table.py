"""Scores as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from ..answer import PROBLEMS
from ..tables import aligned
from .metrics import Result

_COLUMNS = ("n", "accuracy", "on fake", "on real", "IoU", "format", "unreadable")


def render_table(rows: Sequence[tuple[str, Result]]) -> str:
    """One line a result, and below what was wrong with how many of its answers."""
    scores = [
        [
            name,
            str(result.n),
            *map(_rate, (result.accuracy, result.accuracy_on("fake"), result.accuracy_on("real"))),
            _rate(result.iou),
            _rate(result.format_rate),
            str(result.unreadable),
        ]
        for name, result in rows
    ]
    codes = [code for code in PROBLEMS if any(result.problems[code] for _, result in rows)]
    counts = [[code, *(str(result.problems[code]) for _, result in rows), PROBLEMS[code]] for code in codes]
    table = aligned([["", *_COLUMNS], *scores])
    if counts:
        table += "\n\n" + aligned([["answers with", *(name for name, _ in rows), ""], *counts], left=(0, -1))
    return table


def _rate(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.3f}"
