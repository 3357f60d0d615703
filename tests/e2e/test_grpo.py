"""GRPO by stock `swift rlhf`: vLLM colocated, and two processes killed and resumed."""

import signal
import subprocess
import time

import psutil
import pytest

from tests.e2e.conftest import BIN, HERE, environment, grpo, omega_log, read_jsonl

pytestmark = pytest.mark.e2e


def test_vllm_colocated(quickstart, tmp_path):
    quickstart.swift(
        *grpo(quickstart.checkpoint("sft"), tmp_path, "--external_plugins", HERE / "cpu_vllm.py"),
        *("--callbacks", "fx_omega_g", "--max_steps", 2, "--per_device_train_batch_size", 8),
        *("--use_vllm", "true", "--vllm_mode", "colocate", "--vllm_enforce_eager", "true"),
        *("--vllm_max_model_len", 1024, "--vllm_gpu_memory_utilization", 0.2, "--save_strategy", "no"),
        VLLM_CPU_KVCACHE_SPACE="1",
    )
    assert omega_log(tmp_path) == {0: 0.5, 1: 0.75}


def test_two_ranks_killed_and_resumed_weigh_every_step_by_eq_2(quickstart, tmp_path):
    args = [
        *grpo(quickstart.checkpoint("sft"), tmp_path, "--external_plugins", HERE / "weights_of_ranks.py"),
        *("--callbacks", "fx_omega_g", "weights_of_ranks", "--max_steps", 4, "--save_steps", 1),
        *("--per_device_train_batch_size", 4, "--ddp_backend", "gloo", "--use_cpu", "true"),
    ]
    ranks = {"NPROC_PER_NODE": "2", "OMP_NUM_THREADS": "1", "ACCELERATE_TORCH_DEVICE": "cpu"}  # else "cpu:0" fails
    env = environment(FAKEXPLAINED=str(quickstart.annotations), **ranks)
    with subprocess.Popen([BIN / "swift", *map(str, args)], env=env, cwd=tmp_path, stdout=subprocess.DEVNULL) as run:
        while run.poll() is None and not (tmp_path / "checkpoint-2" / "trainer_state.json").exists():
            time.sleep(0.05)
        for process in [*psutil.Process(run.pid).children(recursive=True), run]:
            process.kill()
    assert run.returncode == -signal.SIGKILL
    before = [read_jsonl(tmp_path / f"weights-rank{rank}.jsonl") for rank in (0, 1)]
    quickstart.swift(*args, "--resume_from_checkpoint", tmp_path / "checkpoint-1", **ranks)
    expected = {step: 0.5 + 0.5 * (step / 4) for step in range(4)}
    assert omega_log(tmp_path) == expected
    for rank in (0, 1):
        lines = read_jsonl(tmp_path / f"weights-rank{rank}.jsonl")
        assert [line["step"] for line in lines[len(before[rank]) :]] == [1, 2, 3]
        assert all(line["weights"] == [expected[line["step"]], 1, 1] for line in lines)
