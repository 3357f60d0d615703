"""CSV files.

A spreadsheet runs a cell that begins with =, +, - or @ as a formula, whoever wrote it. Such text gets an apostrophe in
front, which marks text in spreadsheets, and `read_csv` takes it away again. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from .errors import DataError, Unquoted
from .paths import check_is_file

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def quote_formula(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula.

    >>> quote_formula("=1+1"), quote_formula("-0.5"), quote_formula(-0.5), quote_formula("'+a")
    ("'=1+1", '-0.5', -0.5, "''+a")
    """
    is_formula = isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def unquote_formula(cell: str) -> str:
    """The text that `quote_formula` quoted.

    >>> unquote_formula("'=1+1"), unquote_formula("'quoted'")
    ('=1+1', "'quoted'")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def write_rows(file: TextIO, rows: Iterable[Sequence[Any]]) -> int:
    """Write rows as CSV, a line feed after each, and return their number; None is an empty cell."""
    writer, count = csv.writer(file, lineterminator="\n"), 0
    quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        cells = [*map(quote_formula, row)]
        has_return = any(isinstance(cell, str) and "\r" in cell for cell in cells)  # which ends a row unless quoted
        (quoting if has_return else writer).writerow(cells)
        count += 1
    return count


def save_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table as CSV in UTF-8, as `write_rows` does, and return its number of rows without the first."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        write_rows(file, [names])
        return write_rows(file, rows)


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
            yield rows.line_num, [*map(unquote_formula, names)]
            empty = True
            for cells in rows:
                if not any(map(str.strip, cells)):
                    continue
                empty = False
                if len(cells) != len(names):
                    raise DataError(f"{len(names)} cells, as the first row has", Unquoted(str(len(cells))))
                yield rows.line_num, [*map(unquote_formula, cells)]
            if empty:
                raise DataError(f"at least one {row}", Unquoted("none"))
        except csv.Error as error:
            raise DataError("CSV", Unquoted(str(error))).at(str(path), rows.line_num) from None
        except DataError as error:
            raise error.at(str(path), rows.line_num) from None
