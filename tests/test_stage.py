"""Stages of the quickstart: run once, in order, one script per folder, and no process outlives an interrupt.

The programs are stand-ins that note their arguments, so the whole script runs in a second.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import heed_interrupts

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[1]
STAGES = ["world", "validate", "split", "sft", "grpo", "infer-sft", "infer-grpo"]
STAGES += ["score", "answer", "draw", "sheet", "report"]
ALONE = ["world", "sft", "grpo", "score", "answer"]
"""Stages that run with nothing beside them."""

PROGRAM = """#!/usr/bin/env bash
echo "${0##*/} $*" >> "$CALLS"
echo "said by ${0##*/} $1"
[[ " $* " != *" ${FAILS:-nothing} "* ]] || { echo "no such luck"; exit 3; }
[[ " $* " != *" ${HANGS:-nothing} "* ]] || { sleep 60 & sleep 60 & wait; }
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment in which python, swift and fakexplain are stand-ins."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("python", "swift", "fakexplain"):
        (programs / name).write_text(PROGRAM)
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "CALLS": str(tmp_path / "calls"), "OUT": str(tmp_path / "run"), "QUICK": "1"}


COMMAND = ["bash", str(ROOT / "recipes" / "quickstart.sh")]


def run(env: dict[str, str], **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(COMMAND, env=env | changes, capture_output=True, text=True, check=False, timeout=60)


def start(env: dict[str, str], **changes: str) -> subprocess.Popen[str]:
    own = {"start_new_session": True, "preexec_fn": heed_interrupts}
    return subprocess.Popen(
        COMMAND, env=env | changes, **own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def sleepers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything the script started, once a hanging stage has started both of its children."""
    found: list[psutil.Process] = []

    def ready() -> bool:
        found[:] = psutil.Process(process.pid).children(recursive=True)
        with suppress(psutil.NoSuchProcess):
            return sum(each.name() == "sleep" for each in found) >= 2
        return False

    wait_until(ready)
    return found


def stages_of(stdout: str) -> list[str]:
    return [line.split(":")[0] for line in stdout.split("\n\n")[0].splitlines()]


def test_stages_run_in_order_and_its_end_shows_scores_answer_and_paths(env, tmp_path):
    done = run(env)
    assert done.returncode == 0, done.stderr
    order = stages_of(done.stdout)
    assert sorted(order) == sorted(STAGES)
    for name in ALONE:
        assert order.index(name) == STAGES.index(name)
    shown = done.stdout.split("\n\n", 1)[1]
    assert shown.startswith("said by fakexplain score\n")
    assert f"Pictures: {tmp_path / 'run'}/contact_sheet.png\nReport:   {tmp_path / 'run'}/report/report.html\n" in shown


def test_a_finished_stage_is_not_run_again(env, tmp_path):
    first = run(env)
    calls = (tmp_path / "calls").read_text()
    again = run(env)
    assert (again.returncode, again.stderr) == (0, "")
    assert sorted(again.stdout.split("\n\n")[0].splitlines()) == sorted(f"{name}: done before" for name in STAGES)
    assert again.stdout.split("\n\n")[1:] == first.stdout.split("\n\n")[1:]
    assert (tmp_path / "calls").read_text() == calls


def test_a_failing_stage_shows_its_log_and_the_next_run_continues_there(env, tmp_path):
    done = run(env, FAILS="rlhf")
    assert done.returncode == 1
    assert "said by swift rlhf\nno such luck\ngrpo failed; its whole output is in" in done.stderr
    assert "swift infer" not in (tmp_path / "calls").read_text()
    again = run(env)
    assert again.returncode == 0
    assert "sft: done before" in again.stdout
    assert "grpo: done before" not in again.stdout


def test_a_failing_stage_ends_those_beside_it(env):
    with start(env, HANGS="split", FAILS="validate") as process:
        _, errors = process.communicate(timeout=30)  # ends although a stage beside it hangs
    assert process.returncode == 1
    assert "validate failed; its whole output is in" in errors


def test_answers_of_an_interrupted_stage_are_not_appended_to(env, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "grpo.jsonl").write_text("half an answer\n")
    assert run(env).returncode == 0
    assert not (tmp_path / "run" / "grpo.jsonl").exists()


def test_other_settings_do_not_mix_with_a_run(env):
    assert run(env).returncode == 0
    done = run(env, SEED="5")
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds a run with other settings (SEED=0 " in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_every_process(env, number):
    with start(env, HANGS="sft") as process:
        family = sleepers(process)
        os.killpg(process.pid, number)  # as a terminal does
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == "quickstart.sh: interrupted; run it again to continue with the unfinished stage\n"
    assert not psutil.wait_procs(family, timeout=10)[1]


def test_a_second_run_into_the_same_folder_is_refused_while_the_first_lasts(env, tmp_path):
    with start(env, HANGS="sft") as process:
        sleepers(process)
        done = run(env)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"quickstart.sh: {tmp_path / 'run'} is in use by another run: wait until it ends, or choose another OUT\n"
    )
    wait_until(lambda: run(env).returncode == 0)


def test_a_killed_run_blocks_no_further_one_once_its_processes_are_gone(env):
    with start(env, HANGS="sft") as process:
        family = sleepers(process)
        process.kill()
        process.wait()
        assert run(env).returncode == 2  # its stage still writes
        for each in family:
            with suppress(psutil.NoSuchProcess):  # it may end with its parent
                each.kill()
        psutil.wait_procs(family, timeout=10)
        process.communicate(timeout=30)
    assert run(env).returncode == 0
