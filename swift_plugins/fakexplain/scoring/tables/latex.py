"""Tables in LaTeX, for papers; and all renderings by the suffix of their files."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby

from .render import Table, column_groups, one_line, shown_cells, to_csv, to_html, to_markdown, with_interval

_WIDE = 9  # columns from which on a table is scaled to the width of both columns of text
_DAGGER = r"$^\dagger$"
_GREEK = ("alpha", "delta", "sigma", "Sigma", "eta", "omega")  # of names; pdflatex knows none by itself
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\textasciigrave{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{special: f"\\{special}" for special in "&%$#_{}"},
    **{special: f"{{{special}}}" for special in "[]*"},  # behind \\ they would be its argument
    "†": _DAGGER,
    "−": "$-$",
    **{letter: f"$\\{name}$" for letter, name in zip("αδσΣηω", _GREEK, strict=True)},
}
_SPECIALS = re.compile("|".join(map(re.escape, _SPECIAL)))


def to_latex(table: Table) -> str:
    r"""A `table` for \input: needs booktabs, and graphicx where it is wide; what is the paper's is in italics.

    Letters that are neither Latin nor in names of generators are left as they are: they need XeLaTeX or LuaLaTeX.

    >>> from swift_plugins.fakexplain.scoring.tables.render import Column, Row
    >>> print(to_latex(Table("t", "Accuracy", [Column("Acc.", "7B")], [Row("Others", [0.5], summary=True)])), end="")
    % \usepackage{booktabs}
    \begin{table}
    \centering
    \caption{Accuracy}
    \label{tab:t}
    \begin{tabular}{lr}
    \toprule
     & \multicolumn{1}{c}{7B} \\
    \cmidrule(lr){2-2}
    Name & Acc. \\
    \midrule
    \textbf{Others} & 0.500 \\
    \bottomrule
    \end{tabular}
    \end{table}
    """
    wide = len(table.columns) >= _WIDE
    environment = "table*" if wide else "table"
    lines = [r"% \usepackage{booktabs,graphicx}" if wide else r"% \usepackage{booktabs}"]
    lines += [rf"\begin{{{environment}}}", r"\centering", rf"\caption{{{_latex(table.title)}}}"]
    lines += [rf"\label{{tab:{table.name}}}", *([r"\resizebox{\textwidth}{!}{%"] if wide else [])]
    lines += [rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule", *_latex_head(table), r"\midrule"]
    for index, (group, rows) in enumerate(groupby(table.rows, lambda row: row.group)):
        lines += [r"\midrule"] if index else []
        lines += [rf"\multicolumn{{{1 + len(table.columns)}}}{{l}}{{\textbf{{{_latex(group)}}}}} \\"] if group else []
        for row in rows:
            name = rf"\textbf{{{_latex(row.name)}}}" if row.summary else _latex(row.name)
            cells = [name + _DAGGER * row.paper]
            for column, shown in zip(table.columns, shown_cells(row, table.columns), strict=True):
                cell = with_interval(*shown, _latex)
                cells.append(rf"\textit{{{cell}}}" if column.paper or row.paper else cell)
            lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}" + "}" * wide]
    notes = " ".join(map(_latex, table.all_notes))
    lines += [rf"\par\smallskip\footnotesize {notes}"] if notes else []
    return "\n".join([*lines, rf"\end{{{environment}}}"]) + "\n"


def _latex_head(table: Table) -> list[str]:
    """One line of headings or, where columns have groups, two."""
    names = [_latex(table.row_heading)]
    for column in table.columns:
        name = _latex(column.name) + _DAGGER * (column.paper and not column.group)
        names.append(rf"\textit{{{name}}}" if column.paper else name)
    lines = [" & ".join(names) + r" \\"]
    if any(column.group for column in table.columns):
        cells, rules, at = [""], "", 2
        for group, paper, count in column_groups(table.columns):
            name = rf"\textit{{{_latex(group)}}}{_DAGGER}" if paper and group else _latex(group)
            cells.append(rf"\multicolumn{{{count}}}{{c}}{{{name}}}")
            rules += rf"\cmidrule(lr){{{at}-{at + count - 1}}}" if group else ""
            at += count
        lines = [" & ".join(cells) + r" \\", rules, *lines]
    return lines


def _latex(text: str) -> str:
    escaped = _SPECIALS.sub(lambda match: _SPECIAL[match[0]], one_line(text))
    return re.sub("-(?=-)", "-{}", escaped)  # two hyphens would be a dash


RENDERINGS: dict[str, Callable[[Table], str]] = {
    ".csv": to_csv,
    ".md": to_markdown,
    ".tex": to_latex,
    ".html": to_html,
}
"""Suffix of a file -> what writes it."""
