"""Recipes on the tiny model: two machines, a validation part, and the newer name of the plugin option."""

import json
import subprocess
from pathlib import Path

import pytest

from examples.tiny_model import make_model
from tests.conftest import record, write_annotations_file
from tests.e2e.conftest import BIN, PLUGIN, ROOT, environment, free_port, omega_log, read_jsonl, swift

pytestmark = pytest.mark.e2e

SMALL = [
    *("--use_cpu", "true", "--torch_dtype", "float32", "--max_steps", "2", "--max_length", "1024"),
    *("--dataloader_num_workers", "0", "--logging_steps", "1", "--report_to", "none", "--check_model", "false"),
]
GRPO = ["--max_completion_length", "16"]


@pytest.fixture(scope="module")
def annotations(tmp_path_factory) -> Path:
    records = [record(index, label, fold=index % 2) for index in range(8) for label in ("fake", "real")]
    return write_annotations_file(tmp_path_factory.mktemp("data"), records)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    make_model(folder, ["Hand with six fingers."])
    return folder


def start(
    recipe: str, annotations: Path, model: Path, out: Path, *more: str, programs: Path = BIN, **env: str
) -> subprocess.Popen[str]:
    """Start a recipe in one process without DeepSpeed."""
    one = {
        "GPUS": "1",
        "ZERO": "none",
        "ROLLOUT": "self",
        "VAL": "0",
        "OMP_NUM_THREADS": "1",
        "ACCELERATE_TORCH_DEVICE": "cpu",
    }
    paths = {"FAKEXPLAINED": str(annotations), "MODEL": str(model), "OUT": str(out)}
    return subprocess.Popen(
        ["bash", str(ROOT / "recipes" / recipe), *SMALL, *more],
        env=environment(programs, **{**one, **paths, **env}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(run: subprocess.Popen[str]) -> str:
    """Wait for a recipe and return what it printed."""
    printed, _ = run.communicate(timeout=600)
    assert run.returncode == 0, printed[-4000:]
    return printed


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "more"), [("sft.sh", []), ("grpo.sh", GRPO)])
def test_two_machines(recipe, more, annotations, model, tmp_path):
    """Two launchers, each for one machine with one process, meet on loopback and train one model."""
    port = free_port()
    launchers = [
        start(
            *(recipe, annotations, model, tmp_path, "--ddp_backend", "gloo", *more),
            **{"NNODES": "2", "NODE_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port},
        )
        for rank in (0, 1)
    ]
    for rank, launcher in enumerate(launchers):
        assert f"--nnodes 2 --node_rank {rank} --master_addr 127.0.0.1" in finish(launcher)
    lines = read_jsonl(tmp_path / "logging.jsonl")
    steps = [line for line in lines if "loss" in line]
    assert [line["global_step/max_steps"] for line in steps] == ["1/2", "2/2"]
    arguments = json.loads((tmp_path / "args.json").read_text())
    assert (arguments["global_world_size"], arguments["gradient_accumulation_steps"]) == (2, 4)
    assert (tmp_path / "checkpoint-2" / "adapter_config.json").exists()
    if recipe == "grpo.sh":
        assert omega_log(tmp_path) == {0: 0.5, 1: 0.75}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "more", "metric"),
    [("sft.sh", ["--max_new_tokens", "16"], "eval_iou"), ("grpo.sh", GRPO, "eval_rewards/FxIoU/mean")],
)
def test_a_checkpoint_is_chosen_on_held_back_rows(recipe, more, metric, annotations, model, tmp_path, warm):
    """Two of the eight training rows are evaluated at each checkpoint, and the best one is named."""
    more = [*more, "--save_steps", "1", "--per_device_eval_batch_size", "1"]
    printed = finish(start(recipe, annotations, model, tmp_path, *more, programs=warm, VAL="0.25"))
    assert "best_model_checkpoint" in printed
    evaluations = [line[metric] for line in read_jsonl(tmp_path / "logging.jsonl") if metric in line]
    assert len(evaluations) == 2
    state = json.loads((tmp_path / "checkpoint-2" / "trainer_state.json").read_text())
    assert state["best_metric"] == max(evaluations)
    if recipe == "grpo.sh":
        steps = [line for line in read_jsonl(tmp_path / "logging.jsonl") if "omega_G" in line]
        assert all("fx/iou" in line or "fx/unreadable" in line for line in steps)


@pytest.mark.slow
def test_external_plugins_is_another_name(annotations, model, tmp_path, warm):
    """Training with the newer option; inference then finds plugin and template in the checkpoint's args.json."""
    swift(
        *("sft", "--model", model, "--model_type", "qwen2_5_vl", "--template", "fx_qwen2_5_vl"),
        *("--external_plugins", PLUGIN, "--dataset", "fakexplained:fold0_train", "--tuner_type", "full", *SMALL),
        *("--strict", "true", "--max_steps", 1, "--add_version", "false", "--output_dir", tmp_path / "run"),
        annotations=annotations,
        programs=warm,
    )
    checkpoint = tmp_path / "run" / "checkpoint-1"
    assert json.loads((checkpoint / "args.json").read_text())["external_plugins"] == [str(PLUGIN)]
    swift(
        *(
            "infer",
            "--model",
            checkpoint,
            "--val_dataset",
            "fakexplained:fold0_test",
            "--infer_backend",
            "transformers",
        ),
        *("--max_new_tokens", 4, "--result_path", tmp_path / "answers.jsonl"),
        annotations=annotations,
        programs=warm,
    )
    assert len(read_jsonl(tmp_path / "answers.jsonl")) == 8
