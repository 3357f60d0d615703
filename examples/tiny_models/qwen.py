"""Tiny Qwen3-VL and Qwen3.5, and the tokens that all of Qwen's vision-language models share."""

from __future__ import annotations

from transformers import (
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessor,
    Qwen3_5Config,
    Qwen3VLConfig,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from examples.tiny_models.backbone import Backbone, chatml, linear_attention_widths, text_widths, vision_widths

SPECIAL_TOKENS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"),
    *("<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
"""Special tokens of Qwen2.5, in its order."""

THINK_TOKENS = ("<think>", "</think>")

IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"
VIDEO = "<|vision_start|><|video_pad|><|vision_end|>"

MIMO_SYSTEM = """\
{%- if messages[0].role != 'system' -%}
<|im_start|>system
You are MiMo, an AI assistant developed by Xiaomi.<|im_end|>
{% endif -%}
"""
"""MiMo-VL's default system prompt."""

OPEN_THOUGHT = """\
{% if enable_thinking is defined and not enable_thinking -%}
<think>

</think>

{% else -%}
<think>
{% endif -%}
"""
"""The answer begins with a thought, or with an empty one where the caller switches thinking off."""


def vision_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """Ids that the config of a model of this family names."""
    ids = tokenizer.get_vocab()
    return {
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }


def _qwen3_processor(tokenizer: PreTrainedTokenizerFast, chat_template: str) -> Qwen3VLProcessor:
    size = {"shortest_edge": 64 * 64, "longest_edge": 512 * 512}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=16, size=size),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(),
        chat_template=chat_template,
    )


def _qwen3_vl_config(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLConfig:
    rope = {"rope_type": "default", "rope_theta": 100.0, "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    return Qwen3VLConfig(
        text_config=text_widths(tokenizer) | {"head_dim": 32, "rope_parameters": rope},
        vision_config=vision_widths() | {"num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]},
        tie_word_embeddings=True,
        dtype="float32",
        **vision_ids(tokenizer),
    )


def _qwen3_5_config(tokenizer: PreTrainedTokenizerFast) -> Qwen3_5Config:
    return Qwen3_5Config(
        text_config=text_widths(tokenizer) | linear_attention_widths(),
        vision_config=vision_widths() | {"num_position_embeddings": 64},
        tie_word_embeddings=True,
        dtype="float32",
        **vision_ids(tokenizer),
    )


QWEN3_VL = Backbone(
    model_type="qwen3_vl",
    template="qwen3_vl",
    special_tokens=SPECIAL_TOKENS,
    plain_tokens=THINK_TOKENS,
    stop_tokens=("<|im_end|>", "<|endoftext|>"),
    chat_template=chatml(IMAGE, VIDEO),
    image_token="<|image_pad|>",
    config=_qwen3_vl_config,
    processor=_qwen3_processor,
)
QWEN3_5 = Backbone(
    model_type="qwen3_5",
    template="qwen3_5",
    special_tokens=SPECIAL_TOKENS,
    plain_tokens=THINK_TOKENS,
    stop_tokens=("<|im_end|>", "<|endoftext|>"),
    chat_template=chatml(IMAGE, VIDEO, answer=OPEN_THOUGHT),
    image_token="<|image_pad|>",
    config=_qwen3_5_config,
    processor=_qwen3_processor,
)
