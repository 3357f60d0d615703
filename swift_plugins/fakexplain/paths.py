"""Paths: check for a file or folder, list the files below a folder, resolve links."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from operator import attrgetter
from pathlib import Path

from .errors import DataError, Unquoted


def check_is_file(path: Path, what: str) -> None:
    """Check that a path is a regular file, which can be read more than once and has an end.

    Raises:
        FileNotFoundError: it is something else or does not exist.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected {what}, found {file_kind(path)}")


def check_is_regular(path: Path) -> None:
    """Check that a path that exists is a regular file; opening a pipe would wait for its writer.

    Raises:
        DataError: it is a folder, a pipe, a device or a socket.
    """
    if (kind := file_kind(path)) not in (A_FILE, NO_FILE):
        raise DataError("a regular file", Unquoted(kind)).at(str(path), 0)


def check_is_folder(path: Path, what: str) -> None:
    """Check that a path is a folder.

    Raises:
        FileNotFoundError: it is a file or does not exist.
    """
    if not path.is_dir():
        found = file_kind(path)
        raise FileNotFoundError(f"{path}: expected {what}, found {'no such folder' if found == NO_FILE else found}")


def check_exists(path: Path, what: str) -> None:
    """Check that a path is a regular file or a folder.

    Raises:
        FileNotFoundError: it is neither.
    """
    if not (path.is_file() or path.is_dir()):
        raise FileNotFoundError(f"{path}: expected {what}, found {file_kind(path)}")


A_FILE, A_FOLDER, NO_FILE, CIRCLE = "a file", "a folder", "no such file", "links in a circle"
_KINDS = {
    stat.S_IFREG: A_FILE,
    stat.S_IFDIR: A_FOLDER,
    stat.S_IFIFO: "a pipe, which is not a regular file",
    stat.S_IFCHR: "a device, which is not a regular file",
    stat.S_IFBLK: "a device, which is not a regular file",
    stat.S_IFSOCK: "a socket, which is not a regular file",
}


NOT_REGULAR = frozenset({*_KINDS.values()} - {A_FILE, A_FOLDER})
"""Kinds of a pipe, a device and a socket."""


def file_kind(path: str | Path) -> str:
    """What a path leads to, in words for an error.

    >>> file_kind("/"), file_kind("/no/such"), file_kind("/dev/null")
    ('a folder', 'no such file', 'a device, which is not a regular file')
    """
    try:
        return _KINDS[stat.S_IFMT(os.stat(path).st_mode)]  # noqa: PTH116  (called for every image)
    except OSError as error:
        words = {errno.ELOOP: CIRCLE, errno.ENOENT: NO_FILE, errno.ENOTDIR: NO_FILE}
        return words.get(error.errno or 0) or error.strerror or str(error)
    except ValueError:
        return "a path with a NUL character"


def real_path(path: str | Path) -> Path:
    """A path without links; unlike `Path.resolve`, links in a circle are no error."""
    return Path(os.path.realpath(path))


def files_below(
    folder: Path, skip: Collection[Path] = (), on_outside: Callable[[Path], None] | None = None
) -> Iterator[Path]:
    """Yield the files below a folder, sorted by name within each folder; follow links and skip hidden entries.

    Everything that is no folder is yielded, also a pipe, a device, a socket or a link that leads nowhere, so that
    whoever opens it reports it (`check_is_regular`).

    Args:
        folder: the folder to start at.
        skip: folders that are not entered.
        on_outside: called with each link that leads out of the folder, which is then not followed; by default all
            links are followed.
    """

    def walk(current: Path, above: frozenset[Path]) -> Iterator[Path]:
        real = real_path(current)
        if real in above or real in skipped:  # a link may lead up
            return
        for entry in sorted(os.scandir(current), key=attrgetter("name")):
            if entry.name.startswith("."):
                continue
            kind = file_kind(current / entry.name) if entry.is_symlink() else None
            if kind and on_outside is not None and not real_path(current / entry.name).is_relative_to(root):
                on_outside(current / entry.name)
                continue
            if kind == A_FOLDER or (not kind and entry.is_dir()):
                yield from walk(current / entry.name, above | {real})
            else:
                yield current / entry.name

    root, skipped = real_path(folder), set(map(real_path, skip))
    yield from walk(folder, frozenset())


@lru_cache(maxsize=1024)
def resolve_folder(folder: Path) -> Path:
    """A folder's path without links, cached."""
    return real_path(folder)


def path_from(folder: Path, path: Path) -> str:
    """The path from a folder to a file, with slashes; links in both folders are resolved, a link to the file is not."""
    way = _way(path.parent, folder)
    return path.name if way == "." else f"{way}/{path.name}"


@lru_cache(maxsize=1024)  # many files share a folder
def _way(start: Path, end: Path) -> str:
    return os.path.relpath(resolve_folder(start), resolve_folder(end)).replace(os.sep, "/")
