"""`fakexplain score`, `sheet`: answers as numbers and as pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ..annotation import Annotation, read_annotations
from ..prompts import VARIANTS
from .app import OUT, Annotations, Force, MaxPixels, Template, Variant, app, check_free, progress, usage


@app.command()
def score(
    predictions: Annotated[
        list[str], typer.Argument(help="What `swift infer` wrote; NAME=FILE names its row.", metavar="PREDICTIONS")
    ],
    annotations: Annotated[Path, typer.Option(help="Annotations file the images were taken from.")],
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    variant: Variant = "full",
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
    details: Annotated[Path | None, typer.Option(help="Write each image's scores here, as JSON Lines.")] = None,
    force: Force = False,
) -> None:
    """Accuracy, IoU on fake images and format rate of answers.

    Boxes are mapped back to original pixels by the template's frame: set MAX_PIXELS, MIN_PIXELS or IMAGE_MAX_TOKEN_NUM
    as they were set for `swift infer`. Answers that cannot be read are counted wrong.
    """
    from dataclasses import asdict

    from ..files import replacing, write_jsonl
    from ..frames import frame_rule
    from ..scoring.metrics import Result, Scored
    from ..scoring.metrics import score as score_answers
    from ..scoring.predictions import join, read_predictions
    from ..scoring.table import render_table

    rule = usage(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    usage(_known_variant, variant, "--variant")
    named = dict(_named(argument) for argument in predictions)
    for out in filter(None, (json_out, details)):
        check_free(out, force, annotations, *named.values())
    if len(named) < len(predictions):
        raise typer.BadParameter("two files have one name; write NAME=FILE", param_hint="PREDICTIONS")
    rows: list[tuple[str, Result]] = []
    lines: list[dict[str, Any]] = []
    for name, path in named.items():

        def note(scored: Scored, name: str = name) -> None:
            lines.append({"name": name} | asdict(scored))

        records = progress(read_annotations(annotations), annotations, name)
        pairs = join(records, read_predictions(path))
        result = score_answers(pairs, rule, variant, note if details is not None else None)
        rows.append((name, result))
    print(render_table(rows))
    for name, result in rows:
        if result.n < result.records:
            print(f"{name}: {result.n} of the {result.records} records have an answer; the others are not scored")
    if json_out is not None:
        scores = json.dumps({name: result.as_dict() for name, result in rows}, indent=2, ensure_ascii=False)
        with replacing(json_out) as partial:
            partial.write_text(scores + "\n", encoding="utf-8")
    if details is not None:
        write_jsonl(details, lines)


@app.command()
def sheet(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="PNG to write.")],
    predictions: Annotated[
        Path | None, typer.Option(help="What `swift infer` wrote; shows the images it is about.")
    ] = None,
    template: Template = "fx_qwen2_5_vl",
    max_pixels: MaxPixels = None,
    variant: Variant = "full",
    limit: Annotated[int, typer.Option(help="Show this many images, drawn at random; 0 shows all.", min=0)] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    columns: Annotated[int, typer.Option(help="Images side by side.", min=1)] = 4,
    cell: Annotated[int, typer.Option(help="Longer side of an image on the sheet, in pixels.", min=120)] = 360,
    font: Annotated[Path | None, typer.Option(help="TrueType file for captions beyond Latin letters.")] = None,
    force: Force = False,
) -> None:
    """Draw images with gold and predicted boxes and captions on one contact sheet."""
    from ..frames import frame_rule
    from ..scoring.predictions import join, read_predictions
    from ..scoring.sheet import contact_sheet, drawn_at_random

    rule = usage(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    usage(_known_variant, variant, "--variant")
    if output.suffix.lower() != ".png":
        raise typer.BadParameter(f"expected a name that ends in .png, found {output}", param_hint=OUT[0])
    if font is not None and not font.is_file():
        raise FileNotFoundError(f"{font}: expected a font file, found no such file")
    check_free(output, force, annotations)
    records = progress(read_annotations(annotations), annotations, "sheet")
    pairs: Iterator[tuple[Annotation, str | None]] = ((record, None) for record in records)
    if predictions is not None:
        pairs = (pair for pair in join(records, read_predictions(predictions)) if pair[1] is not None)
    chosen = drawn_at_random(pairs, limit, seed)
    shown = contact_sheet(chosen, output, rule=rule, variant=variant, columns=columns, cell=cell, font=font)
    print(f"{shown} images on {output}")


def _named(argument: str) -> tuple[str, Path]:
    """NAME=FILE, or FILE, named by its stem."""
    name, equals, path = argument.partition("=")
    return (name, Path(path)) if equals and not Path(argument).exists() else (Path(argument).stem, Path(argument))


def _known_variant(variant: str) -> str:
    if variant not in VARIANTS:
        raise ValueError(f"expected one of {', '.join(VARIANTS)}, found {variant!r}")
    return variant
