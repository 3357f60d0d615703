"""Render tables in LaTeX, for papers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, islice

from .table import Head, Table, append_interval, arrange_heads, format_cells, printable_line

_WIDE = 9  # columns; from here on a table is scaled to the width of the page
_DAGGER = r"$^\dagger$"
_GREEK = ("alpha", "delta", "sigma", "Sigma", "eta", "omega")  # in names of generators; unknown to pdflatex
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\textasciigrave{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{special: f"\\{special}" for special in "&%$#_{}"},
    **{special: f"{{{special}}}" for special in "[]*"},  # after \\ they would be its argument
    "†": _DAGGER,
    "−": "$-$",
    **{letter: f"$\\{name}$" for letter, name in zip("αδσΣηω", _GREEK, strict=True)},
}
_SPECIALS = re.compile("|".join(map(re.escape, _SPECIAL)))


def to_latex(table: Table) -> str:
    r"""Render a `table` environment for \input; needs booktabs, and graphicx if wide. The paper's values are italic.

    Letters that are neither Latin nor in names of generators are not escaped and need XeLaTeX or LuaLaTeX.

    >>> from swift_plugins.fakexplain.scoring.tables.table import Column, Row, Table
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
            for column, texts in zip(table.columns, format_cells(row, table.columns), strict=True):
                cell = append_interval(*texts, _latex)
                cells.append(rf"\textit{{{cell}}}" if column.paper or row.paper else cell)
            lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}" + "}" * wide]
    notes = " ".join(map(_latex, table.all_notes))
    lines += [rf"\par\smallskip\footnotesize {notes}"] if notes else []
    return "\n".join([*lines, rf"\end{{{environment}}}"]) + "\n"


def _latex_head(table: Table) -> list[str]:
    """Render one line of headings or, if columns have groups, two; a heading that spans both is in the second."""
    first, *second = arrange_heads(table)
    if not second:
        return [_line(table.row_heading, first)]
    below, above, rules, names, at = iter(second[0]), [""], "", [], 2
    for head in first:
        count = head.columns or 1
        above.append(rf"\multicolumn{{{count}}}{{c}}{{{_heading(head) if head.columns else ''}}}")
        rules += rf"\cmidrule(lr){{{at}-{at + count - 1}}}" if head.columns else ""
        names += list(islice(below, count)) if head.columns else [head]
        at += count
    return [" & ".join(above) + r" \\", rules, _line(table.row_heading, names)]


def _line(row_heading: str, heads: Sequence[Head]) -> str:
    return " & ".join([_latex(row_heading), *map(_heading, heads)]) + r" \\"


def _heading(head: Head) -> str:
    name = _latex(head.name)
    if not head.paper:
        return name
    mark = _DAGGER * head.marked
    return rf"\textit{{{name}}}{mark}" if head.columns else rf"\textit{{{name}{mark}}}"


def _latex(text: str) -> str:
    escaped = _SPECIALS.sub(lambda match: _SPECIAL[match[0]], printable_line(text))
    return re.sub("-(?=-)", "-{}", escaped)  # two hyphens would be a dash
