"""`fakexplain export`: annotations in the formats of others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from ..annotation import Annotation, read_annotations
from ..atomic import atomic_file, atomic_folder
from ..errors import DataError
from ..images import check_image, image_key
from ..paths import resolve_folder
from .app import (
    OUT,
    Annotations,
    Errors,
    Force,
    KeepGoing,
    SubsetName,
    app,
    check_free,
    exclude_output_images,
    parse_option,
    show_progress,
)


@app.command()
def export(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="File or folder to write.")],
    to: Annotated[str, typer.Option("--to", help="Format: rows, coco, labelme, yolo, masks or folders.")] = "rows",
    subset: SubsetName = "all",
    images: Annotated[
        Path | None,
        typer.Option(
            help="Folder that the images' paths in the output begin at; by default the annotations file's, or the one "
            "above it that holds all images."
        ),
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
    writer = WRITERS[to]
    chosen = parse_option(parse_subset, subset, "--subset")
    check_free(output, force, annotations, folder=writer.folder)
    errors = Errors(keep_going)
    settings: dict[str, Any] = {"on_error": errors}
    if to == "rows":
        settings["variant"] = chosen.variant
    else:
        settings |= {"images": images or _images_folder(annotations), "link": link}

    def checked() -> Iterator[Annotation]:
        records = show_progress(read_annotations(annotations, on_error=errors), annotations, f"export {to}")
        taken = select(records, chosen, on_error=errors)
        for record in exclude_output_images(taken, output) if writer.folder else taken:
            try:
                if check:
                    check_image(record)
            except DataError as error:
                errors(error)
            else:
                yield record

    with ExitStack() as files:
        partial = files.enter_context(atomic_folder(output, whole=True) if writer.folder else atomic_file(output))
        count = writer.save(checked(), partial, **settings)
        if not count:
            errors.exit_if_any(0, annotations)
            raise ValueError(f"{annotations}: no record is in {subset}")
    print(f"{count} {'rows' if to == 'rows' else 'records'} in {output}")
    if to == "coco":
        print(f"  its image paths are relative to {settings['images']}")
    errors.exit_if_any(count, annotations)


def _images_folder(annotations: Path) -> Path:
    """The annotations file's folder, or the nearest one above it that holds all the images."""
    folder = resolve_folder(annotations.parent)
    common = str(folder)
    for record in read_annotations(annotations, on_error=Errors.ignore):
        common = os.path.commonpath((common, image_key(record.path.parent)))
    return annotations.parent if common == str(folder) else Path(common)
