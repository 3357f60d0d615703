"""The colours of pictures and plots.

The palette is by Okabe and Ito: colour-blind people can tell its colours apart.
Everywhere, annotated regions are blue and predicted regions orange.
"""

from __future__ import annotations

Colour = tuple[int, int, int]

BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"


def rgb(colour: str) -> Colour:
    """Convert a colour to red, green and blue.

    Args:
        colour: `#rrggbb`, as in CSS.

    >>> rgb("#0072b2")
    (0, 114, 178)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


GOLD, PRED = rgb(BLUE), rgb(ORANGE)
PAPER, INK, PANEL, GREY = (255, 255, 255), (25, 25, 25), (236, 236, 236), (100, 100, 100)
RIGHT, WRONG = (0, 128, 96), rgb(VERMILLION)  # Okabe and Ito's green is too light for a thin sign on white
