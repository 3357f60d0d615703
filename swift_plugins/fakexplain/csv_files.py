"""CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import DataError, Unquoted
from .paths import check_is_file


def save_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV in UTF-8, a line feed after each row; None is an empty cell."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def read_csv(path: Path, what: str, row: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table in UTF-8, column names first, each with the number of its last line; skip empty rows.

    The delimiter is a comma, semicolon or tab, whichever is most frequent in the first row. Bytes that are not UTF-8
    become surrogates, so the reader of a cell can detect them.

    Args:
        path: the file.
        what: the content of the file in words, for an error.
        row: a row in words, for an error.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): not CSV, a row whose number of cells differs from the first row's, or only one row.
    """
    check_is_file(path, what)
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        delimiter = max(",;\t", key=file.readline().count)
        file.seek(0)
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = next(rows, [])
            yield rows.line_num, names
            empty = True
            for cells in rows:
                if not any(map(str.strip, cells)):
                    continue
                empty = False
                if len(cells) != len(names):
                    raise DataError(f"{len(names)} cells, as the first row has", Unquoted(str(len(cells))))
                yield rows.line_num, cells
            if empty:
                raise DataError(f"at least one {row}", Unquoted("none"))
        except csv.Error as error:
            raise DataError("CSV", Unquoted(str(error))).at(str(path), rows.line_num) from None
        except DataError as error:
            raise error.at(str(path), rows.line_num) from None
