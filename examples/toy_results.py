"""Results of `recipes/experiment.sh claims` on the toy world: kept as small files, shown as tables and plots.

python -m examples.toy_results keep output/toy/seed0 --seed 0    # into recipes/toy_results/seed0.json
python -m examples.toy_results show                              # writes tables and plots from all of them
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from examples.sections import replace_section
from examples.toy_claims import CLAIMS, MAIN, SFT, Claim, Finding, Result, check, format_difference, over_seeds
from examples.toy_curves import keep_curves, plot_curves, render_curves, setting_names
from swift_plugins.fakexplain.annotation import Annotation, read_annotations
from swift_plugins.fakexplain.pictures.colours import GREEN, VERMILLION
from swift_plugins.fakexplain.scoring.plots.svg import TEXT_INK, make_standalone, svg
from swift_plugins.fakexplain.scoring.run import load_run, recorded_answers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).resolve().parents[1] / "recipes" / "toy_results"
PAGE = FOLDER.parent / "README.md"
FRONT_PAGE = FOLDER.parents[1] / "README.md"
SECTION = "toy results: python -m examples.toy_results show"
DIFFICULTIES = "difficulties: python -m examples.toy_results show"
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
LINEAR = 0.1
"""Differences up to this are drawn to scale: most are small, and two are large."""
SETS = {
    "test": "unseen photographs",
    "jpeg-80": "JPEG 80",
    "jpeg-30": "JPEG 30",
    "crop-0.8": "cropped to 0.8",
    "down-0.5": "half the size",
    "ood": "unseen photographs and flaws",
}

# -- keep --------------------------------------------------------------------------------------------------------------


def keep(out: Path, seed: int) -> dict[str, Any]:
    """The values per image, the metrics and the curves of every run of an experiment, without its texts and images.

    Args:
        out: the experiment's OUT; of baselines, if `baselines` in it holds some, the metrics are kept.
        seed: its SEED.

    Raises:
        ValueError: the folder holds no scores of `claims`.
    """
    runs = sorted((out / "claims").glob("run-*/run.json"))
    if not runs:
        raise ValueError(f"{out}: expected the OUT of `TOY=1 recipes/experiment.sh claims`, found no scores in it")
    sets: dict[str, dict[str, Any]] = {}
    images: dict[str, str] = {}
    for path in runs:
        run = load_run(path.parent)
        name = re.sub(r"^run-(.*)-\w+$", r"\1", path.parent.name).replace("toy", "ood")
        systems = sets.setdefault(name, {})
        records = list(read_annotations(path.with_name("images.jsonl")))
        images[name] = _digest(records)
        for record in records:
            for system, answer in recorded_answers(record).items():
                values = systems.setdefault(system, {"accuracy": []})
                verdict, regions = (answer["verdict"], answer["regions"]) if answer else (None, [])
                values["accuracy"].append(int(verdict == record.label))
                if record.label == "fake" and run.variant not in ("no_bbox", "label_only"):
                    size = record.width * record.height
                    boxes = [region["bbox"] for region in regions if region["bbox"]]
                    areas = [(x2 - x1) * (y2 - y1) / size for x1, y1, x2, y2 in boxes]
                    values.setdefault("iou", []).append(round(answer["iou"] or 0.0, 4) if answer else 0.0)
                    values.setdefault("boxes", []).append(len(areas))
                    values.setdefault("box_area", []).append(round(sum(areas) / len(areas), 4) if areas else None)
        for system, scores in run.systems.items():
            systems[system]["metrics"] = _metrics(scores)
    if (beside := out / "baselines" / "run").exists():
        scored = load_run(beside).systems
        sets["test"] |= {system: {"metrics": _metrics(scores)} for system, scores in scored.items()}
    settings = (out / "settings").read_text(encoding="utf-8").strip()
    settings = re.sub(r"FAKEXPLAINED=.*(?=DIFFICULTY=)|PHOTOS=$", "", settings).strip()  # paths of this machine
    return {"seed": seed, "settings": settings, "images": images, "sets": sets, "training": keep_curves(out)}


def _digest(records: Sequence[Annotation]) -> str:
    """Of all that an answer about these images is compared with, so that values of two runs are of the same images."""
    truth = [(each.id, each.label, *each.image_wh, [region.bbox for region in each.regions]) for each in records]
    return hashlib.sha256(json.dumps(truth).encode()).hexdigest()[:16]


def merge(before: Result, kept: Result) -> dict[str, Any]:
    """What was kept of a seed before, and the systems of `kept` added to it or in place of its own.

    So settings may be trained in several runs, on several machines.

    Raises:
        ValueError: the two have other settings, or other images.
    """
    if before["settings"] != kept["settings"]:
        raise ValueError(f"holds results of {before['settings']!r}, found {kept['settings']!r}")
    images = before.get("images", {})
    if others := [name for name in images if images[name] != kept["images"].get(name, images[name])]:
        raise ValueError(f"holds results of other images in {', '.join(others)}")
    sets = {name: before["sets"].get(name, {}) | kept["sets"].get(name, {}) for name in before["sets"] | kept["sets"]}
    both = {"images": images | kept["images"], "sets": sets, "training": before["training"] | kept["training"]}
    return {**kept, **both}


def _metrics(scores: Mapping[str, Any]) -> dict[str, list[float | None]]:
    """Each metric, and its interval over images."""
    bounds = scores["intervals"]
    return {
        metric: [_rounded(scores[metric]), *map(_rounded, bounds.get(metric) or (None, None))] for metric in METRICS
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


# -- show --------------------------------------------------------------------------------------------------------------


def load(folder: Path = FOLDER) -> list[Result]:
    """The kept results, in the order of difficulties and seeds."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*seed*.json")]
    return sorted(found, key=lambda result: (_difficulty(result), result["seed"]))


def _difficulty(result: Result) -> float:
    return float(re.search(r"DIFFICULTY=(\S+)", result["settings"])[1])


def _of_claims(results: Sequence[Result]) -> list[Result]:
    return [result for result in results if _difficulty(result) == DIFFICULTY]


def render_front(results: Sequence[Result]) -> str:
    """The table of README.md, as Markdown: SFT, and GRPO after it, on photographs never trained on."""
    lines = ["| stage | seeds | accuracy | IoU | AUROC | format |", "|---" * 6 + "|"]
    for system, words in ((SFT, "SFT"), (MAIN, "+ GRPO with ω_G(t)")):
        lines.append(
            _system_row(words, system, "test", _of_claims(results), ("accuracy", "iou", "auroc", "format_rate"))
        )
    return "\n".join(lines) + "\n"


def render_difficulties(results: Sequence[Result]) -> str:
    """The table of SFT by difficulty in recipes/README.md, as Markdown; seed 0, as each difficulty has it."""
    lines = ["| difficulty | seeds | accuracy | IoU |", "|---" * 4 + "|"]
    for result in results:
        if result["seed"] == 0 and SFT in result["sets"]["test"]:
            lines.append(_system_row(f"{_difficulty(result):g}", SFT, "test", [result], ("accuracy", "iou")))
    return "\n".join(lines) + "\n"


def _system_row(words: str, system: str, name: str, results: Sequence[Result], metrics: Sequence[str]) -> str:
    of_seeds = [r["sets"][name][system]["metrics"] for r in results if system in r["sets"].get(name, {})]
    cells = [_cell([metrics_of[metric] for metrics_of in of_seeds]) for metric in metrics]
    return f"| {words} | {len(of_seeds)} | " + " | ".join(cells) + " |"


def render(results: Sequence[Result]) -> str:
    """The tables of claims in recipes/README.md, as Markdown."""
    results = _of_claims(results)
    parts = []
    for name, words in SETS.items():
        systems = _systems_of(results, name)
        if name != "test":
            systems = [system for system in systems if not _is_guard(system)]
        if not systems:
            continue
        metrics = list(METRICS) if name == "test" else ["accuracy", "iou", "auroc"]
        lines = [f"| {words} | seeds | " + " | ".join(METRICS[metric] for metric in metrics) + " |"]
        lines.append("|---" * (len(metrics) + 2) + "|")
        for system in systems:
            lines.append(_system_row(system, system, name, results, metrics))
        parts.append("\n".join(lines))
    findings = [finding for claim in CLAIMS if (finding := check(claim, results))]
    lines = ["| paper | says | seeds | difference here | paired t-test | verdict |", "|---" * 6 + "|"]
    lines += [_row(finding) for finding in findings]
    parts += ["\n".join(lines), *filter(None, [_render_guards(results), render_curves(results)])]
    return "\n\n".join(parts) + "\n"


def _systems_of(results: Sequence[Result], name: str) -> list[str]:
    """The systems that any seed has on a set, in the order of the settings, the baselines last."""
    systems = dict.fromkeys(system for result in results for system in result["sets"].get(name, {}))
    places = {system: place for place, system in enumerate(setting_names().values())}
    return sorted(systems, key=lambda system: places.get(system, len(places)))


def _is_guard(system: str) -> bool:
    """Whether a system is FakeXplainer with something to keep GRPO from earning IoU by large boxes."""
    return system.startswith(MAIN) and system != MAIN


def _render_guards(results: Sequence[Result]) -> str:
    """A Markdown table: what each guard changes, image by image on the seeds that have it."""
    systems = [system for system in _systems_of(results, "test") if _is_guard(system)]
    metrics = ("accuracy", "iou", "boxes", "box_area")
    lines = [f"| minus {MAIN} | seeds | " + " | ".join(map(_metric_words, metrics)) + " |", "|---" * 6 + "|"]
    for system in systems:
        claims = [Claim("", "", metric, (system, "test"), (MAIN, "test")) for metric in metrics]
        found = [finding for claim in claims if (finding := check(claim, results))]
        cells = [format_difference(each.difference, each.low, each.high) for each in found]
        lines.append(f"| {system} | {len(found[0].values)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) if systems else ""


def _metric_words(metric: str) -> str:
    return METRICS["boxes_per_answer" if metric == "boxes" else metric]


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
    difference = f"{_metric_words(claim.metric)} {format_difference(finding.difference, finding.low, finding.high)}"
    p = "–" if finding.p is None else "p < 0.001" if finding.p < 0.001 else f"p = {finding.p:.3f}"
    return f"| {claim.place} | {claim.text} | {len(finding.values)} | {difference} | {p} | {finding.verdict} |"


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
            ticks := [-0.3, -0.1, -0.05, 0, 0.05, 0.1, 0.3, 1],
            [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in ticks],
        )
        axes.set_xticks([], minor=True)
        axes.set_xlabel(
            f"difference as claimed is to the right of 0, logarithmic beyond ±{LINEAR:g};\n"
            "a dot per seed, bars are 95 % intervals"
        )
        axes.spines["left"].set_visible(False)

    label = "Claims of the paper: " + "; ".join(f"{each.claim.text}: {each.verdict}" for each in findings)
    return make_standalone(svg(draw, (9.6, 0.9 + 0.32 * len(findings)), "claims", label))


def main() -> None:
    """Parse the command line; keep results, or show them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    keeping = commands.add_parser("keep", help="write the small file of one seed, or add to it")
    keeping.add_argument("out", type=Path, help="OUT of TOY=1 recipes/experiment.sh claims")
    keeping.add_argument("--seed", type=int, required=True)
    for each in (keeping, commands.add_parser("show", help="write tables and plot from the files of all seeds")):
        each.add_argument("--results", type=Path, default=FOLDER, help="folder of the files (default %(default)s)")
    args = parser.parse_args()
    try:
        if args.command == "keep":
            args.results.mkdir(parents=True, exist_ok=True)
            kept = keep(args.out, args.seed)
            other = "" if _difficulty(kept) == DIFFICULTY else f"difficulty{_difficulty(kept):g}-"
            path = args.results / f"{other}seed{args.seed}.json"
            if path.exists():
                try:
                    kept = merge(json.loads(path.read_text(encoding="utf-8")), kept)
                except ValueError as error:
                    raise ValueError(f"{path}: {error}; choose other --results") from error
            text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
            path.write_text(text + "\n", encoding="utf-8")
        else:
            results = load(args.results)
            if not results:
                raise ValueError(f"{args.results}: expected seed*.json, found none")
            claimed = _of_claims(results)
            (args.results / "claims.svg").write_text(plot(claimed), encoding="utf-8")
            (args.results / "curves.svg").write_text(plot_curves(claimed), encoding="utf-8")
            if args.results == FOLDER:
                replace_section(FRONT_PAGE, SECTION, render_front(results))
                replace_section(PAGE, DIFFICULTIES, render_difficulties(results))
                replace_section(path := PAGE, SECTION, render(results))
            else:
                (path := args.results / "results.md").write_text(render(results), encoding="utf-8")
    except ValueError as error:
        sys.exit(f"error: {error}")
    print(path)


if __name__ == "__main__":
    main()
