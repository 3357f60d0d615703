"""Work on all cores: in order, with errors in turn, and without a deadlock wherever Ctrl-C strikes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from swift_plugins.fakexplain.interrupts import hold_interrupts
from swift_plugins.fakexplain.parallel import map_ordered


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """A shell that runs the tests in the background has them ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_error_is_raised_in_its_items_turn():
    found = []
    with pytest.raises(ZeroDivisionError):
        found.extend(map_ordered(lambda item: 1 / item, [1, 2, 0, 4], threads=2))
    assert found == [1, 0.5]


def test_few_items_are_read_ahead():
    read = []
    results = map_ordered(abs, (read.append(item) or item for item in range(100)), threads=2)
    assert next(results) == 0
    assert len(read) == 9
    results.close()


def test_an_interrupt_within_is_raised_at_the_end():
    steps = []

    def work() -> None:
        with hold_interrupts():
            signal.raise_signal(signal.SIGINT)
            steps.append("goes on")
        steps.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["goes on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_interrupt_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with hold_interrupts():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_may_hold_too():
    done = []

    def work() -> None:
        with hold_interrupts():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


STRUCK = """
import signal, sys, threading
from swift_plugins.fakexplain.parallel import map_ordered

stage, count = sys.argv[1], 0

def trace(frame, event, _):
    # the moment after a lock is taken, and before the block that gives it back
    global count
    if event == "call":
        return trace if frame.f_code.co_name == "__enter__" and "threading" in frame.f_code.co_filename else None
    if event == "return":
        count += 1
        if count == int(stage):
            signal.raise_signal(signal.SIGINT)
    return trace

signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    sys.settrace(trace)
    for _ in map_ordered(abs, range(40), threads=2):
        pass
except KeyboardInterrupt:
    print("interrupted")
sys.settrace(None)
"""


@pytest.mark.parametrize("moment", [1, 2, 5, 20])
def test_an_interrupt_that_strikes_beside_a_lock_ends_everything(moment):
    """Without holding it, the lock would stay taken, and the workers' end would be waited for forever."""
    done = subprocess.run(
        [sys.executable, "-c", STRUCK, str(moment)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_an_interrupt_while_it_waits_is_raised_at_once():
    def interrupt() -> None:
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(map_ordered(lambda _: time.sleep(0.5), [1], threads=1))
    assert time.monotonic() - start < 5
