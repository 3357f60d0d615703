"""Folders and templates of the backbones that have a template here, without weights."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from PIL import Image
from qwen_vl_utils import smart_resize
from swift import get_processor, get_template

from examples import tiny_model
from examples.tiny_models.internvl import INTERNVL_HF
from swift_plugins.fakexplain.backbones import BACKBONES as ROWS

ALL = tuple(ROWS)
BACKBONES = tuple(name for name, row in ROWS.items() if row.proven != "encode")
"""Those whose model is in transformers."""
ENCODE_ONLY = tuple(name for name in ALL if name not in BACKBONES)
"""Those whose model is code on the hub: a tokenizer with the release's tokens stands for the release."""

OVIS_TOKENS = (
    *("<image>", "<video>", "<ovis_visual_atom>", "<ovis_image_start>", "<ovis_image_end>"),
    *("<ovis_video_start>", "<ovis_video_end>"),
)
OVIS_PATCH, OVIS_STRIDE = 16, 2
ENV = {
    "internvl3": {"INPUT_SIZE": "112", "MAX_NUM": "4"},
    "internvl3_5": {"INPUT_SIZE": "112", "MAX_NUM": "4"},
}
"""Settings that make an image as small as those of the tiny models."""


def folder_name(backbone: str) -> str:
    """Name of the tiny model of a backbone: Qwen3.8 has Qwen3.5's architecture and tokens."""
    return {"qwen3_8": "qwen3_5"}.get(backbone, backbone)


def model_type(backbone: str) -> str:
    """ms-swift's name of the architecture."""
    if backbone in ENCODE_ONLY:
        return "ovis2_5" if backbone == "ovis2_5" else "internvl_chat"
    return tiny_model.BACKBONES[folder_name(backbone)].model_type


def make_backbone(folder: Path, backbone: str) -> Path:
    """Write config, processor and tokenizer of a backbone, and return the folder."""
    if backbone not in ENCODE_ONLY:
        tiny_model.make_reader(folder, [], folder_name(backbone))
        return folder
    row = INTERNVL_HF
    tokens = (*row.special_tokens, *OVIS_TOKENS) if backbone == "ovis2_5" else row.special_tokens[:-1]
    row = SimpleNamespace(**vars(row) | {"special_tokens": tokens, "named_tokens": {}})
    tokenizer = tiny_model.tiny_tokenizer(tiny_model.training_texts([]), row)
    tokenizer.save_pretrained(folder)
    # of the hub's code, ms-swift reads the type of numbers alone
    config = {"model_type": "qwen2", "torch_dtype": "float32", "vocab_size": len(tokenizer)}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def load_template(folder: Path, backbone: str, name: str | None = None, mode: str = "train", **arguments: Any) -> Any:
    """ms-swift's template for a backbone's folder, by default this project's."""
    processor = get_processor(str(folder), model_type=model_type(backbone))
    template = get_template(processor, template_type=name or f"fx_{backbone}", **arguments)
    template.set_mode(mode)
    if backbone == "ovis2_5":
        template.model = SimpleNamespace(visual_tokenizer=OvisVision())
    return template


class OvisVision:
    """Ovis' `visual_tokenizer` as far as a prompt needs it; pixels as vLLM's processor makes them are in test_vllm."""

    vit = SimpleNamespace(config=SimpleNamespace(hidden_stride=OVIS_STRIDE, temporal_patch_size=1))

    def preprocess(self, image: Image.Image, min_pixels: int, max_pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
        height, width = smart_resize(image.height, image.width, OVIS_PATCH * OVIS_STRIDE, min_pixels, max_pixels)
        rows, columns = height // OVIS_PATCH, width // OVIS_PATCH
        return torch.zeros(rows * columns, 3 * OVIS_PATCH**2), torch.tensor([[1, rows, columns]])
