"""Draw the paper's figures of preferences, keywords and tags.

Each is an SVG (`svg.svg`), or None without data. Parts that differ in colour also differ in marker, dash or hatching.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...percentages import percent
from ...pictures.colours import BLUE, ORANGE, VERMILLION
from ...tags import TAG_WORDS, TAGS
from ..metrics.keywords import Keyword
from ..tables.published import HUMANS_PREFERRED, VOTES
from .svg import TEXT_INK, WIDTH, abbreviate, as_percent, note, plain, svg
from .votes import Tally, Votes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER_VOTES = f"The paper: {VOTES:,} non-neutral votes; {percent(HUMANS_PREFERRED)} prefer Humans over FakeXplainer."


def _fold(name: str, width: int, lines: int) -> str:
    return textwrap.fill(abbreviate(name, width * lines), max(1, width))


# Fig. 3: preferences --------------------------------------------------------------------------------------------------


def draw_preferences(votes: Votes) -> str | None:
    """Draw how often people prefer one system's answers over another's (Fig. 3): a matrix, the row over the column.

    A cell shows the share of non-neutral votes for the row, its 95 % interval, and the number of votes. Cells are blue
    if the row is preferred and orange if the column is; a stronger preference has a stronger colour.
    """
    if not votes.pairs:
        return None
    count = len(votes.systems)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for row, first in enumerate(votes.systems):
            for column, second in enumerate(votes.systems):
                _draw_cell(axes, column, row, votes.pairs.get((first, second)), first == second)
        width, font = (64 // count, 9) if count < 5 else (12, 8)
        axes.set_xticks(range(count), [_fold(name, width, 3) for name in votes.systems], fontsize=font)
        axes.set_yticks(range(count), [_fold(name, 14, 3) for name in votes.systems], fontsize=9)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), xlabel="over", ylabel="preferred")
        note(figure, f"Brackets: 95 % interval. n: non-neutral votes (+ neutral votes). {PAPER_VOTES}")

    names = ", ".join(votes.systems)
    label = f"Matrix of preferences among {names}: share of votes for the row over the column."
    size = (max(WIDTH, 1.6 + 0.85 * count), 1.4 + max(0.72, min(1.2, 3 / count)) * count)
    return svg(draw, size, "fig3", label)


def _draw_cell(axes: Axes, x: int, y: int, tally: Tally | None, same: bool) -> None:
    from matplotlib.patches import Rectangle

    place = (x - 0.48, y - 0.48)
    frame: dict[str, Any] = {"width": 0.96, "height": 0.96, "linewidth": 0}
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    if tally is None:
        axes.add_patch(Rectangle(place, **frame, facecolor=TEXT_INK, alpha=0.05))
        if not same:
            axes.text(x, y, "no votes", fontsize=8, alpha=0.7, **middle)
        return
    share = 0.5 if tally.share is None else tally.share
    axes.add_patch(
        Rectangle(place, **frame, facecolor=BLUE if share >= 0.5 else ORANGE, alpha=0.08 + 1.04 * abs(share - 0.5))
    )
    axes.text(x, y - 0.2, percent(tally.share), fontsize=12, fontweight="bold", **middle)
    if interval := tally.interval():
        axes.text(x, y + 0.07, f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]", fontsize=8, **middle)
    axes.text(x, y + 0.29, f"n {tally.votes:,} (+{tally.neutral:,})", fontsize=8, **middle)


# Fig. 6: keywords -----------------------------------------------------------------------------------------------------


def draw_keywords(keywords: Mapping[str, Sequence[Keyword]]) -> str | None:
    """Draw how often keywords occur in annotated and in predicted captions (Fig. 6): paired bars.

    Args:
        keywords: title of a panel ("words", "phrases of two words") -> its keywords, the first on top.
    """
    panels = {title: rows for title, rows in keywords.items() if rows}
    if not panels:
        return None

    def draw(figure: Figure) -> None:
        heights = [len(rows) + 1 for rows in panels.values()]
        grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
        for axes, (title, rows) in zip(grid, panels.items(), strict=True):
            places = np.arange(len(rows))
            gold = axes.barh(places - 0.19, [row.gold for row in rows], 0.38, color=BLUE)
            pred = axes.barh(
                places + 0.19, [row.pred for row in rows], 0.36, facecolor="none", edgecolor=ORANGE, hatch="//////"
            )
            axes.set_yticks(places, [abbreviate(row.word) for row in rows], fontsize=9)
            axes.set_ylim(len(rows) - 0.4, -0.6)
            axes.set_title(plain(title), loc="left", fontsize=10, fontweight="bold")
            axes.grid(True, axis="x")
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", labelbottom=True)
        axes.set_xlabel("share of captions")
        axes.set_xlim(left=0)
        as_percent(axes.xaxis)
        figure.legend([gold, pred], ["annotated", "predicted"], loc="outside upper center", ncols=2, fontsize=9)

    bars = sum(map(len, panels.values()))
    most = "; ".join(f"{title}: {', '.join(row.word for row in rows[:3])}" for title, rows in panels.items())
    label = f"Share of annotated and of predicted captions that contain a keyword. Most frequent {most}."
    return svg(draw, (WIDTH, 0.9 + 0.5 * len(panels) + 0.27 * bars), "fig6", label)


# Fig. 10: tags --------------------------------------------------------------------------------------------------------


def draw_tags(tags: Mapping[str, Mapping[str, Any]], paper: Mapping[str, tuple[float, float]] = {}) -> str | None:
    """Draw accuracy on fake images with and without each tag (Fig. 10, Table 7), a row per tag.

    Args:
        tags: the tags of a system's result.
        paper: tag -> the paper's accuracies with and without it, in [0, 1]; drawn hollow.
    """
    names = ("accuracy_with", "accuracy_without")
    rows = [tag for tag in TAGS if tag in tags and any(tags[tag][name] is not None for name in names)]
    if not rows:
        return None
    looks = (("with the tag", BLUE, "o"), ("without the tag", VERMILLION, "s"))

    def draw(figure: Figure) -> None:
        from matplotlib.lines import Line2D

        axes = figure.add_subplot()
        aside = axes.get_yaxis_transform()
        for y, tag in enumerate(rows):
            ours = [tags[tag][name] for name in names]
            for values, down, filled in ((ours, -0.14, True), (list(paper.get(tag, ())), 0.2, False)):
                known = [value for value in values if value is not None]
                axes.plot(known, [y + down] * len(known), color=TEXT_INK, alpha=0.25, linewidth=1.2)
                for value, (_, colour, marker) in zip(values, looks, strict=False):
                    if value is not None:
                        axes.plot(
                            value, y + down, color=colour, marker=marker, markersize=8 if filled else 6,
                            markerfacecolor=colour if filled else "none", clip_on=False,
                        )  # fmt: skip
                if values:
                    shares = " / ".join(map(percent, values))
                    axes.text(1.03, y + down, shares, transform=aside, va="center", fontsize=9 if filled else 8)
        labels = [f"{TAG_WORDS[tag]}\n{_images(tags[tag]['gold'])}" for tag in rows]
        axes.set_yticks(range(len(rows)), labels, fontsize=9)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        low, high = axes.dataLim.intervalx
        low, high = min(low, high - 0.1), max(high, low + 0.1)
        axes.set_xlim(max(0, low - 0.02), min(1, high + 0.02))
        as_percent(axes.xaxis)
        axes.grid(True, axis="x")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("accuracy on fake images")
        handles = [Line2D([], [], linestyle="", marker=marker, color=colour) for _, colour, marker in looks]
        words = [name for name, _, _ in looks]
        if any(tag in paper for tag in rows):
            hollow = [
                Line2D([], [], linestyle="", marker=marker, color=colour, markerfacecolor="none")
                for _, colour, marker in looks
            ]
            handles, words = [*handles, *hollow], [*words, "with the tag (paper)", "without the tag (paper)"]
        figure.legend(handles, words, loc="outside upper center", ncols=2, fontsize=9)

    shares = "; ".join(f"{TAG_WORDS[tag]} {' and '.join(percent(tags[tag][name]) for name in names)}" for tag in rows)
    label = f"Accuracy on fake images with and without each tag: {shares}."
    return svg(draw, (WIDTH, 1.3 + 0.5 * len(rows)), "fig10", label)


def _images(count: int) -> str:
    return f"{count:,} image" if count == 1 else f"{count:,} images"
