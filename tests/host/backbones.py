"""Model folders without weights: what ms-swift needs to make a processor and a template of each backbone."""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

BACKBONES = ("qwen2_5_vl", "mimo_vl", "qwen3_vl")
SPECIAL_TOKENS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|box_start|>", "<|box_end|>"),
    *("<|object_ref_start|>", "<|object_ref_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, and Qwen's special tokens under other ids than Qwen's."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={char: i for i, char in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", model_max_length=1 << 20
    )


def make_backbone(folder: Path, backbone: str) -> Path:
    """Write config, processor and tokenizer of a backbone; MiMo-VL's are of Qwen2.5-VL's kind, as in its release."""
    tokenizer = byte_tokenizer()
    ids = {
        "image_token_id": tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        "video_token_id": tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        "vision_start_token_id": tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        "vision_end_token_id": tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    }
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1 << 20,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]},
    }
    vision = {"depth": 2, "hidden_size": 64, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64}
    if backbone == "qwen3_vl":
        config = Qwen3VLConfig(text_config=text, vision_config=vision, dtype="float32", **ids)
        config.architectures = ["Qwen3VLForConditionalGeneration"]
        processor = Qwen3VLProcessor(
            image_processor=Qwen2VLImageProcessor(patch_size=16),
            tokenizer=tokenizer,
            video_processor=Qwen3VLVideoProcessor(),
        )
    else:
        config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, dtype="float32", **ids)
        config.architectures = ["Qwen2_5_VLForConditionalGeneration"]
        processor = Qwen2_5_VLProcessor(
            image_processor=Qwen2VLImageProcessor(), tokenizer=tokenizer, video_processor=Qwen2VLVideoProcessor()
        )
    processor.save_pretrained(folder)
    config.save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["model_type"] in ("qwen2_5_vl", "qwen3_vl")
    return folder
