"""`fakexplain split`: cross-validation folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..annotation import Annotation, read_annotations, relocated, write_annotations
from .app import OUT, Annotations, Force, app, check_free, progress


@app.command()
def split(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="Annotations file to write, with folds.")],
    seed: Annotated[int, typer.Option(help="Seed of the shuffle.")] = 0,
    group_by: Annotated[
        str | None, typer.Option(help="Keep records with the same value of this field in one fold, e.g. class_name.")
    ] = None,
    reassign: Annotated[bool, typer.Option("--reassign", help="Pass over the folds that records have.")] = False,
    force: Force = False,
) -> None:
    """Assign four cross-validation folds, each with its share of every label and generator.

    A record that has a fold keeps it.
    """
    from dataclasses import replace

    from converters.split import assign_folds

    check_free(output, force, annotations)
    folds = assign_folds(read_annotations(annotations), seed=seed, group_by=group_by, reassign=reassign)
    table: Counter[tuple[int, str]] = Counter()

    def assigned() -> Iterator[Annotation]:
        for record in progress(read_annotations(annotations), annotations, "split"):
            table[folds[record.id], record.label] += 1
            yield replace(relocated(record, output.parent), fold=folds[record.id])

    write_annotations(output, assigned())
    for fold in sorted(set(folds.values())):
        print(f"fold {fold}: {table[fold, 'fake']} fake, {table[fold, 'real']} real")
