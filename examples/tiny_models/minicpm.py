"""Tiny MiniCPM-V 4.6: Qwen3.5's language model behind a vision tower that merges windows of patches half-way."""

from __future__ import annotations

from transformers import (
    MiniCPMV4_6Config,
    MiniCPMV4_6ImageProcessor,
    MiniCPMV4_6Processor,
    MiniCPMV4_6VideoProcessor,
    PreTrainedTokenizerFast,
)

from examples.tiny_models.backbone import Backbone, chatml, linear_attention_widths, text_widths
from examples.tiny_models.qwen import OPEN_THOUGHT, SPECIAL_TOKENS, THINK_TOKENS

_SIDE = 224
"""Pixels a side of a slice: 16 x 16 patches of 14, of which each 4 x 4 become one token."""


def _config(tokenizer: PreTrainedTokenizerFast) -> MiniCPMV4_6Config:
    vision = {
        "hidden_size": 128,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": _SIDE,
        "patch_size": 14,
    }
    return MiniCPMV4_6Config(
        text_config=text_widths(tokenizer) | linear_attention_widths() | {"model_type": "qwen3_5_text"},
        vision_config=vision,
        insert_layer_id=0,
        image_size=_SIDE,
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        tie_word_embeddings=True,
        dtype="float32",
    )


def _processor(tokenizer: PreTrainedTokenizerFast, chat_template: str) -> MiniCPMV4_6Processor:
    return MiniCPMV4_6Processor(
        image_processor=MiniCPMV4_6ImageProcessor(scale_resolution=_SIDE, version=4.6),  # vLLM 0.23 reads the version
        video_processor=MiniCPMV4_6VideoProcessor(scale_resolution=_SIDE),
        tokenizer=tokenizer,
        chat_template=chat_template,
    )


MINICPM_V4_6 = Backbone(
    model_type="minicpmv4_6",
    template="minicpmv4_6",
    special_tokens=(
        *SPECIAL_TOKENS,
        *("<image>", "</image>", "<slice>", "</slice>", "<image_id>", "</image_id>"),
    ),
    plain_tokens=THINK_TOKENS,
    stop_tokens=("<|im_end|>", "<|endoftext|>"),
    named_tokens={
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "image_start_token": "<image>",
        "image_end_token": "</image>",
        "slice_start_token": "<slice>",
        "slice_end_token": "</slice>",
        "image_id_start_token": "<image_id>",
        "image_id_end_token": "</image_id>",
    },
    chat_template=chatml("{{ '<|image_pad|>\\n' }}", "{{ '<|video_pad|>\\n' }}", answer=OPEN_THOUGHT),
    image_token="<|image_pad|>",
    config=_config,
    processor=_processor,
)
