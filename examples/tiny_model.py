"""A model of a few million random parameters, in a folder that looks like a released one of its backbone.

The real classes write config, weights, processor, tokenizer and chat template, so ms-swift, transformers and vLLM
load the folder as they load the release. By default it is Qwen2.5-VL, three million parameters that two CPU cores
train in minutes. `--backbone` chooses another architecture; those are not tuned to learn, only to load, read an image
and answer. Heads are 32 or 64 wide, as vLLM's attention on a CPU demands.

The tokenizer is byte-level, so it writes any text. Unlike a release's, it joins what belongs together: it is trained on
this project's prompts and the captions of a file, and reads a system prompt, a caption and a number of a box as one
token each, because the length of a row is what training costs. Its special tokens are the release's, under ids of their
own: ms-swift's templates of Qwen and GLM-4.1V hold the release's ids as constants, so a template for such a model takes
them from the tokenizer, as this project's do.

    python -m examples.tiny_model --out toy/model --annotations toy/annotations.jsonl
    python -m examples.tiny_model --backbone qwen3_vl --out toy/qwen3 --annotations toy/annotations.jsonl
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    ProcessorMixin,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
)
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

from examples.tiny_models.backbone import Backbone, chatml
from examples.tiny_models.glm import GLM4_5V, GLM4V
from examples.tiny_models.internvl import INTERNVL_HF
from examples.tiny_models.minicpm import MINICPM_V4_6
from examples.tiny_models.qwen import IMAGE, MIMO_SYSTEM, QWEN3_5, QWEN3_VL, SPECIAL_TOKENS, VIDEO
from swift_plugins.fakexplain.annotation import NO_FLAW, read_annotations
from swift_plugins.fakexplain.prompts import QUESTION, system_prompt
from swift_plugins.fakexplain.tags import TAG_WORDS
from swift_plugins.fakexplain.variants import VARIANTS

_PIECES = Regex(
    r"</think>\n<tag>|</tag>\n<verdict>"  # markers that only follow each other
    r"|(?<![a-z\p{N}])\p{N}+(?:, )?"  # a number of a box, with its comma
    r"|(?<! )</?[a-z]+>\n?"  # a marker of the answer, but not one that a prompt mentions
    r"|(?:[^\p{N}<\n]|(?<=[a-z])\p{N}|(?<= )<)+\n?"  # text up to the end of its line, with x1 and y2
    r"|.|\n"
)
"""Pieces that no token reaches across."""


def tiny_tokenizer(texts: Iterable[str], backbone: Backbone, vocab_size: int = 1536) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer trained on these texts, with the backbone's special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(_PIECES, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(backbone.special_tokens) - len(backbone.plain_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in backbone.special_tokens]
    )
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in backbone.plain_tokens])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=backbone.stop_tokens[0],
        pad_token="<|endoftext|>",
        bos_token=None,
        unk_token=None,
        additional_special_tokens=[token for token in backbone.special_tokens if token != "<|endoftext|>"],
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
        **backbone.named_tokens,
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


def _tiny_processor(tokenizer: PreTrainedTokenizerFast, chat_template: str) -> Qwen2_5_VLProcessor:
    pixels = {"min_pixels": 56 * 56, "max_pixels": 448 * 448, "temporal_patch_size": 1}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**pixels),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**pixels),
        chat_template=chat_template,
    )


QWEN2_5_VL = Backbone(
    model_type="qwen2_5_vl",
    template="qwen2_5_vl",
    special_tokens=SPECIAL_TOKENS,
    chat_template=chatml(IMAGE, VIDEO),
    image_token="<|image_pad|>",
    config=tiny_config,
    processor=_tiny_processor,
)
BACKBONES = {
    "qwen2_5_vl": QWEN2_5_VL,
    "mimo_vl": replace(QWEN2_5_VL, template="mimo_vl", chat_template=chatml(IMAGE, VIDEO, start=MIMO_SYSTEM)),
    "qwen3_vl": QWEN3_VL,
    "qwen3_5": QWEN3_5,
    "internvl_hf": INTERNVL_HF,
    "glm4v": GLM4V,
    "glm4_5v": GLM4_5V,
    "minicpmv4_6": MINICPM_V4_6,
}
"""Names that `--backbone` takes, which are ms-swift's of the templates. A folder of qwen3_5 is one of qwen3_8 too."""


def make_reader(
    out: Path, captions: Iterable[str], backbone: str = "qwen2_5_vl"
) -> tuple[PreTrainedConfig, ProcessorMixin]:
    """Write and return what turns prompts and images into inputs: config, tokenizer, processor and chat template."""
    row = BACKBONES[backbone]
    tokenizer = tiny_tokenizer(training_texts(captions), row)
    config, processor = row.config(tokenizer), row.processor(tokenizer, row.chat_template)
    config.save_pretrained(out)
    processor.save_pretrained(out)
    return config, processor


def make_model(out: Path, captions: Iterable[str], seed: int = 0, backbone: str = "qwen2_5_vl") -> int:
    """Write the folder and return the number of parameters."""
    config, processor = make_reader(out, captions, backbone)
    torch.manual_seed(seed)
    model = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[type(config)](config)
    if isinstance(model, Qwen2_5_VLForConditionalGeneration):
        _see_frequencies(model.model.visual.patch_embed.proj.weight)
    stops = processor.tokenizer.convert_tokens_to_ids(list(BACKBONES[backbone].stop_tokens))
    model.generation_config = GenerationConfig(
        eos_token_id=stops if len(stops) > 1 else stops[0],
        pad_token_id=processor.tokenizer.pad_token_id,
        do_sample=False,
    )
    model.save_pretrained(out)
    return model.num_parameters()


def main() -> None:
    """Parse the command line and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", choices=BACKBONES, default="qwen2_5_vl", help="default qwen2_5_vl")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--annotations", type=Path, required=True, help="file with captions to train the tokenizer")
    parser.add_argument("--seed", type=int, default=0, help="seed of the weights; default 0")
    args = parser.parse_args()
    captions = {region.caption for annotation in read_annotations(args.annotations) for region in annotation.regions}
    count = make_model(args.out, sorted(captions), args.seed, args.backbone)
    print(f"{args.out}: {args.backbone}, {count / 1e6:.1f} million parameters")


if __name__ == "__main__":
    main()
