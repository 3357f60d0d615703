"""What the formats' writers share: where an image lies, what a format cannot hold, one record after another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TypeVar

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.images import open_image, orientation
from swift_plugins.fakexplain.parallel import map_good

T = TypeVar("T")


def check_upright(annotation: Annotation) -> None:
    """Make sure that a tool which turns images by their EXIF shows a record's image as the record means it.

    Raises:
        DataError: it would turn it; or the image is missing or cannot be read.
    """
    with open_image(annotation.path, str(annotation.path)) as image:
        turn = orientation(image)
    if turn != 1:
        found = Unquoted(f"EXIF orientation {turn}")
        raise refused(annotation, "an upright image, for the tool would turn it and not its boxes", found, "image")


def place_image(annotation: Annotation, target: Path, *, link: bool = False) -> None:
    """Put an image's file, byte for byte, where a format wants it: a copy, or a hard link that takes no room.

    Raises:
        DataError: the file is missing, or cannot be read or linked.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if link:
            os.link(annotation.path, target)
        else:
            shutil.copyfile(annotation.path, target)
    except OSError as error:
        target.unlink(missing_ok=True)
        found = Unquoted(f"{annotation.path}: {error.strerror}")
        raise refused(annotation, f"a file that can be {'linked' if link else 'copied'}", found, "image") from None


def each_good(annotations: Iterable[Annotation], work: Callable[[Annotation], T], on_error: OnError) -> Iterator[T]:
    """What a function makes of each record.

    Args:
        annotations: the records.
        work: called with each; it raises an DataError before it has written anything.
        on_error: called with the error of each record that a format cannot hold, which is passed over; without it the
            first raises.
    """
    for annotation in annotations:
        try:
            made = work(annotation)
        except DataError as error:
            on_error(error)
        else:
            yield made


def saved(
    annotations: Iterable[Annotation],
    place: Callable[[Annotation], PurePosixPath],
    save: Callable[[Annotation, PurePosixPath], None],
    on_error: OnError,
) -> Generator[tuple[Annotation, PurePosixPath], None, None]:
    """Save records on all cores; closing it ends all writing.

    Args:
        annotations: the records.
        place: the path of a record's own file in the folder that is written; no other record may lead there.
        save: writes what belongs to a record, or raises an DataError and leaves nothing of it.
        on_error: as for `each_good`.

    Yields:
        Each record that was saved and its path, in order.
    """

    def placed(annotation: Annotation) -> tuple[Annotation, PurePosixPath]:
        target = place(annotation)
        try:
            names.add(str(target), annotation.image)
        except DataError:
            expected = f"an image of its own, for an earlier record's leads to {target} as well"
            raise refused(annotation, expected, annotation.image, "image") from None
        return annotation, target

    def work(item: tuple[Annotation, PurePosixPath]) -> tuple[Annotation, PurePosixPath]:
        save(*item)
        return item

    good = each_good(annotations, placed, on_error)
    with closing(Ids()) as names, closing(map_good(work, good, on_error)) as results:
        yield from results


def refused(annotation: Annotation, expected: str, found: object, field: str) -> DataError:
    """The error of a record that a format cannot hold."""
    return DataError(expected, found, field=field).at(annotation.file, annotation.line, annotation.id)
