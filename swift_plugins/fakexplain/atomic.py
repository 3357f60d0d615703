"""Files and folders that appear complete or not at all: each is written beside its final path and moved there.

Output is written in a hidden folder of its own, `.NAME.RANDOM.partial`, beside the final path. The folder's file `lock`
is our mark: it names the output and is locked while the run lives. So nothing of the user's is ever taken for partial
output, the remains of a killed run are removed by the next one, and two runs never write one output at once.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from .paths import real_path

if sys.platform != "win32":
    import fcntl

DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""Codes of errors that end a run, whatever it was writing: the disk is full, or cannot be written."""
_claimed: set[Path] = set()
_LOCK = "lock"


class InUseError(OSError):
    """Another run is writing the same output, or has written it meanwhile."""


def partial_path(path: Path) -> Path:
    """A path for a file or folder while it is being written, in a folder that does not exist yet; new at each call."""
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}.partial") / path.name


def _mark(path: Path) -> bytes:
    return b"Partial output of fakexplain, safe to delete once it has ended: " + os.fsencode(path.name) + b"\n"


def check_not_in_use(path: Path) -> None:
    """Check that no other run is writing an output.

    Raises:
        InUseError: one is.
    """
    path = _named(path)
    if any(_state(each) == "in use" for each in _partials_of(path)):
        raise InUseError(f"{path}: another run is writing it; wait until it ends, or choose another path")


def claim(path: Path, *, overwrite: bool) -> None:
    """Say whether this run may overwrite an output, which another run may write after this one has checked its path.

    Args:
        path: the file or folder.
        overwrite: if not, the output appears only where nothing, or an empty folder, is; without a claim it may
            overwrite.
    """
    if overwrite:
        _claimed.discard(real_path(path))
    else:
        _claimed.add(real_path(path))


def _check_claim(path: Path) -> None:
    """Check that nothing is where an output of this run is to appear; to be called while no other run may publish.

    Raises:
        InUseError: a file or folder is.
    """
    if real_path(path) in _claimed and os.path.lexists(path) and not (path.is_dir() and not any(path.iterdir())):
        raise InUseError(f"{path}: another run has written it meanwhile; --force overwrites it")


@contextmanager
def _publishing(path: Path) -> Iterator[None]:
    """Let one run at a time move its output to a folder, and none move it over that of another."""
    with defer_interrupts(), _alone_in(path.parent):
        _check_claim(path)
        yield
        _claimed.discard(real_path(path))


def _partials_of(path: Path) -> list[Path]:
    """Folders with partial output of a path, of this and of other runs."""
    if not path.parent.is_dir():
        return []
    with os.scandir(path.parent) as entries:
        names = [each.name for each in entries if each.name.startswith(".") and each.name.endswith(".partial")]
    return [folder for folder in map(path.parent.joinpath, names) if _is_marked(folder, path)]


def _named(path: Path) -> Path:
    """The path, or for `.` and `..`, which have no name, the path without links."""
    return path if path.name not in ("", "..") else real_path(path)


def _is_marked(folder: Path, path: Path) -> bool:
    """Whether a folder holds partial output of this path."""
    mark, lock = _mark(path), folder / _LOCK
    with suppress(OSError):
        return lock.is_file() and lock.stat().st_size == len(mark) and lock.read_bytes() == mark
    return False


def _state(folder: Path) -> str:
    """Whether partial output is `in use`, `abandoned` by a run that was killed, or `unknown` (no locks here)."""
    with suppress(OSError), open(folder / _LOCK, "rb+") as file:
        try:
            return "abandoned" if _lock(file.fileno(), wait=False) else "unknown"
        except BlockingIOError:
            return "in use"
    return "unknown"


def _lock(descriptor: int, *, wait: bool = True) -> bool:
    """Lock a file or folder until it is closed; False where the file system has no locks.

    Raises:
        BlockingIOError: it is locked, and `wait` is not set.
    """
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def try_lock(descriptor: int) -> bool:
    """Lock a file until it is closed; False if another run has it locked. Where there are no locks, it is free."""
    try:
        _lock(descriptor, wait=False)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let one run at a time into the block; others wait for the milliseconds that it takes."""
    descriptor = os.open(folder, os.O_RDONLY) if sys.platform != "win32" else None
    try:
        if descriptor is not None:
            _lock(descriptor)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """Yield a path to write to, in a folder that is removed at the end.

    Raises:
        InUseError: another run is writing to the same path.
        OSError: the disk is full; names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    folder, lock = partial.parent, -1
    try:
        with defer_interrupts(), _alone_in(path.parent):
            check_not_in_use(path)
            _check_claim(path)
            for each in _partials_of(path):
                if _state(each) == "abandoned":
                    _remove(each)
            folder.mkdir()
            lock = os.open(folder / _LOCK, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            _lock(lock)
            os.write(lock, _mark(path))
        yield partial
    except OSError as error:
        if error.errno in DISK_ERRORS or error.filename == str(folder):  # a failed write does not name its file
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        with defer_interrupts():
            _remove(folder)
            if lock >= 0:
                os.close(lock)


def _remove(folder: Path) -> None:
    """Remove partial output, its mark last."""
    if folder.is_dir():
        for each in folder.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each, ignore_errors=True)
            elif each.name != _LOCK:
                each.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; its file replaces `path` when the block ends without an error.

    Raises:
        InUseError: another run is writing to `path`, or has written it since this one claimed it.
        OSError: the disk is full; names `path`.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp(), "out", "scores.json")
    >>> with atomic_file(target) as partial:
    ...     _ = partial.write_text("{}")
    ...     target.exists()
    False
    >>> [each.name for each in target.parent.iterdir()]
    ['scores.json']
    """
    path = _named(Path(path))
    with _partial(path) as partial:
        yield partial
        with _publishing(path):
            partial.replace(path)


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
        InUseError: another run is writing to `path`, or has written it since this one claimed it.
        OSError: the disk is full; names `path`.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp(), "masks")
    >>> with atomic_folder(target) as partial:
    ...     _ = Path(partial, "a.png").write_bytes(b"")
    ...     target.exists()
    False
    >>> [each.name for each in target.iterdir()]
    ['a.png']
    """
    path = _named(Path(path))
    with _partial(path) as partial:
        partial.mkdir()
        yield partial
        written = _files(partial)
        if whole and (others := _files(path) - written):
            raise ValueError(
                f"{path}: expected no other files than those written now, found {len(others)} more, such as "
                f"{min(others)}; remove the folder first"
            )
        with _publishing(path):
            if written and not path.is_symlink() and not (path.exists() and any(path.iterdir())):
                partial.replace(path)
                return
            for each in sorted(written, key=lambda each: (-len(each.parts), each)):
                (path / each).parent.mkdir(parents=True, exist_ok=True)
                (partial / each).replace(path / each)


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
