"""What recipes ask for before they print a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CONFIGS = {
    "qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration",
    "qwen3_vl": "Qwen3VLForConditionalGeneration",
    "qwen3_5": "Qwen3_5ForConditionalGeneration",
    "internvl": "InternVLForConditionalGeneration",
    "glm4v": "Glm4vForConditionalGeneration",
    "ovis2_5": "Ovis2_5",
}


def model_folder(parent: Path, model_type: str) -> Path:
    """A model folder that holds only its config."""
    folder = parent / model_type
    folder.mkdir()
    config = {"model_type": model_type, "architectures": [CONFIGS[model_type]]}
    if model_type == "ovis2_5":  # the release brings its code along
        config["auto_map"] = {"AutoConfig": "configuration_ovis2_5.Ovis2_5_Config"}
        code = "from transformers import PretrainedConfig\n\n\nclass Ovis2_5_Config(PretrainedConfig):\n"
        (folder / "configuration_ovis2_5.py").write_text(code + '    model_type = "ovis2_5"\n')
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> dict[str, str]:
    """model_type -> a model folder."""
    parent = tmp_path_factory.mktemp("models")
    return {name: str(model_folder(parent, name)) for name in CONFIGS}


@pytest.fixture(scope="session")
def world(tmp_path_factory, models) -> dict[str, str]:
    """Variables under which every recipe prints its command."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "annotations.jsonl").write_text("")
    (folder / "predictions.jsonl").write_text("")
    for run, step in (("sft", 500), ("grpo", 1000), ("grpo", 10000)):
        (folder / run / f"checkpoint-{step}").mkdir(parents=True)
        (folder / run / f"checkpoint-{step}" / "adapter_config.json").write_text("{}")
    return {
        "DRY_RUN": "1",
        "FAKEXPLAINED": str(folder / "annotations.jsonl"),
        "PREDICTIONS": str(folder / "predictions.jsonl"),
        "MODEL": models["qwen2_5_vl"],
        "SFT": str(folder / "sft"),
        "GRPO": str(folder / "grpo"),
        "SET": "faceforensics",
        "EXPERIMENT": "table5",
        "DIR": str(folder),
        "OUT": str(folder / "out"),
        "IMAGES": str(folder),
        "LICENSE": "apache-2.0",
    }
