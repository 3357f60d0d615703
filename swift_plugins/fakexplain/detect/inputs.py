"""The images to examine: from files, folders, lists of paths and annotations files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ..annotation import read_annotations
from ..errors import DataError, OnError, Unquoted
from ..ids import Ids
from ..images import image_files
from ..jsonl import read_lines
from ..paths import check_is_file

LIST, RECORDS = ".txt", ".jsonl"


class Input(NamedTuple):
    """One image to examine.

    Attributes:
        id: of its record, or its path as given.
        path: the file.
    """

    id: str
    path: Path


def read_inputs(sources: Iterable[Path], on_error: OnError) -> Iterator[Input]:
    """Yield the images of all sources, in order, each id once.

    A folder gives the images below it, sorted by name within each folder; links that lead out of it are refused. A
    file `.jsonl` is an annotations file, and `.txt` a list with one path per line, relative to the list. Every other
    file is an image, whatever its name.

    Args:
        sources: paths as the user gives them.
        on_error: called with the error of each bad record, path or link, which is skipped.

    Raises:
        FileNotFoundError: no such list or annotations file.
    """
    with closing(Ids()) as ids:
        for source in sources:
            for item in _read_source(source, on_error):
                try:
                    ids.add(item.id, f"{item.path} above")
                except DataError as error:
                    on_error(error.at(str(item.path), 0))
                else:
                    yield item


def _read_source(source: Path, on_error: OnError) -> Iterator[Input]:
    if source.is_dir():
        yield from _read_folder(source, on_error)
    elif source.suffix.lower() == RECORDS:
        for record in read_annotations(source, on_error=on_error):
            yield Input(record.id, record.path)
    elif source.suffix.lower() == LIST:
        yield from _read_list(source, on_error)
    else:
        yield Input(source.as_posix(), source)


def _read_folder(folder: Path, on_error: OnError) -> Iterator[Input]:
    outside: list[Path] = []
    found = False
    for path in image_files(folder, on_outside=outside.append):
        found = True
        yield Input(path.as_posix(), path)
    for path in outside:
        error = DataError("no link that leads out of the folder", Unquoted("one; it was not followed"), field="image")
        on_error(error.at(str(path), 0))
    if not (found or outside):
        on_error(DataError("at least one image in the folder", Unquoted("none")).at(str(folder), 0))


def _read_list(path: Path, on_error: OnError) -> Iterator[Input]:
    check_is_file(path, "a list of images, one path per line")
    lines = 0
    for lines, (number, raw) in enumerate(read_lines(path, "a list of images, one path per line"), 1):  # noqa: B007
        try:
            text = raw.decode().strip()
            if "\0" in text:
                raise DataError("a path", text)
        except UnicodeDecodeError:
            on_error(DataError("a path in UTF-8", raw.strip()).at(str(path), number))
        except DataError as error:
            on_error(error.at(str(path), number))
        else:
            yield Input(text, path.parent / text)
    if not lines:
        on_error(DataError("at least one path", Unquoted("an empty file")).at(str(path), 0))


def count_inputs(sources: Iterable[Path]) -> int:
    """Count the images of sources by reading their names, for a progress bar."""
    return sum(1 for source in sources for _ in _read_source(source, lambda error: None))
