"""Files and folders that appear complete or not at all: each is written beside its final path and moved there."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


def partial_path(path: Path) -> Path:
    """The path of a file or folder while it is being written."""
    return path.with_name(path.name + ".partial")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; its file replaces `path` when the block ends without an error.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp(), "out", "scores.json")
    >>> with atomic_file(target) as partial:
    ...     _ = partial.write_text("{}")
    ...     target.exists()
    False
    >>> [each.name for each in target.parent.iterdir()]
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
    """Yield a folder to write into; its files move to `path` when the block ends without an error.

    Other files in `path` stay, and a folder without files is not created. Files of the top level are moved last, so an
    annotations file appears only after the images beside it.

    Args:
        path: the folder.
        whole: reject files of an earlier run among the new ones.

    Raises:
        ValueError: `whole`, and `path` holds a file that the block has not written.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp(), "masks")
    >>> with atomic_folder(target) as partial:
    ...     _ = Path(partial, "a.png").write_bytes(b"")
    ...     target.exists()
    False
    >>> [each.name for each in target.iterdir()]
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
                f"{path}: expected no other files than those written now, found {len(others)} more, such as "
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
    """Delay Ctrl-C until the block is done."""
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
