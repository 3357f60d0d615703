"""What a row of the table of tiny models holds, and what the rows share: the chat template of most and the widths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedConfig, PreTrainedTokenizerFast, ProcessorMixin


@dataclass(frozen=True)
class Backbone:
    """One architecture: its tokens and how its real classes of config and processor are filled.

    Args:
        model_type: ms-swift's `--model_type`.
        template: ms-swift's `--template`.
        special_tokens: The release's special tokens, in its order.
        config: Config of the tiny model, from its tokenizer.
        processor: Processor of its release's class, from tokenizer and chat template.
        chat_template: Jinja.
        image_token: What stands once for each token of an image in the prompt.
        plain_tokens: Tokens of their own that decoding keeps as text, like <think>.
        stop_tokens: Tokens that end an answer; the first is the tokenizer's end of sequence.
        named_tokens: Attributes of the tokenizer by which the processor finds its tokens.
    """

    model_type: str
    template: str
    special_tokens: tuple[str, ...]
    config: Callable[[PreTrainedTokenizerFast], PreTrainedConfig]
    processor: Callable[[PreTrainedTokenizerFast, str], ProcessorMixin]
    chat_template: str
    image_token: str
    plain_tokens: tuple[str, ...] = ()
    stop_tokens: tuple[str, ...] = ("<|im_end|>",)
    named_tokens: dict[str, str] = field(default_factory=dict)


def chatml(image: str, video: str, *, start: str = "", answer: str = "") -> str:
    """Chat template of the form <|im_start|>role ... <|im_end|>.

    Args:
        image: What an image is in the prompt.
        video: What a video is.
        start: Jinja before the first message.
        answer: Jinja after the line that opens the answer.
    """
    return f"""\
{start}{{%- for message in messages -%}}
<|im_start|>{{{{ message.role }}}}
{{% if message.content is string -%}}
{{{{ message.content }}}}
{{%- else -%}}
{{%- for part in message.content -%}}
{{%- if part.type == 'image' -%}}
{image}
{{%- elif part.type == 'video' -%}}
{video}
{{%- else -%}}
{{{{ part.text }}}}
{{%- endif -%}}
{{%- endfor -%}}
{{%- endif -%}}
<|im_end|>
{{% endfor -%}}
{{%- if add_generation_prompt -%}}
<|im_start|>assistant
{answer}{{% endif -%}}
"""


def text_widths(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Options that the language models share: two layers of width 128, heads 32 wide."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "initializer_range": 0.07,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": True,
    }


def vision_widths() -> dict[str, Any]:
    """Options that the vision towers of Qwen's and GLM's kind share: two blocks of width 128, heads 32 wide."""
    return {
        "depth": 2,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_heads": 4,
        "out_hidden_size": 128,
        "initializer_range": 0.08,
    }


def linear_attention_widths() -> dict[str, Any]:
    """Further options of Qwen3.5's language model: three layers of linear attention and one of full attention.

    A quarter of a full head rotates: 16 of 64 channels, hence 3 + 3 + 2 pairs for time, height and width.
    """
    return {
        "num_hidden_layers": 4,
        "head_dim": 64,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 32,
        "linear_value_head_dim": 32,
        "mamba_ssm_dtype": "float32",
        "partial_rotary_factor": 0.25,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 100.0,
            "partial_rotary_factor": 0.25,
            "mrope_section": [3, 3, 2],
            "mrope_interleaved": True,
        },
    }
