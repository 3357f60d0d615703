"""The quickstart: one annotations file through sft, rlhf, infer and score."""

import os
import signal
import subprocess
import time

import psutil
import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.scoring.run import load_run
from tests.conftest import heed_interrupts
from tests.e2e.conftest import ROOT, environment, omega_log, read_jsonl, run_quickstart

pytestmark = pytest.mark.e2e


def test_it_prints_one_table_of_three_stages(quickstart):
    table = quickstart.stdout.split("\n\n")[1].splitlines()
    assert table[0].split()[-3:] == ["base", "SFT", "+GRPO"]
    assert table[1].split() == ["images", "24", "24", "24"]


def test_its_scores_are_those_of_the_held_out_images(quickstart):
    run = load_run(quickstart.out / "run")
    assert list(run.systems) == ["base", "SFT", "+GRPO"]
    assert (run.dataset, run.subset, run.records) == ("toy world", "fold0_test", 24)
    for result in run.systems.values():
        assert result["n"] == result["answered"] == 24 == result["fake"] + result["real"]


def test_its_scores_hold_p_fake_of_every_verdict(quickstart):
    for record in read_annotations(quickstart.out / "run" / "images.jsonl"):
        for answer in record.extra["answers"].values():
            assert (answer["p_fake"] is None) == (answer["verdict"] is None)
            # the verdict is the likelier of the two, for answers are greedy
            assert answer["p_fake"] is None or (answer["p_fake"] >= 0.5) == (answer["verdict"] == "fake")


def test_it_ends_with_a_report(quickstart):
    page = (quickstart.out / "report" / "report.html").read_text(encoding="utf-8")
    assert "FakeXplain on a toy world" in page
    assert {"fig4.svg", "fig10-1.svg"} <= {path.name for path in (quickstart.out / "report" / "figures").iterdir()}
    assert (quickstart.out / "report" / "tables" / "table1.tex").is_file()


def test_its_contact_sheet_is_a_picture(quickstart):
    with Image.open(quickstart.out / "contact_sheet.png") as sheet:
        sheet.load()
        assert min(sheet.size) > 300


def test_the_loss_falls(quickstart):
    losses = [line["loss"] for line in read_jsonl(quickstart.out / "sft" / "logging.jsonl") if "loss" in line]
    assert sum(losses[-3:]) / 3 < 0.5 * losses[0]


def test_a_checkpoint_infers_with_nothing_but_its_path(quickstart):
    """The recipe names plugin, template and model type for the random backbone only."""
    script = (ROOT / "recipes" / "quickstart.sh").read_text()
    assert 'infer sft "$sft"' in script
    for stage in ("sft", "grpo"):
        answers = read_jsonl(quickstart.out / f"{stage}.jsonl")
        assert len(answers) == 24
        assert all(line["messages"][0]["role"] == "system" for line in answers)
        assert sum("<verdict>" in line["response"] for line in answers) >= 12


def test_omega_in_the_log_is_eq_2_to_the_bit(quickstart):
    weights = omega_log(quickstart.out / "grpo")
    total = len(weights)
    assert weights == {step: 0.5 + 0.5 * (step / total) for step in range(total)}


def test_the_rewards_are_logged_by_name(quickstart):
    first = read_jsonl(quickstart.out / "grpo" / "logging.jsonl")[0]
    for name in ("FxIoU", "FxLabel", "FxFormat"):
        assert 0 <= first[f"rewards/{name}/mean"] <= 1


def test_a_finished_stage_is_not_run_again(quickstart):
    again = run_quickstart(quickstart.out)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("done before") == quickstart.stdout.count(" s\n")
    assert again.stdout.splitlines()[-5:] == quickstart.stdout.splitlines()[-5:]


def test_other_settings_do_not_mix_with_a_run(quickstart):
    done = run_quickstart(quickstart.out, SEED="5")
    assert done.returncode == 2
    assert "holds a run with other settings" in done.stderr


def test_a_failing_stage_shows_its_log(tmp_path):
    done = run_quickstart(tmp_path / "run", DIFFICULTY="2")
    assert done.returncode == 1
    assert "world failed; its whole output is in" in done.stderr
    assert "--difficulty" in done.stderr
    assert not (tmp_path / "run" / "sft").exists()


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()[1:3])
    except psutil.Error:  # it has ended meanwhile
        return ""


def test_an_interrupt_ends_every_process_of_it(tmp_path):
    env = environment(QUICK="1", OUT=str(tmp_path / "run"))
    command = ["bash", str(ROOT / "recipes" / "quickstart.sh")]
    own = {"start_new_session": True, "preexec_fn": heed_interrupts}
    with subprocess.Popen(command, env=env, **own, stderr=subprocess.PIPE, text=True) as run:
        started = []
        while run.poll() is None and len(started) < 4:  # swift starts a Python of its own, for SFT and for inference
            time.sleep(0.1)
            family = psutil.Process(run.pid).children(recursive=True)
            started = [process for process in family if "swift" in command_of(process)]
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        _, errors = run.communicate()
    assert run.returncode == 130
    assert errors.startswith("quickstart.sh: interrupted; run it again")
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
