"""Texts that fit, in characters of the font."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import ImageFont

from swift_plugins.fakexplain.pictures.lettering import find_default_font, to_printable, wrap_text

FONT = ImageFont.truetype(str(find_default_font()), 16)


@pytest.mark.parametrize(
    ("text", "lines", "expected"),
    [
        ("", 2, []),
        ("Rail.", 2, ["Rail."]),
        ("one two three four five", 9, ["one two three", "four five"]),
        ("one two three four five", 1, ["one two thre…"]),
        ("one\n\ttwo", 1, ["one two"]),
    ],
)
def test_wrapped(text: str, lines: int, expected: list[str]):
    assert wrap_text(text, 120, FONT, lines) == expected


@pytest.mark.parametrize(
    "text", ["x" * 5000, "word " * 3000, "W" * 30 + " i " * 30, "\u202eabc\x00\ud800", "中文" * 300]
)
@pytest.mark.parametrize("width", [3, 40, 200])
def test_lines_always_fit(text: str, width: int):
    lines = wrap_text(text, width, FONT, 3)
    assert len(lines) <= 3
    assert all(FONT.getlength(line) <= width for line in lines if len(line) > 1)
    if len(text) > 1000:
        assert lines[-1].endswith("…")


def test_printable():
    assert to_printable("Café — “naïve” … 中\u0301") == "Café — “naïve” … 中\u0301"
    assert to_printable("e\u0301") == "é"
    assert to_printable("\u202ea\x00b\ud800\u200b\tc") == "ab c"


@pytest.mark.parametrize("letters", ["é", "ñ", "Ω", "Ж", "—", "“", "…", "×", "✓", "✗"])
def test_the_default_font_has_the_letters_of_latin_greek_and_cyrillic_texts(letters: str):
    assert bytes(FONT.getmask(letters)) != bytes(FONT.getmask("\uffff"))


def test_the_default_font_is_found_without_importing_matplotlib():
    module = "swift_plugins.fakexplain.pictures.lettering"
    code = f"import sys; from {module} import Pen; Pen(9); print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
