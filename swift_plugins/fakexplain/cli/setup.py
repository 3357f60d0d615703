"""`fakexplain plugin`, `validate`, `preflight`: what is there, and whether it is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..annotation import Annotation, read_annotations, relocate, write_annotations
from ..atomic import atomic_file
from ..errors import DataError
from ..images import check_image
from ..parallel import map_ordered
from .app import (
    OUT,
    Annotations,
    Errors,
    Force,
    KeepGoing,
    MaxPixels,
    SubsetName,
    Template,
    app,
    check_free,
    fail,
    parse_option,
    show_progress,
)


@app.command()
def plugin() -> None:
    """Print the path of the plugin file, for ms-swift's --custom_register_path."""
    print(_front_door())


def _front_door() -> Path:
    return Path(__file__).resolve().parents[2] / "fakexplain_plugin.py"


@app.command()
def validate(
    annotations: Annotations,
    images: Annotated[bool, typer.Option(help="Also open and decode every image.")] = True,
    keep_going: KeepGoing = False,
    output: Annotated[Path | None, typer.Option(*OUT, help="Write the good records here.")] = None,
    force: Force = False,
) -> None:
    """Check every record and image, and say what the file holds."""
    from converters.quality.stats import Counts

    if output is not None:
        check_free(output, force, annotations)
    errors = Errors(keep_going)
    counts = Counts()

    def checked(record: Annotation) -> Annotation | DataError:
        try:
            check_image(record, decode=True)
        except DataError as error:
            return error
        return record

    def good() -> Iterator[Annotation]:
        records: Iterator[Annotation] = read_annotations(annotations, on_error=errors)
        results = map_ordered(checked, records) if images else records
        for record in show_progress(results, annotations, "validate"):
            if isinstance(record, DataError):
                errors(record)
            else:
                counts.add(record)
                yield record

    if output is not None:
        with atomic_file(output) as partial:
            if not write_annotations(partial, (relocate(record, output.parent) for record in good())):
                errors.exit_if_any(0, annotations)
    else:
        for _ in good():
            pass
    print(counts.summary())
    errors.exit_if_any(counts.records, annotations)


@app.command()
def preflight(
    annotations: Annotations,
    model: Annotated[str, typer.Option(help="Model folder or name; its processor is loaded, its weights are not.")],
    template: Template = "fx_qwen2_5_vl",
    plugin: Annotated[Path | None, typer.Option(help="Plugin file; the installed one by default.")] = None,
    model_type: Annotated[str | None, typer.Option(help="Where ms-swift cannot tell it from the folder.")] = None,
    subset: SubsetName = "all",
    max_length: Annotated[int | None, typer.Option(help="The run's --max_length; the model's own by default.")] = None,
    max_pixels: MaxPixels = None,
    sample: Annotated[int, typer.Option(help="How many records to encode; 0 encodes all.", min=0)] = 200,
) -> None:
    """Look before a run: versions, data, images, and that gold answers score 1.0 through ms-swift's own code."""
    from ..host import preflight as checks
    from ..rows import parse_subset

    chosen = parse_option(parse_subset, subset, "--subset")
    front_door = plugin or _front_door()
    if not front_door.is_file():
        raise FileNotFoundError(f"{front_door}: expected the plugin file, found no such file")
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    states = []
    for state, what, found in checks.preflight(
        annotations,
        chosen,
        lambda records: show_progress(records, annotations, "images"),
        plugin=front_door,
        template=template,
        model=model,
        model_type=model_type,
        max_length=max_length,
        max_pixels=max_pixels,
        sample=sample,
    ):
        states.append(state)
        typer.echo(f"{typer.style(f'{state:4}', fg=colours[state])}  {what}: {found}")
    if "fail" in states:
        fail(f"{states.count('fail')} of {len(states)} checks failed")
