"""Files and folders that appear whole or not at all: each is written beside its place and moved there."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


def partial_path(path: Path) -> Path:
    """Where a file or folder is written until it takes its place."""
    return path.with_name(path.name + ".partial")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """A path to write to, whose file takes the place of `path` once the block ends without an error.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp(), "out", "scores.json")
    >>> with atomic_file(place) as partial:
    ...     _ = partial.write_text("{}")
    ...     place.exists()
    False
    >>> [each.name for each in place.parent.iterdir()]
    ['scores.json']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path, *, whole: bool = False) -> Iterator[Path]:
    """A folder to write into, whose files take their places in `path` once the block ends without an error.

    What else lies in `path` stays, and a folder without a file is not made. The files of the top level are moved last:
    an annotations file is there only once the images beside it are.

    Args:
        path: the folder.
        whole: refuse to leave files of an earlier run among the new ones.

    Raises:
        ValueError: `whole`, and a file lies in `path` that the block has not written.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp(), "masks")
    >>> with atomic_folder(place) as partial:
    ...     _ = Path(partial, "a.png").write_bytes(b"")
    ...     place.exists()
    False
    >>> [each.name for each in place.iterdir()]
    ['a.png']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    if partial.is_dir():
        shutil.rmtree(partial)  # left by a run that was killed
    try:
        partial.mkdir()
        yield partial
        written = _files(partial)
        if whole and (others := _files(path) - written):
            raise ValueError(
                f"{path}: expected no files but those that are written, found {len(others)} more, such as "
                f"{min(others)}; remove the folder first"
            )
        with defer_interrupts():
            if written and not path.is_symlink() and not (path.exists() and any(path.iterdir())):
                partial.replace(path)
                return
            for each in sorted(written, key=lambda each: (-len(each.parts), each)):
                (path / each).parent.mkdir(parents=True, exist_ok=True)
                (partial / each).replace(path / each)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _files(folder: Path) -> set[Path]:
    return {each.relative_to(folder) for each in folder.rglob("*") if not each.is_dir()}


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """A block that Ctrl-C does not end in its middle: it waits until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []
    handler = signal.signal(signal.SIGINT, lambda *args: waiting.append(args))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if waiting and callable(handler):
            handler(*waiting[0])
