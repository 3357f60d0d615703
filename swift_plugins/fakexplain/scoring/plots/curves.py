"""The curve of training (Fig. 4): accuracy, IoU, rewards and loss over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..metrics.bootstrap import Interval
from .svg import BLUE, GREEN, NICE, ORANGE, PURPLE, SKY, VERMILLION, WIDTH, cut, in_percent, note, svg
from .training import Checkpoint, Log

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS: Sequence[tuple[str, Any, str]] = (
    (BLUE, "-", "o"),
    (VERMILLION, "--", "s"),
    (GREEN, "-.", "^"),
    (ORANGE, ":", "D"),
    (PURPLE, (0, (6, 1, 1, 1, 1, 1)), "v"),
    (SKY, (0, (8, 3)), "P"),
)
"""Colour, dash and marker of the first run, the second, ..."""

MOST_POINTS = 600  # of a curve: a figure of that width shows no more
_FEW = 10  # fewer points than that are drawn as such


class _Panel(NamedTuple):
    """What is drawn in one pair of axes: a score of checkpoints, a quantity of logs, or both."""

    title: str
    score: str
    quantity: str
    stages: tuple[str, ...]
    shares: bool = False


class _Drawn(NamedTuple):
    """A panel of a stage, with what goes into it."""

    stage: str
    panel: _Panel
    logs: list[Log]
    checkpoints: dict[str, Sequence[Checkpoint]]


_STAGES = ("SFT", "GRPO")
_PANELS = (
    _Panel("accuracy", "accuracy", "rewards/FxLabel/mean", _STAGES, shares=True),
    _Panel("IoU", "iou", "rewards/FxIoU/mean", _STAGES, shares=True),
    _Panel("total reward", "", "reward", ("GRPO",)),
    _Panel("ω_G", "", "omega_G", ("GRPO",)),
    _Panel("loss", "", "loss", ("SFT",)),  # GRPO's is 0 but for its KL term
    _Panel("token accuracy", "", "token_acc", ("SFT",), shares=True),
)


def fig4_training(
    logs: Sequence[Log], checkpoints: Mapping[str, Sequence[Checkpoint]] = {}, *, standalone: bool = False
) -> str | None:
    """Training over steps (Fig. 4): panels below one another, those of a stage on one axis of steps.

    Points are scores of checkpoints with their intervals. Curves are what the logs have: each step thin, their moving
    mean thick; hollow points are evaluations while training. FxLabel stands with accuracy and FxIoU with IoU, though a
    reward is of the images just trained on, and FxIoU is relaxed by η and counts real images too. Of a log of more than
    `MOST_POINTS` steps, neighbours are averaged.

    Args:
        logs: of SFT and GRPO runs, with names of their own.
        checkpoints: run -> its checkpoints (`checkpoint_scores`). They go with the log of that name; without one, with
            the only stage that has logs, or else with GRPO.

    Raises:
        ValueError: two logs have one name.
    """
    stages = {log.name: log.stage for log in logs}
    if len(stages) < len(logs):
        raise ValueError(f"expected a name of its own for each log, found {', '.join(log.name for log in logs)}")
    names = list(dict.fromkeys([*stages, *(run for run, points in checkpoints.items() if points)]))
    looks = {name: LOOKS[i % len(LOOKS)] for i, name in enumerate(names)}
    panels = _panels(logs, {run: checkpoints[run] for run in names if run in checkpoints}, stages)
    if not panels:
        return None

    def draw(figure: Figure) -> None:
        from matplotlib.lines import Line2D

        grid = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        begun: dict[str, list[Axes]] = {}
        for axes, drawn in zip(grid, panels, strict=True):
            _draw_panel(axes, drawn, looks)
            begun.setdefault(drawn.stage, []).append(axes)
        for stage, (first, *others) in begun.items():
            if len(begun) > 1:
                first.set_title(stage, loc="left", fontsize=10, fontweight="bold")
            for axes in others:
                axes.sharex(first)
            for axes in (first, *others)[:-1]:
                axes.tick_params(labelbottom=False)
            _draw_steps((first, *others))
        handles = [Line2D([], [], color=looks[n][0], linestyle=looks[n][1], marker=looks[n][2]) for n in names]
        labels = [cut(name) or "checkpoints" for name in names]
        columns = 2 if len(names) > 1 else 1
        figure.legend(handles, labels, loc="outside upper center", ncols=columns, fontsize=9, handlelength=3.2)
        note(figure, _explained(panels))

    whole = ", ".join(dict.fromkeys(drawn.panel.title for drawn in panels))
    label = f"Training of {', '.join(name or 'checkpoints' for name in names)} over steps: {whole}."
    height = 1.1 + 1.35 * len(panels) + 0.22 * ((len(names) + 1) // 2)
    return svg(draw, (WIDTH, height), "fig4", label, standalone=standalone)


def _panels(
    logs: Sequence[Log], checkpoints: Mapping[str, Sequence[Checkpoint]], stages: Mapping[str, str]
) -> list[_Drawn]:
    """The panels that something can be drawn in, SFT's first."""
    panels = []
    default = min(set(stages.values()), default="GRPO")  # 'GRPO' where both are there
    for stage in _STAGES:
        here = [log for log in logs if log.stage == stage]
        points = {run: each for run, each in checkpoints.items() if stages.get(run, default) == stage}
        for panel in _PANELS:
            curves = any(name in log.curves for log in here for name in (panel.quantity, "eval_" + panel.quantity))
            scores = any(_scores(each, panel.score) for each in points.values())
            if stage in panel.stages and (curves or scores):
                panels.append(_Drawn(stage, panel, here, points))
    return panels


def _scores(points: Sequence[Checkpoint], score: str) -> list[tuple[int, float, Interval | None]]:
    """Step, score and interval of the checkpoints that have one."""
    if not score:
        return []
    found = ((point.step, getattr(point, score), getattr(point, f"{score}_interval")) for point in points)
    return [each for each in found if each[1] is not None]


def _explained(panels: Sequence[_Drawn]) -> str:
    words = []
    if any(drawn.checkpoints for drawn in panels):
        words.append("Filled points: scores of checkpoints, bars their intervals.")
    logs = [log for drawn in panels for log in drawn.logs]
    if any(len(curve) >= _FEW for log in logs for curve in log.curves.values()):
        words.append("Thin lines: each step; thick ones: their moving mean.")
    if any("eval_" + drawn.panel.quantity in log.curves for drawn in panels for log in drawn.logs):
        words.append("Hollow points: evaluations while training.")
    if any(name in log.curves for log in logs for name in ("rewards/FxLabel/mean", "rewards/FxIoU/mean")):
        words.append("Lines beside accuracy and IoU are the rewards FxLabel and FxIoU of the images trained on.")
    return " ".join(words)


def _draw_panel(axes: Axes, drawn: _Drawn, looks: Mapping[str, tuple[str, Any, str]]) -> None:
    from matplotlib.ticker import MaxNLocator

    panel = drawn.panel
    for log in drawn.logs:
        _draw_curves(axes, log, panel.quantity, looks[log.name])
    for run, points in drawn.checkpoints.items():
        colour, dash, marker = looks[run]
        if found := _scores(points, panel.score):
            steps, values, _ = zip(*found, strict=True)
            axes.plot(steps, values, color=colour, linestyle=dash, linewidth=1, marker=marker, markersize=6, zorder=4)
        for step, _, interval in found:
            if interval:
                axes.plot((step, step), interval, color=colour, linewidth=1.4, marker="_", markersize=7, zorder=4)
    axes.set_ylabel(panel.title)
    axes.grid(True)
    axes.margins(y=0.1)
    if panel.shares:
        low, high = axes.get_ylim()
        axes.set_ylim(max(-0.03, min(low, high - 0.1)), min(1.03, max(high, low + 0.1)))
        in_percent(axes.yaxis, 4)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=NICE))


def _draw_curves(axes: Axes, log: Log, quantity: str, look: tuple[str, Any, str]) -> None:
    colour, dash, marker = look
    if quantity in log.curves:
        steps, values = _points(log.curves[quantity])
        few = len(steps) < _FEW
        axes.plot(
            steps, values, color=colour, linewidth=1.8 if few else 0.7, alpha=1 if few else 0.4,
            linestyle=dash if few else "-", marker=marker if few else None, markersize=4,
        )  # fmt: skip
        if not few:
            axes.plot(
                steps, _moving_mean(values, max(2, len(values) // 40)), color=colour, linewidth=1.9, linestyle=dash
            )
    if evaluated := log.curves.get("eval_" + quantity):
        steps, values = _points(evaluated)
        axes.plot(
            steps, values, color=colour, linewidth=0.8, linestyle=dash,
            marker=marker, markersize=5, markerfacecolor="none",
        )  # fmt: skip


def _points(curve: Mapping[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a curve, neighbours averaged where there are more than `MOST_POINTS`; NaN where none is."""
    steps, values = np.array(list(curve), float), np.array(list(curve.values()), float)
    parts = min(len(steps), MOST_POINTS)
    starts = np.linspace(0, len(steps), parts, endpoint=False).astype(int)
    there = np.isfinite(values)
    counts = np.add.reduceat(there.astype(float), starts)
    sums = np.add.reduceat(np.where(there, values, 0), starts)
    lengths = np.diff([*starts, len(steps)])
    means = np.divide(sums, counts, out=np.full(parts, np.nan), where=counts > 0)
    return np.add.reduceat(steps, starts) / lengths, means


def _moving_mean(values: np.ndarray, half: int) -> np.ndarray:
    """The mean of each value and up to `half` on either side, as many on both, so that an end is not drawn inwards."""
    there = np.isfinite(values)
    place = np.arange(len(values))
    reach = np.minimum(half, np.minimum(place, place[::-1]))
    sums, counts = (
        (total := np.concatenate(([0.0], np.cumsum(each))))[place + reach + 1] - total[place - reach]
        for each in (np.where(there, values, 0.0), there)
    )
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=there)


def _draw_steps(stacked: Sequence[Axes]) -> None:
    """The axis of steps below panels that share it."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    lows, highs = zip(*(axes.dataLim.intervalx for axes in stacked), strict=True)
    if min(lows) == max(highs):
        stacked[-1].set_xlim(min(lows) - 1, max(highs) + 1)
    stacked[-1].xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=NICE))
    stacked[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    stacked[-1].set_xlabel("step")
