"""The chat template of a published model makes the ids that ms-swift trains with, in transformers and in vLLM."""

import shutil
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers import AutoProcessor
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

from swift_plugins.fakexplain.backbones import BACKBONES as ROWS
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.frames import FrameRule, set_active_rule
from swift_plugins.fakexplain.host.templates import register_templates
from swift_plugins.fakexplain.prompts import QUESTION, system_prompt
from swift_plugins.fakexplain.publish.chat_template import CHAT_TEMPLATE, chat_template, publishable
from swift_plugins.fakexplain.publish.checkpoint import limit_pixels, remove_paths
from tests.host.backbones import BACKBONES, ENCODE_ONLY, load_template, make_backbone

LIMITS = (4 * 28**2, 64 * 28**2), (4 * 32**2, 49 * 32**2)
"""Fewest and most pixels for tokens of 28 and of 32 pixels."""


@pytest.fixture(scope="module", autouse=True)
def _registered():
    register_templates()
    yield
    set_active_rule(None)


@pytest.fixture(scope="module", params=BACKBONES)
def backbone(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(backbone, tmp_path_factory) -> Path:
    return make_backbone(tmp_path_factory.mktemp(backbone), backbone)


@pytest.fixture(scope="module")
def published(backbone, folder, tmp_path_factory) -> Path:
    """What publishing makes of the folder, without weights and plugin."""
    out = tmp_path_factory.mktemp("published") / backbone
    shutil.copytree(folder, out)
    remove_paths(out)
    patch = ROWS[backbone].patch
    limit_pixels(out, LIMITS[patch == 16] if patch else None, None)
    (out / CHAT_TEMPLATE).write_text(chat_template(publishable(f"fx_{backbone}"), system_prompt()))
    return out


def chat(*content: object, system: object = None) -> list[dict]:
    first = [] if system is None else [{"role": "system", "content": system}]
    return [*first, {"role": "user", "content": list(content)}]


IMAGE, TEXT = {"type": "image"}, {"type": "text", "text": QUESTION}


# many more pixels than the limit, many fewer, and narrow; the third is left alone where tokens are of 28 or 32 pixels
@pytest.mark.parametrize("size", [(900, 500), (30, 40), (224, 224), (60, 700)])
def test_the_ids_are_those_of_ms_swift(backbone, folder, published, size, monkeypatch):
    patch = ROWS[backbone].patch
    if patch:
        low, high = LIMITS[patch == 16]
        for name, pixels in (("MIN", low), ("MAX", high)):
            monkeypatch.setattr(f"qwen_vl_utils.vision_process.IMAGE_{name}_TOKEN_NUM", pixels // (2 * patch) ** 2)
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    template = load_template(folder, backbone, mode="transformers")
    messages = [{"role": "system", "content": system_prompt()}, {"role": "user", "content": f"<image>{QUESTION}"}]
    expected = template.encode({"messages": messages, "images": [image]})["input_ids"]
    processor = AutoProcessor.from_pretrained(published)
    text = processor.apply_chat_template(chat(IMAGE, TEXT), add_generation_prompt=True)
    inputs = processor(text=[text], images=[image], return_tensors="pt")
    assert inputs["input_ids"][0].tolist() == expected


def test_vllm_gives_it_parts_and_gets_the_same_text(published):
    from vllm.renderers.hf import _detect_content_format

    assert _detect_content_format((published / CHAT_TEMPLATE).read_text(), default="string") == "openai"


def test_a_system_prompt_of_the_caller_wins_as_text_and_as_parts(published):
    processor = AutoProcessor.from_pretrained(published)
    own, as_parts = (
        processor.apply_chat_template(chat(IMAGE, TEXT, system=system), add_generation_prompt=True)
        for system in ("Inspect.", [{"type": "text", "text": "Inspect."}])
    )
    default = processor.apply_chat_template(chat(IMAGE, TEXT), add_generation_prompt=True)
    assert own == as_parts == default.replace(system_prompt(), "Inspect.") != default


def test_what_no_prompt_of_the_training_held_is_refused(published):
    processor = AutoProcessor.from_pretrained(published)
    with pytest.raises(Exception, match="expected text and images, found video"):
        processor.apply_chat_template(chat({"type": "video"}, TEXT))


@pytest.mark.parametrize("name", [f"fx_{name}" for name in ENCODE_ONLY])
def test_backbones_whose_prompts_are_code_are_refused(name):
    with pytest.raises(DataError, match="prompts are written by code on the hub"):
        publishable(name)


@pytest.mark.parametrize("name", ["qwen2_5_vl", "", "fx_no_such"])
def test_other_templates_are_refused(name):
    with pytest.raises(ValueError, match="template"):
        publishable(name)


@settings(deadline=None)
@given(
    *(st.integers(14, 3000) for _ in range(2)),
    st.sampled_from([28, 32]),
    st.integers(1, 16),  # with bounds close to each other the smallest image would exceed the larger one
    st.integers(64, 16384),
)
def test_with_these_bounds_transformers_resizes_as_ms_swift(width, height, factor, least, most):
    """But for images with a side of less than half a token, of which transformers makes other sizes."""
    assume(2 * min(width, height) > factor)
    rule = FrameRule("fx_qwen2_5_vl", factor=factor, min_tokens=least, max_tokens=most)
    try:
        frame = rule.frame((width, height)).frame_wh
    except ValueError:  # a shape that ms-swift refuses
        return
    bounds = {"min_pixels": least * factor**2, "max_pixels": most * factor**2}
    assert smart_resize(height, width, factor, **bounds) == frame[::-1]
    assert smart_resize(*frame[::-1], factor, **bounds) == frame[::-1]  # what a client has resized stays
