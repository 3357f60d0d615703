"""Every experiment on the toy world, with real training and answers, and the same tables after interrupts."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from examples.toy_consensus import CHOSEN
from tests.conftest import heed_interrupts
from tests.e2e.conftest import ROOT, environment
from tests.recipes.test_experiment import EXPERIMENTS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def toy(warm: Path) -> dict[str, str]:
    """The environment of an experiment in its quickest form."""
    return environment(warm, TOY="1", QUICK="1")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all experiments, as for a user."""
    return tmp_path_factory.mktemp("experiments")


def command(name: str) -> list[str]:
    return ["bash", str(ROOT / "recipes" / "experiment.sh"), name]


def run(args: list[str], env: dict[str, str], **changes: str) -> str:
    done = subprocess.run(args, env=env | changes, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


TABLES = {"full": "1", "claims": "6", "fig4": "1"}
"""The paper's table that an experiment's report has, where its name does not say it."""


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_ends_in_a_report_with_its_table(name, toy, out):
    changes = {"COMPARE": "progressive omega-1 frozen-vit grpo-alone"} if name == "claims" else {}
    printed = run(command(name), toy, OUT=str(out), **changes)
    assert printed.splitlines()[-1] == f"Report: {out}/{name}/report/report.html"
    number = TABLES.get(name, name.removeprefix("table"))
    tables = [path.name for path in (out / name / "report" / "tables").glob("*.csv")]
    assert any(table.startswith(f"table{number}") for table in tables), tables
    if name == "fig4":
        assert (out / "fig4" / "progressive" / "report" / "figures" / "fig4.svg").exists()


def test_interrupts_change_no_number(toy, tmp_path):
    """The same seed once at a stretch, and once interrupted ten times, in training and in answers."""

    def env(name: str) -> dict[str, str]:
        folders = {"OUT": str(tmp_path / name), "RESULTS": str(tmp_path / f"{name}-results")}
        return toy | {"SEEDS": "", "MORE_SEEDS": "1", "COMPARE": "grpo-alone"} | folders

    reproduce = ["bash", str(ROOT / "recipes" / "reproduce_toy.sh")]
    run(reproduce, env("whole"))
    rng = random.Random(0)
    for _ in range(10):
        with subprocess.Popen(
            reproduce,
            env=env("parts"),
            preexec_fn=heed_interrupts,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(rng.uniform(0.5, 8))
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            process.wait(60)
    run(reproduce, env("parts"))
    for stage in ("world", "split", "perturb-fold0", "rescale-fold0"):  # ended between its last file and its mark
        (tmp_path / "parts" / "seed1" / "logs" / f"{stage}.done").unlink()
    run(reproduce, env("parts"))
    parts, whole = (tmp_path / f"{name}-results" for name in ("parts", "whole"))
    names = {"seed1.json", "results.md", "claims.svg", "curves.svg"}
    assert {path.name for path in parts.iterdir()} == {path.name for path in whole.iterdir()} == names
    assert "| GRPO without SFT | 1 | " in (whole / "results.md").read_text()
    for name in names:
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_what_a_consensus_of_its_models_gains(toy, out, tmp_path):
    run(command("claims"), toy | {"COMPARE": "progressive"}, OUT=str(out))
    (tmp_path / "seed42").symlink_to(out)
    changes = {
        "MODELS": str(tmp_path),
        "SEEDS": "42",
        "OUT": str(tmp_path / "out"),
        "FILE": str(tmp_path / "kept.json"),
    }
    run(["bash", str(ROOT / "recipes" / "consensus_toy.sh")], toy, **changes)
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert [each["stage"] for each in kept] == ["progressive", "sft"]
    assert all(list(each["systems"]) == ["greedy", *CHOSEN] for each in kept)
