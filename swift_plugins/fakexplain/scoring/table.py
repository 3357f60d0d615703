"""Scores as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from ..answer import PROBLEMS
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
    table = _aligned([["", *_COLUMNS], *scores])
    if counts:
        table += "\n\n" + _aligned([["answers with", *(name for name, _ in rows), ""], *counts], words=1)
    return table


def _rate(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.3f}"


def _aligned(rows: Sequence[Sequence[str]], words: int = 0) -> str:
    """Columns, the first and the last `words` of them flush left, numbers between flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = {0, *range(len(widths) - words, len(widths))}
    lines = (
        "  ".join(
            cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
