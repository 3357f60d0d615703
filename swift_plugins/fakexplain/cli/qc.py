"""`fakexplain qc`: check the quality of annotations."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..annotation import Annotation
from ..atomic import atomic_folder
from ..errors import on_one_line
from ..percentages import percent
from ..text_table import align_columns
from .app import OUT, QUALITY, Annotations, Errors, Force, KeepGoing, app, check_free, say, show_progress

if TYPE_CHECKING:
    from converters.quality.lint import CaptionWarning

MAX_WARNINGS = 100  # printed warnings about captions; lint.csv has all


@app.command(rich_help_panel=QUALITY)
def qc(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write.")],
    reference: Annotated[
        Path | None, typer.Option(help="Annotations file with the team's own records of some of the images.")
    ] = None,
    min_iou: Annotated[float, typer.Option(help="Reject an annotator with a mean IoU below this.", min=0, max=1)] = 0.2,
    min_tags: Annotated[
        float,
        typer.Option(help="Reject an annotator with a tag agreement below this.", min=0, max=1, show_default="1/3"),
    ] = 1 / 3,
    worst: Annotated[int, typer.Option(help="Draw this many of the worst disagreements.", min=0)] = 40,
    lint: Annotated[bool, typer.Option(help="Check captions, too.")] = True,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Compare annotators with a reference and with one another, and check their captions.

    ANNOTATIONS has one record per image and annotator; records belong to the same image if their paths lead to the
    same file. OUT receives accepted.jsonl, rejected.jsonl (all records of annotators that disagree too much with the
    reference), annotators.csv, pairs.csv, lint.csv, qc.json and qc.html.
    Warnings about captions do not count as errors.
    """
    from converters.quality.qc import QcSettings, check_quality
    from converters.quality.qc_files import QC_FILES

    check_free(output, force, folder=True)
    for name in QC_FILES:
        check_free(output / name, True, annotations, *([reference] if reference else []))
    errors, reference_errors = Errors(keep_going), Errors(keep_going)
    with atomic_folder(output) as partial:
        result = check_quality(
            annotations,
            reference,
            partial,
            output,
            QcSettings(min_iou, min_tags, worst, lint),
            on_error=errors,
            on_reference_error=reference_errors,
            on_warning=WarningPrinter(),
            progress=show_progress,
        )
        if result is None:
            errors.exit_if_any(0, annotations)
            return
    _print_metrics(result.metrics, len(result.pairs), output)
    say(f"{result.accepted} records in {output / 'accepted.jsonl'}, {result.rejected} in {output / 'rejected.jsonl'}")
    errors.exit_if_any(result.records, annotations)
    if reference is not None:
        reference_errors.exit_if_any(result.references, reference)


class WarningPrinter:
    """Prints the first warnings about captions."""

    def __init__(self) -> None:
        self.number = count(1)

    def __call__(self, record: Annotation, warning: CaptionWarning) -> None:
        from tqdm import tqdm

        if next(self.number) <= MAX_WARNINGS:
            place = f"{record.file}:{record.line}: {record.id}"
            line = f"{place}: {warning.field}: {warning.rule}: {warning.text}"
            tqdm.write(on_one_line(line), file=sys.stderr)


def _print_metrics(metrics: Mapping[str, Any], pairs: int, output: Path) -> None:
    say(f"{metrics['records']} records, {metrics['images']} images, {len(metrics['annotators'])} annotators")
    _print_annotators(metrics["annotators"], metrics["overall"] is not None)
    if metrics["overall"] is not None:
        _print_reference(metrics)
    between = metrics["between"]
    if between is None:
        say(f"between annotators: not measured; records without an annotator: {metrics['unnamed']}")
    elif not pairs:
        say("between annotators: not measured because no two share an image")
    else:
        say(f"between annotators, {pairs} pairs with {between['images']} images in common: {_agreement(between)}")
    if metrics["lint"] is not None:
        total = sum(metrics["lint"].values())
        rules = ", ".join(f"{rule} {number}" for rule, number in metrics["lint"].items())
        hidden = f"; {total - MAX_WARNINGS} of them are not printed" if total > MAX_WARNINGS else ""
        say(f"captions: {total} warnings in {output / 'lint.csv'}{hidden}" + (f" ({rules})" if rules else ""))


def _print_annotators(annotators: list[Mapping[str, Any]], measured: bool) -> None:
    """Print one row per annotator; agreement only if it was measured against a reference."""
    rows: list[tuple[str, ...]] = [("annotator", "records")]
    if measured:
        rows = [("annotator", "verdict", "records", "compared", "IoU", "tags", "same tags", "same label")]
    for each in annotators:
        if measured:
            rates = [percent(each[name], 2) for name in ("mean_iou", "tag_agreement", "same_tags", "label_agreement")]
            rows.append((each["annotator"], each["verdict"], str(each["records"]), str(each["images"]), *rates))
        else:
            rows.append((each["annotator"], str(each["records"])))
    if annotators:
        say(f"\n{align_columns(rows, left=(0, 1) if measured else (0,))}\n")


def _print_reference(metrics: Mapping[str, Any]) -> None:
    """Print the agreement with the reference beside the paper's."""
    overall, accepted, paper = metrics["overall"], metrics["accepted"], metrics["paper"]
    say(
        f"against the reference, {overall['images']} records ({overall['images_without_any_region']} without any "
        f"region): IoU {percent(overall['mean_iou'], 2)} (paper: {percent(paper['mean_iou'], 2)}), "
        f"tag agreement {percent(overall['tag_agreement'], 2)} (paper: {percent(paper['tag_agreement'], 2)})"
    )
    say(f"without rejected annotators, {accepted['images']} records: {_agreement(accepted)}")
    if unmatched := metrics["references_not_met"]:
        say(f"reference records that no annotator covered: {unmatched} of {metrics['references']}")


def _agreement(metrics: Mapping[str, Any]) -> str:
    return f"IoU {percent(metrics['mean_iou'], 2)}, tag agreement {percent(metrics['tag_agreement'], 2)}"
