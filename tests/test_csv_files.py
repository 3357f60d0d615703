"""CSV cells that a spreadsheet would run."""

import ast
import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugins.fakexplain.csv_files import quote_formula, read_csv, save_csv, unquote_formula

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_text_that_begins_as_a_formula_is_quoted_and_read_back(tmp_path, start):
    text = f"{start}cmd|'/C calc'!A0"
    assert save_csv(tmp_path / "a.csv", [text, "n"], [[text, -1.5], ["-2", None]]) == 2
    with open(tmp_path / "a.csv", newline="") as file:
        assert list(csv.reader(file)) == [[f"'{text}", "n"], [f"'{text}", "-1.5"], ["-2", ""]]
    assert [cells for _, cells in read_csv(tmp_path / "a.csv", "a table", "row")] == [
        [text, "n"],
        [text, "-1.5"],
        ["-2", ""],
    ]


@given(text=st.text(st.sampled_from("'=+-@a1.e\t"), max_size=6))
def test_any_text_can_be_read_back_and_none_is_a_formula(text):
    quoted = quote_formula(text)
    assert unquote_formula(quoted) == text
    if quoted[:1] in {*"=+-@\t"}:
        float(quoted)


def test_tables_are_written_by_one_function():
    """`csv.writer` stands in csv_files.py alone."""
    writers = set()
    for path in [*ROOT.glob("swift_plugins/**/*.py"), *ROOT.glob("converters/**/*.py")]:
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        if names & {"DictWriter"} or "csv.writer" in path.read_text():
            writers.add(path.name)
    assert writers == {"csv_files.py"}
