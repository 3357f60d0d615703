"""`fakexplain sheet` and `fakexplain draw`: images with annotated and predicted regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..annotation import Annotation, read_annotations
from ..errors import DataError
from .app import (
    OUT,
    PICTURES,
    Annotations,
    Force,
    MaxPixels,
    Seed,
    Template,
    VariantName,
    app,
    check_free,
    exclude_output_images,
    parse_option,
    say,
    show_progress,
)
from .named_files import parse_named_files

if TYPE_CHECKING:
    from ..frames import FrameRule

Font = Annotated[Path | None, typer.Option(help="Use this TrueType file for all text. Default: DejaVu Sans.")]


@app.command(rich_help_panel=PICTURES)
def sheet(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="PNG to write.")],
    predictions: Annotated[
        Path | None, typer.Option(help="Show the answers that `swift infer` wrote to this file, and their images only.")
    ] = None,
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    variant: VariantName = "full",
    limit: Annotated[int, typer.Option(help="Show this many images, chosen at random; 0 shows all.", min=0)] = 24,
    seed: Seed = 0,
    columns: Annotated[int, typer.Option(help="Number of columns.", min=1)] = 4,
    cell: Annotated[int, typer.Option(help="Longer side of an image on the sheet, in pixels.", min=120)] = 360,
    font: Font = None,
    force: Force = False,
) -> None:
    """Draw images with annotated and predicted boxes and captions on one contact sheet."""
    from ..scoring.pictures.records import sample
    from ..scoring.pictures.sheet import contact_sheet
    from ..scoring.predictions.answers import read_predictions
    from ..scoring.predictions.join import join

    rule = _check_settings(template, max_pixels, variant, font)
    if output.suffix.lower() != ".png":
        raise typer.BadParameter(f"expected a name that ends in .png, found {output}", param_hint=OUT[0])
    check_free(output, force, annotations)
    records = show_progress(read_annotations(annotations), annotations, "sheet")
    pairs: Iterator[tuple[Annotation, str | None]] = ((record, None) for record in records)
    if predictions is not None:
        pairs = (pair for pair in join(records, read_predictions(predictions)) if pair[1] is not None)
    chosen = sample(pairs, limit, seed)
    errors = contact_sheet(chosen, output, rule=rule, variant=variant, columns=columns, cell=cell, font=font)
    say(f"{len(errors)} images on {output}")
    _end_if_unreadable([error for error in errors if error])


@app.command(rich_help_panel=PICTURES)
def draw(
    source: Annotated[
        Path,
        typer.Argument(help="Annotations file, or a run folder written by `fakexplain score --out`.", metavar="SOURCE"),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write to, one PNG per image.")],
    predictions: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE: show the answers that `swift infer` wrote to this file; repeatable."),
    ] = None,
    system: Annotated[list[str] | None, typer.Option(help="Show this system of a run; repeatable.")] = None,
    id: Annotated[list[str] | None, typer.Option(help="Draw this record; repeatable.")] = None,
    limit: Annotated[
        int, typer.Option(help="Without --id: draw this many, chosen at random; 0 draws all.", min=0)
    ] = 24,
    seed: Seed = 0,
    overlaid: Annotated[
        bool,
        typer.Option("--overlaid", help="Draw annotation and prediction on the same image (one system only)."),
    ] = False,
    longer_side: Annotated[int, typer.Option(help="Longer side of an image, in pixels.", min=240, max=8192)] = 768,
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    variant: VariantName = "full",
    font: Font = None,
    force: Force = False,
) -> None:
    """Draw images one by one: annotated beside predicted regions, captions in full (Fig. 5, Fig. 9)."""
    from ..scoring.pictures.folder import draw_all
    from ..scoring.pictures.records import attach_file_answers, attach_run_answers, sample, select_ids
    from ..scoring.run import FILES

    rule = _check_settings(template, max_pixels, variant, font)
    files = parse_named_files(predictions or [], "--predictions")
    systems = _choose_systems(source, files, system or [], overlaid)
    check_free(output, force, source, *(path for paths in files.values() for path in paths), folder=True)
    path = source / FILES[1] if source.is_dir() else source
    records = exclude_output_images(read_annotations(path), output)
    answers = (
        attach_run_answers(records, systems) if source.is_dir() else attach_file_answers(records, files, rule, variant)
    )
    answers = show_progress(answers, path, "read")
    chosen = select_ids(answers, id, source) if id else sample(answers, limit, seed)
    if not chosen:
        raise ValueError(f"{source}: expected at least one image to draw, found none")
    with closing(draw_all(chosen, output, longer_side=longer_side, font=font, overlaid=overlaid)) as results:
        errors = [error for error in show_progress(results, None, "draw", "image") if error]
    say(f"{len(chosen)} images in {output}")
    _end_if_unreadable(errors)


def _end_if_unreadable(errors: Sequence[DataError]) -> None:
    """End the command with exit code 1 if there were unreadable images."""
    if errors:
        raise ValueError(
            f"{len(errors)} images could not be read; their pictures say why. The first: {min(errors, key=str)}"
        )


def _check_settings(template: str, max_pixels: int | None, variant: str, font: Path | None) -> FrameRule:
    """Check the options of both commands, and return the frame rule of the template."""
    from ..frames import frame_rule

    rule: FrameRule = parse_option(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    if font is not None:
        from ..pictures.lettering import check_font

        check_font(font)
    return rule


def _choose_systems(source: Path, files: dict[str, list[Path]], system: list[str], overlaid: bool) -> list[str]:
    """The systems to draw: those that --system names, or all of a run, or all of --predictions."""
    from ..scoring.run import load_run

    if source.is_dir() and files:
        raise typer.BadParameter(
            "SOURCE is a run and already has answers; choose among them with --system", param_hint="--predictions"
        )
    if system and not source.is_dir():
        raise typer.BadParameter("expected a run to choose from, found an annotations file", param_hint="--system")
    known = list(load_run(source).systems) if source.is_dir() else list(files)
    if unknown := set(system) - set(known):
        raise typer.BadParameter(
            f"expected {', '.join(known)}, found {', '.join(sorted(unknown))}", param_hint="--system"
        )
    systems = system or known
    if overlaid and len(systems) > 1:
        raise typer.BadParameter("expected one system to draw on the annotated image", param_hint="--overlaid")
    return systems
