"""What `fakexplain consensus` gains on the models of the toy experiments: kept as a small file, shown as a table.

python -m examples.toy_consensus keep output/consensus-toy    # writes recipes/toy_results/consensus.json
python -m examples.toy_consensus show                         # writes the table in scoring/README.md
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from examples.sections import replace_section
from examples.toy_claims import RESAMPLES, format_difference
from examples.toy_results import FOLDER
from swift_plugins.fakexplain.scoring.run import load_run

FILE = FOLDER / "consensus.json"
PAGE = FOLDER.parents[1] / "swift_plugins/fakexplain/scoring/README.md"
SECTION = "consensus: python -m examples.toy_consensus show"
STAGES = {"sft": "SFT, greedy", "progressive": "FakeXplainer, greedy"}
GREEDY, CHOSEN = "greedy", {"consensus-4": "and 4 samples", "consensus-8": "and 8", "consensus-16": "and 16"}
METRICS = ("accuracy", "iou", "auroc")


def keep(out: Path) -> list[dict[str, Any]]:
    """Values per image of every model's greedy answers and of those that a consensus chose.

    Args:
        out: the OUT of `recipes/consensus_toy.sh`.

    Raises:
        ValueError: the folder holds no scores.
    """
    kept = []
    for folder in sorted(out.glob("seed*-*/run")):
        seed, stage = re.fullmatch(r"seed(\d+)-(\w+)", folder.parent.name).groups()
        run = load_run(folder)
        images = list(run.images("keep"))
        systems: dict[str, Any] = {}
        for name, scores in run.systems.items():
            pairs = [(record, answers[name]) for record, answers in images]
            systems[name] = {
                "right": [int(answer["verdict"] == record.label) for record, answer in pairs],
                "iou": [round(answer["iou"], 4) for record, answer in pairs if record.label == "fake"],
                "p_fake": [round(0.5 if answer["p_fake"] is None else answer["p_fake"], 6) for _, answer in pairs],
                "rouge_l": round(scores["rouge_l"], 4),
            }
        fake = [int(record.label == "fake") for record, _ in images]
        kept.append({"stage": stage, "seed": int(seed), "fake": fake, "systems": systems})
    if not kept:
        raise ValueError(f"{out}: expected the OUT of recipes/consensus_toy.sh, found no scores in it")
    return kept


def render(results: Sequence[Mapping[str, Any]]) -> str:
    """The table of scoring/README.md, as Markdown: means over seeds, and differences from the greedy answers."""
    lines = ["| answers | seeds | accuracy | IoU | AUROC | ROUGE-L |", "|---" * 6 + "|"]
    for stage, words in STAGES.items():
        of_stage = [result for result in results if result["stage"] == stage]
        values, resampled = _estimate(of_stage)
        captions = {name: np.mean([result["systems"][name]["rouge_l"] for result in of_stage]) for name in values}
        means = " | ".join(f"{values[GREEDY][metric]:.3f}" for metric in range(len(METRICS)))
        lines.append(f"| {words} | {len(of_stage)} | {means} | {captions[GREEDY]:.3f} |")
        for name, chosen in CHOSEN.items():
            difference = values[name] - values[GREEDY]
            low, high = np.percentile(resampled[name] - resampled[GREEDY], [2.5, 97.5], axis=0)
            cells = [*map(format_difference, difference, low, high)]
            cells.append(f"{captions[name] - captions[GREEDY]:+.3f}")
            lines.append(f"| {chosen} | {len(of_stage)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _estimate(results: Sequence[Mapping[str, Any]]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Of each system, accuracy, IoU and AUROC: means over seeds (3,), and of images resampled in each seed (R, 3).

    Fake and real images are resampled apart; all systems of a seed see the same images.
    """
    rng = np.random.default_rng(0)
    values, resampled = {}, {}
    for result in results:
        fake = np.array(result["fake"], bool)
        draws = [_weights(rng, int(side.sum())) for side in (fake, ~fake)]
        for name, system in result["systems"].items():
            found = _metrics(system, fake, *(np.ones((1, draw.shape[1])) for draw in draws))[0] / len(results)
            values[name] = values.get(name, 0) + found
            resampled[name] = resampled.get(name, 0) + _metrics(system, fake, *draws) / len(results)
    return values, resampled


def _weights(rng: np.random.Generator, count: int) -> np.ndarray:
    """How often each of `count` images is drawn: (resamples, count)."""
    return rng.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(float)


def _metrics(system: Mapping[str, Any], fake: np.ndarray, of_fake: np.ndarray, of_real: np.ndarray) -> np.ndarray:
    """Accuracy, IoU and AUROC with weights of the fake images (R, F) and of the real ones (R, N): (R, 3)."""
    right, p = np.array(system["right"], float), np.array(system["p_fake"], float)
    f, n = of_fake.shape[1], of_real.shape[1]
    accuracy = (of_fake @ right[fake] + of_real @ right[~fake]) / (f + n)
    iou = of_fake @ np.array(system["iou"], float) / f
    wins = np.sign(p[fake][:, None] - p[~fake][None]) / 2 + 0.5
    auroc = ((of_fake @ wins) * of_real).sum(axis=1) / (f * n)
    return np.stack([accuracy, iou, auroc], axis=1)


def main() -> None:
    """Parse the command line; keep results, or show them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    keeping = commands.add_parser("keep", help="write the small file of all models")
    keeping.add_argument("out", type=Path, help="OUT of recipes/consensus_toy.sh")
    for each in (keeping, commands.add_parser("show", help="write the table from the file")):
        each.add_argument("--file", type=Path, default=FILE, help="the file (default %(default)s)")
    args = parser.parse_args()
    try:
        if args.command == "keep":
            args.file.write_text(json.dumps(keep(args.out), separators=(",", ":")) + "\n", encoding="utf-8")
            print(args.file)
        else:
            replace_section(PAGE, SECTION, render(json.loads(args.file.read_text(encoding="utf-8"))))
            print(PAGE)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
