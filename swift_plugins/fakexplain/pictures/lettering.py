"""Fonts that go with a size of cell, and texts as lines that fit."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

LONGEST = 400  # characters of a text that are looked at; two lines hold fewer


class Pen:
    """Sizes and fonts that go with a size of cell."""

    def __init__(self, cell: int, font: str | Path | None = None):
        self.cell = cell
        self.line = max(2, cell // 120)
        self.text, self.small = (_font(max(9, round(cell * share)), font) for share in (0.053, 0.046))
        self.leading = round(self.text.size * 1.25)


def _font(size: int, path: str | Path | None) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # every wheel of Pillow brings FreeType
    return font


def wrapped(text: str, width: int, font: ImageFont.FreeTypeFont, lines: int | None) -> list[str]:
    """Text as lines of at most a width; where it takes more of them than `lines`, the last one ends in '…'.

    None gives all of it.

    Characters that the font does not have lose their accents or become '?'.

    >>> wrapped("Left hand with six fingers.", 120, ImageFont.load_default(16), 2)
    ['Left hand with', 'six fingers.']
    """
    rows: list[str] = []
    row = ""
    words = drawable(text if lines is None else text[:LONGEST], font).split()[::-1]
    while words and (lines is None or len(rows) <= lines):
        word = words.pop()
        longer = f"{row} {word}".strip()
        if font.getlength(longer) <= width:
            row = longer
        elif row:
            rows.append(row)
            row = ""
            words.append(word)
        else:  # a word that is longer than a line
            fits = max(1, bisect_right(range(len(word)), width, key=lambda n: math.ceil(font.getlength(word[:n]))) - 1)
            rows.append(word[:fits])
            words.append(word[fits:])
    if row:
        rows.append(row)
    if lines is not None and len(rows) > lines:
        last = rows[lines - 1]
        while last and font.getlength(last + "…") > width:
            last = last[:-1]
        rows = [*rows[: lines - 1], last.rstrip(" ,;.") + "…"]
    return rows


def drawable(text: str, font: ImageFont.FreeTypeFont) -> str:
    """Text in the characters that a font has, blanks made plain.

    >>> drawable("naïve —  中", ImageFont.load_default(16))
    'naive -  ?'
    """
    return "".join(_glyphs(character, font) for character in unicodedata.normalize("NFC", text))


@lru_cache(maxsize=4096)
def _glyphs(character: str, font: ImageFont.FreeTypeFont) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character)[0] == "C":
        return ""
    missing = bytes(font.getmask("\uffff"))
    if bytes(font.getmask(character)) != missing:
        return character
    if unicodedata.category(character) == "Pd":
        return "-"
    plain = [part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)]
    return "".join(part if part.isascii() else "?" for part in plain)
