"""The pretrained backbone boxes shapes it has never seen, and its training computes what transformers does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import AutoProcessor, PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration

from examples import pretrain, shapes
from examples.toy_flaws import KINDS
from swift_plugins.fakexplain.prompts import system_prompt
from swift_plugins.fakexplain.variants import VARIANTS

BACKBONE = Path(pretrain.__file__).parent / "tiny_backbone"


@pytest.fixture(scope="module")
def model():
    return Qwen2_5_VLForConditionalGeneration.from_pretrained(BACKBONE, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def rows():
    return pretrain.Rows(PreTrainedTokenizerFast.from_pretrained(BACKBONE), torch.device("cpu"))


@pytest.fixture(scope="module")
def batch():
    return shapes.draw(3, torch.Generator().manual_seed(1))


def test_it_sees_and_points(model, rows):
    iou, named = pretrain.evaluate(model, rows, 48)
    assert iou > 0.85 and named > 0.6


def test_captions_and_prompts_of_the_toy_world_are_one_token_each(rows):
    texts = [f"] {caption}\n" for kind in KINDS for caption in kind.captions] + [system_prompt(v) for v in VARIANTS]
    assert [text for text in texts if len(rows.tokenizer(text)["input_ids"]) != 1] == []


def test_patches_are_those_of_the_processor(batch):
    images = (batch.images * 255).round().byte()
    processor = AutoProcessor.from_pretrained(BACKBONE).image_processor
    expected = processor([Image.fromarray(image.permute(1, 2, 0).numpy()) for image in images], return_tensors="pt")
    assert expected["image_grid_thw"].tolist() == [[1, 8, 8]] * 3
    assert torch.allclose(pretrain.patches(images / 255), expected["pixel_values"], atol=1e-5)


def test_a_batch_is_computed_as_transformers_does(rows, batch):
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(BACKBONE, dtype=torch.float32).train()
    inputs = rows.inputs(batch.images, batch.answers())
    usual = {name: value for name, value in inputs.items() if name != "position_ids"}
    usual["image_grid_thw"] = torch.tensor([[1, 8, 8]] * 3)
    usual["mm_token_type_ids"] = (inputs["input_ids"] == model.config.image_token_id).int()
    expected = model(**usual)
    pretrain.attend_at_once(model)
    found = model(**inputs)
    assert torch.allclose(found.loss, expected.loss)
    read = inputs["attention_mask"].bool()
    assert torch.allclose(found.logits[read], expected.logits[read], atol=1e-4)


def test_only_answers_are_learned(rows, batch):
    inputs = rows.inputs(batch.images, batch.answers())
    for labels, answer in zip(inputs["labels"], batch.answers(), strict=True):
        assert rows.tokenizer.decode(labels[labels >= 0]) == f"{answer}<|im_end|>\n"


def test_the_command_writes_a_folder_that_loads(tmp_path, monkeypatch, capsys):
    arguments = ["--out", str(tmp_path), "--steps", "2", "--batch", "4", "--report", "1", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["pretrain", *arguments])
    pretrain.main()
    printed = capsys.readouterr().out
    assert "step 2: loss " in printed and "on new images: IoU " in printed
    weights = Qwen2_5_VLForConditionalGeneration.from_pretrained(tmp_path, dtype="auto")
    assert weights.dtype == torch.bfloat16
    AutoProcessor.from_pretrained(tmp_path)
