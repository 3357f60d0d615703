"""Draw P(fake): the ROC curve, also at low false positive rates, and the reliability diagram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..metrics.ranking import Ranking
from ..metrics.reliability import BINS, expected_calibration_error, reliability_bins
from .curves import LOOKS
from .svg import TEXT_INK, WIDTH, abbreviate, as_percent, note, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_STEPS = 400  # of a curve; the figure is too narrow to show more


class LabelledScores(NamedTuple):
    """P(fake) of a system.

    Attributes:
        is_fake: (n,) booleans.
        p_fake: (n,) numbers in [0, 1], NaN where unknown.
        threshold: P(fake) above which its operating point calls an image fake, if it has one.
    """

    is_fake: np.ndarray
    p_fake: np.ndarray
    threshold: float | None = None

    def ranking(self) -> Ranking:
        """Images by P(fake); one without it has the worst rank for its label, as in AUROC."""
        wrong = np.where(self.is_fake, -np.inf, np.inf)
        return Ranking(self.is_fake, np.where(np.isnan(self.p_fake), wrong, self.p_fake))

    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels and P(fake) of the images where it is known."""
        rows = ~np.isnan(self.p_fake)
        return self.is_fake[rows], self.p_fake[rows]


def _looks(systems: Mapping[str, LabelledScores]) -> dict[str, tuple[str, Any, str]]:
    return {name: LOOKS[index % len(LOOKS)] for index, name in enumerate(systems)}


def _legend(figure: Figure, labels: Mapping[str, str], looks: Mapping[str, tuple[str, Any, str]], marks: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, linestyle=dash, marker=marker if marks else None)
        for colour, dash, marker in (looks[name] for name in labels)
    ]
    columns = 2 if len(labels) > 1 else 1
    figure.legend(
        handles, list(labels.values()), loc="outside upper center", ncols=columns, fontsize=9, handlelength=3.2
    )


# ROC ------------------------------------------------------------------------------------------------------------------


def draw_roc(systems: Mapping[str, LabelledScores]) -> str | None:
    """Draw the share of fake images found over the share of real images called fake, for every threshold.

    Two panels: all rates, and low false positive rates on a logarithmic axis. A point marks an operating point.

    Args:
        systems: name -> P(fake). Those without both labels are left out.

    Returns:
        SVG, or None without data.
    """
    rankings = {name: each.ranking() for name, each in systems.items()}
    curves = {name: roc for name, ranking in rankings.items() if (roc := ranking.roc())}
    if not curves:
        return None
    looks = _looks(systems)
    areas = {name: f"{abbreviate(name)}, AUROC {rankings[name].auroc():.3f}" for name in curves}
    lowest = min(1 / (~systems[name].is_fake).sum() for name in curves) / 1.5
    marked = any(systems[name].threshold is not None for name in curves)

    def draw(figure: Figure) -> None:
        whole, low = figure.subplots(1, 2, sharey=True)
        for axes in (whole, low):
            axes.grid(True)
            axes.set_xlabel("false positive rate")
            as_percent(axes.yaxis)
            for name, (x, y) in curves.items():
                _draw_roc(axes, x, y, looks[name], lowest if axes is low else None)
                _mark(axes, systems[name], looks[name], lowest if axes is low else None)
        whole.plot((0, 1), (0, 1), color=TEXT_INK, alpha=0.3, linewidth=1)
        whole.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="fake images found")
        as_percent(whole.xaxis, 4)
        _logarithmic(low, lowest)
        _legend(figure, areas, looks, marked)
        note(figure, "Right: the same, with a logarithmic axis." + " Points: operating points." * marked)

    size = (WIDTH, 3.3 + 0.22 * ((len(curves) + 1) // 2))
    return svg(draw, size, "roc", f"ROC curves of P(fake): {'; '.join(areas.values())}.")


def _draw_roc(axes: Axes, x: np.ndarray, y: np.ndarray, look: tuple[str, Any, str], lowest: float | None) -> None:
    """Draw a curve; images with equal P(fake) enter together, along a straight line."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_STEPS)).round().astype(int))
    if lowest is not None:  # on a logarithmic axis, most steps are needed at its lower end
        spaced = np.searchsorted(x, np.geomspace(lowest, 1, MOST_STEPS)).clip(0, len(x) - 1)
        kept = np.unique(np.concatenate((kept, spaced, spaced - 1)).clip(0))
        x, y = np.maximum(x[kept], lowest), y[kept]
    else:
        x, y = x[kept], y[kept]
    axes.plot(x, y, color=look[0], linestyle=look[1], linewidth=1.8)


def _mark(axes: Axes, system: LabelledScores, look: tuple[str, Any, str], lowest: float | None) -> None:
    if system.threshold is None:
        return
    above = system.p_fake > system.threshold  # unknown is not above
    fpr, found = (above[side].mean() for side in (~system.is_fake, system.is_fake))
    axes.plot(
        max(fpr, lowest or 0), found, color=look[0], marker=look[2], markersize=8, markeredgecolor=TEXT_INK, zorder=5,
        clip_on=False,
    )  # fmt: skip


def _logarithmic(axes: Axes, lowest: float) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_xlim(lowest, 1.05)
    axes.xaxis.set_major_locator(LogLocator(numticks=5))  # more overlap where the axis begins at one in a million
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.xaxis.set_minor_formatter(NullFormatter())


# Reliability ----------------------------------------------------------------------------------------------------------


def draw_reliability(systems: Mapping[str, LabelledScores]) -> str | None:
    """Draw the share of fake images over P(fake), in bins, and below it the share of all images in each bin.

    Args:
        systems: name -> P(fake). Images without it are left out, and systems without any.

    Returns:
        SVG, or None without data.
    """
    known = {name: each.known() for name, each in systems.items()}
    known = {name: each for name, each in known.items() if len(each[0])}
    if not known:
        return None
    looks = _looks(systems)
    errors = {
        name: f"{abbreviate(name)}, calibration error {expected_calibration_error(*each):.3f}"
        for name, each in known.items()
    }

    def draw(figure: Figure) -> None:
        axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        axes.plot((0, 1), (0, 1), color=TEXT_INK, alpha=0.3, linewidth=1)
        for name, (is_fake, p_fake) in known.items():
            colour, dash, marker = looks[name]
            bins = reliability_bins(is_fake, p_fake)
            x = [each.mean for each in bins]
            axes.plot(x, [each.share for each in bins], color=colour, linestyle=dash, marker=marker, markersize=6)
            for each in bins:
                axes.plot(
                    (each.mean, each.mean), each.interval(), color=colour, linewidth=1.2, marker="_", markersize=6
                )
            heights, edges = np.histogram(p_fake, BINS, (0, 1))
            counts.stairs(heights / len(p_fake), edges, color=colour, linestyle=dash, linewidth=1.8)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="share of fake images")
        counts.set(xlabel="P(fake)", ylabel="images", ylim=(0, None))
        for each in (axes, counts):
            each.grid(True)
            as_percent(each.yaxis, 5 if each is axes else 2)
        _legend(figure, errors, looks, True)
        note(figure, f"Bars: Wilson's 95 % intervals. {BINS} bins of equal width, drawn at their mean P(fake).")

    size = (WIDTH, 4.6 + 0.22 * ((len(known) + 1) // 2))
    return svg(draw, size, "reliability", f"Share of fake images over P(fake): {'; '.join(errors.values())}.")
