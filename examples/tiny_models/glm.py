"""Tiny GLM-4.1V, and GLM-4.5V (the architecture of GLM-4.6V too), which is a mixture of experts."""

from __future__ import annotations

from typing import Any

from transformers import (
    Glm4vConfig,
    Glm4vImageProcessor,
    Glm4vMoeConfig,
    Glm4vProcessor,
    Glm4vVideoProcessor,
    PreTrainedTokenizerFast,
)

from examples.tiny_models.backbone import Backbone, text_widths, vision_widths

_CHAT_TEMPLATE = """\
[gMASK]<sop>
{%- for message in messages -%}
<|{{ message.role }}|>
{% if message.content is string -%}
{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}
<|begin_of_image|><|image|><|end_of_image|>
{%- elif part.type == 'video' -%}
<|begin_of_video|><|video|><|end_of_video|>
{%- else -%}
{{ part.text }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
<|assistant|>
ANSWER{% endif -%}
"""

_ROLES_AND_IMAGES = (
    *("<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>"),
    *("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"),
    *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"),
)
_BOXES = ("<|begin_of_box|>", "<|end_of_box|>")
_MEDIA = ("<|image|>", "<|video|>")


def _text(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Half of a head rotates: 16 of 32 channels, hence 2 + 3 + 3 pairs for time, height and width."""
    rope = {"rope_type": "default", "rope_theta": 100.0, "partial_rotary_factor": 0.5, "mrope_section": [2, 3, 3]}
    return text_widths(tokenizer) | {"rope_parameters": rope}


def _rest(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    ids = tokenizer.get_vocab()
    return {
        "vision_config": vision_widths() | {"image_size": 112, "patch_size": 14},
        "image_token_id": ids["<|image|>"],
        "video_token_id": ids["<|video|>"],
        "image_start_token_id": ids["<|begin_of_image|>"],
        "image_end_token_id": ids["<|end_of_image|>"],
        "video_start_token_id": ids["<|begin_of_video|>"],
        "video_end_token_id": ids["<|end_of_video|>"],
        "tie_word_embeddings": True,
        "dtype": "float32",
    }


def _glm4v_config(tokenizer: PreTrainedTokenizerFast) -> Glm4vConfig:
    return Glm4vConfig(text_config=_text(tokenizer), **_rest(tokenizer))


def _glm4_5v_config(tokenizer: PreTrainedTokenizerFast) -> Glm4vMoeConfig:
    experts = {
        "head_dim": 32,  # as the next line: vLLM reads it, transformers knows no such option
        "use_qk_norm": False,
        "first_k_dense_replace": 1,
        "n_routed_experts": 4,
        "n_shared_experts": 1,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 64,
    }
    return Glm4vMoeConfig(text_config=_text(tokenizer) | experts, **_rest(tokenizer))


def _processor(tokenizer: PreTrainedTokenizerFast, chat_template: str) -> Glm4vProcessor:
    size = {"shortest_edge": 56 * 56, "longest_edge": 2 * 448 * 448}  # pixels of both frames of a temporal patch
    return Glm4vProcessor(
        image_processor=Glm4vImageProcessor(size=size),
        tokenizer=tokenizer,
        video_processor=Glm4vVideoProcessor(),
        chat_template=chat_template,
    )


GLM4V = Backbone(
    model_type="glm4v",
    template="glm4v",
    special_tokens=(*_ROLES_AND_IMAGES, *_MEDIA, *_BOXES),
    plain_tokens=("<think>", "</think>", "<answer>", "</answer>"),
    stop_tokens=("<|endoftext|>", "<|user|>", "<|observation|>"),
    chat_template=_CHAT_TEMPLATE.replace("ANSWER", ""),
    image_token="<|image|>",
    config=_glm4v_config,
    processor=_processor,
)
GLM4_5V = Backbone(
    model_type="glm4v_moe",
    template="glm4_5v",
    special_tokens=(*_ROLES_AND_IMAGES, *_BOXES, *_MEDIA),
    plain_tokens=("<think>", "</think>", "/nothink"),
    stop_tokens=("<|endoftext|>", "<|user|>", "<|observation|>"),
    chat_template=_CHAT_TEMPLATE.replace(
        "ANSWER", "{% if enable_thinking is defined and not enable_thinking -%}\n<think></think>\n{% endif -%}\n"
    ),
    image_token="<|image|>",
    config=_glm4_5v_config,
    processor=_processor,
)
