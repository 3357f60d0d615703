"""A folder as ms-swift leaves it after training, with weights of a few bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PROCESSOR = {
    "image_processor": {
        "image_processor_type": "Qwen2VLImageProcessor",
        "patch_size": 14,
        "temporal_patch_size": 2,
        "size": {"longest_edge": 12_845_056, "shortest_edge": 3136},
    },
    "processor_class": "Qwen2_5_VLProcessor",
}


def write_checkpoint(folder: Path, **args: Any) -> Path:
    """Write the folder of a whole model; `args` change its args.json, where None removes a value."""
    folder.mkdir(parents=True)
    place = str(folder.parent)
    (folder / "model.safetensors").write_bytes(bytes(range(256)))
    for name in ("training_args.bin", "optimizer.pt"):
        (folder / name).write_text(place)
    files: dict[str, dict[str, Any]] = {
        "config.json": {"model_type": "qwen2_5_vl", "_name_or_path": place},
        "generation_config.json": {"do_sample": False},
        "tokenizer.json": {"model": {}},
        "tokenizer_config.json": {"chat_template": "{{ messages }}", "name_or_path": place, "eos_token": "<|im_end|>"},
        "processor_config.json": PROCESSOR,
        "trainer_state.json": {"best_model_checkpoint": place},
        "args.json": {
            "template": "fx_qwen2_5_vl",
            "model": f"{place}/base",
            "model_type": "qwen2_5_vl",
            "torch_dtype": "bfloat16",
            "swift_version": "4.6.0",
            "output_dir": place,
            "external_plugins": [f"{place}/fakexplain_plugin.py"],
            "dataset": ["fakexplained:fold0_train"],
            "tuner_type": "lora",
            "lora_rank": 8,
            "learning_rate": 1e-5,
            "rlhf_type": "grpo",
            "reward_funcs": ["fx_iou", f"{place}/mine.py"],
            **args,
        },
    }
    for name, value in files.items():
        kept = {key: each for key, each in value.items() if each is not None}
        (folder / name).write_text(json.dumps(kept))
    return folder


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())
