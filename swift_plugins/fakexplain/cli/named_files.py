"""Arguments that name files: NAME=FILE."""

from __future__ import annotations

from pathlib import Path

import typer


def parse_named_files(arguments: list[str], option: str) -> dict[str, list[Path]]:
    """Name -> files of arguments NAME=FILE, or FILE alone, which is named after its stem.

    Several NAME=FILE of one name are joined.

    Args:
        arguments: as typed.
        option: the option they belong to, for the error.

    Raises:
        typer.BadParameter: two files without a name have the same stem, or a name or a path is empty.
    """
    named: dict[str, list[Path]] = {}
    unnamed = set()
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals or Path(argument).exists():
            name, path = Path(argument).stem, argument
            unnamed.add(name)
        if not name or not path:
            raise typer.BadParameter(f"expected FILE or NAME=FILE, found {argument!r}", param_hint=option)
        named.setdefault(name, []).append(Path(path))
    for name in unnamed:
        if len(named[name]) > 1:
            raise typer.BadParameter(f"two files are called {name}; write NAME=FILE", param_hint=option)
    return named
