"""Arguments that name files: NAME=FILE."""

from __future__ import annotations

from pathlib import Path

import typer


def split_name(argument: str) -> tuple[str | None, str]:
    """Name and file of NAME=FILE; no name for FILE alone.

    Either may contain `=`, as in `GRPO ω_G=1=out.jsonl`: of several readings, the one whose file exists; else the
    shortest name.
    """
    if "=" not in argument or Path(argument).exists():
        return None, argument
    splits = [(argument[:index], argument[index + 1 :]) for index, sign in enumerate(argument) if sign == "="]
    return next((split for split in splits if split[1] and Path(split[1]).exists()), splits[0])


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
        name, path = split_name(argument)
        if name is None:
            name = Path(argument).stem
            unnamed.add(name)
        if not name or not path:
            raise typer.BadParameter(f"expected FILE or NAME=FILE, found {argument!r}", param_hint=option)
        named.setdefault(name, []).append(Path(path))
    for name in unnamed:
        if len(named[name]) > 1:
            raise typer.BadParameter(f"two files are called {name}; write NAME=FILE", param_hint=option)
    return named
