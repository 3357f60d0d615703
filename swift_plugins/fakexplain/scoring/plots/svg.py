"""Draw a figure as SVG for a light or dark page, or as a separate file.

Text is drawn as outlines of the font that matplotlib ships, so a figure has the same look and size on every machine.
Such text cannot be selected; the report's tables and, in short, the figure's label repeat it as text. A character that
the font lacks is drawn as an empty box.
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

TEXT_INK = "#010203"  # replaced by the page's text colour after drawing
WIDTH = 6.4  # inches
NICE = (1, 2, 2.5, 5, 10)  # steps between ticks

_SETTINGS: Any = {
    "font.size": 10,
    "text.parse_math": False,  # names may hold dollar signs
    "svg.fonttype": "path",
    "svg.hashsalt": "fakexplain",
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), TEXT_INK),
    "grid.color": TEXT_INK,
    "grid.alpha": 0.15,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"(?<=url\(#)[^)]+(?=\))")
_FINE = re.compile(r"-?\d+\.\d{3,}")


def svg(draw: Callable[[Figure], None], size: tuple[float, float], name: str, label: str) -> str:
    """Draw a figure and return it as SVG; the same drawing gives the same bytes.

    The SVG has no script and no style sheet, and refers only to its own parts. So an HTML page can hold several of
    them unchanged, and they need nothing that a page's security policy might forbid.

    Args:
        draw: called with an empty figure; draws in `TEXT_INK` all parts that take the page's text colour.
        size: width and height in inches, 96 pixels each. CSS may make it narrower: `max-width: 100%; height: auto`.
        name: prefix of its ids; letters and digits.
        label: describes the figure to people who do not see it.

    Returns:
        SVG for a page: text in `currentColor`, without a background.
    """
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.figure import Figure

    text = StringIO()
    with rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # drawn as a box
        rcdefaults()  # the user's own settings must not change a figure
        rcParams.update(_SETTINGS)
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    whole = text.getvalue()
    root = ElementTree.fromstring(whole)  # without its comments, which repeat the texts
    _clean(root, f"{name}-{sha256(whole.encode()).hexdigest()[:8]}")
    given = {"viewBox": root.attrib["viewBox"], "width": f"{96 * size[0]:.1f}", "height": f"{96 * size[1]:.1f}"}
    spaces = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}
    lines = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    root.attrib = {**spaces, **given, "role": "img", "aria-label": plain(label), **lines}
    return ElementTree.tostring(root, encoding="unicode")


def make_standalone(svg: str) -> str:
    """Turn a figure of `svg` into a separate file, black on white.

    >>> make_standalone('<svg width="1"><path stroke="currentColor" /></svg>')
    '<svg width="1"><rect width="100%" height="100%" fill="#ffffff" /><path stroke="#000000" /></svg>'
    """
    head, end, body = svg.partition(">")  # a ">" in an attribute is escaped
    ground = '<rect width="100%" height="100%" fill="#ffffff" />'
    return f"{head}{end}{ground}{body}".replace('"currentColor"', '"#000000"')


def plain(text: str) -> str:
    """Put a text on one line, with U+FFFD for each character that cannot be printed (or is not allowed in XML).

    >>> plain("two\\nlines\\t\\0")
    'two lines \ufffd'
    """
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))


def abbreviate(name: str, longest: int = 34) -> str:
    """Put a name on one line; a long name loses its middle, because names often differ at their ends.

    >>> abbreviate("Qwen2.5-VL-7B-Instruct, untuned", 16)
    'Qwen2.5-…untuned'
    """
    name = plain(name)
    return name if len(name) <= longest else f"{name[: longest - longest // 2]}…{name[1 - longest // 2 :]}"


def note(figure: Figure, text: str) -> None:
    """Write small print below a figure."""
    figure.supxlabel(textwrap.fill(text, 92), x=0.01, ha="left", fontsize=8.5)


def as_percent(axis: Axis, ticks: int = 5) -> None:
    """Set ticks of an axis of shares at round percentages."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(ticks, steps=NICE))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 6):g}%"))


def _clean(root: ElementTree.Element, prefix: str) -> None:
    """Keep only the visible parts of matplotlib's SVG, and give its references ids that are unique to the figure."""
    used: dict[str, str] = {}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith("}style"):  # would apply to the whole page
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
        element.text, element.tail = None, "\n"
        for part in element.attrib.pop("style", "").split(";"):
            if part.strip():
                key, _, value = part.partition(":")
                element.set(key.strip(), value.strip())
        if reference := element.attrib.pop(_XLINK, None):
            element.set("xlink:href", "#" + _rename(reference[1:], prefix, used))
        for key, value in element.attrib.items():
            if key in ("d", "x", "y"):
                value = _FINE.sub(lambda number: f"{float(number[0]):.2f}", " ".join(value.split()))
            value = _REFERENCE.sub(lambda match: _rename(match[0], prefix, used), value)
            element.set(key, "currentColor" if value == TEXT_INK else value)
    for element in root.iter():
        if (id := element.attrib.pop("id", None)) in used:
            element.set("id", used[id])


def _rename(id: str, prefix: str, used: dict[str, str]) -> str:
    return used.setdefault(id, f"{prefix}-{len(used)}")
