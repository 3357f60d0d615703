"""`fakexplain plugin`, `validate`, `preflight`: check the data and the installation before a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..annotation import Annotation, read_annotations, relocate, write_annotations
from ..atomic import atomic_file
from ..errors import printable
from ..images import check_image
from ..parallel import map_good
from ..paths import check_is_file
from .app import (
    DATA,
    OUT,
    TRAINING,
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
    say,
    show_progress,
)
from .doubts import Duplicates, print_doubts


@app.command(rich_help_panel=TRAINING)
def plugin() -> None:
    """Print the path of the plugin file, for ms-swift's --custom_register_path."""
    print(find_plugin())  # exactly, for a shell


def find_plugin() -> Path:
    """The plugin file of this installation."""
    return Path(__file__).resolve().parents[2] / "fakexplain_plugin.py"


@app.command(rich_help_panel=DATA)
def validate(
    annotations: Annotations,
    images: Annotated[bool, typer.Option(help="Also open and decode every image.")] = True,
    keep_going: KeepGoing = False,
    duplicates: Duplicates = False,
    output: Annotated[Path | None, typer.Option(*OUT, help="Write the valid records to this file.")] = None,
    force: Force = False,
) -> None:
    """Check every record and image, and summarize the file; warn about what often is a mistake."""
    from converters.quality.doubts import Doubts
    from converters.quality.stats import Counts

    if output is not None:
        check_free(output, force, annotations)
    errors = Errors(keep_going)
    counts, doubts = Counts(), Doubts()

    def check(record: Annotation) -> Annotation:
        check_image(record, decode=True)
        return record

    def read_valid() -> Iterator[Annotation]:
        records: Iterator[Annotation] = read_annotations(annotations, on_error=errors)
        if images:
            records = map_good(check, records, errors)
        for record in show_progress(records, annotations, "validate"):
            counts.add(record)
            doubts.add(record)
            yield record

    if output is not None:
        with atomic_file(output) as partial:
            if not write_annotations(partial, (relocate(record, output.parent) for record in read_valid())):
                errors.exit_if_any(0, annotations)
    else:
        for _ in read_valid():
            pass
    say(counts.summary())
    on_error = Errors.ignore if images else errors  # the images' errors were reported before
    unreadable = print_doubts(doubts, annotations, duplicates=duplicates, on_error=on_error)
    errors.exit_if_any(counts.records - (0 if images else unreadable), annotations)


@app.command(rich_help_panel=TRAINING)
def preflight(
    annotations: Annotations,
    model: Annotated[str, typer.Option(help="Model folder or name; only its processor is loaded, not its weights.")],
    template: Template = "fx_qwen2_5_vl",
    plugin: Annotated[Path | None, typer.Option(help="Plugin file; default: the installed one.")] = None,
    model_type: Annotated[
        str | None, typer.Option(help="Model type, if ms-swift cannot infer it from the folder.")
    ] = None,
    subset: SubsetName = "all",
    max_length: Annotated[int | None, typer.Option(help="The run's --max_length; default: the model's own.")] = None,
    max_pixels: MaxPixels = None,
    sample: Annotated[int, typer.Option(help="Number of records to encode; 0 encodes all.", min=0)] = 200,
) -> None:
    """Check versions, data and images before a run, and that gold answers score 1.0 in ms-swift itself."""
    from ..host import preflight as checks
    from ..rows import parse_subset

    chosen = parse_option(parse_subset, subset, "--subset")
    plugin_file = plugin or find_plugin()
    check_is_file(plugin_file, "the plugin file")
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    states = []
    for state, what, found in checks.preflight(
        annotations,
        chosen,
        lambda records: show_progress(records, annotations, "images"),
        plugin=plugin_file,
        template=template,
        model=model,
        model_type=model_type,
        max_length=max_length,
        max_pixels=max_pixels,
        sample=sample,
    ):
        states.append(state)
        typer.echo(f"{typer.style(f'{state:4}', fg=colours[state])}  {printable(f'{what}: {found}')}")
    if "fail" in states:
        fail(f"{states.count('fail')} of {len(states)} checks failed")
