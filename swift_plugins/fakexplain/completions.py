"""Completions: what a model writes about one image, before it is read."""

from __future__ import annotations

from typing import NamedTuple


class Completion(NamedTuple):
    """The text of an answer.

    Attributes:
        text: as generated.
        logprobs: log probabilities of its tokens, as `p_fake` reads them; None without.
        seconds: time it took; in a batch, the batch's time divided by its size.
    """

    text: str
    logprobs: object = None
    seconds: float = 0.0
