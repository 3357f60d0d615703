"""Apply a function to many images on all cores, in order and in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import SimpleQueue
from typing import Any, TypeVar

from .errors import DataError, OnError
from .interrupts import hold_interrupts

T = TypeVar("T")
R = TypeVar("R")


def count_cores() -> int:
    """Processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ordered(function: Callable[[T], R], items: Iterable[T], threads: int | None = None) -> Generator[R, None, None]:
    """Yield the results of a function in the order of the items; read at most a few items per core ahead.

    Threads, not processes, because Pillow holds no lock while it decodes, resizes or encodes. Errors of the function
    are raised here in the item's turn.

    >>> list(map_ordered(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    threads = threads or count_cores()
    pending: deque[SimpleQueue[tuple[R | None, BaseException | None]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            pending.append(SimpleQueue())
            with hold_interrupts():
                pool.submit(_put_result, pending[-1], function, item)
            if len(pending) > 4 * threads:
                yield _take_result(pending.popleft())
        while pending:
            yield _take_result(pending.popleft())
    finally:
        with hold_interrupts():
            pool.shutdown(cancel_futures=True)


def _put_result(queue: SimpleQueue[Any], function: Callable[[T], R], item: T) -> None:
    try:
        queue.put((function(item), None))
    except BaseException as error:
        queue.put((None, error))


def _take_result(queue: SimpleQueue[Any]) -> Any:
    """Wait for a result. A simple queue, unlike a future, holds no lock that Ctrl-C could leave taken."""
    result, error = queue.get()
    if error is not None:
        raise error
    return result


def map_good(
    function: Callable[[T], R], items: Iterable[T], on_error: OnError, threads: int | None = None
) -> Generator[R, None, None]:
    """Yield results as `map_ordered` does, and skip items for which the function raises a `DataError`.

    Args:
        function: called with each item.
        items: in their order.
        on_error: called with each error in its item's turn.
        threads: maximum number of threads; default: one per core.
    """

    def attempt(item: T) -> R | DataError:
        try:
            return function(item)
        except DataError as error:
            return error

    with closing(map_ordered(attempt, items, threads)) as results:
        for result in results:
            if isinstance(result, DataError):
                on_error(result)
            else:
                yield result
