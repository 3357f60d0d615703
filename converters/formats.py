"""The outside formats by name: what reads each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .folder import from_folder, load_folder
from .source import Draft, Piece


class Format(NamedTuple):
    """How one format is read.

    Attributes:
        load: reads a source piece by piece.
        parse: makes drafts of a piece; pure.
        words: what it is, for the help text.
    """

    load: Callable[..., Iterator[Piece]]
    parse: Callable[[Any], list[Draft]]
    words: str


FORMATS = {
    "folder": Format(load_folder, from_folder, "label folders: 0_real and 1_fake, nature and ai, or any names"),
}
