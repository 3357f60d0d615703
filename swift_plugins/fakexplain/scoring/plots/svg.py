"""A figure as SVG that stands in a page, light or dark, or as a file of its own.

Text is drawn as outlines of the font that matplotlib brings, so that a figure looks and measures the same on every
machine, without fonts of its own and without the page's. It cannot be selected; what it says is in the report's tables
and, in short, in the picture's label. A character that the font lacks is an empty box.
"""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Callable
from hashlib import sha256
from io import StringIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK = "#010203"  # stands for the page's text colour until the figure is drawn
BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
WIDTH = 6.4  # inches
NICE = (1, 2, 2.5, 5, 10)  # steps between ticks

_SETTINGS: Any = {
    "font.size": 10,
    "text.parse_math": False,  # names may hold dollar signs
    "svg.fonttype": "path",
    "svg.hashsalt": "fakexplain",
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    "grid.color": INK,
    "grid.alpha": 0.15,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"(?<=url\(#)[^)]+(?=\))")
_FINE = re.compile(r"-?\d+\.\d{3,}")


def svg(
    draw: Callable[[Figure], None], size: tuple[float, float], name: str, label: str, *, standalone: bool = False
) -> str:
    """A drawn figure as SVG; the same drawing gives the same bytes.

    No script, no style sheet, no reference but to its own parts: it stands in an HTML page as it is, several of them
    side by side, and needs nothing that a page's security policy might forbid.

    Args:
        draw: called with an empty figure; draws in `INK` what is to have the page's text colour.
        size: width and height in inches, 96 pixels each. CSS may make it narrower: `max-width: 100%; height: auto`.
        name: begins its ids; letters and digits.
        label: says what is seen, for those who do not see it.
        standalone: a file of its own, black on white; else the text's colour is `currentColor`, the ground none.
    """
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.figure import Figure

    text = StringIO()
    with rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # a box stands for it
        rcdefaults()  # a user's own settings do not change a figure
        rcParams.update(_SETTINGS)
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    drawn = text.getvalue()
    root = ElementTree.fromstring(drawn)  # without its comments, which repeat the texts
    _clean(root, f"{name}-{sha256(drawn.encode()).hexdigest()[:8]}", "#000000" if standalone else "currentColor")
    given = {"viewBox": root.attrib["viewBox"], "width": f"{96 * size[0]:.1f}", "height": f"{96 * size[1]:.1f}"}
    spaces = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}
    lines = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    root.attrib = {**spaces, **given, "role": "img", "aria-label": plain(label), **lines}
    if standalone:
        ground = ElementTree.Element("rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
        root.insert(0, ground)
    return ElementTree.tostring(root, encoding="unicode")


def plain(text: str) -> str:
    """Text on one line, what cannot be printed (nor stand in XML) as U+FFFD.

    >>> plain("two\\nlines\\t\\0")
    'two lines \ufffd'
    """
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))


def cut(name: str, longest: int = 34) -> str:
    """A name on one line; a long one without its middle, for names often differ at their ends.

    >>> cut("Qwen2.5-VL-7B-Instruct, untuned", 16)
    'Qwen2.5-…untuned'
    """
    name = plain(name)
    return name if len(name) <= longest else f"{name[: longest - longest // 2]}…{name[1 - longest // 2 :]}"


def note(figure: Figure, text: str) -> None:
    """Small print below a figure."""
    figure.supxlabel(textwrap.fill(text, 92), x=0.01, ha="left", fontsize=8.5)


def in_percent(axis: Axis, ticks: int = 5) -> None:
    """Ticks of shares at nice numbers, in per cent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(ticks, steps=NICE))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 6):g}%"))


def _clean(root: ElementTree.Element, prefix: str, ink: str) -> None:
    """Leave of matplotlib's SVG what is seen, its references under ids of the figure's own."""
    used: dict[str, str] = {}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith("}style"):  # would hold for the whole page
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
        element.text, element.tail = None, "\n"
        for part in element.attrib.pop("style", "").split(";"):
            if part.strip():
                key, _, value = part.partition(":")
                element.set(key.strip(), value.strip())
        if reference := element.attrib.pop(_XLINK, None):
            element.set("xlink:href", "#" + _renamed(reference[1:], prefix, used))
        for key, value in element.attrib.items():
            if key in ("d", "x", "y"):
                value = _FINE.sub(lambda number: f"{float(number[0]):.2f}", " ".join(value.split()))
            value = _REFERENCE.sub(lambda match: _renamed(match[0], prefix, used), value)
            element.set(key, ink if value == INK else value)
    for element in root.iter():
        if (id := element.attrib.pop("id", None)) in used:
            element.set("id", used[id])


def _renamed(id: str, prefix: str, used: dict[str, str]) -> str:
    return used.setdefault(id, f"{prefix}-{len(used)}")
