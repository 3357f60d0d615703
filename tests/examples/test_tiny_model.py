"""The tiny model's folder is one that transformers loads and that reads an image, and its text comes back whole."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

from examples import tiny_model
from swift_plugins.fakexplain.prompts import QUESTION, system_prompt
from swift_plugins.fakexplain.variants import VARIANTS

CAPTIONS = ["Texture tiled like wallpaper.", "Sign with illegible glyphs."]
ANSWER = (
    "<think>\n[12, 8, 90, 60] Sign with illegible glyphs.\n[7, 70, 100, 112] Texture tiled like wallpaper.\n</think>\n"
    "<tag>structure/attribute error, texture error</tag>\n<verdict>fake</verdict>"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("model")
    tiny_model.make_model(out, CAPTIONS)
    return out


@pytest.fixture(scope="module")
def processor(folder):
    return AutoProcessor.from_pretrained(folder)


@pytest.fixture(scope="module")
def model(folder):
    return AutoModelForImageTextToText.from_pretrained(folder, dtype="float32").eval()


def test_size_and_head_widths(folder, model):
    assert 2e6 <= sum(weights.numel() for weights in model.parameters()) <= 4e6
    config = AutoConfig.from_pretrained(folder)
    assert config.model_type == "qwen2_5_vl"
    # vLLM's attention on a CPU takes heads of multiples of 32
    assert config.text_config.hidden_size // config.text_config.num_attention_heads % 32 == 0
    assert config.vision_config.hidden_size // config.vision_config.num_heads % 32 == 0
    assert 2 * sum(config.text_config.rope_parameters["mrope_section"]) == 32


def test_weights_are_wide_enough_to_learn_and_tied(model):
    assert model.lm_head.weight is model.get_input_embeddings().weight
    assert model.model.language_model.layers[0].mlp.up_proj.weight.std().item() == pytest.approx(0.07, rel=0.02)
    assert model.model.visual.blocks[0].mlp.up_proj.weight.std().item() == pytest.approx(0.08, rel=0.02)


def test_patches_are_seen_by_their_frequencies(model):
    filters = model.model.visual.patch_embed.proj.weight.flatten(1)
    lengths = filters.norm(dim=1)
    directions = filters / lengths[:, None]
    assert torch.allclose(directions @ directions.T, torch.eye(len(filters)), atol=1e-4)
    assert torch.equal(filters[0], filters[0, :1].expand_as(filters[0]))  # the mean of a patch
    assert lengths[0] < 0.1 * lengths[127]


def test_same_seed_same_weights(folder, tmp_path):
    tiny_model.make_model(tmp_path / "again", CAPTIONS)
    tiny_model.make_model(tmp_path / "other", CAPTIONS, seed=1)
    weights = {
        name: (path / "model.safetensors").read_bytes()
        for name, path in {"first": folder, "again": tmp_path / "again", "other": tmp_path / "other"}.items()
    }
    assert weights["first"] == weights["again"] != weights["other"]
    assert (folder / "tokenizer.json").read_bytes() == (tmp_path / "again" / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("text", [ANSWER, system_prompt(), "héllo 漢字 ☃\n\n<b> 1<2\t", "0123456789", ""])
def test_text_comes_back(processor, text):
    tokenizer = processor.tokenizer
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_numbers_captions_and_prompts_are_one_token_each(processor):
    tokenizer = processor.tokenizer
    tokens = [tokenizer.decode(id) for id in tokenizer(ANSWER)["input_ids"]]
    assert tokens[:6] == ["<think>\n", "[", "12, ", "8, ", "90, ", "60"]
    assert tokens[6:8] == ["] Sign with illegible glyphs.\n", "["]
    assert tokens[-6:] == [
        *("</think>\n<tag>", "structure/attribute error, ", "texture error", "</tag>\n<verdict>", "fake", "</verdict>")
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_prompt_is_one_token(processor, variant):
    assert len(processor.tokenizer(system_prompt(variant))["input_ids"]) == 1


def test_config_names_the_tokens(folder, processor):
    config, tokenizer = AutoConfig.from_pretrained(folder), processor.tokenizer
    for name, token in (
        ("image_token_id", "<|image_pad|>"),
        ("video_token_id", "<|video_pad|>"),
        ("vision_start_token_id", "<|vision_start|>"),
        ("vision_end_token_id", "<|vision_end|>"),
    ):
        assert tokenizer.convert_ids_to_tokens(getattr(config, name)) == token
    assert tokenizer.eos_token == "<|im_end|>"
    assert config.text_config.vocab_size == len(tokenizer)


def test_reads_an_image_through_its_chat_template(processor, model):
    messages = [
        {"role": "system", "content": system_prompt()},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]},
    ]
    text = processor.apply_chat_template(messages, add_generation_prompt=True)
    assert text == (
        f"<|im_start|>system\n{system_prompt()}<|im_end|>\n"
        f"<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    )
    outputs = []
    for colour in ("red", "blue"):
        inputs = processor(text=[text], images=[Image.new("RGB", (120, 120), colour)], return_tensors="pt")
        assert inputs["image_grid_thw"].tolist() == [[1, 8, 8]]  # 120 pixels read as 112, eight patches of 14
        assert (inputs["input_ids"] == model.config.image_token_id).sum() == 16
        with torch.no_grad():
            outputs.append(model(**inputs).logits[0, -1])
    assert not torch.allclose(*outputs)
