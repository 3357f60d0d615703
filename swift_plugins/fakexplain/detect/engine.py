"""What answers: a local model or a server, behind one interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..completions import Completion
from ..errors import DataError

TOP_LOGPROBS = 20
"""Likeliest tokens that are asked for in each place: the most that servers give."""


class Engine(Protocol):
    """Answers images in batches, always with the likeliest tokens."""

    def answer(self, images: Sequence[Any], temperature: float = 0.0, /) -> list[Completion | DataError]:
        """Answer images (`PIL.Image.Image`, RGB, in the size that is sent), in order; greedily at temperature 0.

        A `DataError` in place of a completion says why the model did not take that image.

        Raises:
            ValueError: nothing can be answered any more.
        """

    def close(self) -> None:
        """Free what the engine holds."""
