"""`fakexplain`: the command line. It parses and prints only; other modules, imported where they are used, do the work.

This file only starts and ends a command. It imports almost nothing, so that Ctrl-C prints one line and no traceback
from the first moment on. `main` imports the commands themselves, through `commands`.
"""

import signal  # first: see `main`

# isort: split
import os
import sys
import time
from collections.abc import Callable
from typing import Any

INTERRUPTED = 130
_MESSAGE = "error: interrupted; no partial output was left behind\n"
CLEANUP_SECONDS = 5.0

_DISTRIBUTIONS = {
    "gradio": "'fakexplain-swift[app]'",
    "PIL": "pillow",
    "swift": "ms-swift",
    "vllm": "'fakexplain-swift[gpu]'",
}
"""Import name -> what to install, where the two differ."""


def main() -> None:
    """Run the command line and print one line for Ctrl-C, a missing package, or bad data.

    While modules load, nothing is written yet, so Ctrl-C exits at once. While a command runs, Ctrl-C raises
    `KeyboardInterrupt`, and the command removes its partial output. After its end, or
    if the shell makes a background command ignore Ctrl-C, it is ignored.

    Raises:
        SystemExit: exit codes 1 (bad data or a missing package), 2 (bad usage) and 130 (Ctrl-C).
    """
    heed_interrupts = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    interrupted: list[float] = []
    if heed_interrupts:
        signal.signal(signal.SIGINT, _exit_at_once)
    try:
        from .commands import run

        if heed_interrupts:
            signal.signal(signal.SIGINT, _raise_once(interrupted))
        run()
    except BaseException as error:
        # libraries may turn a KeyboardInterrupt into an error of their own
        if isinstance(error, KeyboardInterrupt) or (interrupted and not isinstance(error, SystemExit)):
            _end_interrupted()
        if isinstance(error, SystemExit) and error.code == INTERRUPTED:  # Typer's code for a KeyboardInterrupt
            _end_interrupted()
        if isinstance(error, ModuleNotFoundError) and error.name:
            _end_without(error.name.partition(".")[0])
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the output is complete; threads and Python itself end


def _exit_at_once(*_: object) -> None:
    os.write(2, _MESSAGE.encode())
    os._exit(INTERRUPTED)


def _raise_once(interrupted: list[float]) -> Callable[..., Any]:
    """Return a handler that records and raises Ctrl-C, and ignores others for some seconds so that cleanup can end."""

    def handle(*_: object) -> None:
        now = time.monotonic()
        if not interrupted or now - interrupted[-1] > CLEANUP_SECONDS:
            interrupted.append(now)
            raise KeyboardInterrupt

    return handle


def _end_interrupted() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exec("")  # clears Python's note of a Ctrl-C inside an `exec`, which would override the exit code of `python -m`
    from .app import after_interrupt

    sys.stderr.write(f"error: interrupted; {after_interrupt[0]}\n")
    raise SystemExit(INTERRUPTED) from None


def _end_without(package: str) -> None:
    if package in ("swift_plugins", "converters"):
        return
    distribution = _DISTRIBUTIONS.get(package, package.replace("_", "-"))
    sys.stderr.write(f"error: the package {package} is not installed; pip install {distribution}\n")
    raise SystemExit(1) from None
