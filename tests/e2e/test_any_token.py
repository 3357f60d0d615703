"""GRPO by stock `swift rlhf` on a model that samples special tokens more often than text: no completion ends a run."""

from math import isfinite
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText, AutoTokenizer, GenerationConfig

from examples.tiny_model import BACKBONES, make_model
from tests.conftest import record, write_annotations_file
from tests.e2e.conftest import HERE, grpo, read_jsonl, swift

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LIKELY = (
    *("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|im_start|>"),
    *("<|endoftext|>", "<|im_end|>"),  # padding, and the end, at times at once
)
BEYOND = 3
"""Ids that the model has rows for and the tokenizer has no token for."""


def model_that_samples(folder: Path, backbone: str, tokens: tuple[str, ...], beyond: int = 0, logit: float = 7) -> Path:
    """A tiny model with a head of its own, which gives these tokens, and the first ids beyond, a logit.

    The first component of every text token's embedding is large and goes through the model almost unchanged, so the
    head can read a constant from it.
    """
    make_model(folder, ["Hand with six fingers."], backbone=backbone)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = AutoConfig.from_pretrained(folder)
    config.tie_word_embeddings = config.text_config.tie_word_embeddings = False
    config.text_config.vocab_size = len(tokenizer) + beyond
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config)
    model.generation_config = GenerationConfig.from_pretrained(folder)
    ids = [*tokenizer.convert_tokens_to_ids(list(tokens)), *range(len(tokenizer), len(tokenizer) + beyond)]
    with torch.no_grad():
        model.get_input_embeddings().weight[:, 0] = 8.0
        model.lm_head.weight[:, 0] = 0
        model.lm_head.weight[ids] = 0
        model.lm_head.weight[ids, 0] = logit / 10
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def annotations(tmp_path_factory) -> Path:
    records = [record(index, label, fold=1) for index in range(4) for label in ("fake", "real")]
    return write_annotations_file(tmp_path_factory.mktemp("data"), records)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return model_that_samples(tmp_path_factory.mktemp("model"), "qwen2_5_vl", LIKELY, BEYOND)


def check(run: Path, tokens: tuple[str, ...] = LIKELY[:5], count: int = 20) -> list[dict]:
    """Return the logged steps of a run: all of them, of finite numbers, on completions with special tokens."""
    steps = [line for line in read_jsonl(run / "logging.jsonl") if "reward" in line]
    assert len(steps) == count
    numbers = [(name, value) for step in steps for name, value in step.items() if isinstance(value, float)]
    assert [pair for pair in numbers if not isfinite(pair[1])] == []
    assert {step["grad_norm"] > 0 for step in steps} == {True}
    completions = [text for step in read_jsonl(run / "completions.jsonl") for text in step["completion"]]
    assert len(completions) >= 4 * count
    for token in tokens:
        assert sum(token in text for text in completions) > count / 5, token
    shares = [step["fx/special_tokens"] for step in steps]
    assert sum(shares) / count > 0.5
    for name in ("FxLabel", "FxFormat"):
        assert {step[f"rewards/{name}/mean"] for step in steps} == {0}
    assert count < 20 or min(step["completions/min_length"] for step in steps) == 1
    assert max(step["completions/max_length"] for step in steps) == 8
    return steps


RUN = [
    *("--reward_funcs", "fx_iou", "fx_label", "fx_format", "length", "--reward_weights", 0.5, 1, 1, 1),
    *("--callbacks", "fx_omega_g", "--max_steps", 20, "--per_device_train_batch_size", 4, "--beta", 0.04),
    # of all tokens, and learning too little to unlearn them
    *("--top_k", 10_000, "--learning_rate", 1e-6, "--max_completion_length", 8),
    *("--save_strategy", "no", "--log_completions", "true"),
]


def test_rollouts_by_transformers(annotations, model, tmp_path):
    swift(*grpo(model, tmp_path, *RUN, "--external_plugins", HERE / "length_reward.py"), annotations=annotations)
    check(tmp_path)


@pytest.mark.parametrize(
    ("backbone", "logit"), [("internvl_hf", 7), ("qwen3_5", 7), ("glm4v", 16), ("minicpmv4_6", 7)]
)  # GLM's layers end in norms of their own, which leave less of the constant
def test_other_backbones(annotations, tmp_path, backbone, logit, warm):
    row = BACKBONES[backbone]
    media = tuple(token for token in row.special_tokens if token in (row.image_token, "<|video_pad|>", "<|im_start|>"))
    model = model_that_samples(tmp_path / "model", backbone, (*media, *row.stop_tokens), BEYOND, logit)
    swift(
        *grpo(model, tmp_path / "run", *RUN, "--external_plugins", HERE / "length_reward.py", "--max_steps", 4),
        *("--model_type", row.model_type, "--template", f"fx_{backbone}"),
        annotations=annotations,
        programs=warm,
    )
    check(tmp_path / "run", media, 4)


def test_rollouts_by_vllm(annotations, model, tmp_path):
    """The log probabilities of training are those of vLLM, so both feed the same to the model."""
    swift(
        *grpo(model, tmp_path, *RUN, "--external_plugins", HERE / "length_reward.py", HERE / "cpu_vllm.py"),
        *("--use_vllm", "true", "--vllm_mode", "colocate", "--vllm_enforce_eager", "true"),
        *("--vllm_max_model_len", 1024, "--vllm_gpu_memory_utilization", 0.2),
        *("--log_rollout_offpolicy_metrics", "true"),
        annotations=annotations,
        VLLM_CPU_KVCACHE_SPACE="1",
    )
    assert all(abs(step["rollout_correction/k3_kl"]) < 1e-4 for step in check(tmp_path))
