"""Render a table as CSV, Markdown or HTML; `latex` renders LaTeX.

CSV holds raw values for other programs. The other formats are for readers: intervals stand beside values, and the
paper's values are marked (†). Names come from users' files and are escaped, so any name stays within its cell.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from ...csv_files import write_rows
from .latex import to_latex
from .table import Cell, Estimate, Head, Table, append_interval, arrange_heads, format_cells, get_value, printable_line

_PAPER = ' class="paper"'


def to_csv(table: Table) -> str:
    """Render comma-separated values, unrounded, with separate columns for the bounds of intervals.

    >>> from swift_plugins.fakexplain.scoring.tables.table import Column, Row
    >>> print(to_csv(Table("t", "", [Column("Acc.", "7B"), Column("Acc.", "NPR", paper=True)],
    ...                    [Row("BigGAN", [Estimate(0.5, 0.25, 0.75), 0.918]), Row("VAR", [None, 0.928])])), end="")
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
    lines: list[list[Any]] = [head]
    for row in table.rows:
        name = row.name + " (paper)" * row.paper
        line: list[Any] = [row.group, name] if groups else [name]
        for cell, has_bounds in zip(row.cells, bounded, strict=True):
            parts = [get_value(cell), *(_bounds(cell) or ("", ""))] if has_bounds else [get_value(cell)]
            line += parts
        lines.append(line)
    text = io.StringIO()
    write_rows(text, ([printable_line(cell) if isinstance(cell, str) else cell for cell in line] for line in lines))
    return text.getvalue()


def to_markdown(table: Table) -> str:
    """Render a heading, a table in GitHub's Markdown, and the notes.

    >>> from swift_plugins.fakexplain.scoring.tables.table import Column, Row
    >>> print(to_markdown(Table("t", "Accuracy", [Column("7B|3"), Column("NPR", paper=True)],
    ...                         [Row("BigGAN", [Estimate(0.5, 0.25, 0.75), None])])), end="")
    ## Accuracy
    <BLANKLINE>
    | Name | 7B\\|3 | NPR † |
    |:--|--:|--:|
    | BigGAN | 0.500 [0.25, 0.75] | — |
    <BLANKLINE>
    - † reported in the paper.
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
            cells = [append_interval(*texts, _markdown) for texts in format_cells(row, table.columns)]
            lines.append(line(f"*{name}*" if row.summary else name, cells))
    if table.all_notes:
        lines += ["", *(f"- {_markdown(note)}" for note in table.all_notes)]
    return "\n".join(lines) + "\n"


def to_html(table: Table) -> str:
    """Render a table that scrolls in its own box, and the notes; the page prints the title above it.

    Classes: `name` (row headings), `group` (rows that head others), `summary`, `paper`, `interval`, `soft` (notes).
    """
    label = html.escape(printable_line(table.title))
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
            kind = " ".join(name for name, holds in (("summary", row.summary), ("paper", row.paper)) if holds)
            cells = f'<th class="name" scope="row">{_html(row.name)}{" †" * row.paper}</th>'
            for column, (value, interval) in zip(table.columns, format_cells(row, table.columns), strict=True):
                small = f'<span class="interval">{_html(_dashed(interval))}</span>' if interval else ""
                cells += f"<td{_PAPER * column.paper}>{_html(value)}{small}</td>"
            lines.append(f'<tr class="{kind}">{cells}</tr>' if kind else f"<tr>{cells}</tr>")
        lines.append("</tbody>")
    lines += ["</table></div>", *(f'<p class="soft">{_html(note)}</p>' for note in table.all_notes)]
    return "\n".join(lines) + "\n"


def _html_head(table: Table) -> list[str]:
    grid = arrange_heads(table)
    span = f' rowspan="{len(grid)}"' if len(grid) > 1 else ""
    names = f'<th class="name" scope="col"{span}>{_html(table.row_heading)}</th>'
    rows = ["".join(map(_th, heads)) for heads in grid]
    return [f"<tr>{names}{rows[0]}</tr>", *(f"<tr>{row}</tr>" for row in rows[1:])]


def _th(head: Head) -> str:
    span = f' colspan="{head.columns}"' if head.columns else f' rowspan="{head.rows}"' if head.rows > 1 else ""
    return f'<th{_PAPER * head.paper} scope="col"{span}>{_html(head.name)}{" †" * head.marked}</th>'


def _bounds(cell: Cell) -> tuple[float, float] | None:
    return cell.bounds if isinstance(cell, Estimate) else None


def _dashed(interval: tuple[str, str]) -> str:
    """Join the bounds with a dash, or with "to" if a bound has a sign."""
    return " to ".join(interval) if any(bound[0] in "+−" for bound in interval) else "–".join(interval)


_MARKUP = re.compile(r"[\\`*_\[\]<>|~#$&@]|:(?=//)|(?<=www)\.|^[-+](?=[\s-]|$)|^\d{1,9}[.)](?=\s|$)", re.IGNORECASE)


def _markdown(text: str) -> str:
    return _MARKUP.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", printable_line(text))


def _html(text: str) -> str:
    return html.escape(printable_line(text))


RENDERINGS: dict[str, Callable[[Table], str]] = {
    ".csv": to_csv,
    ".md": to_markdown,
    ".tex": to_latex,
    ".html": to_html,
}
"""Suffix of a file -> the function that renders it."""
