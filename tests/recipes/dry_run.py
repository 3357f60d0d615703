"""Run a recipe, and read the commands that DRY_RUN=1 makes it print."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.sh"))
LIBRARY = sorted((ROOT / "recipes" / "lib").glob("*.sh"))
PIPELINES = {
    "quickstart.sh",
    "curve.sh",
    "baselines.sh",
    "ood.sh",
    "experiment.sh",
    "reproduce_toy.sh",
    "consensus_toy.sh",
}
"""Recipes of several commands."""

_BACKBONE = {"BACKBONE", "SIZE", "ZERO", "TP", "SHARE", "MEGATRON_TP"}
_DATA = {"FAKEXPLAINED", "FOLD", "VARIANT", "VAL", "PLUGIN", "MAX_PIXELS", "MODEL", "PREDICTIONS", "SFT", "GRPO", "OUT"}
_MACHINES = {"GPUS", "NPROC_PER_NODE", "GRAD_ACC", "QUANT", "NNODES", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT"}
_SERVING = {"ROLLOUT", "HOST", "PORT", "IMAGES", "URL", "LICENSE", "RUN"}
_BASELINES = {"IMAGE_FOLDER", "SEED", "EPOCHS", "SIDE"}
_OOD = {"SET", "DIR", "PER_VIDEO"}
_EXPERIMENT = {"EXPERIMENT", "OOD", "JOBS", "TOY", "PHOTOS", "DIFFICULTY", "SEEDS", "MORE_SEEDS", "RESULTS", "COMPARE"}
VARIABLES = _BACKBONE | _DATA | _MACHINES | _SERVING | _BASELINES | _OOD | _EXPERIMENT | {"DRY_RUN", "QUICK"}


def run(recipe: Path | str, env: Mapping[str, str], *extra: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a recipe, by path or name, with these variables alone and further arguments."""
    inherited = {k: v for k, v in os.environ.items() if k not in VARIABLES and not k.startswith("FX_")}
    inherited["PATH"] = f"{Path(sys.executable).parent}:{inherited['PATH']}"
    command = ["bash", str(ROOT / "recipes" / recipe), *extra]
    return subprocess.run(command, env={**inherited, **env}, cwd=cwd, capture_output=True, text=True, timeout=60)


def commands(text: str) -> list[tuple[list[str], dict[str, str]]]:
    """The printed commands, one per line: words, and the variables set before them."""
    found = []
    for line in text.splitlines():
        words, env = shlex.split(line, comments=True), {}
        while words and (words[0] == "env" or re.match(r"\w+=", words[0])):
            name, _, value = words.pop(0).partition("=")
            if value or name != "env":
                env[name] = value
        if words:
            found.append((words, env))
    return found


def option(words: list[str], name: str) -> str:
    """The value of an option; the last one counts."""
    return words[len(words) - words[::-1].index(name)]


def backbones() -> list[list[str]]:
    """The rows of recipes/lib/backbones.sh."""
    text = (ROOT / "recipes" / "lib" / "backbones.sh").read_text(encoding="utf-8")
    table = re.search(r"^BACKBONES='\n(.*?)^'", text, re.DOTALL | re.MULTILINE)
    assert table
    return [line.split() for line in table[1].splitlines()]
