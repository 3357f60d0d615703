"""Paths: is there a file, what lies below a folder, where does a link lead."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from functools import lru_cache
from operator import attrgetter
from pathlib import Path


def check_is_file(path: Path, what: str) -> None:
    """Refuse a path that is no file.

    Raises:
        FileNotFoundError: what was expected there, and whether there is a folder or nothing.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected {what}, found {'a folder' if path.is_dir() else 'no such file'}")


def files_below(folder: Path, skip: Collection[Path] = ()) -> Iterator[Path]:
    """Files below a folder, each folder's entries in order; links are followed, hidden ones passed over.

    Args:
        folder: where to begin.
        skip: folders that are not entered.
    """

    def walk(here: Path, above: frozenset[Path]) -> Iterator[Path]:
        real = here.resolve()
        if real in above or real in without:  # a link may lead up
            return
        for entry in sorted(os.scandir(here), key=attrgetter("name")):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from walk(here / entry.name, above | {real})
            elif entry.is_file():
                yield here / entry.name

    without = {path.resolve() for path in skip}
    yield from walk(folder, frozenset())


@lru_cache(maxsize=1024)
def resolve_folder(folder: Path) -> Path:
    """A folder's own path, without links; the last ones are remembered."""
    return folder.resolve()
