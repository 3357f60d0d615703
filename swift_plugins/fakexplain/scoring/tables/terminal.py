"""Print results as plain text for a terminal, one column per system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...answer import PROBLEMS
from ...text_table import align_columns
from ..metrics.definitions import COMPARED, HEADLINES, METRIC_LABELS

ROWS = {"n": "images", "answered": "answered", "unreadable": "without a verdict"} | METRIC_LABELS
"""Row of a result -> its heading."""


def render_table(
    results: Mapping[str, Mapping[str, Any]], comparisons: Sequence[Mapping[str, Any]] = (), level: float = 0.95
) -> str:
    """Render results as text: metrics with intervals, then the spread over folds, problems of answers, and comparisons.

    Args:
        results: system -> its result.
        comparisons: pairwise comparisons of systems.
        level: confidence level of the intervals.
    """
    names = list(results)
    known = [metric for metric in ROWS if any(result[metric] is not None for result in results.values())]
    rows = [[ROWS[metric], *(_cell(result, metric) for result in results.values())] for metric in known]
    intervals = any(result["intervals"] for result in results.values())
    head = f"with {100 * level:g} % intervals" if intervals else ""
    left = range(len(names) + 1) if intervals else (0,)
    parts = [align_columns([[head, *names], *rows], left=left)]
    if any(result["over_folds"] for result in results.values()):
        rows = [
            [ROWS[metric], *(_spread(result["over_folds"].get(metric)) for result in results.values())]
            for metric in known
            if metric in COMPARED
        ]
        parts.append(align_columns([["mean ± std. over folds", *names], *rows]))
    if codes := [code for code in PROBLEMS if any(result["problems"][code] for result in results.values())]:
        counts = [
            [code, *(str(result["problems"][code]) for result in results.values()), PROBLEMS[code]] for code in codes
        ]
        parts.append(align_columns([["answers with", *names, ""], *counts], left=(0, -1)))
    printed = [each for each in comparisons if len(names) < 4 or each["b"] == names[0]]
    parts += [_comparison(each) for each in printed]
    if printed != comparisons:
        parts.append(f"Only comparisons with {names[0]} are shown; a saved run and its report contain all pairs.")
    return "\n\n".join(parts)


def _cell(result: Mapping[str, Any], metric: str) -> str:
    interval = result["intervals"].get(metric)
    return _number(result[metric]) + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _number(value: float | int | None) -> str:
    return "—" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"


def _spread(value: Mapping[str, float | None] | None) -> str:
    if value is None or value["mean"] is None:
        return "—"
    return f"{value['mean']:.3f}" + (f" ± {value['std']:.3f}" if value["std"] is not None else "")


def _comparison(comparison: Mapping[str, Any]) -> str:
    """Differences of two systems, and McNemar's test."""
    rows = [
        [ROWS[metric], f"{each['difference']:+.3f}", _interval(each["interval"]), _p(each["p"])]
        for metric, each in comparison["figures"].items()
        if metric in HEADLINES and each["difference"] is not None
    ]
    test = comparison["mcnemar"]
    line = (
        f"McNemar: {comparison['a']} alone is right on {test['only_a']} images, {comparison['b']} alone on "
        f"{test['only_b']}; p {_p(test['p'])}"
    )
    head = f"{comparison['a']} against {comparison['b']}"
    return (align_columns([[head, "difference", "interval", "p"], *rows]) if rows else head) + f"\n{line}"


def _interval(interval: Sequence[float] | None) -> str:
    return f"[{interval[0]:+.3f}, {interval[1]:+.3f}]" if interval else "—"


def _p(p: float | None) -> str:
    return "—" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
