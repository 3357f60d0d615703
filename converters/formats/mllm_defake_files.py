"""The files of FakeXplain's rows, JSON Lines or JSON lists, and what a file as a whole says about its rows.

The authors' code reads boxes x1, y1, x2, y2; their notes write x1, x2, y1, y2. Many boxes make sense either way, so the
order is that of a file, never of a box: a file with boxes that make sense only in the other order is refused until the
user names the order. A row without an answer is real if it has no objects, but only where another row of its file has
some: a file without any object may as well be a list of questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_items import is_json_list
from swift_plugins.fakexplain.jsonl import read_lines
from swift_plugins.fakexplain.paths import check_exists, files_below

from ..drafts.draft import Piece
from ..drafts.json_files import load_items
from . import BOX_ORDERS

MACHINE = "Gemini-3.1-Pro-Preview"
"""The annotator of the extensions of June 2026."""

_EXTENSIONS = {"chameleon-gpt-image-2": "gpt-image-2", "chameleon-nanobanana2": "gemini-3.1-flash-image"}
"""Name of an extension's archive -> the generator of its fake images."""


class SourceRow(NamedTuple):
    """A row, and what is known of its file.

    Attributes:
        content: the undecoded line, or an item of a list.
        folder: the file's folder, relative to the source.
        order: the order of the four numbers of a box.
        objects: whether any row of the file has objects.
        generator: the generator of the file's fake images, if a machine has annotated them; else empty.
    """

    content: object
    folder: str = ""
    order: str = BOX_ORDERS[0]
    objects: bool = True
    generator: str = ""


def load_row_files(src: Path, box_order: str | None) -> Iterator[Piece]:
    """The rows of a file or of all files below a folder; a file that cannot be read is one piece, its error.

    Args:
        src: file, or folder with `*.jsonl` and `*.json`.
        box_order: the order of boxes in all files; None for x1, y1, x2, y2, if each file agrees.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: a folder without such files.
    """
    for path in _row_files(src):
        folder = path.parent.relative_to(src).as_posix() if src.is_dir() else ""
        try:
            order, objects = _survey(path, box_order)
            for piece in _pieces(path):
                yield piece._replace(data=SourceRow(piece.data, folder, order, objects, _extension(path)))
        except DataError as error:
            yield Piece(error if error.file else error.at(str(path), 0), str(path))


def _row_files(src: Path) -> list[Path]:
    if src.is_file():
        return [src]
    check_exists(src, "a file or folder to convert")
    if files := [path for path in files_below(src) if path.suffix.lower() in (".jsonl", ".json")]:
        return files
    raise DataError("files *.jsonl or *.json with rows", Unquoted("none in the folder")).at(str(src), 0)


def _pieces(path: Path) -> Iterator[Piece]:
    """The items of a JSON list, or the lines of JSON Lines."""
    if is_json_list(path):
        for at, item in load_items(path):
            yield Piece(item, str(path), at=at)
    else:
        for number, line in read_lines(path, "JSON Lines of mllm-defake"):
            yield Piece(line, str(path), line=number)


def _survey(path: Path, order: str | None) -> tuple[str, bool]:
    """The order of a file's boxes, and whether any row has objects.

    Raises:
        DataError: boxes that make sense only as x1, x2, y1, y2 are at least as many as those that make sense only as
            x1, y1, x2, y2, and the user has named no order.
    """
    straight = crossed = boxes = 0
    first, place = None, ""
    for piece in _pieces(path):
        for box in _boxes_of(piece.data):
            boxes += 1
            a, b, c, d = box
            as_corners, as_spans = a < c and b < d, a < b and c < d
            straight += as_corners and not as_spans
            crossed += as_spans and not as_corners
            if first is None and as_spans and not as_corners:
                first, place = box, piece.at or f"line {piece.line}"
    if order is None and crossed and crossed >= straight:
        found = (
            f"{crossed} of {boxes} boxes that make sense only as x1, x2, y1, y2, the first in {place}: {first}; "
            f"{straight} make sense only as x1, y1, x2, y2"
        )
        expected = f"boxes x1, y1, x2, y2, or --box-order {' or '.join(BOX_ORDERS)} to say what they are"
        raise DataError(expected, Unquoted(found), field="objects.bbox").at(str(path), 0)
    return order or BOX_ORDERS[0], boxes > 0


def _boxes_of(content: object) -> Iterator[list[Any]]:
    """The boxes of a row that are four numbers; `from_mllm_defake` reports all others."""
    if isinstance(content, bytes):
        try:
            content = msgspec.json.decode(content)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return
    objects = content.get("objects") if isinstance(content, dict) else None
    boxes = objects.get("bbox") if isinstance(objects, dict) else None
    for box in boxes if isinstance(boxes, list) else ():
        if isinstance(box, list) and len(box) == 4 and all(type(number) in (int, float) for number in box):
            yield box


def _extension(path: Path) -> str:
    """The generator of the extension that a file belongs to, by the names of the file and its folders; else empty.

    >>> _extension(Path("data/chameleon-gpt-image-2/train.jsonl")), _extension(Path("data/FakeXplain/train.jsonl"))
    ('gpt-image-2', '')
    """
    parts = [part.lower() for part in path.absolute().parts]
    return next((made for name, made in _EXTENSIONS.items() if any(part.startswith(name) for part in parts)), "")
