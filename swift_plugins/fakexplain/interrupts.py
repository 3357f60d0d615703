"""Ctrl-C that waits for a moment.

Python raises KeyboardInterrupt between any two steps of the main thread, also between taking a lock and the block that
gives it back. A worker thread that needs such a lock then waits forever, and so does whoever waits for the worker.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Within, Ctrl-C is only noted; the handler that was set is called at the end. For moments, not for long waits.

    Does nothing in other threads, which no Ctrl-C reaches, or where no handler of Python's is set.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    noted: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda *args: noted.append(args))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if noted:
            handler(*noted[0])
