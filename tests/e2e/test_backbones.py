"""Each backbone through every command of a run: preflight, SFT, GRPO, answers, scores.

The models are tiny and random, of the release's own classes, so the answers are noise; what counts is that each command
takes what the one before has written, with no more arguments than a release needs.
"""

import json
from math import isfinite

import pytest

from examples.tiny_model import BACKBONES, make_model
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.frames import set_active_rule
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file
from tests.e2e.conftest import HERE, PLUGIN, grpo, read_jsonl, swift
from tests.host.backbones import BACKBONES as TEMPLATES
from tests.host.backbones import folder_name

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(autouse=True)
def no_template_announced():
    yield
    set_active_rule(None)


@pytest.fixture(scope="module")
def annotations(tmp_path_factory):
    records = [record(index, label, fold=index % 2) for index in range(4) for label in ("fake", "real")]
    return write_annotations_file(tmp_path_factory.mktemp("data"), records)


VLLM = ("qwen3_vl", "internvl_hf", "glm4v", "qwen3_5", "minicpmv4_6")
"""Backbones whose rollouts are vLLM's. Its CPU engine holds no GLM-4.5V."""
IN_BFLOAT16 = (
    *("--torch_dtype", "bfloat16", "--use_cpu", "true"),
    *("--vllm_engine_kwargs", '{"mamba_ssm_cache_dtype": "float32"}'),
)
"""What that engine wants for linear attention: it computes in bfloat16 alone, and keeps its state in float32."""
BY_VLLM = (
    *("--use_vllm", "true", "--vllm_mode", "colocate", "--vllm_enforce_eager", "true"),
    *("--vllm_max_model_len", 1024, "--vllm_gpu_memory_utilization", 0.2, "--external_plugins", HERE / "cpu_vllm.py"),
)


# Qwen2.5-VL is the quickstart's; MiMo-VL has its classes, and Qwen3.8 those of Qwen3.5
@pytest.mark.parametrize("backbone", [name for name in TEMPLATES if name not in ("qwen2_5_vl", "mimo_vl", "qwen3_8")])
def test_every_command_takes_what_the_one_before_has_written(annotations, tmp_path, backbone, warm):
    model, row, template = tmp_path / "model", BACKBONES[folder_name(backbone)], f"fx_{backbone}"
    make_model(model, ["Hand with six fingers."], backbone=folder_name(backbone))

    done = fakexplain(
        "preflight", annotations, "--model", model, "--model-type", row.model_type, "--template", template
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("fx_iou", "fx_label", "fx_format"):
        assert f"ok    {name}: gold scores 1.0 on 8 of 8 records" in done.stdout

    swift(
        *("sft", "--model", model, "--model_type", row.model_type, "--torch_dtype", "float32", "--strict", "true"),
        *("--custom_register_path", PLUGIN, "--template", template, "--dataset", "fakexplained:fold0_train"),
        *("--tuner_type", "full", "--freeze_vit", "false", "--freeze_aligner", "false", "--check_model", "false"),
        *("--max_steps", 2, "--per_device_train_batch_size", 2, "--max_length", 1024, "--logging_steps", 1),
        *(
            "--save_only_model",
            "true",
            "--report_to",
            "none",
            "--add_version",
            "false",
            "--output_dir",
            tmp_path / "sft",
        ),
        annotations=annotations,
        programs=warm,
    )
    losses = [line["loss"] for line in read_jsonl(tmp_path / "sft" / "logging.jsonl") if "loss" in line]
    assert len(losses) == 2 and all(0 < loss < 20 for loss in losses)

    swift(
        *grpo(tmp_path / "sft" / "checkpoint-2", tmp_path / "grpo", "--model_type", row.model_type),
        *("--template", template, "--callbacks", "fx_omega_g", "fx_diagnostics", "--max_steps", 2),
        *("--per_device_train_batch_size", 4, "--save_only_model", "true"),
        *(BY_VLLM if backbone in VLLM else ()),
        *(IN_BFLOAT16 if backbone in ("qwen3_5", "minicpmv4_6") else ()),
        annotations=annotations,
        programs=warm,
        VLLM_CPU_KVCACHE_SPACE="1",
    )
    steps = [line for line in read_jsonl(tmp_path / "grpo" / "logging.jsonl") if "reward" in line]
    assert [step["omega_G"] for step in steps] == [0.5, 0.75]
    assert all(isfinite(value) for step in steps for value in step.values() if isinstance(value, float))
    assert {"rewards/FxIoU/mean", "fx/unreadable"} <= steps[0].keys()

    answers = tmp_path / "answers.jsonl"
    swift(
        *("infer", "--model", tmp_path / "grpo" / "checkpoint-2", "--val_dataset", "fakexplained:fold0_test"),
        *("--max_new_tokens", 16, "--temperature", 0, "--max_batch_size", 4, "--result_path", answers),
        annotations=annotations,
        programs=warm,
    )
    gold = {str(each.path): each for each in read_annotations(annotations) if each.fold == 0}
    assert {line["images"][0]["path"] for line in read_jsonl(answers)} == gold.keys()

    scores = tmp_path / "scores.json"
    done = fakexplain(
        *("score", f"tiny={answers}", "--annotations", annotations, "--subset", "fold0_test", "--template", template),
        *("--resamples", 0, "--json", scores),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(scores.read_text())["tiny"]["answered"] == len(gold)
