"""Paths: check for a file or folder, list the files below a folder, resolve links."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from functools import lru_cache
from operator import attrgetter
from pathlib import Path


def check_is_file(path: Path, what: str) -> None:
    """Check that a path is a file.

    Raises:
        FileNotFoundError: it is a folder or does not exist.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected {what}, found {'a folder' if path.is_dir() else 'no such file'}")


def check_is_folder(path: Path, what: str) -> None:
    """Check that a path is a folder.

    Raises:
        FileNotFoundError: it is a file or does not exist.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: expected {what}, found {'a file' if path.exists() else 'no such folder'}")


def check_exists(path: Path, what: str) -> None:
    """Check that a path is a file or a folder.

    Raises:
        FileNotFoundError: it is neither.
    """
    if not (path.is_file() or path.is_dir()):
        raise FileNotFoundError(f"{path}: expected {what}, found no such file")


def files_below(folder: Path, skip: Collection[Path] = ()) -> Iterator[Path]:
    """Yield the files below a folder, sorted by name within each folder; follow links and skip hidden entries.

    Args:
        folder: the folder to start at.
        skip: folders that are not entered.
    """

    def walk(current: Path, above: frozenset[Path]) -> Iterator[Path]:
        real = current.resolve()
        if real in above or real in skipped:  # a link may lead up
            return
        for entry in sorted(os.scandir(current), key=attrgetter("name")):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from walk(current / entry.name, above | {real})
            elif entry.is_file():
                yield current / entry.name

    skipped = {path.resolve() for path in skip}
    yield from walk(folder, frozenset())


@lru_cache(maxsize=1024)
def resolve_folder(folder: Path) -> Path:
    """A folder's path without links, cached."""
    return folder.resolve()
