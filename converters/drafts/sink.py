"""Write records in an outside format: save their images, and skip and report records that it cannot hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, TypeVar

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.atomic import DISK_ERRORS
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.images import open_image, orientation
from swift_plugins.fakexplain.parallel import map_good
from swift_plugins.fakexplain.paths import A_FILE, file_kind

T = TypeVar("T")


class Writer(Protocol):
    """The `save_NAME` of a format. Its own docstring describes only its output and its further settings."""

    def __call__(self, annotations: Iterable[Annotation], out: Path, *args: Any, **settings: Any) -> int:
        """Write records in the format.

        Args:
            annotations: the records.
            out: the file to write, or an existing folder to write into.
            settings: `images`, the folder that image paths in the output are relative to; `on_error`, called with the
                error of each record that is skipped (default: the first error is raised); if the format copies images,
                `link` for hard links instead. Rows have none of these, but `variant`.

        Returns:
            Number of records written.

        Raises:
            DataError: a record that the format cannot hold: its image is outside `images`, missing or not upright, or
                would share its output file with an earlier record's.
        """


def check_upright(annotation: Annotation) -> None:
    """Reject an image that tools would turn by its EXIF without turning its boxes.

    Raises:
        DataError: the EXIF turns it; or the image is missing or unreadable.
    """
    try:
        with open_image(annotation.path, str(annotation.path)) as image:
            turn = orientation(image)
    except DataError as error:
        raise error.at_record(annotation) from None
    if turn != 1:
        found = Unquoted(f"EXIF orientation {turn}")
        raise reject(annotation, "an upright image, because the tool would turn it but not its boxes", found, "image")


def place_image(annotation: Annotation, target: Path, *, link: bool = False) -> None:
    """Copy an image's file byte for byte to its place in a format, or hard-link it, which takes no space.

    Raises:
        DataError: the file is missing, is no regular file, or cannot be read or linked.
        OSError: the disk is full or cannot be written; no record is to blame.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    expected = f"a file that can be {'linked' if link else 'copied'}"
    if (kind := file_kind(annotation.path)) != A_FILE:
        raise reject(annotation, expected, Unquoted(f"{annotation.path}: {kind}"), "image")
    try:
        if link:
            os.link(annotation.path, target)
        else:
            shutil.copyfile(annotation.path, target)
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in DISK_ERRORS:
            raise
        raise reject(annotation, expected, Unquoted(f"{annotation.path}: {error.strerror}"), "image") from None


def each_good(annotations: Iterable[Annotation], work: Callable[[Annotation], T], on_error: OnError) -> Iterator[T]:
    """Results of a function, without the records on which it raised a `DataError`.

    Args:
        annotations: the records.
        work: called with each record.
        on_error: called with each error in its record's turn.
    """
    for annotation in annotations:
        try:
            result = work(annotation)
        except DataError as error:
            on_error(error)
        else:
            yield result


def save_all(
    annotations: Iterable[Annotation],
    place: Callable[[Annotation], PurePosixPath],
    save: Callable[[Annotation, PurePosixPath], None],
    on_error: OnError,
) -> int:
    """Save records as `save_each` does, and return their number."""
    with closing(save_each(annotations, place, save, on_error)) as records:
        return sum(1 for _ in records)


def save_each(
    annotations: Iterable[Annotation],
    place: Callable[[Annotation], PurePosixPath],
    save: Callable[[Annotation, PurePosixPath], None],
    on_error: OnError,
) -> Generator[tuple[Annotation, PurePosixPath], None, None]:
    """Save records on all cores; closing the generator ends all writing.

    Args:
        annotations: the records.
        place: path of a record's own file in the output folder; a record is an error if an earlier one has this path.
        save: writes a record's files, or raises a DataError and leaves none of them.
        on_error: called with the error of each record that is skipped.

    Yields:
        Each saved record and its path, in order.
    """

    def find_place(annotation: Annotation) -> tuple[Annotation, PurePosixPath]:
        target = place(annotation)
        try:
            names.add(str(target), annotation.image)
        except DataError:
            expected = f"a unique output file, but an earlier record also uses {target}"
            raise reject(annotation, expected, annotation.image, "image") from None
        return annotation, target

    def work(item: tuple[Annotation, PurePosixPath]) -> tuple[Annotation, PurePosixPath]:
        save(*item)
        return item

    with closing(Ids()) as names:
        targets = each_good(annotations, find_place, on_error)
        with closing(map_good(work, targets, on_error)) as results:
            yield from results


def reject(annotation: Annotation, expected: str, found: object, field: str) -> DataError:
    """The error of a record that a format cannot hold."""
    return DataError(expected, found, field=field).at_record(annotation)
