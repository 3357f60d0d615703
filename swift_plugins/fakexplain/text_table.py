"""Tables as aligned plain text."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .errors import on_one_line


def align_columns(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> str:
    """Format rows of equal length as lines: columns in `left` flush left (-1 is the last), the others flush right.

    Cells are quoted by `on_one_line`, because their text may come from anywhere.

    >>> print(align_columns([("tag", "images"), ("texture error", "12")]))
    tag            images
    texture error      12
    """
    rows = [[*map(on_one_line, row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    flush = [str.ljust if {i, i - len(widths)} & {*left} else str.rjust for i in range(len(widths))]
    lines = ("  ".join(put(cell, w) for put, cell, w in zip(flush, row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
