"""The values that the paper reports: Tables 1 to 7 and the preference votes of Fig. 3.

`paper_tables` has one CSV file per table, with the values as printed; an empty cell stands for a dash. Names that
differ between the paper's tables have one spelling here: ObjectFormer for ObjFormer., FakeXplainer for FXP., AfPr for
AtPr. (Tables 3, 5).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

ACC, IOU = "Acc.", "IoU"
WITH, WITHOUT, SAMPLES = "Acc. on X", "Acc. on non-X", "Samples"

HUMANS_PREFERRED = 0.529
"""Share of votes between humans and FakeXplainer that prefer the human annotation (§5.2, Fig. 3)."""
VOTES = 1525
"""Number of non-neutral votes, over all pairs (§5.2)."""

_FOLDER = Path(__file__).with_name("paper_tables")
TABLES = range(1, 8)


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's tables.

    Attributes:
        rows: name -> the heading above it, or '', in the paper's order.
        columns: name of the column, mostly a system -> its metrics, in the paper's order.
        values: (row, column, metric) -> value in [0, 1], None for the paper's dash.
    """

    rows: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    values: Mapping[tuple[str, str, str], float | None]


@lru_cache
def paper_table(number: int) -> PaperTable:
    """Load a table of the paper.

    - 1 (§5.2): generators, `all_of` their families, 'Real Images' and 'Overall' x detectors: Acc.; IoU of three.
    - 2 (§5.2): backbones, each untuned and fine-tuned, FakeShield and LEGION; transposed: these are the rows, and all
      metrics belong to one column, ''.
    - 3 (§5.2): external data sets x detectors: Acc.
    - 4 (§5.3): training configurations; transposed like Table 2.
    - 5 (App. C): perturbations, the last of them none, x detectors: Acc.; IoU of five.
    - 6 (App. D.1): external data sets x training configurations: Acc.
    - 7 (App. E): tags X; FakeXplainer-32B's accuracy on images with X and without X, and the share of images with X.

    Args:
        number: 1 to 7.

    Raises:
        ValueError: not a table of the paper.

    >>> table = paper_table(1)
    >>> table.values["GALIP", "SegFormer", "IoU"], table.rows["GALIP"], table.columns["NPR"]
    (0.289, 'GAN', ('Acc.',))
    """
    if number not in TABLES:
        raise ValueError(f"table: expected 1 to 7, found {number!r}")
    with open(_FOLDER / f"table{number}.csv", encoding="utf-8", newline="") as file:
        (_, _, *heads), *lines = csv.reader(file)
    split = [(column, metric) for column, _, metric in (head.rpartition(" / ") for head in heads)]
    columns: dict[str, tuple[str, ...]] = {}
    for column, metric in split:
        columns[column] = (*columns.get(column, ()), metric)
    values = {
        (row, *key): float(cell) if cell else None
        for _, row, *cells in lines
        for key, cell in zip(split, cells, strict=True)
    }
    rows = {row: group for group, row, *_ in lines}
    return PaperTable(MappingProxyType(rows), MappingProxyType(columns), MappingProxyType(values))


def all_of(family: str) -> str:
    """Name a family's row in Table 1, because DiT is also the name of a generator.

    >>> all_of("DiT")
    'DiT (all)'
    """
    return f"{family} (all)"
