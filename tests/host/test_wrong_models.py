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


def test_slices_are_those_of_the_models_processor(tmp_path, monkeypatch):
    make_backbone(tmp_path, "minicpmv4_6")
    assert load_template(tmp_path, "minicpmv4_6").max_slice_nums == 9
    monkeypatch.setenv("MAX_SLICE_NUMS", "9")
    load_template(tmp_path, "minicpmv4_6")
    monkeypatch.setenv("MAX_SLICE_NUMS", "4")
    with pytest.raises(ValueError, match="MAX_SLICE_NUMS: expected 9"):
        load_template(tmp_path, "minicpmv4_6")


@pytest.mark.parametrize("backbone", ["internvl_hf", "glm4v", "minicpmv4_6"])
def test_pixels_are_no_frame_of_a_template_that_resizes_no_image(tmp_path, backbone):
    make_backbone(tmp_path, backbone)
    with pytest.raises(ValueError, match="norm_bbox: expected 'norm1000'"):
        load_template(tmp_path, backbone, norm_bbox="none")
