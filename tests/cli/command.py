"""The command line: in this process (`fakexplain`), in one of its own (`fakexplain_process`), in a fork (`forked`)."""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIGINT, getsignal, signal
from unittest.mock import patch

from rich.console import Console

from tests.conftest import heed_interrupts

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


IMPORTED = ("converters.convert", "matplotlib.pyplot", "sacrebleu", "swift_plugins.fakexplain.cli.commands")
"""What starts of commands spend their time on."""


def forked(*args, errors: Path) -> BaseProcess:
    """Start the command in a fork of a process that has imported all it needs, once for all forks.

    That process is none of pytest's, so it hashes strings in an order of its own. Of the output, stderr goes to a file.
    """
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(list(IMPORTED))
    process = server.Process(target=run_forked, args=([*map(str, args)], str(errors)))
    process.start()
    return process


def run_forked(words: list[str], errors: str) -> None:
    """What a fork runs."""
    heed_interrupts()
    for path, stream in ((os.devnull, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), stream)
    sys.argv = ["fakexplain", *words]
    sys.exit(run_main())


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
