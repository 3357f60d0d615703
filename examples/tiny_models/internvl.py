"""Tiny InternVL3 in transformers' own format (OpenGVLab/InternVL3-1B-hf): a Qwen2 behind InternViT."""

from __future__ import annotations

from transformers import (
    GotOcr2ImageProcessor,
    InternVLConfig,
    InternVLProcessor,
    InternVLVideoProcessor,
    PreTrainedTokenizerFast,
)

from examples.tiny_models.backbone import Backbone, chatml, text_widths
from examples.tiny_models.qwen import SPECIAL_TOKENS

_TILE = 112
"""Pixels a side of a tile: 8 x 8 patches of 14, of which each 2 x 2 become one token."""
_TOKENS_PER_TILE = (_TILE // 14 // 2) ** 2


def _config(tokenizer: PreTrainedTokenizerFast) -> InternVLConfig:
    rope = {"rope_type": "default", "rope_theta": 100.0}
    vision = {
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "attention_bias": True,
        "norm_type": "layer_norm",
        "image_size": [_TILE, _TILE],
        "patch_size": [14, 14],
        "initializer_range": 0.08,
    }
    return InternVLConfig(
        text_config=text_widths(tokenizer) | {"model_type": "qwen2", "rope_parameters": rope},
        vision_config=vision,
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=_TOKENS_PER_TILE,
        downsample_ratio=0.5,
        tie_word_embeddings=True,
        dtype="float32",
    )


def _processor(tokenizer: PreTrainedTokenizerFast, chat_template: str) -> InternVLProcessor:
    tile = {"height": _TILE, "width": _TILE}
    return InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=tile, crop_to_patches=True, min_patches=1, max_patches=4),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=tile),
        image_seq_length=_TOKENS_PER_TILE,
        chat_template=chat_template,
    )


INTERNVL_HF = Backbone(
    model_type="internvl",
    template="internvl_hf",
    special_tokens=(
        *SPECIAL_TOKENS,
        *("<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>", "<video>"),
    ),
    named_tokens={
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    },
    chat_template=chatml("{{ '<IMG_CONTEXT>\\n' }}", "{{ '<video>\\n' }}"),
    image_token="<IMG_CONTEXT>",
    config=_config,
    processor=_processor,
)
