"""Fonts and line widths that scale with a cell, and texts broken into lines that fit."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

from ..paths import check_is_file

LONGEST_TEXT = 400  # characters kept of a text that is cut to a few lines; two lines hold fewer


class Pen:
    """Font sizes and line widths that scale with a cell.

    Args:
        cell: longer side of an image in pixels.
        font: TrueType or OpenType file; default: DejaVu Sans.

    Attributes:
        cell: the argument.
        line: width of an outline in pixels.
        text, small: fonts of headings and of captions.
        signs: font of the tick and the cross, always DejaVu Sans.
        leading: distance between the baselines of two lines in pixels.
    """

    def __init__(self, cell: int, font: str | Path | None = None):
        self.cell = cell
        self.line = max(2, cell // 120)
        sizes = [max(9, round(cell * share)) for share in (0.053, 0.046)]
        self.text, self.small = (ImageFont.truetype(str(font or find_default_font()), size) for size in sizes)
        self.signs = ImageFont.truetype(str(find_default_font()), sizes[0])
        self.leading = round(self.text.size * 1.25)


@lru_cache
def find_default_font() -> Path:
    """Find DejaVu Sans, which matplotlib ships: Latin, Greek and Cyrillic letters, and signs.

    This locates matplotlib without importing it.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pictures need the font DejaVu Sans of matplotlib: pip install matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"


def check_font(path: Path) -> None:
    """Make sure that a file is a font.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file cannot be read as a font.
    """
    check_is_file(path, "a font file")
    try:
        ImageFont.truetype(str(path))
    except OSError as error:
        raise ValueError(f"{path}: expected a font file, found one that cannot be read ({error})") from None


def wrap_text(text: str, width: int, font: ImageFont.FreeTypeFont, lines: int | None) -> list[str]:
    """Break a text into lines.

    Control characters are left out. A character that the font lacks is drawn as the font's empty box.

    Args:
        text: any text; runs of white space count as one space.
        width: largest width of a line in pixels; a line always holds at least one character.
        font: the font of the text.
        lines: largest number of lines, the last one ending in "…" if the text is longer; None keeps the whole text.

    >>> wrap_text("Left hand with six fingers.", 120, ImageFont.truetype(str(find_default_font()), 16), 2)
    ['Left hand with', 'six fingers.']
    """
    rows: list[str] = []
    row = ""
    words = to_printable(text if lines is None else text[:LONGEST_TEXT]).split()[::-1]
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


def to_printable(text: str) -> str:
    r"""Join accents to their letters, turn white space into spaces, and drop other control characters.

    >>> to_printable("nai\u0308ve\t— \u202eabc\0")
    'naïve — abc'
    """
    characters = (" " if each.isspace() else each for each in unicodedata.normalize("NFC", text))
    return "".join(each for each in characters if unicodedata.category(each)[0] != "C")
