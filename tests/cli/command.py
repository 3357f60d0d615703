"""The command line: `fakexplain` runs it in this process, `fakexplain_process` in one of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from signal import SIGINT, getsignal, signal
from unittest.mock import patch

from rich.console import Console

CODE = "import sys; from swift_plugins.fakexplain.cli import main; sys.argv[0] = 'fakexplain'; main()"
COMMAND = (sys.executable, "-c", CODE)


def fakexplain_process(*args, **env) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell does: in a fresh Python, with pipes for its output.

    Args:
        args: the words of the command line after `fakexplain`.
        env: variables to add to the environment.
    """
    command = [*COMMAND, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | env, check=False)


def fakexplain(*args, **env) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, with the arguments and the result of `fakexplain_process`.

    Saves the start of Python, most of the time of a short command. The argument list, the environment, the streams, the
    interrupt handler and the warnings are the command's own and are put back when it ends; a folder that it leaves
    behind fails the test.
    """
    words = ["fakexplain", *map(str, args)]
    streams = Stream(), Stream()
    before, handler = Path.cwd(), getsignal(SIGINT)
    with (
        patch.object(sys, "argv", words),
        patch.dict(os.environ, env),
        patch.object(Console, "_environ", os.environ),  # rich keeps the object, which `datasets` replaces
        warnings_on_stderr(),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
    ):
        code = run_main()
    signal(SIGINT, handler)
    assert Path.cwd() == before
    return subprocess.CompletedProcess(words, code, *(stream.text() for stream in streams))


class Stream(io.TextIOWrapper):
    """Output in memory: no terminal, and readable after it is closed."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="", write_through=True)
        self.close = self.flush  # type: ignore[method-assign]

    def text(self) -> str:
        """Everything written, with universal newlines as `subprocess` reads them."""
        self.flush()
        return self.buffer.getvalue().decode().replace("\r\n", "\n").replace("\r", "\n")  # type: ignore[attr-defined]


def run_main() -> int:
    """Call `main`; return the exit code that Python would end with, after printing what Python would print."""
    from swift_plugins.fakexplain.cli import main

    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Python's own filters, and warnings printed, not collected by pytest."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        warnings.showwarning = print_warning
        yield


def print_warning(message, category, filename, lineno, file=None, line=None) -> None:
    sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))
