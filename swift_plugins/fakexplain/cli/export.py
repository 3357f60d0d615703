"""`fakexplain export`: annotations in the formats of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..annotation import Annotation, read_annotations
from ..images import check_image
from .app import OUT, Annotations, Force, SubsetName, app, check_free, progress, usage


@app.command()
def export(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="JSONL to write.")],
    subset: SubsetName = "all",
    force: Force = False,
) -> None:
    """Write the dataset's rows as a stock ms-swift JSONL, for runs that cannot take a plugin."""
    from converters.export import export_rows

    from ..rows import parse_subset, select

    check_free(output, force, annotations)
    chosen = usage(parse_subset, subset, "--subset")
    records = progress(read_annotations(annotations), annotations, "export")

    def checked() -> Iterator[Annotation]:
        for record in select(records, chosen):
            check_image(record)
            yield record

    print(f"{export_rows(checked(), output, chosen.variant)} rows in {output}")
