"""Render the report as one HTML page: headline metrics, sections, and a gallery drawn by one script; no network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...answer import PROBLEMS
from ...page_templates import load_template
from ...percentages import percent
from ...tags import TAG_WORDS
from .gallery import Gallery


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading of its own.

    Attributes:
        id: the target of links to it; unique on the page, and not `gallery`.
        title: its heading.
        html: its content, inserted without escaping: tables of `render.to_html`, figures as SVG.
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
    """Render the page.

    Args:
        title: its heading.
        summary: system -> its result, as in a run; the page's head shows `n`, `accuracy`, `iou` and `intervals`.
        sections: parts of the page, in order; each has an entry in the table of contents.
        gallery: shown last, unless it is None or has no images; it starts with the most accurate system.
        about: a sentence or two below the heading.

    Returns:
        HTML that needs no other file. Every argument except the sections' HTML is escaped as text.
    """
    from markupsafe import Markup

    page = load_template(_beside(".html"), {"markup": Markup, "twice": lambda name: (name, name)})
    style, script = (_beside(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    shown = gallery if gallery and gallery.images else None
    best = max(shown.systems, key=lambda name: summary.get(name, {}).get("accuracy") or 0, default="") if shown else ""
    return page.render(
        percent=percent,
        ratio=ratio,
        title=title,
        about=about,
        summary=summary,
        sections=sections,
        gallery=shown,
        best=best,
        data=to_script_json({"images": shown.images, "tags": TAG_WORDS, "problems": PROBLEMS}) if shown else "",
        generators=sorted({image["generator"] for image in shown.images} - {None}) if shown else (),
        tags=TAG_WORDS,
        style=style,
        script=script,
        script_hash=hash_source(script),
    )


def _beside(suffix: str) -> Path:
    return Path(__file__).with_name("report" + suffix)


def hash_source(script: str) -> str:
    """Compute the hash that a content security policy uses to allow a script.

    >>> hash_source("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def to_script_json(value: object) -> str:
    r"""Convert a value to JSON in which no text can end the script element around it.

    >>> to_script_json({"caption": "</script>"})
    '{"caption":"\\u003c/script>"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def ratio(share: float) -> str:
    """Format a share as the paper prints IoU.

    >>> ratio(0.36)
    '0.360'
    """
    return f"{share:.3f}"
