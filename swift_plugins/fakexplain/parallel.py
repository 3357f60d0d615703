"""One function over many images on all cores, in order and in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from .errors import DataError, OnError

T = TypeVar("T")
R = TypeVar("R")


def count_cores() -> int:
    """Processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ordered(function: Callable[[T], R], items: Iterable[T], threads: int | None = None) -> Generator[R, None, None]:
    """Results of a function, in the order of the items; no more than a few items a core are taken ahead.

    Threads, not processes: Pillow holds no lock while it decodes, resizes or encodes. What the function raises is
    raised here, in the item's turn.

    >>> list(map_ordered(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    threads = threads or count_cores()
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > 4 * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def map_good(
    function: Callable[[T], R], items: Iterable[T], on_error: OnError, threads: int | None = None
) -> Generator[R, None, None]:
    """Results of a function as `map_ordered` gives them, without the items on which it raised a `DataError`.

    Args:
        function: called with each item.
        items: in their order.
        on_error: called with each error in its item's turn.
        threads: at most so many at once; by default one per core.
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
