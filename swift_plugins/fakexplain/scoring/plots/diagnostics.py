"""Draw what `--callbacks fx_diagnostics` logs while GRPO trains: a small panel for each measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .curves import FEW_POINTS, add_legend, choose_looks, draw_curves, draw_steps, mark_values
from .svg import WIDTH, note, plain, svg
from .training import Log

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class _Measure(NamedTuple):
    """A measure: its name in the log, without `fx/`, and its title."""

    name: str
    title: str
    shares: bool = True


_MEASURES = (
    _Measure("accuracy_fake", "accuracy on fake images"),
    _Measure("accuracy_real", "accuracy on real images"),
    _Measure("iou", "IoU on fake images"),
    _Measure("boxes", "boxes per answer", shares=False),
    _Measure("box_area", "area per box, share of the frame"),
    _Measure("overlap", "overlap of boxes"),
    _Measure("no_box", "boxes annotated, but none given"),
    _Measure("unreadable", "answers without a verdict"),
    _Measure("no_variance", "groups without a difference in reward"),
    _Measure("special_tokens", "answers with special tokens"),
)
_WEIGHTED = "weighted/"


def draw_diagnostics(logs: Sequence[Log]) -> str | None:
    """Draw the measures that logs of GRPO have, two panels abreast; all panels share the axis of steps.

    Args:
        logs: each with a different name, as for `draw_training`; those of SFT have no measures, but keep their looks.

    Returns:
        SVG, or None without data.
    """
    measures = _logged_measures(logs)
    if not measures:
        return None
    looks = choose_looks([log.name for log in logs])
    shown = [log for log in logs if any(_has(log, measure) for measure in measures)]

    def draw(figure: Figure) -> None:
        rows = (len(measures) + 1) // 2
        grid = figure.subplots(rows, 2, squeeze=False, sharex=True)
        for axes, measure in zip(grid.flat, measures, strict=False):
            for log in shown:
                draw_curves(axes, log, f"fx/{measure.name}", looks[log.name])
            axes.set_title(plain(measure.title), loc="left", fontsize=9.5)
            mark_values(axes, measure.shares)
        if len(measures) % 2:
            grid[-1, 1].set_visible(False)
        for column in grid.T:
            if stacked := [axes for axes in column if axes.get_visible()]:
                stacked[-1].tick_params(labelbottom=True)
                draw_steps(stacked)
        add_legend(figure, {log.name: looks[log.name] for log in shown})
        note(figure, _explain(shown))

    titles = ", ".join(measure.title for measure in measures)
    label = f"Measures of the answers of {', '.join(log.name for log in shown)} over steps: {titles}."
    height = 0.95 + 1.25 * ((len(measures) + 1) // 2) + 0.22 * ((len(shown) + 1) // 2)
    return svg(draw, (WIDTH, height), "diagnostics", label)


def _has(log: Log, measure: _Measure) -> bool:
    return f"fx/{measure.name}" in log.curves or f"eval_fx/{measure.name}" in log.curves


def _logged_measures(logs: Sequence[Log]) -> list[_Measure]:
    names = dict.fromkeys(name.removeprefix("eval_").removeprefix("fx/") for log in logs for name in log.curves)
    weighted = [
        _Measure(name, f"weighted reward {name.removeprefix(_WEIGHTED)}", shares=False)
        for name in names
        if name.startswith(_WEIGHTED)
    ]
    return [measure for measure in (*_MEASURES, *weighted) if any(_has(log, measure) for log in logs)]


def _explain(logs: Sequence[Log]) -> str:
    sentences = ["Boxes are those of answers to fake images."]
    measures = [(name, curve) for log in logs for name, curve in log.curves.items() if "fx/" in name]
    if any(len(curve) >= FEW_POINTS for name, curve in measures if name.startswith("fx/")):
        sentences.append("Thin lines: single steps; thick lines: moving mean.")
    if any(name.startswith("eval_") for name, _ in measures):
        sentences.append("Hollow points: evaluations during training.")
    return " ".join(sentences)
