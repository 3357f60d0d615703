"""Results of `recipes/experiment.sh claims` on the toy world: kept as small files, shown as tables and plots.

python -m examples.toy_results keep output/reproduce-toy/seed0 --seed 0    # into recipes/toy_results/seed0.json
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
from typing import Any

from examples.sections import replace_section
from examples.toy_claims import Result
from examples.toy_curves import keep_curves, plot_curves, setting_names
from examples.toy_tables import (
    DIFFICULTY,
    METRICS,
    difficulty_of,
    of_claims,
    plot,
    render,
    render_difficulties,
    render_front,
)
from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.scoring.run import Run, load_run

FOLDER = Path(__file__).resolve().parents[1] / "recipes" / "toy_results"
PAGE = FOLDER.parent / "README.md"
FRONT_PAGE = FOLDER.parents[1] / "README.md"
SECTION = "toy results: python -m examples.toy_results show"
DIFFICULTIES = "difficulties: python -m examples.toy_results show"


def keep(out: Path, seed: int) -> dict[str, Any]:
    """The values per image, the metrics and the curves of every run of an experiment, without its texts and images.

    Args:
        out: the experiment's OUT; baselines are kept too, if there are some in its folder `baselines`.
        seed: its SEED.

    Raises:
        ValueError: the folder holds no scores of `claims`, another seed, or baselines about other images.
    """
    runs = sorted((out / "claims").glob("run-*/run.json"))
    if not runs:
        raise ValueError(f"{out}: expected the OUT of `TOY=1 recipes/experiment.sh claims`, found no scores in it")
    sets: dict[str, dict[str, Any]] = {}
    images: dict[str, str] = {}
    for path in runs:
        name = re.sub(r"^run-(.*)-\w+$", r"\1", path.parent.name).replace("toy", "ood")
        images[name], systems = _keep_run(load_run(path.parent))
        sets.setdefault(name, {}).update(systems)
    if (beside := out / "baselines" / "run").exists():
        digest, systems = _keep_run(load_run(beside))
        if digest != images["test"]:
            raise ValueError(f"{beside}: expected answers about the test images of {out}, found others")
        sets["test"] |= systems
    settings = (out / "settings").read_text(encoding="utf-8").strip()
    names = setting_names()
    if f" SEED={seed} " not in f" {settings} ":
        raise ValueError(f"{out}: expected SEED={seed}, found {settings}")
    settings = re.sub(r"FAKEXPLAINED=.*(?=DIFFICULTY=)|PHOTOS=$", "", settings).strip()  # paths of this machine
    return {
        "seed": seed,
        "settings": settings,
        "images": images,
        "sets": sets,
        "training": {k: v for k, v in keep_curves(out).items() if names[k] in sets["test"]},
    }


def _keep_run(run: Run) -> tuple[str, dict[str, dict[str, Any]]]:
    """The digest of a run's images, and system -> its values per image and its metrics."""
    systems: dict[str, dict[str, Any]] = {name: {"accuracy": []} for name in run.systems}
    records = []
    for record, answers in run.images("keep"):
        records.append(record)
        for system, answer in answers.items():
            values, regions = systems[system], answer["regions"] if answer else []
            values["accuracy"].append(int(answer is not None and answer["verdict"] == record.label))
            if record.label == "fake" and run.systems[system]["iou"] is not None:
                values.setdefault("iou", []).append(round(answer["iou"] or 0.0, 4) if answer else 0.0)
            if record.label == "fake" and run.systems[system]["boxes_per_answer"] is not None:
                size = record.width * record.height
                boxes = [region["bbox"] for region in regions if region["bbox"]]
                areas = [(x2 - x1) * (y2 - y1) / size for x1, y1, x2, y2 in boxes]
                values.setdefault("boxes", []).append(len(areas))
                values.setdefault("box_area", []).append(round(sum(areas) / len(areas), 4) if areas else None)
    for system, scores in run.systems.items():
        systems[system]["metrics"] = _metrics(scores)
    return _digest(records), systems


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


def load(folder: Path = FOLDER) -> list[Result]:
    """The kept results, in the order of difficulties and seeds."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*seed*.json")]
    return sorted(found, key=lambda result: (difficulty_of(result), result["seed"]))


def main() -> None:
    """Parse the command line; keep results, or show them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    keeping = commands.add_parser("keep", help="write the small file of one seed, or add to it")
    keeping.add_argument("out", type=Path, help="OUT of TOY=1 recipes/experiment.sh claims")
    keeping.add_argument("--seed", type=int, required=True, help="SEED of the experiment")
    keeping.add_argument(
        "--again",
        action="store_true",
        help="keep a seed that another machine has trained already in its own file, for differences within it alone",
    )
    for each in (
        keeping,
        commands.add_parser(
            "show", help="write the tables of both README files and the plots from the files of all seeds"
        ),
    ):
        each.add_argument("--results", type=Path, default=FOLDER, help="folder of the files (default %(default)s)")
    args = parser.parse_args()
    try:
        if args.command == "keep":
            args.results.mkdir(parents=True, exist_ok=True)
            kept = keep(args.out, args.seed) | ({"again": True} if args.again else {})
            other = "" if difficulty_of(kept) == DIFFICULTY else f"difficulty{difficulty_of(kept):g}-"
            path = args.results / f"{'again-' if args.again else ''}{other}seed{args.seed}.json"
            if path.exists():
                try:
                    kept = merge(json.loads(path.read_text(encoding="utf-8")), kept)
                except ValueError as error:
                    raise ValueError(f"{path}: {error}; choose other --results") from error
            text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
            path.write_text(text + "\n", encoding="utf-8")
        else:
            results = load(args.results)
            if not (claimed := of_claims(results)):
                raise ValueError(f"{args.results}: expected seedN.json of difficulty {DIFFICULTY:g}, found none")
            settings = {re.sub(r"\bSEED=\S+ ", "", result["settings"]) for result in claimed}
            if len(settings) > 1:
                raise ValueError(f"{args.results}: expected one setting of all seeds, found {sorted(settings)}")
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
