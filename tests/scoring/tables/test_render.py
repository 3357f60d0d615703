"""Four renderings of a table, each read back by a separate reader."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from swift_plugins.fakexplain.csv_files import unquote_formula
from swift_plugins.fakexplain.scoring.tables.latex import to_latex
from swift_plugins.fakexplain.scoring.tables.render import to_csv, to_html, to_markdown
from swift_plugins.fakexplain.scoring.tables.table import Column, Estimate, Row, Table

NASTY = [
    "a|b", "a\\|b", "\\", "\\\\", "*x*", "__x__", "`x`", "[x](http://y)", "![x](y)", "~~x~~", "# x", "- x", "---",
    "<b>x</b>", "<script>alert(1)</script>", "&lt;", "<!--", "x\ny", "x\r\n\r\ny", "x\u2028y", "\x00", "\ud800",
    "{", "}", "x}{y", "% x", "$x$", "#1", "x^2_3", "~", "\\end{tabular}", "\\input{x}", "[0pt] x", "* x", "a--b---c",
    "\"x\" 'y'", "=1+1", "ω_G=1", "PixArt-Σ", "é", "图", "†", "−", "x@y.org", "x\u202ey", "www.x.org",
    "12. x", "+",
]  # fmt: skip
TEXT = st.one_of(st.sampled_from(NASTY), st.text(max_size=8))
Test = Callable[[str, str], None]


def hostile(test: Test) -> Test:
    """Run a test with arbitrary names and groups, including every nasty one."""
    for text in NASTY:
        test = example(text, "Group")(example("Name", text)(test))
    return given(TEXT, TEXT)(test)


def printed(text: str) -> str:
    """The readable part of a text: one line, without unprintable characters and direction marks."""
    return re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", "\ufffd", " ".join(text.split()))


def table(name: str = "Name", *more: str) -> Table:
    """A table with every kind of column, row and cell, and the given names."""
    group = more[0] if more else "Group"
    columns = [
        Column(name, group),
        Column("IoU", group),
        Column(name, group, paper=True),
        Column("Share", percent=True, digits=2),
        Column(name),
    ]
    rows = [
        Row(name, [Estimate(0.9, 0.85, 0.95), None, 0.5, 0.25, name]),
        Row(name, [Estimate(0.9), Estimate(None), None, Estimate(0.98765, 0.97, 1), 3], group=name, summary=True),
        Row(name, [1, 2, 3, 4, 5], paper=True),
    ]
    return Table("t", name, columns, rows, [name], name)


@pytest.mark.parametrize(
    "cell, column, markdown, csv_cells",
    [
        (0.5, Column("x"), "0.500", "0.5"),
        (1 / 3, Column("x"), "0.333", "0.3333333333333333"),
        (0.0004, Column("x"), r"\< 0.001", "0.0004"),  # a small number is not 0
        (0.0, Column("x"), "0.000", "0.0"),
        (0.0125, Column("x", signed=True), "+0.013", "0.0125"),
        (-0.1, Column("x", signed=True), "−0.100", "-0.1"),
        (0.0004, Column("x", signed=True), "+0.000", "0.0004"),
        (0.98765, Column("x", digits=2, percent=True), "98.77 %", "0.98765"),
        (12, Column("x"), "12", "12"),
        ("a|b", Column("x"), r"a\|b", "a|b"),
        (None, Column("x"), "—", ""),
        (Estimate(None, 0.1, 0.2), Column("x"), "—", ",0.1,0.2"),  # without a value, the interval is not shown
        (Estimate(0.5), Column("x"), "0.500", "0.5"),
        (Estimate(0.8674, 0.8151, 0.906), Column("x"), "0.867 [0.82, 0.91]", "0.8674,0.8151,0.906"),
        (Estimate(0.1, -0.05, 0.25), Column("x", signed=True), "+0.100 [−0.05, +0.25]", "0.1,-0.05,0.25"),
        (Estimate(0.5, 0.25, 0.75), Column("x", digits=1, percent=True), "50.0 % [25.0, 75.0]", "0.5,0.25,0.75"),
    ],
)
def test_cells(cell: object, column: Column, markdown: str, csv_cells: str) -> None:
    one = Table("t", "T", [column], [Row("r", [cell])])
    assert to_markdown(one).splitlines()[-1] == f"| r | {markdown} |"
    assert to_csv(one).splitlines()[1] == f"r,{csv_cells}"


def test_intervals_in_html() -> None:
    columns = [Column("x"), Column("y", signed=True)]
    text = to_html(Table("t", "T", columns, [Row("r", [Estimate(0.867, 0.8151, 0.906), Estimate(0.1, -0.05, 0.25)])]))
    assert '<td>0.867<span class="interval">0.82–0.91</span></td>' in text
    assert '<td>+0.100<span class="interval">−0.05 to +0.25</span></td>' in text


def test_a_row_has_a_cell_for_every_column() -> None:
    with pytest.raises(ValueError, match="^t: row 'r': expected 2 cells, found 1$"):
        Table("t", "T", [Column("a"), Column("b")], [Row("r", [1])])


def test_the_papers_mark_is_explained_if_used() -> None:
    mine, theirs = Row("r", [1]), Row("r", [1], paper=True)
    assert Table("t", "T", [Column("a")], [mine], ["N."]).all_notes == ("N.",)
    for columns, rows in (([Column("a", paper=True)], [mine]), ([Column("a")], [mine, theirs])):
        assert Table("t", "T", columns, rows, ["N."]).all_notes == ("N.", "† reported in the paper.")


@hostile
def test_csv_can_be_read_back(name: str, group: str) -> None:
    rows = csv.reader(io.StringIO(to_csv(table(name, group)), newline=""))
    head, *lines = ([unquote_formula(cell) for cell in row] for row in rows)
    full, iou = (" / ".join(filter(None, (group, each))) for each in (name, "IoU"))
    groups = ["Group"] if name else []
    columns = [full, f"{full} low", f"{full} high", iou, f"{full} (paper)", "Share", "Share low", "Share high", name]
    assert head == [*groups, *map(printed, [name, *columns])]
    paper, name = printed(f"{name} (paper)"), printed(name)
    assert lines[0][len(groups) :] == [name, "0.9", "0.85", "0.95", "", "0.5", "0.25", "", "", name]
    assert lines[1] == [name] * len(groups) + [name, "0.9", "", "", "", "", "0.98765", "0.97", "1", "3"]
    assert lines[2][len(groups) :] == [paper, "1", "", "", "2", "3", "4", "", "", "5"]


@hostile
def test_markdown_can_be_read_back(name: str, group: str) -> None:
    """A reader of GitHub's tables sees each name as plain text in its own cell."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(to_markdown(table(name, group)))
    cells = [token for token in tokens if token.type == "inline"]
    marks = {child.type for token in cells for child in token.children or ()}
    assert marks <= {"text", "text_special", "em_open", "em_close", "strong_open", "strong_close"}
    read = ["".join(child.content for child in token.children or ()) for token in cells]
    full, iou = (printed(" / ".join(filter(None, (group, each)))) for each in (name, "IoU"))
    name = printed(name)
    if not name:
        return  # an empty title is no heading, and the cells below would have other places
    rows = [
        [name, full, iou, f"{full} †", "Share", name],
        [name, "0.900 [0.85, 0.95]", "—", "0.500", "25.00 %", name],
        [name, "", "", "", "", ""],
        [name, "0.900", "—", "—", "98.77 % [97.0, 100.0]", "3"],
        [f"{name} †", "1", "2", "3", "4", "5"],
    ]
    assert read == [name, *(cell.strip() for row in rows for cell in row), name, "† reported in the paper."]
    assert [token.type for token in tokens if token.type.endswith("_open")][:2] == ["heading_open", "table_open"]


class Reader(HTMLParser):
    """Elements in order, and the text in each; every element that needs an end tag has one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[int] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[int, str] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(len(self.elements))
        self.texts[len(self.elements)] = ""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def of(self, *tags: str) -> list[str]:
        return [self.texts[i].strip() for i, (tag, _) in enumerate(self.elements) if tag in tags]


@hostile
def test_html_can_be_read_back(name: str, group: str) -> None:
    read = Reader(to_html(table(name, group)))
    known = {"div", "table", "thead", "tbody", "tr", "th", "td", "span", "p"}
    assert {tag for tag, _ in read.elements} <= known
    assert {key for _, attrs in read.elements for key in attrs} <= {
        *("class", "tabindex", "role", "aria-label", "scope", "colspan", "rowspan")
    }
    name, group = printed(name), printed(group)
    assert read.elements[0] == ("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": name})
    values = ["0.900", "—", "0.500", "25.00 %", name, "0.900", "—", "—", "98.77 %", "3", "1", "2", "3", "4", "5"]
    assert read.of("td") == values
    assert read.of("span") == ["0.85–0.95", "97.0–100.0"]
    assert read.of("p") == [name, "† reported in the paper."]
    heads = [f"{group} †", "Share", name, name, "IoU", name]
    rows = [name, name, name, f"{name} †"]  # the second is a group's
    if name and group:
        assert read.of("th") == [name, group, *heads, *rows]


def test_html_headings_name_their_scope() -> None:
    read = Reader(to_html(table("N")))
    heads = [
        (attrs.get("scope"), attrs.get("class"), attrs.get("colspan"), attrs.get("rowspan")) for _, attrs in th(read)
    ]
    assert heads == [
        ("col", "name", None, "2"),
        ("col", None, "2", None),
        ("col", "paper", "1", None),
        ("col", None, None, "2"),
        ("col", None, None, "2"),
        ("col", None, None, None),
        ("col", None, None, None),
        ("col", "paper", None, None),
        ("row", "name", None, None),
        ("rowgroup", "name", "6", None),
        ("row", "name", None, None),
        ("row", "name", None, None),
    ]
    classes = [attrs.get("class") for tag, attrs in read.elements if tag == "tr"]
    assert classes == [None, None, None, "group", "summary", "paper"]
    assert [attrs.get("class") for tag, attrs in read.elements if tag == "td"] == [None, None, "paper", None, None] * 3


def th(read: Reader) -> list[tuple[str, dict[str, str | None]]]:
    return [each for each in read.elements if each[0] == "th"]


def latex_tokens(text: str) -> list[str]:
    r"""Control sequences and characters as TeX reads them, without comments (%): `\foo`, `\&`, `x`."""
    return re.findall(r"\\[A-Za-z]+\*?|\\.|[^%\\]|%[^\n]*\n", text, re.DOTALL)


def check_latex(text: str) -> None:
    """Braces and environments close in order, maths ends, and each row of the tabular has all columns."""
    tokens = [token for token in latex_tokens(text) if not token.startswith("%")]
    assert "".join(tokens).replace("\n", "") == re.sub(r"(?<!\\)%[^\n]*\n", "", text).replace("\n", "")
    depth, at_depth, maths = 0, 0, False
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token, 0)
        at_depth = min(at_depth, depth)
        maths ^= token == "$"
        assert token not in ("#", "~") and (maths or token not in ("^", "_", "ω")) and not (maths and token == "\n")
    assert depth == at_depth == 0 and not maths
    environments = re.findall(r"\\(begin|end)\{(\w+\*?)\}", "".join(tokens))
    assert [what for what, _ in environments] == ["begin", "begin", "end", "end"]
    names = [name for _, name in environments]
    assert names == names[::-1]
    (columns,) = re.findall(r"\\begin\{tabular\}\{(l r*|lr*)\}", "".join(tokens))
    body = re.search(r"\\toprule(.*)\\bottomrule", "".join(tokens), re.DOTALL)
    assert body
    *lines, end = re.split(r"(?<!\\)(?:\\\\)*?\\\\(?=\n)", body[1])
    assert not end.strip()
    for line in lines:
        cells = len(re.findall(r"(?<!\\)&", line)) + 1
        spans = [int(count) - 1 for count in re.findall(r"\\multicolumn\{(\d+)\}", line)]
        assert cells + sum(spans) == len(columns), line
        assert not re.match(r"\s*[\[*]", line)  # what \\ or \midrule would take for its argument
    for start, stop in re.findall(r"\\cmidrule\(lr\)\{(\d+)-(\d+)\}", body[1]):
        assert 2 <= int(start) <= int(stop) <= len(columns)


@hostile
def test_latex_stays_well_formed(name: str, group: str) -> None:
    check_latex(to_latex(table(name, group)))


def test_wide_latex_fills_the_page() -> None:
    text = to_latex(Table("t", "T", [Column(str(i)) for i in range(9)], [Row("r", [0] * 9)]))
    check_latex(text)
    assert r"\begin{table*}" in text and "\\resizebox{\\textwidth}{!}{%\n\\begin{tabular}" in text


@pytest.mark.parametrize(
    "text, latex",
    [
        (r"\x{y}", r"\textbackslash{}x\{y\}"),
        ("50% & #1 $ a_b", r"50\% \& \#1 \$ a\_b"),
        ("a~b^c`d", r"a\textasciitilde{}b\textasciicircum{}c\textasciigrave{}d"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"),
        ("[a]*", "{[}a{]}{*}"),
        ("a---b-c", "a-{}-{}-b-c"),
        ("GRPO ω_G=1", r"GRPO $\omega$\_G=1"),
        ("PixArt-Σ, †, −1", r"PixArt-$\Sigma$, $^\dagger$, $-$1"),
        ("é 图", "é 图"),
        ("a\n\nb\tc", "a b c"),
    ],
)
def test_latex_of_a_text(text: str, latex: str) -> None:
    assert rf"\caption{{{latex}}}" in to_latex(Table("t", text, [Column("c")], [Row("r", [1])]))


def test_latex_marks_the_papers_values() -> None:
    columns = [Column("a", "G", paper=True), Column("b", paper=True), Column("c")]
    text = to_latex(Table("t", "T", columns, [Row("r", [0.5, None, 1], paper=True), Row("s", [0.5, "x", 1])]))
    assert r" & \multicolumn{1}{c}{\textit{G}$^\dagger$} & \multicolumn{1}{c}{} & \multicolumn{1}{c}{} \\" in text
    assert r"Name & \textit{a} & \textit{b$^\dagger$} & c \\" in text
    assert r"r$^\dagger$ & \textit{0.500} & \textit{—} & \textit{1} \\" in text
    assert r"s & \textit{0.500} & \textit{x} & 1 \\" in text
