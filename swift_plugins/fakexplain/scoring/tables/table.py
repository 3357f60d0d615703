"""A table: columns, rows and notes, and the texts and spans of its cells that all renderings share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Union

MISSING = "—"
MARK = "† reported in the paper."


class Estimate(NamedTuple):
    """A value and the bounds of its interval, if it has one."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Both bounds, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)


Cell = Union[str, int, float, Estimate, None]  # noqa: UP007  (the name is used at run time, in Python 3.10)


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: its heading.
        group: the heading above it, shared with its neighbours of the same group.
        paper: its values are the paper's.
        digits: decimals shown; an interval shows one fewer.
        percent: show shares as percentages.
        signed: show the sign of a positive number.
    """

    name: str
    group: str = ""
    paper: bool = False
    digits: int = 3
    percent: bool = False
    signed: bool = False

    @property
    def full_name(self) -> str:
        """Both headings, joined."""
        return " / ".join(filter(None, (self.group, self.name)))


@dataclass(frozen=True)
class Row:
    """A row.

    Attributes:
        name: its heading.
        cells: one per column.
        group: the heading above it, shared with its neighbours of the same group.
        summary: it summarises other rows, and looks different.
        paper: its values are the paper's.
    """

    name: str
    cells: Sequence[Cell]
    group: str = ""
    summary: bool = False
    paper: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: stem of its files.
        title: a few words.
        columns, rows: a row has one cell per column.
        notes: sentences below it.
        row_heading: heading of the column of row names.

    Raises:
        ValueError: a row has more or fewer cells.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    row_heading: str = "Name"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(
                    f"{self.name}: row {row.name!r}: expected {len(self.columns)} cells, found {len(row.cells)}"
                )

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, and the meaning of the paper's mark if a column or a row carries it."""
        paper = any(column.paper for column in self.columns) or any(row.paper for row in self.rows)
        return (*self.notes, *([MARK] if paper else []))


class Head(NamedTuple):
    """A cell of a table's head.

    Attributes:
        name: its text.
        columns: number of columns that a group spans; 0 for the heading of one column.
        rows: number of rows of the head that it spans.
        paper: it heads values of the paper.
        marked: it shows the paper's mark; a group shows it for all its columns.
    """

    name: str
    columns: int = 0
    rows: int = 1
    paper: bool = False
    marked: bool = False


def arrange_heads(table: Table) -> list[list[Head]]:
    """Arrange a table's head, without the column of row names, in one row or, if columns have groups, two.

    >>> columns = [Column("Acc.", "7B"), Column("IoU", "7B"), Column("p")]
    >>> [[head.name for head in row] for row in arrange_heads(Table("t", "", columns, []))]
    [['7B', 'p'], ['Acc.', 'IoU']]
    """
    rows = 2 if any(column.group for column in table.columns) else 1
    grid: list[list[Head]] = [[] for _ in range(rows)]
    for (group, paper), each in groupby(table.columns, lambda column: (column.group, column.paper)):
        names = [column.name for column in each]
        if group:
            grid[0].append(Head(group, len(names), paper=paper, marked=paper))
            grid[1] += [Head(name, paper=paper) for name in names]
        else:
            grid[0] += [Head(name, rows=rows, paper=paper, marked=paper) for name in names]
    return grid


def format_cells(row: Row, columns: Sequence[Column]) -> list[tuple[str, tuple[str, str] | None]]:
    """Format each cell's value and the bounds of its interval for printing.

    >>> format_cells(Row("r", [Estimate(0.5, 0.25, 0.75), None]), [Column("Acc."), Column("IoU")])
    [('0.500', ('0.25', '0.75')), ('—', None)]
    """
    return [_cell_text(cell, column) for cell, column in zip(row.cells, columns, strict=True)]


def append_interval(value: str, interval: tuple[str, str] | None, escape: Callable[[str], str]) -> str:
    """Append the interval to a value; both are escaped."""
    if interval is None:
        return escape(value)
    low, high = map(escape, interval)
    return f"{escape(value)} [{low}, {high}]"


def get_value(cell: Cell) -> str | int | float | None:
    """Get the value of a cell without its interval."""
    return cell.value if isinstance(cell, Estimate) else cell


def _cell_text(cell: Cell, column: Column) -> tuple[str, tuple[str, str] | None]:
    value = get_value(cell)
    if value is None:
        return MISSING, None
    if isinstance(value, (str, int)):
        return str(value), None
    bounds = cell.bounds if isinstance(cell, Estimate) else None
    low, high = (_number(bound, column, max(1, column.digits - 1)) for bound in bounds) if bounds else ("", "")
    return _number(value, column, column.digits) + " %" * column.percent, (low, high) if bounds else None


def _number(value: float, column: Column, digits: int) -> str:
    """Round a number; a small positive number becomes "< 0.001", not 0."""
    scaled = 100 * value if column.percent else value
    text = f"{scaled:{'+' if column.signed else ''}.{digits}f}".replace("-", "−")
    small = scaled > 0 and round(scaled, digits) == 0 and not column.signed
    return f"< {10**-digits:.{digits}f}" if small else text


# Control characters, halves of characters, and characters that turn the direction of the text around them.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def printable_line(text: str) -> str:
    """Put a text on one line, with U+FFFD for each unprintable character."""
    return _UNPRINTABLE.sub("\ufffd", " ".join(text.split()))
