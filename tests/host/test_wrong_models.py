"""What a template refuses: the tokenizer of another model, and settings that vLLM would not follow."""

import pytest

from swift_plugins.fakexplain.frames import set_active_rule
from swift_plugins.fakexplain.host.templates import register_templates
from tests.host.backbones import load_template, make_backbone


@pytest.fixture(scope="module", autouse=True)
def _registered():
    register_templates()
    yield
    set_active_rule(None)


@pytest.mark.parametrize(
    ("template", "model", "token"),
    [
        ("glm4v", "qwen2_5_vl", "<|image|>"),
        ("internvl_hf", "glm4v", "<IMG_CONTEXT>"),
        ("qwen3_5", "glm4v", "<|image_pad|>"),
    ],
)
def test_the_tokenizer_of_another_model(tmp_path, template, model, token):
    make_backbone(tmp_path, model)
    with pytest.raises(ValueError) as error:
        load_template(tmp_path, model, f"fx_{template}")
    assert f"fx_{template}" in str(error.value) and token in str(error.value)


@pytest.mark.parametrize(
    ("backbone", "setting", "value"),
    [("minicpmv4_6", "MAX_SLICE_NUMS", 9), ("ovis2_5", "MAX_PIXELS", 1792**2), ("ovis2_5", "MIN_PIXELS", 448**2)],
)
def test_settings_that_vllm_does_not_take(tmp_path, monkeypatch, backbone, setting, value):
    """Without vLLM they are the user's; by default they are vLLM's."""
    make_backbone(tmp_path, backbone)
    assert getattr(load_template(tmp_path, backbone, mode="vllm"), setting.lower()) == value
    monkeypatch.setenv(setting, str(value))
    load_template(tmp_path, backbone, mode="vllm")
    monkeypatch.setenv(setting, str(value - 1))
    template = load_template(tmp_path, backbone)
    assert getattr(template, setting.lower()) == value - 1
    with pytest.raises(ValueError, match=f"{setting}: expected {value} with vLLM"):
        template.set_mode("vllm")


@pytest.mark.parametrize("backbone", ["internvl_hf", "glm4v", "minicpmv4_6"])
def test_pixels_are_no_frame_of_a_template_that_resizes_no_image(tmp_path, backbone):
    make_backbone(tmp_path, backbone)
    with pytest.raises(ValueError, match="norm_bbox: expected 'norm1000'"):
        load_template(tmp_path, backbone, norm_bbox="none")
