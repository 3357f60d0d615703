"""How much of a text is read, and the characters that mark a box once its notation is understood."""

from __future__ import annotations

from collections.abc import Sequence

MAX_CHARACTERS, MAX_REGIONS = 100_000, 128

INTEGER_BOX = r"\[{0}, {0}, {0}, {0}\]".format("(0|[1-9][0-9]{0,8})")
"""A box as an answer writes it. Nine digits fit into a float, and no image is wider."""

OPEN, CLOSE = "\ue000", "\ue001"
"""Around a box whose notation is understood: its numbers in the order x1 y1 x2 y2. No text holds these characters."""

_HIDDEN = {"{": "\ue002", "}": "\ue003"}
_HIDE, _SHOW = str.maketrans(_HIDDEN), str.maketrans({hidden: brace for brace, hidden in _HIDDEN.items()})
MARKS = "".join((OPEN, CLOSE, *_HIDDEN.values()))
"""All characters that this package puts into a text."""
_DROP = str.maketrans(dict.fromkeys(MARKS, " "))


def drop_marks(text: str) -> str:
    """A text without the characters that this package uses as marks."""
    return text if text.isascii() or not any(map(text.__contains__, MARKS)) else text.translate(_DROP)


def hide_braces(words: str) -> str:
    """Words whose braces are none of an object's.

    >>> show_braces(hide_braces("a {b}"))
    'a {b}'
    """
    return words.translate(_HIDE)


def show_braces(words: str) -> str:
    """Words with the braces that `hide_braces` hid."""
    return words if words.isascii() else words.translate(_SHOW)


def mark_box(numbers: Sequence[str], y_first: bool = False) -> str:
    """Write a box in place of its notation.

    Args:
        numbers: four numbers as the text has them.
        y_first: they are y1, x1, y2, x2.
    """
    a, b, c, d = numbers
    return f"{OPEN}{b} {a} {d} {c}{CLOSE}" if y_first else f"{OPEN}{a} {b} {c} {d}{CLOSE}"
