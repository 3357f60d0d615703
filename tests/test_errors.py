"""Text from files, on a terminal."""

import pytest

from swift_plugins.fakexplain.errors import DataError, Unquoted, on_one_line, printable
from swift_plugins.fakexplain.text_table import align_columns


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b2J", "\\x9b2J"),
        ("\x00\x07\x7f", "\\x00\\x07\\x7f"),
        ("\udce9", "\\udce9"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("é 中 🎨 ✗", "é 中 🎨 ✗"),
    ],
)
def test_what_could_command_a_terminal_is_quoted(text, quoted):
    assert printable(text) == on_one_line(text) == quoted
    error = DataError(text, Unquoted(text), field=text, file=text, line=1)
    assert str(error) == f"{quoted}:1: {quoted}: expected {quoted}, found {quoted}"
    assert align_columns([(text, "x")]) == f"{quoted}  x"


def test_long_values_are_cut():
    error = DataError("a short one", "x" * 200, field="id", file="a", line=1, id="y" * 200)
    assert str(error) == f"a:1: id: expected a short one, found '{'x' * 116}... (id '{'y' * 116}...)"


def test_lines_stay_in_a_report_and_not_in_a_cell():
    assert printable("a\nb\tc\rd") == "a\nb\tc\\rd"
    assert align_columns([("a\nb", "x"), ("c", "y")]) == "a\\nb  x\nc     y"


def test_words_that_name_a_path_are_longer_than_a_value_of_a_file():
    path = "/".join(["a folder with a long name"] * 10)
    assert path in str(DataError("a file", Unquoted(f"a pipe: {path}")))
    assert path not in str(DataError("a file", path))
