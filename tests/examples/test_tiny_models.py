"""Each tiny backbone loads, reads an image, and gets the same ids from ms-swift's template and its own processor.

ms-swift's templates of Qwen and of GLM-4.1V hold ids of the releases' vocabulary as constants. What they do with a
small vocabulary is written down here, and that ids from the tokenizer mend it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from PIL import Image
from swift import get_processor, get_template
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor, GenerationConfig

from examples import tiny_model
from swift_plugins.fakexplain.prompts import QUESTION, system_prompt
from tests.conftest import record, write_annotations_file

ANSWER = "<think>\n[12, 8, 90, 60] Sign with héllo 漢字 ☃.\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
MARKERS = ("<|begin_of_image|>", "<|end_of_image|>")


@dataclass(frozen=True)
class Expected:
    """Classes of the release, tokens of a 300x200 image, and what ms-swift's own template makes of that image."""

    model: str
    processor: str
    tokens: int
    stock_tokens: int | None = None
    """None: as many as there are."""
    stock_beyond: tuple[int, ...] = ()
    """Ids that the vocabulary does not have."""


EXPECTED = {
    # 308x196, tokens of 28 pixels
    "qwen2_5_vl": Expected("Qwen2_5_VLForConditionalGeneration", "Qwen2_5_VLProcessor", 11 * 7, stock_tokens=1),
    "mimo_vl": Expected("Qwen2_5_VLForConditionalGeneration", "Qwen2_5_VLProcessor", 11 * 7, stock_tokens=1),
    # 288x192, tokens of 32 pixels
    "qwen3_vl": Expected("Qwen3VLForConditionalGeneration", "Qwen3VLProcessor", 9 * 6, stock_tokens=1),
    "qwen3_5": Expected("Qwen3_5ForConditionalGeneration", "Qwen3VLProcessor", 9 * 6, stock_tokens=1),
    # 2 x 2 tiles and a thumbnail
    "internvl_hf": Expected("InternVLForConditionalGeneration", "InternVLProcessor", 5 * 16),
    "glm4v": Expected("Glm4vForConditionalGeneration", "Glm4vProcessor", 11 * 7, stock_beyond=(151339, 151340)),
    "glm4_5v": Expected("Glm4vMoeForConditionalGeneration", "Glm4vProcessor", 11 * 7),
    # the whole in 280x168 and two slices of 224x224, tokens of 56 pixels
    "minicpmv4_6": Expected("MiniCPMV4_6ForConditionalGeneration", "MiniCPMV4_6Processor", 15 + 15 + 15),
}


@pytest.fixture(scope="module", params=tiny_model.BACKBONES)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def row(name) -> tiny_model.Backbone:
    return tiny_model.BACKBONES[name]


@pytest.fixture(scope="module")
def folder(name, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp(name)
    tiny_model.make_model(out, ["Sign with illegible glyphs."], backbone=name)
    return out


@pytest.fixture(scope="module")
def processor(folder):
    return AutoProcessor.from_pretrained(folder)


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("image") / "gradient.png"
    Image.radial_gradient("L").resize((300, 200)).convert("RGB").save(path)
    return path


def prompt(processor, **options) -> str:
    messages = [
        {"role": "system", "content": system_prompt()},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]},
    ]
    return processor.apply_chat_template(messages, add_generation_prompt=True, **options)


def host_ids(template, image: Path) -> list[int]:
    template.set_mode("transformers")
    messages = [{"role": "system", "content": system_prompt()}, {"role": "user", "content": f"<image>{QUESTION}"}]
    return template.encode({"messages": messages, "images": [str(image)]})["input_ids"]


def test_every_backbone_is_expected():
    assert EXPECTED.keys() == tiny_model.BACKBONES.keys()


def test_classes_and_size(name, folder, processor):
    config = AutoConfig.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder)
    assert (type(model).__name__, type(processor).__name__) == (EXPECTED[name].model, EXPECTED[name].processor)
    assert config.architectures == [EXPECTED[name].model]
    assert model.num_parameters() < (3e6 if name in ("qwen2_5_vl", "mimo_vl") else 2e6)
    assert {weights.dtype for weights in model.parameters()} == {torch.float32}
    text = config.text_config
    assert getattr(text, "head_dim", text.hidden_size // text.num_attention_heads) in (32, 64)
    assert text.vocab_size == len(processor.tokenizer)


def test_tokens(row, folder, processor):
    tokenizer = processor.tokenizer
    for token in (*row.special_tokens, *row.plain_tokens, *row.named_tokens.values(), *row.stop_tokens):
        (token_id,) = tokenizer(token, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode([token_id]) == token
        assert (token_id in tokenizer.all_special_ids) == (token in row.special_tokens)
    config = AutoConfig.from_pretrained(folder)
    assert tokenizer.convert_ids_to_tokens(config.image_token_id) == row.image_token
    stops = GenerationConfig.from_pretrained(folder).eos_token_id
    assert tokenizer.convert_ids_to_tokens(stops if isinstance(stops, list) else [stops]) == list(row.stop_tokens)
    assert tokenizer.eos_token == row.stop_tokens[0]


def test_an_answer_comes_back_with_its_thought(processor):
    ids = processor.tokenizer(ANSWER)["input_ids"]
    assert processor.tokenizer.decode(ids, skip_special_tokens=True) == ANSWER


def test_reads_an_image(name, row, folder, processor, image):
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    outputs = []
    for picture in (Image.open(image), Image.new("RGB", (300, 200), "red")):
        inputs = processor(text=[prompt(processor)], images=[picture], return_tensors="pt")
        assert (inputs["input_ids"] == model.config.image_token_id).sum() == EXPECTED[name].tokens
        with torch.no_grad():
            outputs.append(model(**inputs).logits)
        assert outputs[-1].isfinite().all()
    assert not torch.allclose(*outputs)


def test_the_host_makes_the_processors_ids(name, row, folder, processor, image):
    host_processor = get_processor(str(folder), model_type=row.model_type)
    template = get_template(host_processor, template_type=row.template)
    expected = EXPECTED[name]
    image_id = processor.tokenizer.convert_tokens_to_ids(row.image_token)

    stock = host_ids(template, image)
    assert stock.count(image_id) == (expected.stock_tokens or expected.tokens)
    assert tuple(sorted({token for token in stock if token >= len(processor.tokenizer)})) == expected.stock_beyond

    if expected.stock_tokens:
        template.image_token_id = image_id
    if expected.stock_beyond:
        ids = processor.tokenizer.convert_tokens_to_ids(list(MARKERS))
        template.begin_of_image_token, template.end_of_image_token = ids
    # ms-swift thinks only where it is told to
    text = prompt(processor, enable_thinking=False)
    inputs = processor(text=[text], images=[Image.open(image)], return_tensors="pt")
    assert host_ids(template, image) == inputs["input_ids"][0].tolist()


@pytest.mark.parametrize("template", ["qwen3_5", "qwen3_8"])
def test_thinking(template, tmp_path):
    """Qwen3.8 has Qwen3.5's architecture and tokens."""
    tiny_model.make_reader(tmp_path, [], "qwen3_5")
    processor = get_processor(str(tmp_path), model_type="qwen3_5")
    host = get_template(processor, template_type=template)
    assert prompt(processor).endswith(f"<|im_start|>assistant\n{host.template_meta.thinking_prefix}")
    off = prompt(processor, enable_thinking=False)
    assert off.endswith(f"<|im_start|>assistant\n{host.template_meta.non_thinking_prefix}")


def test_default_system_prompt_of_mimo(tmp_path):
    _, processor = tiny_model.make_reader(tmp_path, [], "mimo_vl")
    text = processor.apply_chat_template([{"role": "user", "content": "Hello."}])
    system = "You are MiMo, an AI assistant developed by Xiaomi."
    assert text == f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\nHello.<|im_end|>\n"


def test_same_seed_same_files(name, folder, tmp_path):
    tiny_model.make_model(tmp_path, ["Sign with illegible glyphs."], backbone=name)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert files == {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert files.keys() >= {"config.json", "generation_config.json", "model.safetensors", "chat_template.jinja"}


def test_command_line(tmp_path, monkeypatch, capsys):
    annotations = write_annotations_file(tmp_path, [record(0)])
    out = tmp_path / "model"
    arguments = ["--backbone", "internvl_hf", "--out", str(out), "--annotations", str(annotations), "--seed", "4"]
    monkeypatch.setattr(sys, "argv", ["tiny_model", *arguments])
    tiny_model.main()
    assert capsys.readouterr().out == f"{out}: internvl_hf, 0.8 million parameters\n"
    assert json.loads((out / "config.json").read_text())["model_type"] == "internvl"
