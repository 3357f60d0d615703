"""Rewards of the toy experiments' GRPO runs over steps: whether a budget was large enough, seed by seed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from swift_plugins.fakexplain.scoring.plots.curves import LOOKS
from swift_plugins.fakexplain.scoring.plots.smoothing import average_neighbours
from swift_plugins.fakexplain.scoring.plots.svg import make_standalone, svg
from swift_plugins.fakexplain.scoring.plots.training import read_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 20
"""Of a curve; each is the mean over a twentieth of the steps."""
CURVES = {
    "rewards/FxIoU/mean": "fx_iou",
    "rewards/FxLabel/mean": "fx_label",
    "fx/boxes": "boxes per answer",
    "fx/box_area": "their area",
}
Result = Mapping[str, Any]
SETTINGS = Path(__file__).resolve().parents[1] / "recipes" / "lib" / "settings.sh"


def keep_curves(out: Path) -> dict[str, dict[str, list[float | None]]]:
    """Setting -> name of a curve -> its points, of every GRPO run that an experiment left; None without a value.

    Args:
        out: the experiment's OUT.
    """
    found = {}
    for path in sorted(out.glob("*/grpo-*/logging.jsonl")):
        curves = read_log(path).curves
        every_step = next(iter(curves.values()))
        steps, _ = average_neighbours(every_step, POINTS)
        kept: dict[str, list[float | None]] = {"step": [round(float(step), 1) for step in steps]}
        for name in filter(curves.__contains__, CURVES):
            curve = {step: curves[name].get(step, math.nan) for step in every_step}  # a step may have no boxes
            values = average_neighbours(curve, POINTS)[1].tolist()
            kept[name] = [None if math.isnan(value) else round(value, 4) for value in values]
        found[path.parent.name.removeprefix("grpo-")] = kept
    return found


@cache
def setting_names() -> dict[str, str]:
    """Setting -> its name in tables, of every row of `recipes/lib/settings.sh`."""
    rows = re.search(r"^SETTINGS='\n(.*?)^'", SETTINGS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[1]
    return {row.split()[0]: row.split(maxsplit=6)[-1] for row in rows.splitlines()}


def _of_seeds(results: Sequence[Result]) -> dict[str, list[Mapping[str, list[float]]]]:
    """Name of a setting -> its curves of each seed that has them, in the order of the settings."""
    names = setting_names()
    found: dict[str, list[Mapping[str, list[float]]]] = {}
    for result in results:
        for setting, curves in result.get("training", {}).items():
            found.setdefault(setting, []).append(curves)
    return {names[setting]: found[setting] for setting in sorted(found, key=list(names).index)}


def render_curves(results: Sequence[Result]) -> str:
    """A Markdown table: each curve's mean over seeds in the first, the middle and the last tenth of the steps."""
    lines = ["| GRPO, in training | seeds | " + " | ".join(CURVES.values()) + " |", "|---" * (len(CURVES) + 2) + "|"]
    for setting, seeds in _of_seeds(results).items():
        cells = []
        for name in CURVES:
            values = np.array([curves[name] for curves in seeds if name in curves], float)
            cells.append(" → ".join(map(_mean, _tenths(values))) if values.size else "–")
        lines.append(f"| {setting} | {len(seeds)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) if lines[2:] else ""


def _tenths(values: np.ndarray) -> list[np.ndarray]:
    """The first, the middle and the last tenth of the columns, at least one column each."""
    points = values.shape[1]
    width = max(1, points // 10)
    return [values[:, start : start + width] for start in (0, (points - width) // 2, points - width)]


def _mean(values: np.ndarray) -> str:
    return f"{np.nanmean(values):.3f}" if np.isfinite(values).any() else "–"


def plot_curves(results: Sequence[Result]) -> str:
    """Draw one figure, as SVG: a panel per curve, a thick line per setting for the mean, a thin one for each seed.

    Settings that some seed has not trained are left to the table.
    """
    settings = {name: seeds for name, seeds in _of_seeds(results).items() if len(seeds) == len(results)}

    def draw(figure: Figure) -> None:
        grid = figure.subplots(2, 2, sharex=True)
        for axes, (name, words) in zip(grid.flat, CURVES.items(), strict=True):
            for (setting, seeds), (colour, *_) in zip(settings.items(), cycle(LOOKS), strict=False):
                with_curve = [curves for curves in seeds if name in curves]
                lines = np.array([curves[name] for curves in with_curve], float)
                for line in lines:
                    axes.plot(with_curve[0]["step"], line, color=colour, linewidth=0.6, alpha=0.45)
                if with_curve:
                    axes.plot(with_curve[0]["step"], lines.mean(axis=0), color=colour, linewidth=2, label=setting)
            axes.set_title(words, loc="left")
        for axes in grid[1]:
            axes.set_xlabel("step of GRPO; thin lines are seeds")
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)

    label = f"{', '.join(CURVES.values())} over the steps of GRPO, for {', '.join(settings)}."
    return make_standalone(svg(draw, (7.2, 4.6), "curves", label))
