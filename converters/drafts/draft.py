"""What the formats' modules share: drafts of records, fields that must be there, paths that must stay inside.

A format's module has `load_NAME(path)`, which reads the source piece by piece and yields `Piece`s, and the pure
`from_NAME(data)`, which makes `Draft`s of a piece. `convert.py` completes a draft into a record: it finds and opens the
image, turns it upright and checks every field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import msgspec

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_values import check_numbers
from swift_plugins.fakexplain.paths import files_below


class Piece(NamedTuple):
    """A part of a source that speaks of one image, and where it stands.

    Attributes:
        data: what `from_NAME` reads; or the DataError of a part that cannot be read, such as one file of several.
        file: the file it stands in.
        line: its line there, counted from 1; 0 where lines mean nothing.
        at: the way to it within the file, such as `[12]` or `images[3]`; fields in errors begin with it.
    """

    data: Any
    file: str
    line: int = 0
    at: str = ""


@dataclass
class Draft:
    """A record before its image has been looked at.

    Attributes:
        image: path as the source writes it, relative to the folder of its images; or the bytes of an image file.
        regions: (x1, y1, x2, y2, caption) of each region, in pixels of the upright image.
        tags: any of the names `canonical_tag` knows.
        label: 'fake' or 'real', or None where the source does not say: then regions or tags mean fake.
        id: or None, which makes it the image's path without its suffix.
        wh: width and height that the source gives for the upright image, or None.
        fields: generator, family, class_name, annotator, and fields of the source's own.
        places: the way to each region from `Piece.at`, for errors; empty where `regions[0]` says it well enough.
    """

    image: str | bytes
    regions: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    label: str | None = None
    id: str | None = None
    wh: tuple[int, int] | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    places: Sequence[str] = ()


def hull(points: Sequence[Any], at: str) -> Box:
    """The tight box of (x, y) points.

    Raises:
        DataError: fewer than two points, or one that is not two numbers of a sane size.

    >>> hull([[3, 4], [1, 9], [2, 2]], "points")
    (1, 2, 3, 9)
    """
    if not isinstance(points, Sequence) or isinstance(points, str) or len(points) < 2:
        raise DataError("at least two points [x, y]", points, field=at)
    for index, point in enumerate(points):
        if not isinstance(point, Sequence) or len(point) != 2:
            raise DataError("two numbers x, y", point, field=f"{at}[{index}]")
        check_numbers(point, "two numbers x, y", f"{at}[{index}]")
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def one_line(text: str) -> str:
    """Text with every run of blanks and line breaks made one blank.

    >>> one_line(" Left hand\\n with six   fingers. ")
    'Left hand with six fingers.'
    """
    return " ".join(text.split())


_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST = 240  # bytes of a name; file systems take 255, and suffixes come to it


def inner_path(name: str, field: str = "image") -> PurePosixPath:
    """A path of a source, made sure to stay inside the folder it is relative to.

    Backslashes count as slashes.

    Raises:
        DataError: it is absolute, holds `..`, a drive or a NUL, is a URL, is empty, or longer than a file system
            takes.

    >>> str(inner_path("images\\\\a.png"))
    'images/a.png'
    """
    path = PurePosixPath(name.replace("\\", "/"))
    inside = "a relative path that stays inside the folder of the images"
    if "\0" in name or "://" in name or path.is_absolute() or ".." in path.parts or _DRIVE.match(name):
        raise DataError(inside, name, field=field)
    if path == PurePosixPath():
        raise DataError(inside, name, field=field)
    lengths = [len(part.encode(errors="replace")) for part in path.parts]
    if max(lengths) > _LONGEST or sum(lengths) > 10 * _LONGEST:
        raise DataError(
            f"names of at most {_LONGEST} bytes, and no more than {10 * _LONGEST} in all", name, field=field
        )
    return path


def load_json(path: Path) -> Any:
    """A small JSON file, whole.

    Raises:
        DataError: it is not JSON.
    """
    raw = path.read_bytes()
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            return json.loads(raw.decode(json.detect_encoding(raw)), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise DataError("JSON", Unquoted(str(error))).at(str(path), 0) from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def folder_of(src: Path) -> Path:
    """The folder a source's image paths are relative to where nothing else is said."""
    return src if src.is_dir() else src.parent


def only_file(src: Path, *patterns: str) -> Path:
    """A source's one file: itself, or the only one of a folder that has a name of this kind.

    Args:
        src: file or folder.
        patterns: of names, such as `*.json`; a later one is tried where an earlier one finds nothing.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: the folder has none, or several.
    """
    if src.is_file():
        return src
    if not src.is_dir():
        raise FileNotFoundError(f"{src}: expected a file or folder to convert, found no such file")
    for pattern in patterns:
        found = [path for path in files_below(src) if path.relative_to(src).match(pattern)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(each.relative_to(src)) for each in found[:4])
            raise DataError(f"one {pattern}; name the file itself", Unquoted(f"{len(found)}: {names}")).at(str(src), 0)
    raise DataError(f"a file {' or '.join(patterns)}", Unquoted("none in the folder")).at(str(src), 0)


IMAGE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)


def image_files(folder: Path, skip: Collection[Path] = ()) -> Iterator[Path]:
    """Those files below a folder that are images by their names."""
    return (path for path in files_below(folder, skip) if path.suffix.lower() in IMAGE_SUFFIXES)
