"""`fakexplain split`, `pair-real`: cross-validation folds, and real images for each fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..annotation import FOLDS, Annotation, read_annotations, relocate, write_annotations
from ..atomic import atomic_file, atomic_folder
from ..errors import OnError, raise_error
from ..text_table import align_columns
from .app import DATA, OUT, Annotations, Errors, Force, KeepGoing, Seed, app, check_free, say, show_progress


@app.command(rich_help_panel=DATA)
def split(
    annotations: Annotations,
    output: Annotated[Path, typer.Option(*OUT, help="Annotations file to write, with folds.")],
    seed: Seed = 0,
    group_by: Annotated[
        str | None, typer.Option(help="Keep records with the same value of this field in one fold, e.g. class_name.")
    ] = None,
    near_duplicates: Annotated[
        int | None,
        typer.Option(
            help="Keep images in one fold if at most this many of 64 bits of their perceptual hashes differ (sensible: "
            "0 to 8); opens every image. Default: images are not compared.",
            min=0,
            max=32,
        ),
    ] = None,
    reassign: Annotated[bool, typer.Option("--reassign", help="Ignore existing folds.")] = False,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Assign four cross-validation folds, stratified by label and generator.

    A record that already has a fold keeps it.
    """
    from converters.folds.split import assign_folds
    from converters.images.duplicates import group_records

    check_free(output, force, annotations)
    errors = Errors(keep_going)
    ignore = Errors.ignore if keep_going else raise_error
    group_of: Callable[[Annotation], str | None] | None = None
    if near_duplicates is not None:
        records = show_progress(read_annotations(annotations, on_error=errors), annotations, "compare")
        group_of = group_records(records, near_duplicates, on_error=errors)

    def read_valid(on_error: OnError, what: str) -> Iterator[Annotation]:
        for record in show_progress(read_annotations(annotations, on_error=on_error), annotations, what):
            if group_of is None or group_of(record) is not None:
                yield record

    first_reading = read_valid(errors if group_of is None else ignore, "assign")
    folds = assign_folds(first_reading, seed=seed, group_by=group_by, group_of=group_of, reassign=reassign)
    table: Counter[tuple[int, str, str]] = Counter()

    def add_folds() -> Iterator[Annotation]:
        for record in read_valid(ignore, "write"):
            fold = folds[record.id]
            table[fold, record.label, record.generator or ""] += 1
            yield replace(relocate(record, output.parent), fold=fold)

    with atomic_file(output) as partial:
        count = write_annotations(partial, add_folds())
        if not count:
            errors.exit_if_any(0, annotations)
    _print_folds(table)
    errors.exit_if_any(count, annotations)


def _print_folds(table: Counter[tuple[int, str, str]]) -> None:
    """Print the number of records per fold, for each label and each generator."""
    rows: list[tuple[str, ...]] = [("", "", *(f"fold {fold}" for fold in FOLDS))]
    for label in sorted({label for _, label, _ in table}):
        generators = sorted({generator for _, of, generator in table if of == label})
        counts = {name: [table[fold, label, name] for fold in FOLDS] for name in generators}
        rows.append((label, "", *map(str, map(sum, zip(*counts.values(), strict=True)))))
        rows += [("", name or "(no generator)", *map(str, counts[name])) for name in generators if generators != [""]]
    say(align_columns(rows, left=(0, 1)))


@app.command("pair-real", rich_help_panel=DATA)
def pair_real(
    annotations: Annotations,
    real: Annotated[
        Path,
        typer.Option(
            help="Real images to pick from: a folder, a list with one path per line, or an annotations file (.jsonl)."
        ),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Annotations file to write, with real images.")],
    seed: Seed = 0,
    generator: Annotated[str | None, typer.Option(help="Name of the real images' source, e.g. ImageNet.")] = None,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Add real images until every fold has as many real images as fake ones.

    Images are picked at random, and none twice: files with the same bytes as another are skipped. Images that EXIF
    turns are rewritten upright, in a folder beside OUT with the suffix _images.
    """
    from converters.convert import Place, written_folder
    from converters.folds.pair_real import add_records, draw_real, list_candidates, survey

    check_free(output, force, annotations, real)
    written = written_folder(output)
    errors = Errors(keep_going)
    candidates = list_candidates(real)
    records = show_progress(read_annotations(annotations, on_error=errors), annotations, "survey")
    existing = survey(records, on_error=errors)
    added: Counter[int | None] = Counter()

    def reread() -> Iterator[Annotation]:
        for record in read_annotations(annotations, on_error=Errors.ignore if keep_going else raise_error):
            if record.line not in existing.bad:
                yield relocate(record, output.parent)

    with ExitStack() as files:
        partial = files.enter_context(atomic_file(output))
        check_free(written, force, folder=True)
        place = Place(files.enter_context(atomic_folder(written)), written.name)
        picked = draw_real(
            candidates,
            existing,
            out=output.parent,
            written=place,
            seed=seed,
            generator=generator,
            on_error=errors,
        )

        def count_added() -> Iterator[Annotation]:
            for record in show_progress(picked, None, "pair", "image"):
                added[record.fold] += 1
                yield record

        count = write_annotations(partial, add_records(reread(), count_added()))
    _print_added(existing.missing, added)
    errors.exit_if_any(count, annotations)


def _print_added(missing: Counter[int | None], added: Counter[int | None]) -> None:
    """Print the number of real images added to each fold."""
    for fold in sorted(missing, key=lambda fold: -1 if fold is None else fold):
        name = "no fold" if fold is None else f"fold {fold}"
        surplus = f", {-missing[fold]} more real images than fakes" if missing[fold] < 0 else ""
        say(f"{name}: {added[fold]} real images added{surplus}")
