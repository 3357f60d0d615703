"""`fakexplain qc`, `stats`: whether annotations can be trusted, and what they hold."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..annotation import Annotation, read_annotations
from ..atomic import atomic_folder
from ..errors import DataError, raise_error
from ..tags import TAG_WORDS
from .app import OUT, Annotations, Errors, Force, KeepGoing, app, check_free, show_progress

if TYPE_CHECKING:
    from converters.quality.qc import QualityControl, Worst
    from converters.quality.stats import Stats

SHOWN = 100  # warnings about captions that are printed; lint.csv has all
MOST = 12  # values of a field in a printed table; the files have all


@app.command()
def qc(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write.")],
    reference: Annotated[
        Path | None, typer.Option(help="Annotations file with the team's own records of some of the images.")
    ] = None,
    min_iou: Annotated[float, typer.Option(help="Reject an annotator whose mean IoU is below.", min=0, max=1)] = 0.2,
    min_tags: Annotated[
        float,
        typer.Option(help="Reject an annotator whose tag agreement is below.", min=0, max=1, show_default="1/3"),
    ] = 1 / 3,
    worst: Annotated[int, typer.Option(help="Draw this many of the worst disagreements.", min=0)] = 40,
    lint: Annotated[bool, typer.Option(help="Look at captions, too.")] = True,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Compare annotators with a reference and with one another, and look at their captions.

    ANNOTATIONS holds a record for each image and annotator; records are of one image where their paths lead to one
    file. OUT gets accepted.jsonl, rejected.jsonl (all records of the annotators that disagree too much with the
    reference), annotators.csv, pairs.csv, lint.csv, qc.json and qc.html.
    Warnings about captions are no errors.
    """
    from converters.quality.qc import QualityControl
    from converters.quality.qc_files import FILES, figures_of, save_figures, save_records

    sources = [annotations] if reference is None else [annotations, reference]
    check_free(output, force, folder=True)
    for name in FILES:
        check_free(output / name, True, *sources)
    errors, of_reference = Errors(keep_going), Errors(keep_going)
    silent = Errors.ignore if keep_going else raise_error
    warnings: Counter[str] = Counter()

    with (
        atomic_folder(output) as partial,
        closing(QualityControl(worst=worst, need_annotator=reference is not None)) as control,
    ):
        if reference is not None:
            for record in show_progress(read_annotations(reference, on_error=of_reference), reference, "reference"):
                _take(control.add_reference, record, of_reference)
        records = show_progress(read_annotations(annotations, on_error=errors), annotations, "compare")
        taken = (record for record in records if _take(control.add, record, errors))
        if lint:
            _lint(taken, control, warnings, partial / "lint.csv")
        else:
            for _ in taken:
                pass
        if not control.records:
            errors.exit_if_any(0, annotations)
        if reference is not None and not control.overall().images:
            raise ValueError(
                f"{annotations}: expected records of images that {reference} has too, found none; their image paths "
                "must lead to the same files"
            )

        verdicts = {name: each.against.verdict(min_iou, min_tags) for name, each in control.annotators.items()}
        pairs = {} if control.unnamed else control.pairs()
        chosen = control.ranked_worst()
        drawn: dict[int, Annotation] = {}

        def again() -> Iterator[Annotation]:
            wanted = {each.line for each in chosen}
            for record in show_progress(read_annotations(annotations, on_error=silent), annotations, "write"):
                if control.took(record.line):
                    if record.line in wanted:
                        drawn[record.line] = record
                    yield record

        stay, go = save_records(again(), verdicts, partial, output)
        figures = figures_of(
            control,
            pairs,
            verdicts,
            reference=reference is not None,
            min_iou=min_iou,
            min_tags=min_tags,
            lint=warnings if lint else None,
        )
        save_figures(figures, pairs, _both(chosen, drawn, reference, silent), partial)
    _print_qc(figures, pairs, output)
    print(f"{stay} records in {output / 'accepted.jsonl'}, {go} in {output / 'rejected.jsonl'}")
    errors.exit_if_any(control.records, annotations)
    if reference is not None:
        of_reference.exit_if_any(control.references, reference)


def _take(add: Any, record: Annotation, errors: Errors) -> bool:
    """Whether a record was taken; what speaks against it is an error."""
    try:
        add(record)
    except DataError as error:
        errors(error)
        return False
    return True


def _lint(records: Iterable[Annotation], control: QualityControl, warnings: Counter[str], path: Path) -> None:
    """Print warnings about captions, write all of them, and count them by rule and annotator."""
    from tqdm import tqdm

    from converters.quality.lint import lint

    from ..csv_files import save_csv

    def rows() -> Iterator[tuple[Any, ...]]:
        for record in records:
            for warning in lint(record):
                warnings[warning.rule] += 1
                if record.annotator is not None:
                    control.annotators[record.annotator].warnings += 1
                if warnings.total() <= SHOWN:
                    place = f"{record.file}:{record.line}: {record.id}"
                    tqdm.write(f"{place}: {warning.field}: {warning.rule}: {warning.text}", file=sys.stderr)
                yield record.file, record.line, record.id, record.annotator, *warning

    save_csv(path, ("file", "line", "id", "annotator", "field", "rule", "text", "caption"), rows())


def _both(
    chosen: Iterable[Worst], records: Mapping[int, Annotation], reference: Path | None, silent: Any
) -> Iterator[tuple[Annotation, Annotation]]:
    """An annotator's record and the reference's, for each chosen disagreement."""
    chosen = list(chosen)
    if reference is None or not chosen:
        return
    wanted = {each.reference_line for each in chosen}
    references = {
        record.line: record for record in read_annotations(reference, on_error=silent) if record.line in wanted
    }
    for each in chosen:
        yield records[each.line], references[each.reference_line]


def _print_qc(figures: Mapping[str, Any], pairs: Mapping[Any, Any], output: Path) -> None:
    from converters.quality.qc_page import percent

    from ..text_table import align_columns

    annotators, overall, between = figures["annotators"], figures["overall"], figures["between"]
    print(f"{figures['records']} records, {figures['images']} images, {len(annotators)} annotators")
    measured = overall is not None
    rows: list[tuple[str, ...]] = []
    for each in annotators:
        rates = [percent(each[name]) for name in ("mean_iou", "tag_agreement", "same_tags", "label_agreement")]
        row = [each["annotator"], each["verdict"], str(each["records"]), str(each["images"]), *rates]
        rows.append(tuple(row if measured else row[:1] + row[2:3]))
    names = ("annotator", "verdict", "records", "compared", "IoU", "tags", "same tags", "same label")
    if rows:
        print(
            "\n"
            + align_columns([names if measured else ("annotator", "records"), *rows], left=(0, 1) if measured else (0,))
            + "\n"
        )
    if measured:
        paper = figures["paper"]
        print(
            f"against the reference, {overall['images']} records ({overall['images_without_any_region']} without any "
            f"region): IoU {percent(overall['mean_iou'])} (the paper's: {percent(paper['mean_iou'])}), "
            f"tag agreement {percent(overall['tag_agreement'])} (the paper's: {percent(paper['tag_agreement'])})"
        )
        accepted = figures["accepted"]
        print(
            f"without rejected annotators, {accepted['images']} records: IoU {percent(accepted['mean_iou'])}, "
            f"tag agreement {percent(accepted['tag_agreement'])}"
        )
        if missing := figures["references_not_met"]:
            print(f"reference records without an annotator's: {missing} of {figures['references']}")
    if between is None:
        print(f"between annotators: not measured, for {figures['unnamed']} records name no annotator")
    elif not pairs:
        print("between annotators: no two of them have an image in common")
    else:
        print(
            f"between annotators, {len(pairs)} pairs with {between['images']} images in common: "
            f"IoU {percent(between['mean_iou'])}, tag agreement {percent(between['tag_agreement'])}"
        )
    if figures["lint"] is not None:
        total = sum(figures["lint"].values())
        shown = ", ".join(f"{rule} {count}" for rule, count in figures["lint"].items())
        more = f"; {total - SHOWN} of them are not printed" if total > SHOWN else ""
        print(f"captions: {total} warnings in {output / 'lint.csv'}{more}" + (f" ({shown})" if shown else ""))


@app.command()
def stats(
    annotations: Annotations,
    output: Annotated[
        Path | None, typer.Option(*OUT, help="Folder to write: stats.json, tables as CSV, plots as PNG.")
    ] = None,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Count what annotations hold: labels, generators, tags, regions, captions, sizes and places of boxes."""
    from converters.quality.stats import Stats
    from converters.quality.stats_files import FILES, save_stats

    if output is not None:
        check_free(output, force, folder=True)
        for name in FILES:
            check_free(output / name, True, annotations)
    errors, found = Errors(keep_going), Stats()
    for record in show_progress(read_annotations(annotations, on_error=errors), annotations, "stats"):
        found.add(record)
    if not found.counts.records:
        errors.exit_if_any(0, annotations)
    if output is not None:
        with atomic_folder(output) as partial:
            save_stats(found, partial)
    _print_stats(found)
    errors.exit_if_any(found.counts.records, annotations)


def _print_stats(found: Stats) -> None:
    from converters.quality.stats import AREA_EDGES, REGIONS_IN_PAPER, mean, quantile, ranked, tag_counts

    from ..text_table import align_columns

    counts = found.counts
    print(counts.headline(f" (the paper's: {REGIONS_IN_PAPER})"))

    def table(
        names: tuple[str, ...], rows: Sequence[tuple[str, ...]], left: tuple[int, ...] = (0,), most: int = MOST
    ) -> None:
        if rows:
            print("\n" + align_columns([names, *rows[:most]], left))
        if len(rows) > most:
            print(f"and {len(rows) - most} more")

    def shares(name: str, rows: list[tuple[str, int]], total: int, what: str, most: int = MOST) -> None:
        table((name, what, "share"), [(value, str(n), f"{n / total:.1%}") for value, n in rows], most=most)

    fakes = counts.fields["label"]["fake"]
    shares("label", ranked(counts.fields["label"]), counts.records, "records")
    if fakes:
        rows = [(TAG_WORDS[tag], count) for tag, count in tag_counts(found)]
        shares("tag", rows, fakes, "fake images")
    generators = [
        (family or "—", generator or "—", str(labels["fake"]), str(labels["real"]))
        for family, generator, labels in found.by_family()
    ]
    table(("family", "generator", "fake", "real"), generators, left=(0, 1), most=40)
    for name, words in (("fold", "fold"), ("annotator", "annotator"), ("class_name", "class")):
        rows = sorted(counts.fields[name].items()) if name == "fold" else ranked(counts.fields[name])
        shares(words, rows, counts.records, "records", most=40 if name == "annotator" else MOST)
    if fakes:
        shares("regions", [(str(n), found.regions[n]) for n in sorted(found.regions)], fakes, "fake images", most=20)
    if counts.regions:
        lengths = [
            (name, f"{mean(each):.1f}", *(str(quantile(each, share)) for share in (0, 0.05, 0.5, 0.95, 1)))
            for name, each in (("words", found.words), ("characters", found.characters))
        ]
        table(("a caption's", "mean", "least", "5%", "median", "95%", "most"), lengths)
        bins = [f"{100 * low:g} to {100 * high:g}%" for low, high in pairwise(AREA_EDGES)]
        shares("box area", list(zip(bins, found.areas, strict=True)), counts.regions, "boxes")
        print(f"mean {found.area_sum / counts.regions:.1%} of the image")
    sizes = {f"{width}x{height}": images for (width, height), images in found.sizes.items()}
    shares("image size", ranked(sizes), counts.records, "records")
