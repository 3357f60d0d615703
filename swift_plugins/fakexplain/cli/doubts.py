"""The warnings that `validate` and `stats` print about what is allowed but often a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..annotation import read_annotations
from ..errors import DataError, OnError
from .app import Errors, say, show_progress

if TYPE_CHECKING:
    from converters.quality.doubts import Doubts

Duplicates = Annotated[
    bool, typer.Option("--duplicates", help="Also look for near duplicates in different folds; opens every image.")
]


def print_doubts(doubts: Doubts, annotations: Path, *, duplicates: bool, on_error: OnError) -> int:
    """Print one warning per doubt on standard error.

    Args:
        doubts: collected from all records.
        annotations: the file, which is read again for near duplicates.
        duplicates: whether to look for near duplicates in different folds.
        on_error: called with the error of each image that cannot be read; bad records were reported before.

    Returns:
        Number of images that cannot be read.
    """
    unreadable = 0

    def count(error: DataError) -> None:
        nonlocal unreadable
        unreadable += 1
        on_error(error)

    for warning in doubts.warnings():
        say(f"warning: {warning}", err=True)
    if duplicates:
        from converters.images.duplicates import group_records
        from converters.quality.doubts import AcrossFolds

        records = show_progress(read_annotations(annotations, on_error=Errors.ignore), annotations, "compare")
        group_of = group_records(records, on_error=count)
        found = AcrossFolds()
        for record in read_annotations(annotations, on_error=Errors.ignore):
            found.add(record, group_of(record))
        for warning in found.warnings():
            say(f"warning: {warning}", err=True)
    return unreadable
