"""`fakexplain`: the command line. Parsing and printing only; the work is done elsewhere, imported where it is used."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .annotation import Annotation, AnnotationError, check_image, read_annotations, write_annotations
from .prompts import VARIANTS

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Explainable detection of AI-generated images on stock ms-swift. Exit codes: 0 fine, 1 bad data, 2 bad usage.",
)

Annotations = Annotated[Path, typer.Argument(help="Annotations file, one JSON record a line.", metavar="ANNOTATIONS")]
Template = Annotated[str, typer.Option(help="Template the model was trained with; gives the frame of its boxes.")]
MaxPixels = Annotated[int | None, typer.Option(help="The --max_pixels of the run, if it had one.", min=1)]
Variant = Annotated[str, typer.Option(help=f"What an answer holds: {', '.join(VARIANTS)}.", metavar="VARIANT")]
SubsetName = Annotated[str, typer.Option(help="Records to take: all, fold0_train … fold3_test, each also __VARIANT.")]
INTERRUPTED = 130


def main() -> None:
    """Run the command line; bad data and files that are not there end in one message and exit code 1."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except (ValueError, OSError) as error:
        _fail(str(error))
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Typer's word for Ctrl-C; it prints none
            _fail("interrupted; nothing half-written is left", INTERRUPTED)
        raise


def _fail(message: str, code: int = 1) -> NoReturn:
    typer.secho(f"error: {message}", fg="red", err=True)
    raise SystemExit(code)


def _progress(records: Iterable[Any], path: Path, what: str) -> Iterator[Any]:
    """The records, with a bar on a terminal and nothing in a pipe."""
    from tqdm import tqdm

    total = None
    if sys.stderr.isatty():
        with open(path, "rb") as file:
            total = sum(1 for line in file if line.strip())
    yield from tqdm(records, total=total, desc=what, unit="record", disable=None)


@app.command()
def plugin() -> None:
    """Print the path of the plugin file, for ms-swift's --custom_register_path."""
    print(_front_door())


def _front_door() -> Path:
    return Path(__file__).resolve().parents[1] / "fakexplain_plugin.py"


@app.command()
def validate(
    annotations: Annotations,
    images: Annotated[bool, typer.Option(help="Also open and decode every image.")] = True,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Collect every error instead of the first.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="With --keep-going: write the good records here.")
    ] = None,
) -> None:
    """Check every record and image, and say what the file holds."""
    if output is not None and output.resolve() == annotations.resolve():
        raise typer.BadParameter("the good records would overwrite the file that is read", param_hint="--output")
    errors = 0
    summary = _Summary()

    def report(error: AnnotationError) -> None:
        nonlocal errors
        if not keep_going:
            raise error
        errors += 1
        print(f"error: {error}", file=sys.stderr)

    def good() -> Iterator[Annotation]:
        for record in _progress(read_annotations(annotations, on_error=report), annotations, "validate"):
            try:
                if images:
                    check_image(record, decode=True)
            except AnnotationError as error:
                report(error)
            else:
                summary.add(record)
                yield record

    if output is not None:
        moved = output.parent.resolve() != annotations.parent.resolve()
        write_annotations(output, (_moved(record, output) if moved else record for record in good()))
    else:
        for _ in good():
            pass
    print(summary)
    if errors:
        _fail(f"{errors} bad records of {errors + summary.records} in {annotations}")


def _moved(annotation: Annotation, out: Path) -> Annotation:
    """The record with its image path relative to another file's folder."""
    import os
    from dataclasses import replace

    return replace(annotation, image=os.path.relpath(annotation.path.resolve(), out.parent.resolve()))


class _Summary:
    """Counts of what a file holds."""

    def __init__(self) -> None:
        self.records = self.regions = self.bare = 0
        self.counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("label", "tags", "fold", "family", "generator", "other fields, kept")
        }

    def add(self, annotation: Annotation) -> None:
        self.records += 1
        self.regions += len(annotation.regions)
        self.bare += annotation.label == "fake" and not annotation.regions
        self.counts["label"][annotation.label] += 1
        self.counts["tags"].update(annotation.tags)
        self.counts["other fields, kept"].update(annotation.extra.keys())
        for name in ("fold", "family", "generator"):
            if (value := getattr(annotation, name)) is not None:
                self.counts[name][str(value)] += 1

    def __str__(self) -> str:
        fakes = self.counts["label"]["fake"]
        mean = f", {self.regions / fakes:.2f} a fake image" if fakes else ""
        lines = [f"{self.records} records, {self.regions} regions{mean}, {self.bare} fake images without a region"]
        for name, counter in self.counts.items():
            if counter:
                shown = ", ".join(f"{value} {count}" for value, count in sorted(counter.items()))
                lines.append(f"  {name}: {shown}")
        return "\n".join(lines)


@app.command()
def split(
    annotations: Annotations,
    output: Annotated[Path, typer.Option("--output", "-o", help="Annotations file to write, with folds.")],
    seed: Annotated[int, typer.Option(help="Seed of the shuffle.")] = 0,
    group_by: Annotated[
        str | None, typer.Option(help="Keep records with the same value of this field in one fold, e.g. class_name.")
    ] = None,
    reassign: Annotated[bool, typer.Option("--reassign", help="Pass over the folds that records have.")] = False,
) -> None:
    """Assign four cross-validation folds, each with its share of every label and generator.

    A record that has a fold keeps it.
    """
    from dataclasses import replace

    from converters.split import assign_folds

    folds = assign_folds(read_annotations(annotations), seed=seed, group_by=group_by, reassign=reassign)
    table: Counter[tuple[int, str]] = Counter()

    def assigned() -> Iterator[Annotation]:
        for record in _progress(read_annotations(annotations), annotations, "split"):
            table[folds[record.id], record.label] += 1
            yield replace(_moved(record, output), fold=folds[record.id])

    write_annotations(output, assigned())
    for fold in sorted(set(folds.values())):
        print(f"fold {fold}: {table[fold, 'fake']} fake, {table[fold, 'real']} real")


@app.command()
def export(
    annotations: Annotations,
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL to write.")],
    subset: SubsetName = "all",
) -> None:
    """Write the dataset's rows as a stock ms-swift JSONL, for runs that cannot take a plugin."""
    from converters.export import export_rows

    from .rows import parse_subset, select

    chosen = _usage(parse_subset, subset, "--subset")
    records = _progress(read_annotations(annotations), annotations, "export")

    def checked() -> Iterator[Annotation]:
        for record in select(records, chosen):
            check_image(record)
            yield record

    print(f"{export_rows(checked(), output, chosen.variant)} rows in {output}")


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
) -> None:
    """Accuracy, IoU on fake images and format rate of answers.

    Boxes are mapped back to original pixels by the template's frame: set MAX_PIXELS, MIN_PIXELS or IMAGE_MAX_TOKEN_NUM
    as they were set for `swift infer`. Answers that cannot be read are counted wrong.
    """
    from dataclasses import asdict

    from .files import replacing, write_jsonl
    from .frames import frame_rule
    from .scoring.metrics import Result, Scored
    from .scoring.metrics import score as score_answers
    from .scoring.predictions import join, read_predictions
    from .scoring.table import render_table

    rule = _usage(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    _usage(_known_variant, variant, "--variant")
    named = dict(_named(argument) for argument in predictions)
    if len(named) < len(predictions):
        raise typer.BadParameter("two files have one name; write NAME=FILE", param_hint="PREDICTIONS")
    rows: list[tuple[str, Result]] = []
    lines: list[dict[str, Any]] = []
    for name, path in named.items():

        def note(scored: Scored, name: str = name) -> None:
            lines.append({"name": name} | asdict(scored))

        records = _progress(read_annotations(annotations), annotations, name)
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
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG to write.")],
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
) -> None:
    """Draw images with gold and predicted boxes and captions on one contact sheet."""
    from .frames import frame_rule
    from .scoring.predictions import join, read_predictions
    from .scoring.sheet import contact_sheet, drawn_at_random

    rule = _usage(lambda name: frame_rule(name, max_pixels=max_pixels), template, "--template")
    _usage(_known_variant, variant, "--variant")
    records = _progress(read_annotations(annotations), annotations, "sheet")
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
    from . import preflight as checks
    from .rows import parse_subset

    chosen = _usage(parse_subset, subset, "--subset")
    front_door = plugin or _front_door()
    if not front_door.is_file():
        raise FileNotFoundError(f"{front_door}: expected the plugin file, found no such file")
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    states = []
    for state, what, found in checks.preflight(
        annotations,
        chosen,
        lambda records: _progress(records, annotations, "images"),
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
        _fail(f"{states.count('fail')} of {len(states)} checks failed")


def _usage(function: Any, value: str, option: str) -> Any:
    """Call a parser of an option's value; what it refuses is bad usage."""
    try:
        return function(value)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


if __name__ == "__main__":
    main()
