"""Tables and the plot of claims in recipes/README.md and README.md, from what `toy_results` keeps of each seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from examples.toy_claims import (
    CLAIMS,
    MAIN,
    SFT,
    STATIC_05,
    STATIC_1,
    Claim,
    Finding,
    Result,
    check,
    explain,
    format_difference,
    over_seeds,
)
from examples.toy_curves import render_curves, setting_names
from swift_plugins.fakexplain.pictures.colours import GREEN, VERMILLION
from swift_plugins.fakexplain.scoring.plots.svg import TEXT_INK, make_standalone, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIFFICULTY = 0.35
"""Of the claims; `recipes/lib/toy.sh` has the same. Seeds of other difficulties have a table of their own."""
METRICS = {
    "accuracy": "accuracy",
    "iou": "IoU",
    "auroc": "AUROC",
    "boxes_per_answer": "boxes per answer",
    "box_area": "their area",
    "format_rate": "format",
}
COMPARED = {
    "accuracy": "accuracy",
    "iou": "IoU",
    "boxes": "boxes per answer",
    "box_area": "their area",
    "boxed": "boxed area per image",
}
"""What is compared image by image."""
LINEAR = 0.1
"""Differences up to this are drawn to scale: most are small, and two are large."""
SETS = {
    "test": "unseen photographs",
    "jpeg-80": "JPEG 80",
    "jpeg-30": "JPEG 30",
    "crop-0.8": "cropped to 0.8",
    "down-0.5": "half the size",
    "rescale-0.5": "half the size, enlarged again",
    "ood": "unseen photographs and flaws",
}


def difficulty_of(result: Result) -> float:
    """The difficulty of the world that a result is of."""
    return float(re.search(r"DIFFICULTY=(\S+)", result["settings"])[1])


def of_claims(results: Sequence[Result], again: bool = False) -> list[Result]:
    """The results of the difficulty at which claims are tested, each seed once; or those of seeds trained again."""
    return [each for each in results if difficulty_of(each) == DIFFICULTY and each.get("again", False) == again]


def render_front(results: Sequence[Result]) -> str:
    """The table of README.md, as Markdown: SFT, and GRPO after it, on photographs never trained on."""
    lines = ["| stage | seeds | accuracy | IoU | AUROC | format |", "|---" * 6 + "|"]
    for system, words in ((SFT, "SFT"), (MAIN, "+ GRPO with ω_G(t)")):
        lines.append(
            _system_row(words, system, "test", of_claims(results), ("accuracy", "iou", "auroc", "format_rate"))
        )
    return "\n".join(lines) + "\n"


def render_difficulties(results: Sequence[Result]) -> str:
    """The table of SFT by difficulty in recipes/README.md, as Markdown; seed 0, as each difficulty has it."""
    lines = ["| difficulty | seeds | accuracy | IoU |", "|---" * 4 + "|"]
    for result in results:
        if result["seed"] == 0 and SFT in result["sets"]["test"] and not result.get("again"):
            lines.append(_system_row(f"{difficulty_of(result):g}", SFT, "test", [result], ("accuracy", "iou")))
    return "\n".join(lines) + "\n"


def _system_row(words: str, system: str, name: str, results: Sequence[Result], metrics: Sequence[str]) -> str:
    of_seeds = [r["sets"][name][system]["metrics"] for r in results if system in r["sets"].get(name, {})]
    cells = [_cell([metrics_of[metric] for metrics_of in of_seeds]) for metric in metrics]
    return f"| {words} | {len(of_seeds)} | " + " | ".join(cells) + " |"


def render(results: Sequence[Result]) -> str:
    """The tables of claims in recipes/README.md, as Markdown."""
    results, again = of_claims(results), of_claims(results, again=True)
    parts = []
    for name, words in SETS.items():
        systems = _systems_of(results, name)
        if name != "test":
            systems = [system for system in systems if not _is_variant(system)]
        if not systems:
            continue
        lines = [f"| {words} | seeds | " + " | ".join(METRICS.values()) + " |"]
        lines.append("|---" * (len(METRICS) + 2) + "|")
        for system in systems:
            lines.append(_system_row(system, system, name, results, list(METRICS)))
        parts.append("\n".join(lines))
    findings = [finding for claim in CLAIMS if (finding := check(claim, results))]
    lines = [
        "| paper | claim | its difference | seeds | difference here | paired t-test | verdict | why |",
        "|---" * 8 + "|",
    ]
    lines += [_row(finding) for finding in findings]
    schedules = [MAIN, STATIC_1, STATIC_05]
    others = [
        each
        for each in _systems_of([*results, *again], "test")
        if _is_variant(each) or each not in setting_names().values()
    ]
    differences = [_render_differences(results, SFT, schedules), _render_differences([*results, *again], MAIN, others)]
    parts += ["\n".join(lines), *filter(None, [*differences, render_curves(results)])]
    return "\n\n".join(parts) + "\n"


def _systems_of(results: Sequence[Result], name: str) -> list[str]:
    """The systems that any seed has on a set, in the order of the settings, the baselines last."""
    systems = dict.fromkeys(system for result in results for system in result["sets"].get(name, {}))
    places = {system: place for place, system in enumerate(setting_names().values())}
    return sorted(systems, key=lambda system: places.get(system, len(places)))


def _is_variant(system: str) -> bool:
    """Whether a system is FakeXplainer with another GRPO."""
    return system.startswith(MAIN) and system != MAIN


def _render_differences(results: Sequence[Result], base: str, systems: Sequence[str]) -> str:
    """A Markdown table: what each system changes over another, image by image on the seeds that have both."""
    lines = [f"| minus {base} | seeds | " + " | ".join(COMPARED.values()) + " |", "|---" * (len(COMPARED) + 2) + "|"]
    for system in systems:
        found = [check(Claim("", "", metric, (system, "test"), (base, "test")), results) for metric in COMPARED]
        if found[0]:
            cells = [(each and format_difference(each.difference, each.low, each.high)) or "–" for each in found]
            again = [r for r in results if r.get("again") and system in r["sets"]["test"]]
            seeds = f"{len(found[0].values)}" + (f", {len(again)} of them again" if again else "")
            lines.append(f"| {system} | {seeds} | " + " | ".join(cells) + " |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _cell(values: Sequence[Sequence[float | None]]) -> str:
    """Mean over seeds with Student's interval; of fewer than three seeds, the mean of the intervals over images."""
    means = [value[0] for value in values if value[0] is not None]
    if len(means) < len(values) or not means:
        return "–"
    mean = float(np.mean(means))
    if len(means) >= 3:
        return f"{mean:.3f} ± {over_seeds(means):.3f}"
    bounds = [bound for value in values for bound in value[1:] if bound is not None]
    if len(bounds) < 2 * len(values):
        return f"{mean:.3f}"
    low, high = (float(np.mean([value[side] for value in values])) for side in (1, 2))
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def _row(finding: Finding) -> str:
    claim = finding.claim
    difference = f"{COMPARED[claim.metric]} {format_difference(finding.difference, finding.low, finding.high)}"
    p = "–" if finding.p is None else "p < 0.001" if finding.p < 0.001 else f"p = {finding.p:.3f}"
    paper = " to ".join(f"{value:+.3f}" for value in claim.paper) or "–"
    seeds = len(finding.values)
    cells = (claim.place, claim.text, paper, seeds, difference, p, finding.verdict, explain(finding))
    return f"| {' | '.join(map(str, cells))} |"


def plot(results: Sequence[Result]) -> str:
    """Draw one figure of all claims, as SVG: the difference per seed, and its interval."""
    findings = [finding for claim in CLAIMS if (finding := check(claim, results))]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, finding in enumerate(findings):
            colour = {"holds": GREEN, "does not hold": VERMILLION}.get(finding.verdict, TEXT_INK)
            axes.plot([finding.low, finding.high], [index, index], color=colour, linewidth=2)
            seeds = [more - less for more, less in finding.values]
            axes.plot(seeds, [index] * len(seeds), "o", color=colour, markersize=4, markerfacecolor="white")
            if finding.claim.margin:
                axes.plot([-finding.claim.margin] * 2, [index - 0.3, index + 0.3], color=TEXT_INK, linewidth=1)
        axes.axvline(0, color=TEXT_INK, linewidth=1)
        axes.set_yticks(range(len(findings)), [f"{each.claim.place}: {each.claim.text}" for each in findings])
        axes.invert_yaxis()
        axes.set_xscale("symlog", linthresh=LINEAR, linscale=2)
        axes.set_xticks(
            ticks := [-0.5, -0.1, -0.05, 0, 0.05, 0.1, 0.5],
            [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in ticks],
        )
        axes.set_xticks([], minor=True)
        axes.set_xlabel(
            "difference as claimed is to the right of 0,\nor of the short line at a margin;\n"
            f"a dot per seed, bars are 95 % intervals;\nlogarithmic beyond ±{LINEAR:g}"
        )
        axes.spines["left"].set_visible(False)

    label = "Claims of the paper: " + "; ".join(f"{each.claim.text}: {each.verdict}" for each in findings)
    return make_standalone(svg(draw, (10.4, 1.3 + 0.32 * len(findings)), "claims", label))
