"""Files of statistics: JSON, CSV and plots; the same statistics give the same bytes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swift_plugins.fakexplain.csv_files import save_csv
from swift_plugins.fakexplain.jsonl import to_indented_json
from swift_plugins.fakexplain.pictures.colours import BLUE, ORANGE
from swift_plugins.fakexplain.tags import TAG_WORDS

from .stats import AREA_EDGES, REGIONS_IN_PAPER, Stats, ranked, tag_counts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOTS = ("regions", "tags", "generators", "boxes", "places")
_TABLES = ("counts", "generators", "histograms", "image_sizes")
STATS_FILES = ("stats.json", *(f"{name}.csv" for name in _TABLES), *(f"{name}.png" for name in PLOTS))

_GREY = "#6b6b6b"
MAX_BARS = 40  # a plot of more generators is unreadable


def save_stats(stats: Stats, folder: Path) -> None:
    """Write stats.json, the tables as CSV and the plots as PNG into a folder."""
    (folder / "stats.json").write_text(to_indented_json(stats.as_dict()), encoding="utf-8")
    save_csv(
        folder / "counts.csv",
        ("field", "value", "records"),
        ((name, *item) for name, counter in stats.counts.fields.items() for item in ranked(counter)),
    )
    save_csv(
        folder / "generators.csv",
        ("family", "generator", "fake", "real"),
        ((family, generator, labels["fake"], labels["real"]) for family, generator, labels in stats.by_family()),
    )
    save_csv(folder / "histograms.csv", ("histogram", "above", "up_to", "count"), _histograms(stats))
    save_csv(
        folder / "image_sizes.csv",
        ("width", "height", "images"),
        ((*wh, images) for wh, images in sorted(stats.sizes.items(), key=lambda item: (-item[1], item[0]))),
    )
    save_plots(stats, folder)


def _histograms(stats: Stats) -> Iterable[tuple[Any, ...]]:
    """Rows of every histogram; a whole number n is the bin above n - 1 and up to n."""
    for name, histogram in (
        ("regions of a fake image", stats.regions),
        ("words of a caption", stats.words),
        ("characters of a caption", stats.characters),
    ):
        for value in sorted(histogram):
            yield name, value - 1, value, histogram[value]
    for low, high, boxes in zip(AREA_EDGES[:-1], AREA_EDGES[1:], stats.areas, strict=True):
        yield "share of the image a box covers", low, high, boxes


def save_plots(stats: Stats, folder: Path) -> None:
    """Write regions.png, tags.png, generators.png, boxes.png and places.png; a plot without data says so."""
    bars = len(_generator_rows(stats))
    for name, size, draw in (
        ("regions", (7.0, 4.0), _draw_regions),
        ("tags", (7.0, 3.2), _draw_tags),
        ("generators", (7.0, max(2.2, 1.3 + 0.24 * bars)), _draw_generators),
        ("boxes", (7.0, 4.0), _draw_areas),
        ("places", (5.6, 4.8), _draw_places),
    ):
        _save_plot(stats, folder / f"{name}.png", size, draw)


def _save_plot(stats: Stats, path: Path, size: tuple[float, float], draw: Any) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import AutoLocator, MaxNLocator

    settings: Any = {"text.parse_math": False, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}
    with rc_context(settings):  # names may hold dollar signs
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        draw(stats, axes)
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_locator(), AutoLocator):  # counts are whole numbers
                axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        with warnings.catch_warnings():
            # matplotlib draws an empty box for a missing glyph
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
            figure.savefig(path, dpi=140, metadata={"Software": None})


def _draw_message(axes: Axes, words: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=_GREY, transform=axes.transAxes)


def _draw_regions(stats: Stats, axes: Axes) -> None:
    if not stats.regions:
        return _draw_message(axes, "no fake image")
    last = 30  # larger numbers share one bar
    heights = [stats.regions[value] for value in range(min(max(stats.regions), last) + 1)]
    more = sum(count for value, count in stats.regions.items() if value > last)
    labels = [str(value) for value in range(len(heights))] + [f">{last}"] * bool(more)
    heights += [more] * bool(more)
    axes.bar(range(len(heights)), heights, color=BLUE, width=0.85)
    step = 1 if len(labels) <= 16 else 2
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    mean = stats.counts.regions_per_fake or 0.0
    for value, style, words in ((mean, "-", "mean"), (REGIONS_IN_PAPER, "--", "mean in the paper")):
        axes.axvline(value, color=ORANGE if style == "-" else _GREY, linestyle=style, label=f"{words}: {value:.2f}")
    axes.legend(frameon=False)
    axes.set_xlim(-0.6, max(len(heights) - 0.4, REGIONS_IN_PAPER + 0.6))
    axes.set(title="Regions per fake image", xlabel="regions", ylabel="fake images")


def _draw_tags(stats: Stats, axes: Axes) -> None:
    fakes = stats.counts.fields["label"]["fake"]
    if not fakes:
        return _draw_message(axes, "no fake image")
    _bars(axes, [(TAG_WORDS[tag], f"{count} ({count / fakes:.0%})", [count]) for tag, count in tag_counts(stats)])
    axes.set(title="Fake images with each tag", xlabel="fake images")


def _generator_rows(stats: Stats) -> list[tuple[str, str, list[int]]]:
    """Label, number and widths of each generator's bar; if there are too many, the smallest share one bar."""
    rows = [
        (f"{_shorten(generator) or '(none)'} · {_shorten(family) or 'no family'}", labels)
        for family, generator, labels in stats.by_family()
    ]
    if len(rows) > MAX_BARS:
        kept = sorted(rows, key=lambda row: -sum(row[1].values()))[: MAX_BARS - 1]
        rest = [row[1] for row in rows if row not in kept]
        rows = [row for row in rows if row in kept]
        rows.append((f"{len(rest)} others", {label: sum(each[label] for each in rest) for label in ("fake", "real")}))
    return [(name, str(sum(labels.values())), [labels["fake"], labels["real"]]) for name, labels in rows]


def _shorten(name: str) -> str:
    return name if len(name) <= 28 else name[:27] + "…"


def _draw_generators(stats: Stats, axes: Axes) -> None:
    rows = _generator_rows(stats)
    if not rows:
        return _draw_message(axes, "no record names a generator")
    _bars(axes, rows, ("fake", "real"))
    axes.set(title="Records per generator, by family", xlabel="records")


def _bars(axes: Axes, rows: Sequence[tuple[str, str, Sequence[int]]], parts: Sequence[str] = ("",)) -> None:
    """Draw horizontal bars, the first row on top, each with its number at its end."""
    left = [0] * len(rows)
    for part, colour in zip(range(len(parts)), (BLUE, ORANGE), strict=False):
        widths = [row[2][part] for row in rows]
        axes.barh(range(len(rows)), widths, left=left, color=colour, label=parts[part], height=0.75)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for index, ((_, number, _), end) in enumerate(zip(rows, left, strict=True)):
        axes.text(end, index, f" {number}", va="center", fontsize=8.5, color=_GREY)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, max(1, *left) * 1.14)
    if len(parts) > 1:
        axes.figure.legend(frameon=False, loc="outside lower right", ncols=len(parts))


def _draw_areas(stats: Stats, axes: Axes) -> None:
    if not stats.counts.regions:
        return _draw_message(axes, "no region")
    labels = [f"{100 * low:g}–{100 * high:g}" for low, high in pairwise(AREA_EDGES)]
    axes.bar(range(len(labels)), stats.areas, color=BLUE, width=0.9)
    for index, boxes in enumerate(stats.areas):
        axes.text(index, boxes, str(boxes), ha="center", va="bottom", fontsize=8.5, color=_GREY)
    axes.set_xticks(range(len(labels)), labels, fontsize=8.5)
    mean = stats.area_sum / stats.counts.regions
    axes.set(title=f"Size of boxes (mean {mean:.1%} of the image)", xlabel="% of the image's area", ylabel="boxes")


def _draw_places(stats: Stats, axes: Axes) -> None:
    if not stats.counts.regions:
        return _draw_message(axes, "no region")
    shares = 100 * stats.places / stats.counts.regions
    picture = axes.imshow(shares, cmap="cividis", vmin=0, extent=(0, 100, 100, 0), interpolation="nearest")
    axes.figure.colorbar(picture, ax=axes, label="% of regions that cover this position", shrink=0.9)
    axes.set(title="Where regions lie", xlabel="% of the width, from the left", ylabel="% of the height, from the top")
    axes.set_xticks(range(0, 101, 25))
    axes.set_yticks(range(0, 101, 25))
