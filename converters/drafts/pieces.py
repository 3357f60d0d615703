"""Pieces of a source one by one; an error that ends the reading is the last piece, so what came before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from swift_plugins.fakexplain.errors import DataError, Unquoted

from .draft import Draft, Piece

Parse = Callable[[Any], list[Draft]]
"""The `from_NAME` of a format."""


def catch_last_error(pieces: Iterable[Piece], source: str) -> Iterator[Piece]:
    """The pieces and, if an error ended the reading, that error as the last piece."""
    try:
        yield from pieces
    except DataError as error:
        yield Piece(error, source)
    except RecursionError:
        yield Piece(too_deep(), source)


def all_drafts(load: Callable[[], Iterable[Piece]], parse: Parse) -> Iterator[Draft]:
    """The drafts of all pieces that can be read."""
    for piece in catch_last_error(load(), ""):
        try:
            yield from parse(piece.data) if not isinstance(piece.data, DataError) else ()
        except (DataError, RecursionError):
            continue


def too_deep() -> DataError:
    """The error of data with too many levels."""
    return DataError("data nested less deeply", Unquoted("too many levels"))
