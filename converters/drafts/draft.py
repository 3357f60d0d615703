"""Drafts of records, the pieces they are parsed from, and the files of a source.

A format's module has `load_NAME(path)`, which reads the source piece by piece and yields `Piece`s, and the pure
`from_NAME(data)`, which parses a piece into `Draft`s. `convert.py` completes a draft into a record: it finds and opens
the image, turns it upright and checks every field.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.paths import check_exists, files_below


class Piece(NamedTuple):
    """A part of a source that describes one image, and its place.

    Attributes:
        data: the input of `from_NAME`; or the DataError of an unreadable part, such as one file of several.
        file: the file it is in.
        line: its line there, counted from 1; 0 if lines have no meaning.
        at: path to it within the file, such as `[12]` or `images[3]`; fields in errors begin with it.
    """

    data: Any
    file: str
    line: int = 0
    at: str = ""


class Unusable(DataError):
    """The error of a shape without an area (a point, a stroke), which `Choices.skip_unusable` skips."""


class DraftRegion(NamedTuple):
    """A region of a draft, not checked yet.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the upright image, corners in any order; or a function that gives them for the
            width and height of that image; or the error of a shape without a box.
        caption: one line of text; or the error of a region without words.
        at: path to the region from `Piece.at`, for errors; if empty, an error names the record's `regions[0]` instead.
        attributes: those of the region, by name, in which the user may choose captions and tags.
        rotated: whether the box circumscribes a rotated shape.
        ordered: whether a box with corners in another order is an error, because it may mean another notation.
        may_be_wordless: whether the region is skipped without a choice of the user if it has no words.
        id: the tool's own id of the region; empty if it has none.
        origin: what an annotator made of a model's proposal: accepted, changed or new; empty without a proposal.
    """

    box: Box | Callable[[tuple[int, int]], Box] | Unusable
    caption: str | DataError
    at: str = ""
    attributes: Mapping[str, Any] = MappingProxyType({})
    rotated: bool = False
    ordered: bool = False
    may_be_wordless: bool = False
    id: str = ""
    origin: str = ""


@dataclass
class Draft:
    """A record before its image has been opened.

    Attributes:
        image: path as the source writes it, relative to the folder of its images; or the bytes of an image file.
        regions: the flawed regions, in the source's order.
        tags: any of the names `canonical_tag` knows.
        label: 'fake' or 'real', or None if the source gives none; then an image with regions or tags is fake.
        id: the record's id, or None for the image's path without its suffix.
        wh: width and height that the source gives for the upright image, or None.
        fields: generator, family, class_name, annotator, and the source's own fields.
        image_at: path to the image's path from `Piece.at`, for errors.
        others: further paths under which the image may be, if no other image of the source may be there.
        embedded: the bytes of the image's file in the source itself, used if the image is not found.
        by: annotator, appended to the id if several people annotated the image.
        unannotated: the error of an image that nobody has annotated, which `Choices.unannotated` decides about.
        unlabelled: the error of an image whose label is missing where the source should state it; raised if neither the
            user's label nor a choice gives one.
        cancelled: whether the annotations were all cancelled; then there is no record.
        unread: number of results that say nothing about the image or its regions.
        removed: number of regions that a model proposed and the annotator removed.
    """

    image: str | bytes
    regions: list[DraftRegion] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    label: str | None = None
    id: str | None = None
    wh: tuple[int, int] | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    image_at: str = "image"
    others: tuple[str, ...] = ()
    embedded: bytes | None = None
    by: str = ""
    unannotated: DataError | None = None
    unlabelled: DataError | None = None
    cancelled: bool = False
    unread: int = 0
    removed: int = 0


def one_line(text: str) -> str:
    """Text with every run of spaces and line breaks replaced by one space.

    >>> one_line(" Left hand\\n with six   fingers. ")
    'Left hand with six fingers.'
    """
    return " ".join(text.split())


_DRIVE = re.compile(r"[A-Za-z]:")
_MAX_BYTES = 240  # of a name; file systems allow 255, and suffixes are added


def inner_path(name: str, field: str = "image", *, up: bool = False) -> PurePosixPath:
    """A path from a source, checked to stay inside the folder it is relative to.

    Backslashes count as slashes.

    Args:
        name: the path.
        field: path to it in its file, for the error.
        up: resolve `..` if the path then stays inside; by default it is refused.

    Raises:
        DataError: it is empty, absolute, a URL or too long for a file system, leads out, or contains a drive or a NUL.

    >>> str(inner_path("images\\\\a.png")), str(inner_path("labels/../images/a.png", up=True))
    ('images/a.png', 'images/a.png')
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if up and ".." in path.parts and not path.is_absolute():
        path = PurePosixPath(posixpath.normpath(path))
    inside = "a relative path that stays inside the folder of the images"
    if "\0" in name or "://" in name or path.is_absolute() or ".." in path.parts or _DRIVE.match(name):
        raise DataError(inside, name, field=field)
    if path == PurePosixPath():
        raise DataError(inside, name, field=field)
    lengths = [len(part.encode(errors="replace")) for part in path.parts]
    if max(lengths) > _MAX_BYTES or sum(lengths) > 10 * _MAX_BYTES:
        raise DataError(
            f"names of at most {_MAX_BYTES} bytes, and at most {10 * _MAX_BYTES} in total", name, field=field
        )
    return path


def beside(file: PurePosixPath, name: str) -> str:
    """The path in the source of an image that a file of the source names relative to itself.

    >>> file = PurePosixPath("labels/a.json")
    >>> beside(file, "..\\\\images\\\\a.png"), beside(file, "/data/a.png")
    ('images/a.png', '/data/a.png')
    """
    path = name.replace("\\", "/")
    if path.startswith("/") or "://" in path or _DRIVE.match(path):
        return name
    return posixpath.normpath(file.parent / path)


def folder_of(src: Path) -> Path:
    """The folder that a source's image paths are relative to by default."""
    return src if src.is_dir() else src.parent


def only_file(src: Path, *patterns: str) -> Path:
    """A source's one file: itself, or the only file in a folder that matches a pattern.

    Args:
        src: file or folder.
        patterns: patterns of file names, such as `*.json`, each tried if the ones before it match no file.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: no file matches, or several do.
    """
    if src.is_file():
        return src
    check_exists(src, "a file or folder to convert")
    for pattern in patterns:
        found = [path for path in files_below(src) if path.relative_to(src).match(pattern)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(each.relative_to(src)) for each in found[:4])
            raise DataError(f"one {pattern}; name the file itself", Unquoted(f"{len(found)}: {names}")).at(str(src), 0)
    raise DataError(f"a file {' or '.join(patterns)}", Unquoted("none in the folder")).at(str(src), 0)
