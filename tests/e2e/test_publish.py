"""LoRA adapters become a folder from which ms-swift and transformers answer alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from examples.tiny_model import make_model
from swift_plugins.fakexplain.publish.check import Check
from tests.cli.command import fakexplain
from tests.e2e.conftest import TOKENS, environment

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """The tiny model with random weights."""
    folder = tmp_path_factory.mktemp("publish") / "base"
    make_model(folder, ["Hand with six fingers."])
    generation = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(generation | {"repetition_penalty": 1.3}))
    return folder


@pytest.fixture(scope="module")
def adapters(base) -> Path:
    """LoRA adapters of it that change its answers, as ms-swift saves them."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    folder = base.with_name("checkpoint-1")
    torch.manual_seed(0)
    config = LoraConfig(r=2, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    get_peft_model(AutoModelForImageTextToText.from_pretrained(base), config).save_pretrained(folder)
    args = {"model": str(base), "model_type": "qwen2_5_vl", "template": "fx_qwen2_5_vl", "torch_dtype": "float32"}
    args |= {"swift_version": "4.6.0", "tuner_type": "lora", "task_type": "causal_lm", "output_dir": str(folder)}
    (folder / "args.json").write_text(json.dumps(args))
    return folder


def test_adapters_are_merged_and_libraries_answer_alike(base, adapters, tmp_path, monkeypatch):
    """A vLLM server of a published folder is asked in test_detect.py."""
    monkeypatch.setattr(Check, "libraries", lambda self: ("ms-swift", "transformers"))
    out = tmp_path / "detector"
    done = fakexplain(
        *("publish", adapters, "--out", out, "--license", "apache-2.0", "--max-tokens", TOKENS),
        **environment(MAX_PIXELS="50176"),
    )
    assert done.returncode == 0, done.stderr
    assert "one image was answered alike by ms-swift 4.6.0, transformers 5.12.1\n" in done.stdout
    merged, before = load_file(out / "model.safetensors"), load_file(base / "model.safetensors")
    assert merged.keys() == before.keys()
    assert any(not torch.equal(merged[name], before[name]) for name in merged)
    assert not (out / "adapter_config.json").exists()
