"""Tables, and renderings of them: CSV, Markdown and HTML here, LaTeX in `latex`.

CSV holds raw values for other programs; the rest is for reading, with intervals beside figures, and with the paper's
own figures marked (†). Names come from files of users and are text: whatever they hold, they stay within their cell.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Union

MISSING = "—"
MARK = "† the paper's own figures."


class Figure(NamedTuple):
    """A value and the bounds of its interval, if it has one."""

    value: float | None
    low: float | None = None
    high: float | None = None


Cell = Union[str, int, float, Figure, None]  # noqa: UP007  (the name is used at run time, in Python 3.10)


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: its heading.
        group: the heading above it, which it shares with its neighbours of the same group.
        paper: the figures are the paper's.
        digits: decimals shown; an interval has one less.
        percent: shares are shown as percentages.
        signed: a positive number has its sign.
    """

    name: str
    group: str = ""
    paper: bool = False
    digits: int = 3
    percent: bool = False
    signed: bool = False

    @property
    def full_name(self) -> str:
        return " / ".join(filter(None, (self.group, self.name)))


@dataclass(frozen=True)
class Row:
    """A row.

    Attributes:
        name: its heading.
        cells: one for each column.
        group: the heading above it, which it shares with its neighbours of the same group.
        summary: it sums up others, and is set off from them.
        paper: the figures are the paper's.
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
        title: in a few words.
        columns, rows: its parts; a row has a cell for every column.
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
        """The notes and, where there is something of the paper's, what its mark means."""
        paper = any(column.paper for column in self.columns) or any(row.paper for row in self.rows)
        return (*self.notes, *([MARK] if paper else []))


def to_csv(table: Table) -> str:
    """Comma-separated values, unrounded; the bounds of intervals in columns of their own.

    >>> print(to_csv(Table("t", "", [Column("Acc.", "7B"), Column("Acc.", "NPR", paper=True)],
    ...                    [Row("BigGAN", [Figure(0.5, 0.25, 0.75), 0.918]), Row("VAR", [None, 0.928])])), end="")
    Name,7B / Acc.,7B / Acc. low,7B / Acc. high,NPR / Acc. (paper)
    BigGAN,0.5,0.25,0.75,0.918
    VAR,,,,0.928
    """
    groups = any(row.group for row in table.rows)
    bounded = [any(_bounds(row.cells[i]) for row in table.rows) for i in range(len(table.columns))]
    head = ["Group", table.row_heading] if groups else [table.row_heading]
    for column, has_bounds in zip(table.columns, bounded, strict=True):
        name = column.full_name + " (paper)" * column.paper
        head += [name, f"{name} low", f"{name} high"] if has_bounds else [name]
    lines = [head]
    for row in table.rows:
        name = row.name + " (paper)" * row.paper
        line = [row.group, name] if groups else [name]
        for cell, has_bounds in zip(row.cells, bounded, strict=True):
            value = cell.value if isinstance(cell, Figure) else cell
            parts = [value, *(_bounds(cell) or ("", ""))] if has_bounds else [value]
            line += ["" if part is None else str(part) for part in parts]
        lines.append(line)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([one_line(cell) for cell in line] for line in lines)
    return text.getvalue()


def to_markdown(table: Table) -> str:
    """A heading, a table of GitHub's Markdown, and the notes.

    >>> print(to_markdown(Table("t", "Accuracy", [Column("7B|3"), Column("NPR", paper=True)],
    ...                         [Row("BigGAN", [Figure(0.5, 0.25, 0.75), None])])), end="")
    ## Accuracy
    <BLANKLINE>
    | Name | 7B\\|3 | NPR † |
    |:--|--:|--:|
    | BigGAN | 0.500 [0.25, 0.75] | — |
    <BLANKLINE>
    - † the paper's own figures.
    """

    def line(name: str, cells: Sequence[str]) -> str:
        return "| " + " | ".join([name, *cells]) + " |"

    heads = [_markdown(column.full_name) + " †" * column.paper for column in table.columns]
    lines = [f"## {_markdown(table.title)}", "", line(_markdown(table.row_heading), heads)]
    lines.append("|:--|" + "--:|" * len(heads))
    for group, rows in groupby(table.rows, lambda row: row.group):
        if group:
            lines.append(line(f"**{_markdown(group)}**", [""] * len(heads)))
        for row in rows:
            name = _markdown(row.name) + " †" * row.paper
            cells = [with_interval(*shown, _markdown) for shown in shown_cells(row, table.columns)]
            lines.append(line(f"*{name}*" if row.summary else name, cells))
    if table.all_notes:
        lines += ["", *(f"- {_markdown(note)}" for note in table.all_notes)]
    return "\n".join(lines) + "\n"


def to_html(table: Table) -> str:
    """A table that scrolls in its own box, and the notes; to stand below a heading with the title.

    Classes: `name` of row headings, `group` of rows that head others, `summary`, `paper`, `interval`; `soft` of notes.
    """
    label = html.escape(one_line(table.title))
    lines = [f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>', "<thead>"]
    lines += [*_html_head(table), "</thead>"]
    for group, rows in groupby(table.rows, lambda row: row.group):
        lines.append("<tbody>")
        if group:
            span = 1 + len(table.columns)
            lines.append(
                f'<tr class="group"><th class="name" scope="rowgroup" colspan="{span}">{_html(group)}</th></tr>'
            )
        for row in rows:
            kind = " ".join(name for name, there in (("summary", row.summary), ("paper", row.paper)) if there)
            cells = f'<th class="name" scope="row">{_html(row.name)}{" †" * row.paper}</th>'
            for column, (value, interval) in zip(table.columns, shown_cells(row, table.columns), strict=True):
                small = f'<span class="interval">{_html(_dashed(interval))}</span>' if interval else ""
                cells += f"<td{_class(column)}>{_html(value)}{small}</td>"
            lines.append(f'<tr class="{kind}">{cells}</tr>' if kind else f"<tr>{cells}</tr>")
        lines.append("</tbody>")
    lines += ["</table></div>", *(f'<p class="soft">{_html(note)}</p>' for note in table.all_notes)]
    return "\n".join(lines) + "\n"


def _html_head(table: Table) -> list[str]:
    """One row of headings or, where columns have groups, two."""
    two = any(column.group for column in table.columns)
    span = ' rowspan="2"' if two else ""
    first = f'<th class="name" scope="col"{span}>{_html(table.row_heading)}</th>'
    second, at = "", 0
    for group, paper, count in column_groups(table.columns):
        columns = table.columns[at : at + count]
        at += count
        if group:
            kind = ' class="paper"' if paper else ""
            first += f'<th{kind} scope="col" colspan="{count}">{_html(group)}{" †" * paper}</th>'
            second += "".join(f'<th{_class(each)} scope="col">{_html(each.name)}</th>' for each in columns)
        else:
            for each in columns:
                first += f'<th{_class(each)} scope="col"{span}>{_html(each.name)}{" †" * paper}</th>'
    return [f"<tr>{first}</tr>", f"<tr>{second}</tr>"] if two else [f"<tr>{first}</tr>"]


def column_groups(columns: Sequence[Column]) -> list[tuple[str, bool, int]]:
    """Neighbours under one heading: the heading, whether it is the paper's, and how many."""
    groups = groupby(columns, lambda column: (column.group, column.paper))
    return [(group, paper, len(list(each))) for (group, paper), each in groups]


def shown_cells(row: Row, columns: Sequence[Column]) -> list[tuple[str, tuple[str, str] | None]]:
    """Each cell's value and interval as they are read."""
    return [_show(cell, column) for cell, column in zip(row.cells, columns, strict=True)]


def _show(cell: Cell, column: Column) -> tuple[str, tuple[str, str] | None]:
    value = cell.value if isinstance(cell, Figure) else cell
    if value is None:
        return MISSING, None
    if isinstance(value, (str, int)):
        return str(value), None
    bounds = _bounds(cell)
    low, high = (_number(bound, column, max(1, column.digits - 1)) for bound in bounds) if bounds else ("", "")
    return _number(value, column, column.digits) + " %" * column.percent, (low, high) if bounds else None


def _number(value: float, column: Column, digits: int) -> str:
    """Rounded; what is small is not shown as nothing."""
    scaled = 100 * value if column.percent else value
    text = f"{scaled:{'+' if column.signed else ''}.{digits}f}".replace("-", "−")
    small = scaled > 0 and round(scaled, digits) == 0 and not column.signed
    return f"< {10**-digits:.{digits}f}" if small else text


def _bounds(cell: Cell) -> tuple[float, float] | None:
    if isinstance(cell, Figure) and cell.low is not None and cell.high is not None:
        return cell.low, cell.high
    return None


def with_interval(value: str, interval: tuple[str, str] | None, escape: Callable[[str], str]) -> str:
    """A value with its interval behind it, escaped."""
    if interval is None:
        return escape(value)
    low, high = map(escape, interval)
    return f"{escape(value)} [{low}, {high}]"


def _dashed(interval: tuple[str, str]) -> str:
    """With a dash, unless a sign stands beside it."""
    return " to ".join(interval) if any(bound[0] in "+−" for bound in interval) else "–".join(interval)


def _class(column: Column) -> str:
    return ' class="paper"' if column.paper else ""


# Control characters, halves of characters, and what turns the direction of the text around it.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"[\\`*_\[\]<>|~#$&@]|:(?=//)|(?<=www)\.|^[-+](?=[\s-]|$)|^\d{1,9}[.)](?=\s|$)", re.IGNORECASE)


def one_line(text: str) -> str:
    """Text without line breaks, and with a sign for what cannot be printed."""
    return _UNPRINTABLE.sub("\ufffd", " ".join(text.split()))


def _markdown(text: str) -> str:
    return _MARKUP.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", one_line(text))


def _html(text: str) -> str:
    return html.escape(one_line(text))
