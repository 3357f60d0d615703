"""`fakexplain export`: annotations in the formats of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ..annotation import Annotation, AnnotationError, read_annotations
from ..files import replacing, replacing_folder
from ..images import check_image
from .app import OUT, Annotations, Errors, Force, KeepGoing, SubsetName, app, check_free, progress, usage


@app.command()
def export(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="File or folder to write.")],
    to: Annotated[str, typer.Option("--to", help="Format: rows, coco, labelme, yolo, masks or folders.")] = "rows",
    subset: SubsetName = "all",
    images: Annotated[
        Path | None, typer.Option(help="Folder that image paths are relative to; by default the annotations file's.")
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Hard links to images in place of copies.")] = False,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Open every image, and compare its size.")] = True,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Write annotations in another format.

    - rows: a stock ms-swift JSONL, for runs that cannot take a plugin; the variant of --subset decides what an answer
      holds
    - coco: one JSON, captions as attributes
    - labelme: a JSON beside a copy of each image
    - yolo: images, labels and data.yaml, without captions
    - masks: a PNG for each image, 255 in its regions, and labels.csv
    - folders: copies of the images in 0_real and 1_fake
    """
    from converters.export import WRITERS

    from ..rows import parse_subset, select

    if to not in WRITERS:
        raise typer.BadParameter(f"expected one of {', '.join(WRITERS)}, found {to!r}", param_hint="--to")
    check_free(output, force, annotations)
    chosen = usage(parse_subset, subset, "--subset")
    writer = WRITERS[to]
    errors = Errors(keep_going)

    def checked() -> Iterator[Annotation]:
        records = progress(read_annotations(annotations, on_error=errors), annotations, f"export {to}")
        for record in select(records, chosen):
            try:
                if check:
                    check_image(record)
            except AnnotationError as error:
                errors(error)
            else:
                yield record

    settings: dict[str, Any] = {"images": images or annotations.parent, "link": link, "on_error": errors}
    if to == "rows":
        settings["variant"] = chosen.variant
    with (replacing_folder if writer.folder else replacing)(output) as partial:
        count = writer.save(checked(), partial, **settings)
        if not count:
            errors.end(0, annotations)
            raise ValueError(f"{annotations}: no record is in {subset}")
    print(f"{count} {'rows' if to == 'rows' else 'records'} in {output}")
    errors.end(count, annotations)
