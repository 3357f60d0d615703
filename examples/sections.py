"""Sections of a Markdown page that a command writes: between two comments, the first of which names the command."""

from __future__ import annotations

from pathlib import Path


def with_section(page: str, name: str, text: str) -> str:
    """The page with the contents of a section replaced.

    Args:
        page: Markdown.
        name: the words in the section's comments.
        text: new contents.

    Raises:
        ValueError: the page has no such section, or two.

    >>> print(with_section("<!-- a -->old<!-- end of a -->", "a", "new"))
    <!-- a -->
    <BLANKLINE>
    new
    <!-- end of a -->
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"expected one {begin} and one {end}")
    return page[: page.index(begin)] + f"{begin}\n\n{text}\n{end}" + page[page.index(end) + len(end) :]


def replace_section(path: Path, name: str, text: str) -> None:
    """Rewrite a page with the contents of a section replaced.

    Raises:
        ValueError: the page has no such section, or two.
    """
    path.write_text(with_section(path.read_text(encoding="utf-8"), name, text), encoding="utf-8")
