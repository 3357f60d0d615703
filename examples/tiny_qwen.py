"""A Qwen2.5-VL with three million random parameters, in a folder that looks like a released one.

The real classes write config, weights, processor, tokenizer and chat template, so ms-swift, transformers and vLLM
load the folder as they load Qwen/Qwen2.5-VL-3B-Instruct (`--model DIR --model_type qwen2_5_vl`). Two CPU cores train it
in minutes. Its heads are 32 wide, the minimum of vLLM's attention on a CPU.

The tokenizer is byte-level, so it writes any text. Unlike Qwen's, it joins what belongs together: it is trained on this
project's prompts and the captions of a file, and reads a system prompt, a caption and a number of a box as one token
each, because the length of a row is what training costs.

    python -m examples.tiny_qwen --out toy/model --annotations toy/annotations.jsonl
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
)
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

from swift_plugins.fakexplain.annotation import NO_FLAW, read_annotations
from swift_plugins.fakexplain.prompts import QUESTION, system_prompt
from swift_plugins.fakexplain.tags import TAG_WORDS
from swift_plugins.fakexplain.variants import VARIANTS

SPECIAL_TOKENS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"),
    *("<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
"""Special tokens of Qwen2.5, in its order."""

CHAT_TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.content is string -%}
{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}
<|vision_start|><|image_pad|><|vision_end|>
{%- elif part.type == 'video' -%}
<|vision_start|><|video_pad|><|vision_end|>
{%- else -%}
{{ part.text }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}
"""

_PIECES = Regex(
    r"</think>\n<tag>|</tag>\n<verdict>"  # markers that only follow each other
    r"|(?<![a-z\p{N}])\p{N}+(?:, )?"  # a number of a box, with its comma
    r"|(?<! )</?[a-z]+>\n?"  # a marker of the answer, but not one that a prompt mentions
    r"|(?:[^\p{N}<\n]|(?<=[a-z])\p{N}|(?<= )<)+\n?"  # text up to the end of its line, with x1 and y2
    r"|.|\n"
)
"""Pieces that no token reaches across."""


def tiny_tokenizer(texts: Iterable[str], vocab_size: int = 1280) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer trained on these texts, with Qwen2.5's special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(_PIECES, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        bos_token=None,
        unk_token=None,
        additional_special_tokens=list(SPECIAL_TOKENS[1:]),
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
    )


def training_texts(captions: Iterable[str]) -> list[str]:
    """Everything the model reads and writes, with the numbers of a frame of 112 pixels."""
    texts = [f"{role}\n" for role in ("system", "user", "assistant")] * 50
    texts += [QUESTION] * 50 + [text for variant in VARIANTS for text in [system_prompt(variant)] * 10]
    for words in TAG_WORDS.values():
        texts += [f"<tag>{words}</tag>\n<verdict>fake</verdict>", words + ", "] * 20
    texts += [f"<think>\n{NO_FLAW}\n</think>\n<tag>none</tag>\n<verdict>real</verdict>"] * 20
    for caption in captions:
        texts += [f"[1, 2, 3, 4] {caption}\n", f"{caption}\n"] * 10
    texts += [f"[{number}, {number}]" for number in range(113)] * 20
    return texts


def tiny_config(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5_VLConfig:
    """Widths and token ids: about three million parameters for a thousand tokens."""
    ids = tokenizer.get_vocab()
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        # a short base, because an image is 4 x 4 tokens and slow rotations cannot tell them apart
        "rope_parameters": {"rope_type": "default", "rope_theta": 4.0, "mrope_section": [4, 6, 6]},
        # transformers' 0.02 suits much wider models; with it, this one does not learn to use the image
        "initializer_range": 0.07,
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "tie_word_embeddings": True,
    }
    vision = {
        "depth": 3,
        "hidden_size": 192,
        "intermediate_size": 384,
        "num_heads": 6,
        "out_hidden_size": text["hidden_size"],
        "fullatt_block_indexes": [0, 1, 2],
        "initializer_range": 0.08,
        "temporal_patch_size": 1,  # a patch of two frames would hold an image twice
    }
    return Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
        dtype="float32",
    )


@torch.no_grad()
def _see_frequencies(weight: torch.Tensor) -> None:
    """Fill a patch embedding, width x 3 x 1 x side x side, with the cosines of an image code, slow ones first.

    Random filters see little but brightness, the strongest signal of a photograph. Here two thirds of the width see
    brightness and the rest two differences of colours, each amplified by its frequency and so about equally strong.
    """
    width, _, _, side, _ = weight.shape
    steps = torch.arange(side, dtype=weight.dtype)
    waves = torch.cos(math.pi * (steps + 0.5) * steps[:, None] / side)
    waves /= waves.norm(dim=1, keepdim=True)
    colours = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0]])
    colours /= colours.norm(dim=1, keepdim=True)
    frequencies = sorted((math.hypot(v, u), v, u) for v in range(side) for u in range(side))
    counts = (width - 2 * (width // 6), width // 6, width // 6)
    filters = [
        (0.3 if colour == 0 else 0.9) * (1 + frequency) * torch.einsum("c,y,x->cyx", values, waves[v], waves[u])
        for colour, (values, count) in enumerate(zip(colours, counts, strict=True))
        for frequency, v, u in frequencies[:count]
    ]
    weight.copy_(torch.stack(filters)[:, :, None])


def make_model(out: Path, captions: Iterable[str], seed: int = 0) -> int:
    """Write the folder and return the number of parameters."""
    tokenizer = tiny_tokenizer(training_texts(captions))
    pixels = {"min_pixels": 56 * 56, "max_pixels": 448 * 448, "temporal_patch_size": 1}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**pixels),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**pixels),
        chat_template=CHAT_TEMPLATE,
    )
    config = tiny_config(tokenizer)
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(config)
    _see_frequencies(model.model.visual.patch_embed.proj.weight)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    model.save_pretrained(out)
    processor.save_pretrained(out)
    return model.num_parameters()


def main() -> None:
    """Parse the command line and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--annotations", type=Path, required=True, help="file with captions to train the tokenizer")
    parser.add_argument("--seed", type=int, default=0, help="seed of the weights; default 0")
    args = parser.parse_args()
    captions = {region.caption for annotation in read_annotations(args.annotations) for region in annotation.regions}
    count = make_model(args.out, sorted(captions), args.seed)
    print(f"{args.out}: {count / 1e6:.1f} million parameters")


if __name__ == "__main__":
    main()
