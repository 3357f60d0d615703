"""The model card: metadata that Hugging Face reads, figures of the run, and code that maps boxes as a frame does."""

import re
from dataclasses import replace

import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image

from swift_plugins.fakexplain.backbones import backbone_of
from swift_plugins.fakexplain.detect.model_settings import ModelSettings
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.publish.card import CardFacts, choose_system, write_model_card
from swift_plugins.fakexplain.scoring.run import load_run
from tests.scoring.runs import write_forty


def facts(template: str = "fx_qwen2_5_vl", **changes) -> CardFacts:
    rule = frame_rule(template, env={"MAX_PIXELS": "1003520"})
    card = CardFacts(
        name="detector",
        licence="apache-2.0",
        base_model="Qwen/Qwen2.5-VL-7B-Instruct",
        backbone=backbone_of(template),
        settings=ModelSettings(template=template),
        rule=rule,
        sizes={"MAX_PIXELS": "1003520"},
        limits=(3136, 1_003_520),
        args={"learning_rate": 1e-5, "lora_rank": 8, "tuner_type": "lora", "reward_funcs": ["fx_iou", "/a/b.py"]},
    )
    return replace(card, **changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forty")
    write_forty(folder, folder / "run")
    return load_run(folder / "run")


def test_hugging_face_reads_the_metadata_and_the_figures(run):
    card = ModelCard(write_model_card(facts(result=(run, choose_system(run, "ours")))))
    data = card.data
    assert (data.license, data.base_model, data.pipeline_tag, data.language, data.model_name) == (
        "apache-2.0",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "image-text-to-text",
        "en",
        "detector",
    )
    found = {each.metric_type: each.metric_value for each in data.eval_results}
    result = run.systems["ours"]
    assert found["accuracy"] == 0.775  # 31 of 40
    assert found == {name: round(result[name], 4) for name in found}
    assert {"false_positive_rate", "iou"} <= found.keys()
    assert re.search(r"\| false positive rate \| \d\.\d{3}", card.text)
    for name in result["generators"]:
        assert f"{name} (fake) |" in card.text.replace("\\", "")
    assert "| real images |" in card.text


def test_without_a_run_nothing_is_measured_and_what_is_not_known_is_left_out():
    text = write_model_card(facts(base_model=None, sizes={}))
    data = ModelCard(text).data
    assert data.eval_results is None and data.base_model is None
    assert "Not measured." in text
    assert "was not tried" in text
    assert "MAX_PIXELS" not in text


def test_the_way_to_ask_has_the_settings_of_the_training():
    text = write_model_card(facts(tried={"ms-swift": "4.6.0", "transformers": "5.12.1"}))
    assert "MAX_PIXELS=1003520 swift infer --model ." in text
    assert "ms-swift 4.6.0, transformers 5.12.1" in text
    assert "vLLM was not tried, because it was not installed" in text
    assert "| learning rate | 1e-05 |" in text and "| LoRA rank | 8 |" in text
    assert "/a/b.py" not in text
    assert max(map(len, re.sub(r"```.*?```", "", text, flags=re.DOTALL).splitlines())) < 250


@pytest.mark.parametrize("template", ["fx_qwen2_5_vl", "fx_qwen3_vl", "fx_internvl_hf"])
def test_its_code_maps_boxes_as_a_frame_does(template):
    card = facts(template)
    code = re.search(r"```python\n(def to_pixels.*?)```", write_model_card(card), re.DOTALL)
    names: dict = {}
    exec(code[1], names)
    image = Image.new("RGB", (3000, 1000))
    frame = card.rule.frame(image.size)
    width, height = frame.frame_wh
    inputs = {"image_grid_thw": torch.tensor([[1, height // 14, width // 14]])}
    for box in ([0, 0, width, height], [12, 8, 90, 60]):
        more = () if card.rule.norm1000 else (inputs,)
        assert names["to_pixels"](box, image, *more) == pytest.approx(frame.to_pixels(box))


def test_the_system_of_a_run_is_named_where_there_are_several(run):
    assert choose_system(run, "NPR") is run.systems["NPR"]
    for name in (None, "7B"):
        with pytest.raises(DataError, match="--system: expected one of ours, NPR"):
            choose_system(run, name)


def test_the_training_data_is_named_by_the_publisher_or_not_at_all():
    named = write_model_card(facts(data="the toy world"))
    assert "trained on the toy world with\n" in named and "not named" not in named
    unnamed = write_model_card(facts())
    assert ", trained with\n" in unnamed and "What it was trained on is not named here." in unnamed
