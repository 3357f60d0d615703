"""Tables, as CSV and as plain text."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any


def save_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV in UTF-8, a line feed after each row; None is an empty cell."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def aligned(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> str:
    """Rows of as many cells each as lines: the columns in `left` flush left (-1 is the last), the others flush right.

    >>> print(aligned([("tag", "images"), ("texture error", "12")]))
    tag            images
    texture error      12
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    flush = [str.ljust if {i, i - len(widths)} & {*left} else str.rjust for i in range(len(widths))]
    lines = ("  ".join(put(cell, w) for put, cell, w in zip(flush, row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
