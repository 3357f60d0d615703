"""Draw the figure of training (Fig. 4): accuracy, IoU, rewards and loss over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...pictures.colours import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION
from ..checkpoints import Checkpoint
from ..metrics.bootstrap import Interval
from .smoothing import average_neighbours, moving_mean
from .svg import NICE, WIDTH, abbreviate, as_percent, note, svg
from .training import Log

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Look = tuple[str, Any, str]
"""Colour, dash and marker of a run."""

LOOKS: Sequence[Look] = (
    (BLUE, "-", "o"),
    (VERMILLION, "--", "s"),
    (GREEN, "-.", "^"),
    (ORANGE, ":", "D"),
    (PURPLE, (0, (6, 1, 1, 1, 1, 1)), "v"),
    (SKY, (0, (8, 3)), "P"),
)
"""Of the first run, the second, ..."""

MOST_POINTS = 600  # per curve; the figure is too narrow to show more
FEW_POINTS = 10  # a curve with fewer is drawn with markers


class _Quantity(NamedTuple):
    """A quantity that has a panel: a score of checkpoints, a curve of logs, or both."""

    title: str
    score: str
    curve: str
    stages: tuple[str, ...]
    shares: bool = False


class Panel(NamedTuple):
    """A panel: a quantity in a stage of training, with the logs and checkpoints of that stage."""

    stage: str
    quantity: _Quantity
    logs: list[Log]
    checkpoints: dict[str, Sequence[Checkpoint]]


_STAGES = ("SFT", "GRPO")
_QUANTITIES = (
    _Quantity("accuracy", "accuracy", "accuracy", ("SFT",), shares=True),  # this and the next two: `--eval_metric fx`
    _Quantity("IoU", "iou", "iou", ("SFT",), shares=True),
    _Quantity("exact format", "", "format", ("SFT",), shares=True),
    _Quantity("accuracy", "accuracy", "rewards/FxLabel/mean", ("GRPO",), shares=True),
    _Quantity("IoU", "iou", "rewards/FxIoU/mean", ("GRPO",), shares=True),
    _Quantity("total reward", "", "reward", ("GRPO",)),
    _Quantity("ω_G", "", "omega_G", ("GRPO",)),
    _Quantity("loss", "", "loss", ("SFT",)),  # the loss of GRPO is 0 except for its KL term
    _Quantity("token accuracy", "", "token_acc", ("SFT",), shares=True),
)


def draw_training(logs: Sequence[Log], checkpoints: Mapping[str, Sequence[Checkpoint]] = {}) -> str | None:
    """Draw training over steps (Fig. 4), in panels below one another; panels of a stage share the axis of steps.

    Points are scores of checkpoints with their intervals. Curves come from the logs: thin lines are single steps, thick
    lines the moving mean, and hollow points evaluations during training. FxLabel is drawn with accuracy and FxIoU with
    IoU, although a reward covers only the images of its step, and FxIoU is relaxed by η and counts real images too. In
    a log of more than `MOST_POINTS` steps, neighbours are averaged.

    Args:
        logs: of SFT and GRPO runs, each with a different name.
        checkpoints: run -> its checkpoints (`checkpoint_scores`). They join the log with the same name; without such a
            log, the only stage that has logs, or else GRPO.

    Returns:
        SVG, or None without data.

    Raises:
        ValueError: two logs have the same name.
    """
    stages = {log.name: log.stage for log in logs}
    if len(stages) < len(logs):
        raise ValueError(f"expected a different name for each log, found {', '.join(log.name for log in logs)}")
    names = list(dict.fromkeys([*stages, *(run for run, points in checkpoints.items() if points)]))
    looks = choose_looks(names)
    panels = arrange_panels(logs, {run: checkpoints[run] for run in names if run in checkpoints}, stages)
    if not panels:
        return None

    def draw(figure: Figure) -> None:
        grid = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        by_stage: dict[str, list[Axes]] = {}
        for axes, panel in zip(grid, panels, strict=True):
            _draw_panel(axes, panel, looks)
            by_stage.setdefault(panel.stage, []).append(axes)
        for stage, (first, *others) in by_stage.items():
            if len(by_stage) > 1:
                first.set_title(stage, loc="left", fontsize=10, fontweight="bold")
            for axes in others:
                axes.sharex(first)
            for axes in (first, *others)[:-1]:
                axes.tick_params(labelbottom=False)
            draw_steps((first, *others))
        add_legend(figure, looks)
        note(figure, _explain(panels))

    titles = ", ".join(dict.fromkeys(panel.quantity.title for panel in panels))
    label = f"Training of {', '.join(name or 'checkpoints' for name in names)} over steps: {titles}."
    height = 1.1 + 1.35 * len(panels) + 0.22 * ((len(names) + 1) // 2)
    return svg(draw, (WIDTH, height), "fig4", label)


def arrange_panels(
    logs: Sequence[Log], checkpoints: Mapping[str, Sequence[Checkpoint]], stages: Mapping[str, str]
) -> list[Panel]:
    """Arrange the panels that have data, those of SFT first.

    Args:
        logs: training logs.
        checkpoints: run -> its checkpoints.
        stages: run that has a log -> its stage. Checkpoints of other runs join the only stage, or else GRPO.
    """
    panels = []
    default = min(set(stages.values()), default="GRPO")  # 'GRPO' if both stages have logs
    for stage in _STAGES:
        of_stage = [log for log in logs if log.stage == stage]
        points = {run: each for run, each in checkpoints.items() if stages.get(run, default) == stage}
        for each in _QUANTITIES:
            curves = any(name in log.curves for log in of_stage for name in (each.curve, "eval_" + each.curve))
            scores = any(_scores(run_points, each.score) for run_points in points.values())
            if stage in each.stages and (curves or scores):
                panels.append(Panel(stage, each, of_stage, points))
    return panels


def _scores(points: Sequence[Checkpoint], score: str) -> list[tuple[int, float, Interval | None]]:
    """Step, score and interval of the checkpoints that have the score."""
    if not score:
        return []
    found = ((point.step, getattr(point, score), getattr(point, f"{score}_interval")) for point in points)
    return [each for each in found if each[1] is not None]


def _explain(panels: Sequence[Panel]) -> str:
    sentences = []
    if any(panel.checkpoints for panel in panels):
        sentences.append("Filled points: scores of checkpoints; bars: their intervals.")
    logs = [log for panel in panels for log in panel.logs]
    if any(len(curve) >= FEW_POINTS for log in logs for curve in log.curves.values()):
        sentences.append("Thin lines: single steps; thick lines: moving mean.")
    if any("eval_" + panel.quantity.curve in log.curves for panel in panels for log in panel.logs):
        sentences.append("Hollow points: evaluations during training.")
    if any(name in log.curves for log in logs for name in ("rewards/FxLabel/mean", "rewards/FxIoU/mean")):
        sentences.append("Lines in the panels accuracy and IoU: rewards FxLabel and FxIoU on training images.")
    return " ".join(sentences)


def _draw_panel(axes: Axes, panel: Panel, looks: Mapping[str, Look]) -> None:
    quantity = panel.quantity
    for log in panel.logs:
        draw_curves(axes, log, quantity.curve, looks[log.name])
    for run, points in panel.checkpoints.items():
        colour, dash, marker = looks[run]
        if found := _scores(points, quantity.score):
            steps, values, _ = zip(*found, strict=True)
            axes.plot(steps, values, color=colour, linestyle=dash, linewidth=1, marker=marker, markersize=6, zorder=4)
        for step, _, interval in found:
            if interval:
                axes.plot((step, step), interval, color=colour, linewidth=1.4, marker="_", markersize=7, zorder=4)
    axes.set_ylabel(quantity.title)
    mark_values(axes, quantity.shares)


def choose_looks(names: Sequence[str]) -> dict[str, Look]:
    """Run -> its look; after the last of `LOOKS` they begin again."""
    return {name: LOOKS[i % len(LOOKS)] for i, name in enumerate(names)}


def add_legend(figure: Figure, looks: Mapping[str, Look]) -> None:
    """Name the runs above a figure."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, linestyle=dash, marker=marker) for colour, dash, marker in looks.values()]
    labels = [abbreviate(name) or "checkpoints" for name in looks]
    columns = 2 if len(looks) > 1 else 1
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, fontsize=9, handlelength=3.2)


def mark_values(axes: Axes, shares: bool) -> None:
    """Set grid, limits and ticks of the axis of values; shares are percentages, over a tenth at least."""
    from matplotlib.ticker import MaxNLocator

    axes.grid(True)
    axes.margins(y=0.1)
    if shares:
        low, high = axes.get_ylim()
        axes.set_ylim(max(-0.015, min(low, high - 0.1)), min(1.03, max(high, low + 0.1)))
        as_percent(axes.yaxis, 4)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=NICE))


def draw_curves(axes: Axes, log: Log, quantity: str, look: Look) -> None:
    """Draw a quantity of a log: its single steps with their moving mean, and its evaluations as hollow points."""
    colour, dash, marker = look
    if quantity in log.curves:
        steps, values = average_neighbours(log.curves[quantity], MOST_POINTS)
        few = len(steps) < FEW_POINTS
        axes.plot(
            steps, values, color=colour, linewidth=1.8 if few else 0.7, alpha=1 if few else 0.4,
            linestyle=dash if few else "-", marker=marker if few else None, markersize=4,
        )  # fmt: skip
        if not few:
            axes.plot(
                steps, moving_mean(values, max(2, len(values) // 40)), color=colour, linewidth=1.9, linestyle=dash
            )
    if evaluated := log.curves.get("eval_" + quantity):
        steps, values = average_neighbours(evaluated, MOST_POINTS)
        axes.plot(
            steps, values, color=colour, linewidth=0.8, linestyle=dash,
            marker=marker, markersize=5, markerfacecolor="none",
        )  # fmt: skip


def draw_steps(stacked: Sequence[Axes]) -> None:
    """Draw the axis of steps below the panels that share it."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    lows, highs = zip(*(axes.dataLim.intervalx for axes in stacked), strict=True)
    if min(lows) == max(highs):
        stacked[-1].set_xlim(min(lows) - 1, max(highs) + 1)
    stacked[-1].xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=NICE))
    stacked[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    stacked[-1].set_xlabel("step")
