"""`fakexplain split`, `pair-real`: cross-validation folds, and real images for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

import typer

from ..annotation import FOLDS, Annotation, read_annotations, relocate, write_annotations
from ..atomic import atomic_file, atomic_folder
from ..errors import DataError, OnError, raise_error
from ..ids import Ids
from ..text_table import align_columns
from .app import OUT, Annotations, Errors, Force, KeepGoing, Seed, app, check_free, show_progress


@app.command()
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
            help="Keep images whose perceptual hashes differ in at most this many of 64 bits in one fold; opens every "
            "image. 0 to 8 are sensible.",
            min=0,
            max=32,
        ),
    ] = None,
    reassign: Annotated[bool, typer.Option("--reassign", help="Pass over the folds that records have.")] = False,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Assign four cross-validation folds, each with its share of every label and generator.

    A record that has a fold keeps it.
    """
    from converters.folds.split import assign_folds
    from converters.images.duplicates import group_records

    check_free(output, force, annotations)
    errors = Errors(keep_going)
    quiet = Errors.ignore if keep_going else raise_error
    group_of: Callable[[Annotation], str | None] | None = None
    if near_duplicates is not None:
        records = show_progress(read_annotations(annotations, on_error=errors), annotations, "compare")
        group_of = group_records(records, near_duplicates, on_error=errors)

    def good(on_error: OnError, what: str) -> Iterator[Annotation]:
        for record in show_progress(read_annotations(annotations, on_error=on_error), annotations, what):
            if group_of is None or group_of(record) is not None:
                yield record

    dealt = good(errors if group_of is None else quiet, "deal")
    folds = assign_folds(dealt, seed=seed, group_by=group_by, group_of=group_of, reassign=reassign)
    table: Counter[tuple[int, str, str]] = Counter()

    def assigned() -> Iterator[Annotation]:
        for record in good(quiet, "write"):
            fold = folds[record.id]
            table[fold, record.label, record.generator or ""] += 1
            yield replace(relocate(record, output.parent), fold=fold)

    with atomic_file(output) as partial:
        count = write_annotations(partial, assigned())
        if not count:
            errors.exit_if_any(0, annotations)
    _print_folds(table)
    errors.exit_if_any(count, annotations)


def _print_folds(table: Counter[tuple[int, str, str]]) -> None:
    """How many records each fold has of each label, and of each generator."""
    rows: list[tuple[str, ...]] = [("", "", *(f"fold {fold}" for fold in FOLDS))]
    for label in sorted({label for _, label, _ in table}):
        generators = sorted({generator for _, of, generator in table if of == label})
        counts = {name: [table[fold, label, name] for fold in FOLDS] for name in generators}
        rows.append((label, "", *map(str, map(sum, zip(*counts.values(), strict=True)))))
        rows += [("", name or "(no generator)", *map(str, counts[name])) for name in generators if generators != [""]]
    print(align_columns(rows, left=(0, 1)))


@app.command("pair-real")
def pair_real(
    annotations: Annotations,
    real: Annotated[
        Path,
        typer.Option(
            help="Where real images are: a folder, a list with one path a line, or an annotations file (.jsonl)."
        ),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Annotations file to write, with real images.")],
    seed: Seed = 0,
    generator: Annotated[str | None, typer.Option(help="What to call their source, e.g. ImageNet.")] = None,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Add real images until every fold, and so its train and test side, has as many as it has fakes.

    They are drawn by lot, none twice: a file with the same bytes as another is passed over. Images whose EXIF turns
    them are written anew, upright, beside OUT, in its name with _images.
    """
    from converters.convert import Place
    from converters.folds.pair_real import candidates, draw_real, survey

    check_free(output, force, annotations, real)
    written = output.with_name(f"{output.stem}_images")
    errors = Errors(keep_going)
    quiet = Errors.ignore if keep_going else raise_error
    source = candidates(real)
    found = survey(show_progress(read_annotations(annotations, on_error=errors), annotations, "look"), on_error=errors)
    added: Counter[int | None] = Counter()

    def there() -> Iterator[Annotation]:
        for record in read_annotations(annotations, on_error=quiet):
            if record.line not in found.bad:
                yield relocate(record, output.parent)

    def noted(records: Iterable[Annotation], new: Iterable[Annotation]) -> Iterator[Annotation]:
        with closing(Ids()) as ids:
            for record in records:
                ids.add(record.id, f"line {record.line}")
                yield record
            for record in new:
                try:
                    ids.add(record.id, record.image)
                except DataError:  # another folder had an image of this name
                    record = replace(record, id=f"{record.id} {uuid5(NAMESPACE_URL, record.image)}")
                    ids.add(record.id, record.image)
                yield record

    def drawn(new: Path) -> Iterator[Annotation]:
        reals = draw_real(
            source,
            found,
            out=output.parent,
            written=Place(new, written.name),
            seed=seed,
            on_error=errors,
        )
        for record in show_progress(reals, None, "pair", "image"):
            added[record.fold] += 1
            yield replace(record, generator=generator)

    with ExitStack() as files:
        partial = files.enter_context(atomic_file(output))
        check_free(written, force, folder=True)
        new = files.enter_context(atomic_folder(written))
        count = write_annotations(partial, noted(there(), drawn(new)))
    need = found.need
    for fold in sorted(need, key=lambda fold: -1 if fold is None else fold):
        name = "no fold" if fold is None else f"fold {fold}"
        many = f", {-need[fold]} more real images than fakes" if need[fold] < 0 else ""
        print(f"{name}: {added[fold]} real images added{many}")
    errors.exit_if_any(count, annotations)
