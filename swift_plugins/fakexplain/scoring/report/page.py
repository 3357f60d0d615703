"""A report as one HTML page: key figures, sections, and a gallery that one script draws; no network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...answer import PROBLEMS
from ...tags import TAG_WORDS
from .gallery import Gallery


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading of its own.

    Attributes:
        id: what a link to it names; unique on the page, and not `gallery`.
        title: its heading.
        html: what it shows, which is trusted: tables of `typeset.to_html`, plots as SVG.
        note: a sentence or two below the heading.
    """

    id: str
    title: str
    html: str
    note: str = ""


def render_report(
    title: str,
    summary: Mapping[str, Mapping[str, Any]],
    sections: Sequence[Section],
    gallery: Gallery | None,
    *,
    about: str = "",
) -> str:
    """The page.

    Args:
        title: its heading.
        summary: system -> its result, as a run holds it; `n`, `accuracy`, `iou` and `intervals` are shown at the head.
        sections: in their order; each has a line in the table of contents.
        gallery: shown last, unless it is None or holds no image; it begins with the most accurate system.
        about: a sentence or two below the heading.

    Returns:
        HTML that needs nothing else; apart from the sections' own, whatever it is given is text in it.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"markup": Markup, "twice": lambda name: (name, name)}
    page, style, script = (_beside(suffix) for suffix in (".html", ".css", ".js"))
    shown = gallery if gallery and gallery.images else None
    best = max(shown.systems, key=lambda name: summary.get(name, {}).get("accuracy") or 0, default="") if shown else ""
    return environment.from_string(page).render(
        percent=percent,
        ratio=ratio,
        title=title,
        about=about,
        summary=summary,
        sections=sections,
        gallery=shown,
        best=best,
        data=in_script({"images": shown.images, "tags": TAG_WORDS, "problems": PROBLEMS}) if shown else "",
        generators=sorted({image["generator"] for image in shown.images} - {None}) if shown else (),
        tags=TAG_WORDS,
        style=style,
        script=script,
        script_hash=source_hash(script),
    )


def _beside(suffix: str) -> str:
    return Path(__file__).with_name("report" + suffix).read_text(encoding="utf-8")


def source_hash(script: str) -> str:
    """What a content security policy calls a script.

    >>> source_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def in_script(value: object) -> str:
    r"""JSON that no text in it can end the script element of.

    >>> in_script({"caption": "</script>"})
    '{"caption":"\\u003c/script>"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def percent(share: float) -> str:
    """A share in words.

    >>> percent(0.98234)
    '98.2 %'
    """
    return f"{100 * share:.1f} %"


def ratio(share: float) -> str:
    """A share as the paper writes IoUs.

    >>> ratio(0.36)
    '0.360'
    """
    return f"{share:.3f}"
