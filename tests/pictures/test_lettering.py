"""Words that fit, in characters that a font has."""

from __future__ import annotations

import pytest
from PIL import ImageFont

from swift_plugins.fakexplain.pictures.lettering import drawable, wrapped

FONT = ImageFont.load_default(16)


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
    assert wrapped(text, 105, FONT, lines) == expected


@pytest.mark.parametrize(
    "text", ["x" * 5000, "word " * 3000, "W" * 30 + " i " * 30, "\u202eabc\x00\ud800", "中文" * 300]
)
@pytest.mark.parametrize("width", [3, 40, 200])
def test_lines_always_fit(text: str, width: int):
    lines = wrapped(text, width, FONT, 3)
    assert len(lines) <= 3
    assert all(FONT.getlength(line) <= width for line in lines if len(line) > 1)
    if len(text) > 1000:
        assert lines[-1].endswith("…")


def test_drawable():
    assert drawable("Café — “naïve” … 中\u0301", FONT) == "Cafe - “naive” … ?"
    assert drawable("e\u0301", FONT) == "e"
