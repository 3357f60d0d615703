"""Draw a folder with one picture per image."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ...annotation import Annotation
from ...atomic import atomic_folder
from ...errors import DataError, Unquoted
from ...parallel import map_ordered
from .draw import draw_image
from .records import AnsweredRecord

LONGEST_NAME = 200  # largest number of characters in a file's name


def draw_all(
    records: Sequence[AnsweredRecord],
    folder: Path,
    *,
    longer_side: int = 768,
    font: Path | None = None,
    overlaid: bool = False,
) -> Generator[DataError | None, None, None]:
    """Draw one PNG per record, on all cores; the folder appears as a whole after the last one.

    Args:
        records: records with the answers of systems.
        folder: output folder; replaced if it exists.
        longer_side, font, overlaid: as in `draw_image`.

    Yields:
        For each record, the error of its image if unreadable, else None.

    Raises:
        DataError: an id cannot name a file.
        ValueError: the folder holds files of another kind.
    """
    names = name_files([record for record, _ in records])
    with atomic_folder(folder, whole=True) as partial:

        def draw(job: tuple[str, AnsweredRecord]) -> DataError | None:
            name, (record, answers) = job
            picture, error = draw_image(record, answers, longer_side=longer_side, font=font, overlaid=overlaid)
            picture.save(partial / name, "PNG")
            return error

        with closing(map_ordered(draw, zip(names, records, strict=True))) as errors:  # no thread outlives the folder
            yield from errors


def name_files(annotations: Sequence[Annotation]) -> list[str]:
    """Name the pictures of records by their ids; characters that file systems may reject are escaped as in a URL.

    Raises:
        DataError: a name is too long, or differs from another name only in upper and lower case.

    >>> name_files([Annotation("flux/0001 é", "a.png", 8, 8, "real")])
    ['flux%2F0001 %C3%A9.png']
    """
    names: dict[str, str] = {}
    for annotation in annotations:
        name = quote(annotation.id, safe=" +,=@()")
        problem: tuple[str, object] | None = None
        if len(name) > LONGEST_NAME:
            problem = f"an id of at most {LONGEST_NAME} characters as the name of a file", Unquoted(str(len(name)))
        elif name.lower() in names:
            problem = f"an id that differs from {names[name.lower()]} in more than upper and lower case", annotation.id
        if problem:
            raise DataError(*problem, field="id").at_record(annotation)
        names[name.lower()] = f"{name}.png"
    return list(names.values())
