"""Stock `swift` commands in processes of their own, on what the quickstart makes in its quick form."""

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "swift_plugins" / "fakexplain_plugin.py"
BACKBONE = ROOT / "examples" / "tiny_backbone"
HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
TOKENS = 48
"""Longest answer of the shared quickstart, in tokens."""


def free_port() -> str:
    """A port nothing listens on, so that two runs at a time do not meet at torch's default one."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return str(sock.getsockname()[1])


def environment(programs: Path = BIN, **changes: str) -> dict[str, str]:
    """The environment of a command: these programs and the tests' own Python first, quiet, one thread, an own port."""
    # a command that ran in this process before may have made ms-swift quieter
    quiet = {
        "LOG_LEVEL": "INFO",
        "TRL_EXPERIMENTAL_SILENCE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    path = os.pathsep.join(map(str, (programs, BIN, os.environ["PATH"])))
    return (
        os.environ
        | quiet
        | {"PATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "MASTER_PORT": free_port()}
        | changes
    )


def read_jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@dataclass
class Quickstart:
    """What the quickstart left."""

    out: Path
    stdout: str

    @property
    def annotations(self) -> Path:
        return self.out / "world" / "annotations.jsonl"

    def checkpoint(self, stage: str) -> Path:
        (path,) = (self.out / stage).glob("checkpoint-*")
        return path

    def swift(self, *args: object, programs: Path = BIN, **env: str) -> str:
        """Run a stock swift command on the quickstart's annotations and return what it printed."""
        return swift(*args, annotations=self.annotations, cwd=self.out, programs=programs, **env)


def swift(*args: object, annotations: Path, cwd: Path | None = None, programs: Path = BIN, **env: str) -> str:
    """Run a stock swift command on an annotations file and return what it printed."""
    done = subprocess.run(
        [str(programs / "swift"), *map(str, args)],
        env=environment(FAKEXPLAINED=str(annotations), **env),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def run_quickstart(out: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The recipe in its quick form, into a folder."""
    return subprocess.run(
        ["bash", str(ROOT / "recipes" / "quickstart.sh")],
        env=environment(QUICK="1", OUT=str(out), TOKENS=str(TOKENS), **env),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Quickstart:
    """One quick run of the quickstart, shared by all end-to-end tests of all processes."""
    base = tmp_path_factory.getbasetemp()
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "quickstart"
    with open(out.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        printed = out / "printed"
        if not printed.exists():
            done = run_quickstart(out)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
            printed.write_text(done.stdout)
    return Quickstart(out, printed.read_text())


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose `swift` runs in forks of one process, for tests that start it many times."""
    folder = tmp_path_factory.mktemp("warm")
    command = [sys.executable, "-m", "tests.e2e.warm_swift", str(folder / "socket")]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin and server.stdout
        while server.stdout.readline() not in ("ready\n", ""):
            pass
        program = folder / "swift"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {HERE / "warm_swift.py"} {folder}/socket "$@"\n')
        program.chmod(0o755)
        yield folder
        server.stdin.close()


def grpo(model: Path, out: Path, *more: object) -> list[object]:
    """Arguments of a short GRPO run on the tiny model."""
    return [
        *("rlhf", "--rlhf_type", "grpo", "--model", model, "--model_type", "qwen2_5_vl", "--torch_dtype", "float32"),
        *("--custom_register_path", PLUGIN, "--template", "fx_qwen2_5_vl", "--dataset", "fakexplained:fold0_train"),
        *("--strict", "true", "--tuner_type", "full", "--freeze_vit", "false", "--freeze_aligner", "false"),
        *("--reward_funcs", "fx_iou", "fx_label", "fx_format", "--reward_weights", 0.5, 1, 1),
        *("--num_generations", 4, "--max_completion_length", 16, "--max_length", 1024, "--learning_rate", 1e-4),
        *("--check_model", "false", "--top_k", 20, "--logging_steps", 1, "--report_to", "none"),
        *("--add_version", "false", "--output_dir", out, *more),
    ]


def omega_log(run: Path) -> dict[int, float]:
    """Step -> omega_G, for every logged step of a run."""
    lines = read_jsonl(run / "logging.jsonl")
    steps = [line for line in lines if "omega_G" in line]
    return {int(line["global_step/max_steps"].split("/")[0]) - 1: line["omega_G"] for line in steps}
