"""`fakexplain stats`: count the contents of annotations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..annotation import read_annotations
from ..atomic import atomic_folder
from ..tags import TAG_WORDS
from ..text_table import align_columns
from .app import OUT, QUALITY, Annotations, Errors, Force, KeepGoing, app, check_free, say, show_progress
from .doubts import Duplicates, print_doubts

if TYPE_CHECKING:
    from converters.quality.stats import Stats

MAX_ROWS = 12  # of most printed tables; the files have all rows


@app.command(rich_help_panel=QUALITY)
def stats(
    annotations: Annotations,
    output: Annotated[
        Path | None, typer.Option(*OUT, help="Folder to write: stats.json, tables as CSV, plots as PNG.")
    ] = None,
    duplicates: Duplicates = False,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Count labels, generators, tags, regions, captions, and the sizes and positions of boxes.

    Warn about what often is a mistake.
    """
    from converters.quality.doubts import Doubts
    from converters.quality.stats import Stats
    from converters.quality.stats_files import STATS_FILES, save_stats

    if output is not None:
        check_free(output, force, folder=True)
        for name in STATS_FILES:
            check_free(output / name, True, annotations)
    errors, found, doubts = Errors(keep_going), Stats(), Doubts()
    for record in show_progress(read_annotations(annotations, on_error=errors), annotations, "stats"):
        found.add(record)
        doubts.add(record)
    if not found.counts.records:
        errors.exit_if_any(0, annotations)
    if output is not None:
        with atomic_folder(output) as partial:
            save_stats(found, partial)
    _print_stats(found)
    unreadable = print_doubts(doubts, annotations, duplicates=duplicates, on_error=errors)
    errors.exit_if_any(found.counts.records - unreadable, annotations)


def _print_stats(found: Stats) -> None:
    from converters.quality.stats import REGIONS_IN_PAPER, ranked, tag_counts

    counts = found.counts
    fakes = counts.fields["label"]["fake"]
    say(counts.headline(f" (paper: {REGIONS_IN_PAPER})"))
    _print_shares("label", ranked(counts.fields["label"]), counts.records, "records")
    if fakes:
        _print_shares("tag", [(TAG_WORDS[tag], count) for tag, count in tag_counts(found)], fakes, "fake images")
    generators = [
        (family or "—", generator or "—", str(labels["fake"]), str(labels["real"]))
        for family, generator, labels in found.by_family()
    ]
    _print_table(("family", "generator", "fake", "real"), generators, left=(0, 1), limit=40)
    for name, words in (("fold", "fold"), ("annotator", "annotator"), ("class_name", "class")):
        values = sorted(counts.fields[name].items()) if name == "fold" else ranked(counts.fields[name])
        _print_shares(words, values, counts.records, "records", limit=40 if name == "annotator" else MAX_ROWS)
    if fakes:
        regions = [(str(number), found.regions[number]) for number in sorted(found.regions)]
        _print_shares("regions", regions, fakes, "fake images", limit=20)
    if counts.regions:
        _print_captions_and_boxes(found)
    sizes = {f"{width}x{height}": images for (width, height), images in found.sizes.items()}
    _print_shares("image size", ranked(sizes), counts.records, "records")


def _print_captions_and_boxes(found: Stats) -> None:
    from converters.quality.stats import AREA_EDGES, mean, quantile

    lengths = [
        (name, f"{mean(each):.1f}", *(str(quantile(each, share)) for share in (0, 0.05, 0.5, 0.95, 1)))
        for name, each in (("words", found.words), ("characters", found.characters))
    ]
    _print_table(("per caption", "mean", "min", "5%", "median", "95%", "max"), lengths)
    bins = [f"{100 * low:g} to {100 * high:g}%" for low, high in pairwise(AREA_EDGES)]
    _print_shares("box area", list(zip(bins, found.areas, strict=True)), found.counts.regions, "boxes")
    say(f"mean {found.area_sum / found.counts.regions:.1%} of the image")


def _print_shares(name: str, rows: list[tuple[str, int]], total: int, unit: str, limit: int = MAX_ROWS) -> None:
    """Print a table of values, with the count and the share of each."""
    _print_table((name, unit, "share"), [(value, str(n), f"{n / total:.1%}") for value, n in rows], limit=limit)


def _print_table(
    names: tuple[str, ...], rows: Sequence[tuple[str, ...]], left: tuple[int, ...] = (0,), limit: int = MAX_ROWS
) -> None:
    if rows:
        say("\n" + align_columns([names, *rows[:limit]], left))
    if len(rows) > limit:
        say(f"and {len(rows) - limit} more")
