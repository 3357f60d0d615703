"""What the formats' modules share: drafts of records, fields that must be there, paths that must stay inside.

A format's module has `load_NAME(path)`, which reads the source piece by piece and yields `Piece`s, and the pure
`from_NAME(data)`, which makes `Draft`s of a piece. `convert.py` completes a draft into a record: it finds and opens the
image, turns it upright and checks every field.
"""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import IO, Any, NamedTuple

import msgspec

from swift_plugins.fakexplain.annotation import NOTHING, AnnotationError, Words
from swift_plugins.fakexplain.boxes import Box


class Piece(NamedTuple):
    """A part of a source that speaks of one image, and where it stands.

    Attributes:
        data: what `from_NAME` reads; or the AnnotationError of a part that cannot be read, such as one file of several.
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


def need(data: Any, name: str, kind: type | tuple[type, ...], expected: str, at: str = "") -> Any:
    """A field that must be there and of a type.

    Args:
        data: a JSON object.
        name: the field.
        kind: its type; `float` takes whole numbers too, and True is no number.
        expected: the type in words, for the error.
        at: the way to `data`, for the error.

    Raises:
        AnnotationError: `data` is no object, or the field is missing or of another type.

    >>> need({"width": 8}, "width", int, "a whole number")
    8
    """
    if not isinstance(data, dict):
        raise AnnotationError("a JSON object", data, field=at)
    place = f"{at}.{name}" if at else name
    if name not in data:
        raise AnnotationError(expected, NOTHING, field=place)
    value = data[name]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if float in kinds:
        kinds = (*kinds, int)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise AnnotationError(expected, value, field=place)
    return value


def check_numbers(values: Iterable[object], expected: str, field: str) -> None:
    """Make sure that values are numbers that pixels can have: not text, not True, not infinite, not 400 digits long.

    Raises:
        AnnotationError: one is not.

    >>> check_numbers([1, 2.5], "numbers", "bbox")
    """
    for value in values:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise AnnotationError(expected, value, field=field)
        if not -1e9 < value < 1e9:
            raise AnnotationError("finite numbers of a sane size", value, field=field)


def hull(points: Sequence[Any], at: str) -> Box:
    """The tight box of (x, y) points.

    Raises:
        AnnotationError: fewer than two points, or one that is not two numbers of a sane size.

    >>> hull([[3, 4], [1, 9], [2, 2]], "points")
    (1, 2, 3, 9)
    """
    if not isinstance(points, Sequence) or isinstance(points, str) or len(points) < 2:
        raise AnnotationError("at least two points [x, y]", points, field=at)
    for index, point in enumerate(points):
        if not isinstance(point, Sequence) or len(point) != 2:
            raise AnnotationError("two numbers x, y", point, field=f"{at}[{index}]")
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
        AnnotationError: it is absolute, holds `..`, a drive or a NUL, is a URL, is empty, or longer than a file system
            takes.

    >>> str(inner_path("images\\\\a.png"))
    'images/a.png'
    """
    path = PurePosixPath(name.replace("\\", "/"))
    inside = "a relative path that stays inside the folder of the images"
    if "\0" in name or "://" in name or path.is_absolute() or ".." in path.parts or _DRIVE.match(name):
        raise AnnotationError(inside, name, field=field)
    if path == PurePosixPath():
        raise AnnotationError(inside, name, field=field)
    lengths = [len(part.encode(errors="replace")) for part in path.parts]
    if max(lengths) > _LONGEST or sum(lengths) > 10 * _LONGEST:
        raise AnnotationError(
            f"names of at most {_LONGEST} bytes, and no more than {10 * _LONGEST} in all", name, field=field
        )
    return path


def _utf8(file: IO[bytes]) -> Any:
    """A file's text as UTF-8 bytes, whichever Unicode encoding its byte order mark says it has."""
    head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        file.seek(0)
        return SimpleNamespace(read=codecs.EncodedFile(file, "utf-8", "utf-16").read)  # of it, ijson may read raw
    file.seek(3 if head.startswith(codecs.BOM_UTF8) else 0)
    return file


def load_json_items(path: Path, prefix: str = "item") -> Iterator[tuple[str, Any]]:
    """The items of a large JSON list or object, one at a time.

    Args:
        path: a JSON file in UTF-8, or in UTF-16 with a byte order mark.
        prefix: where they are, in ijson's words: `item` for a list at the top, `images.item` for one under a key, and
            the empty string for the values of an object at the top, or `a.b` and a final dot for those of an inner one.

    Yields:
        The key or the index as `[0]`, and the value.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: the file is not JSON, or holds something else where a list is to be.
    """
    import ijson

    with open(path, "rb") as raw:
        file = _utf8(raw)
        try:
            if prefix == "item" and not _is_list(path):
                raise AnnotationError("a JSON list", Words("none")).at(str(path), 0)
            if prefix.endswith("item"):
                for index, value in enumerate(ijson.items(file, prefix, use_float=True)):
                    yield f"{prefix[:-4].rstrip('.')}[{index}]", value
            else:
                yield from ijson.kvitems(file, prefix.rstrip("."), use_float=True)
        except (ijson.JSONError, UnicodeError) as error:
            what = error.args[0]
            what = what.decode(errors="replace") if isinstance(what, bytes) else str(error)
            raise AnnotationError("JSON", Words(what.partition("\n")[0])).at(str(path), 0) from None


def _is_list(path: Path) -> bool:
    """Whether JSON begins with a list; true of what is no JSON, which its parser tells better."""
    with open(path, "rb") as raw:
        head = _utf8(raw).read(1024).strip()
    return not head.startswith(b"{")


def load_json(path: Path) -> Any:
    """A small JSON file, whole.

    Raises:
        AnnotationError: it is not JSON.
    """
    raw = path.read_bytes()
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            return json.loads(raw.decode(json.detect_encoding(raw)), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise AnnotationError("JSON", Words(str(error))).at(str(path), 0) from None


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
        AnnotationError: the folder has none, or several.
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
            raise AnnotationError(f"one {pattern}; name the file itself", Words(f"{len(found)}: {names}")).at(
                str(src), 0
            )
    raise AnnotationError(f"a file {' or '.join(patterns)}", Words("none in the folder")).at(str(src), 0)


IMAGE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)


def files_below(folder: Path, passed_over: Collection[Path] = ()) -> Iterator[Path]:
    """Files below a folder, each folder's entries in order; links are followed, hidden ones passed over.

    Args:
        folder: where to begin.
        passed_over: folders that are not entered.
    """

    def walk(here: Path, above: frozenset[Path]) -> Iterator[Path]:
        real = here.resolve()
        if real in above or real in without:  # a link may lead up
            return
        for entry in sorted(os.scandir(here), key=attrgetter("name")):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from walk(here / entry.name, above | {real})
            elif entry.is_file():
                yield here / entry.name

    without = {path.resolve() for path in passed_over}
    yield from walk(folder, frozenset())


def image_files(folder: Path, passed_over: Collection[Path] = ()) -> Iterator[Path]:
    """Those files below a folder that are images by their names."""
    return (path for path in files_below(folder, passed_over) if path.suffix.lower() in IMAGE_SUFFIXES)
