"""What each experiment costs on 8 x A100 80 GB, derived from the paper's sizes; nothing here is measured.

The number of trainings and answers comes from the dry runs of `recipes/experiment.sh`, their hours and bytes from the
formulas of recipes/README.md, section "Memory, time and lengths".

    python -m examples.costs      # writes the table into recipes/README.md
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from examples.sections import replace_section

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "recipes" / "README.md"
SECTION = "costs: python -m examples.costs"
EXPERIMENTS = ("table1", "table2", "table3", "table4", "table5", "table6", "full", "fig4", "claims")

GPUS = 8
FLOPS, BYTES = 0.4 * 312e12, 0.6 * 2e12
"""Of an A100, per second: 40 % of its arithmetic, 60 % of its memory's bandwidth."""
ROWS, EPOCHS = 13_158 - 197, 3
TOKENS = 680
"""Of a row of SFT: prompt, image and answer."""
LONGEST = 300
"""Tokens of the longest answer of a GRPO step."""
CHECKPOINTS = ROWS * EPOCHS // 8 // 500 + ROWS * EPOCHS // 2 // 1000
"""Of one run: every 500 steps of SFT, every 1,000 of GRPO."""
KEPT = {"lora": 1, "full": 2 * 14 / 2}
"""Tuner -> what a run keeps, in merged models of 2 bytes per parameter: one, or two checkpoints of 14 bytes."""
TEST_IMAGES = 2 * 8_772 // 4
FAKE_RATE = {False: 6.8 * GPUS, True: 3.4 * GPUS / 2}
"""Answers about fake images per second of 8 GPUs: 7B, and 27B or more with two GPUs per engine."""


class Size(NamedTuple):
    """Derived costs of a backbone.

    Attributes:
        sft, grpo, answers: hours of three epochs, and of the held-out fold of one model.
        bytes: of a merged model.
    """

    sft: float
    grpo: float
    answers: float
    bytes: float


def size_of(billions: float) -> Size:
    """Derive the costs of a backbone.

    Args:
        billions: its parameters.
    """
    large = billions > 20
    weights = 2e9 * billions
    sft = 6 * 1e9 * billions * TOKENS * ROWS * EPOCHS / (GPUS * FLOPS) / 3600
    sft += 1.2 if large else 0.0  # zero3 gathers the weights three times per step
    token = weights / (4 if large else 1) / BYTES  # vLLM reads the weights of its share for each token
    step = LONGEST * token + 6 * 1e9 * billions * TOKENS / FLOPS + (4.8 if large else 0.2)
    grpo = step * ROWS * EPOCHS / 2 / 3600  # two images per step
    return Size(sft, grpo, TEST_IMAGES / FAKE_RATE[large] / 3600, weights)


def backbones() -> dict[str, float]:
    """Backbone -> billions of parameters, from the table of recipes/README.md."""
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {
        row[1].strip(" `"): float(row[5].split()[0]) for row in rows if len(row) > 5 and row[5].strip().endswith(" B")
    }


def dry_run(name: str) -> list[tuple[str, str, str]]:
    """Command (sft, rlhf, infer), backbone and tuner (lora, full) of everything that an experiment runs."""
    with tempfile.TemporaryDirectory() as folder:
        annotations = Path(folder, "annotations.jsonl")
        annotations.write_text("")
        ood = " ".join(f"{set}={folder}" for set in ("fakeclue", "chameleon", "gpt-image-1", "faceforensics", "mmfr"))
        env = {"PATH": os.environ["PATH"], "DRY_RUN": "1", "FAKEXPLAINED": str(annotations), "OOD": ood}
        done = subprocess.run(
            ["bash", str(ROOT / "recipes/experiment.sh"), name],
            env=env | {"OUT": f"{folder}/out"},
            capture_output=True,
            text=True,
            check=True,
        )
        found = []
        for line in done.stdout.splitlines():
            words = line.split()
            if "swift" in words and (command := words[words.index("swift") + 1]) in ("sft", "rlhf", "infer"):
                target = words[words.index("--output_dir" if command != "infer" else "--result_path") + 1]
                backbone = target.removeprefix(f"{folder}/out/").partition("-fold")[0]
                tuner = [after for word, after in pairwise(words) if word == "--tuner_type"][-1:]
                found.append((command, backbone, *(tuner or ["lora"])))
        # Fig. 4 has a curve for each run of GRPO, with answers of all checkpoints of both stages
        curves = [run[1:] for run in found if name == "fig4" and run[0] == "rlhf"]
        return found + [("infer", *curve) for curve in curves for _ in range(CHECKPOINTS)]


def render() -> str:
    """The table, as Markdown."""
    sizes = {name: size_of(billions) for name, billions in backbones().items()}
    lines = [
        "| experiment | SFT | GRPO | sets answered | hours: SFT | GRPO | answers | all, in days | models on disk |",
        "|---" * 9 + "|",
    ]
    for name in EXPERIMENTS:
        runs = dry_run(name)
        hours = {"sft": 0.0, "rlhf": 0.0, "infer": 0.0}
        disk = 0.0
        for command, backbone, tuner in runs:
            size = sizes[backbone]
            hours[command] += {"sft": size.sft, "rlhf": size.grpo, "infer": size.answers}[command]
            disk += KEPT[tuner] * size.bytes * (command != "infer")
        counts = [sum(run[0] == command for run in runs) for command in hours]
        days = sum(hours.values()) / 24
        cells = [f"`{name}`", *map(str, counts), *(f"{value:.1f}" for value in (*hours.values(), days))]
        lines.append(f"| {' | '.join(cells)} | {disk / 1e12:.2f} TB |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table into the page."""
    replace_section(PAGE, SECTION, render())
    print(PAGE)


if __name__ == "__main__":
    main()
