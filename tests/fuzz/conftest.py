"""A test here draws its input from a seed, again and again until its time is over."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import count

import pytest


@pytest.fixture(autouse=True)
def _without_time_limit(request: pytest.FixtureRequest) -> None:
    request.node.add_marker(pytest.mark.timeout(0))


@pytest.fixture
def fuzz(pytestconfig: pytest.Config) -> Callable[[Callable[[random.Random], None]], None]:
    """Call a check with one random generator after another, each seeded with one more than the last."""

    def rounds(check: Callable[[random.Random], None]) -> None:
        end = time.monotonic() + pytestconfig.getoption("fuzz_seconds")
        for seed in count(pytestconfig.getoption("fuzz_seed")):
            try:
                check(random.Random(seed))
            except BaseException:
                print(f"fails again with: --fuzz-seed {seed} --fuzz-seconds 0")
                raise
            if time.monotonic() >= end:
                print(f"{seed - pytestconfig.getoption('fuzz_seed') + 1} rounds")
                return

    return rounds
