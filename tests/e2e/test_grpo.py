"""GRPO by stock `swift rlhf`: vLLM colocated, and two processes killed and resumed."""

import json
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.boxes import clip_xyxy, union_area
from swift_plugins.fakexplain.frames import frame_rule
from tests.e2e.conftest import BIN, HERE, environment, grpo, omega_log, read_jsonl

pytestmark = pytest.mark.e2e


@pytest.mark.slow
def test_vllm_colocated(quickstart, tmp_path):
    quickstart.swift(
        *grpo(quickstart.checkpoint("sft"), tmp_path, "--external_plugins", HERE / "cpu_vllm.py"),
        *("--callbacks", "fx_omega_g", "--max_steps", 2, "--per_device_train_batch_size", 8),
        *("--use_vllm", "true", "--vllm_mode", "colocate", "--vllm_enforce_eager", "true"),
        *("--vllm_max_model_len", 1024, "--vllm_gpu_memory_utilization", 0.2, "--save_strategy", "no"),
        VLLM_CPU_KVCACHE_SPACE="1",
    )
    assert omega_log(tmp_path) == {0: 0.5, 1: 0.75}


@pytest.mark.slow
def test_two_ranks_killed_and_resumed_weigh_every_step_by_eq_2(quickstart, tmp_path):
    args = [
        *grpo(quickstart.checkpoint("sft"), tmp_path, "--external_plugins", HERE / "weights_of_ranks.py"),
        *("--callbacks", "fx_omega_g", "fx_diagnostics", "weights_of_ranks", "--max_steps", 4, "--save_steps", 1),
        *("--per_device_train_batch_size", 4, "--ddp_backend", "gloo", "--use_cpu", "true"),
        *("--log_completions", "true"),
    ]
    ranks = {"NPROC_PER_NODE": "2", "ACCELERATE_TORCH_DEVICE": "cpu"}  # else "cpu:0" fails
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
    check_measures(tmp_path, steps=3)


def check_measures(run: Path, steps: int) -> None:
    """The measures of the last steps are those of the completions of both ranks, as ms-swift wrote them down."""
    logged = [line for line in read_jsonl(run / "logging.jsonl") if "fx/unreadable" in line][-steps:]
    # a step that the killed run had done was done again
    by_step = {int(table["step"][0]): table for table in read_jsonl(run / "completions.jsonl")}
    for line in logged:
        table = by_step[int(line["global_step/max_steps"].split("/")[0])]
        assert len(table["completion"]) == 8
        assert {name: line[name] for name in line if name.startswith("fx/acc") or name in MEASURED} == pytest.approx(
            measured_anew(table["completion"], list(map(json.loads, table["solution"])))
        )


MEASURED = ("fx/unreadable", "fx/boxes", "fx/box_area", "fx/overlap")


def measured_anew(texts: list[str], golds: list[dict]) -> dict[str, float]:
    rule = frame_rule("fx_qwen2_5_vl")
    rows: dict[str, list[float]] = {}
    for text, gold in zip(texts, golds, strict=True):
        answer = parse_answer(text, strict=True, variant=gold["variant"])
        rows.setdefault("fx/unreadable", []).append(answer.verdict is None)
        rows.setdefault(f"fx/accuracy_{gold['label']}", []).append(answer.verdict == gold["label"])
        if gold["label"] == "fake":
            width, height = rule.frame(tuple(gold["size"])).frame_wh
            boxes = clip_xyxy([region.bbox for region in answer.regions], (width, height))
            rows.setdefault("fx/boxes", []).append(len(boxes))
            if boxes:
                areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in boxes]
                rows.setdefault("fx/box_area", []).append(sum(areas) / len(boxes) / (width * height))
                rows.setdefault("fx/overlap", []).append(1 - union_area(boxes) / sum(areas))
    return {name: sum(values) / len(values) for name, values in rows.items()}
