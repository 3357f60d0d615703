"""Jinja templates of the pages and cards that commands write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


def load_template(path: Path, filters: Mapping[str, Callable[..., Any]] | None = None) -> Template:
    """Read a template. In an `.html` file every value is escaped as text; a name without a value is an error.

    Args:
        path: the file.
        filters: further filters.
    """
    from jinja2 import Environment, StrictUndefined

    html = path.suffix == ".html"
    environment = Environment(autoescape=html, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= filters or {}
    return environment.from_string(path.read_text(encoding="utf-8"))
