"""The ids that vLLM's own processors make of a prompt are those that training sees.

No engine runs: vLLM's registry gives the processor of a folder. For the models whose code is on the hub, vLLM has
processors of its own, which are called alone.
"""

import os
from unittest.mock import patch

import pytest
from PIL import Image
from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoConfig, SiglipImageProcessor

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.frames import set_active_rule
from swift_plugins.fakexplain.host.templates import register_templates
from swift_plugins.fakexplain.rows import to_row
from tests.host.backbones import BACKBONES, ENV, OVIS_PATCH, OVIS_STRIDE, load_template, make_backbone

pytestmark = pytest.mark.slow
SIZES = [(300, 200), (640, 360), (90, 400)]


@pytest.fixture(scope="module", autouse=True)
def _registered():
    register_templates()
    yield
    set_active_rule(None)


@pytest.fixture(params=SIZES)
def row(request, tmp_path):
    path = tmp_path / "a.png"
    Image.radial_gradient("L").resize(request.param).convert("RGB").save(path)
    row = to_row(Annotation("a", "a.png", *request.param, "real", path=path))
    return row | {"messages": row["messages"][:-1]}


def encode(template, mode, row):
    template.set_mode(mode)
    return template.encode(row)


@pytest.mark.parametrize("max_pixels", [None, 30_000])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_models_of_transformers(tmp_path, backbone, row, max_pixels):
    from vllm.config import ModelConfig
    from vllm.multimodal import MULTIMODAL_REGISTRY

    folder = make_backbone(tmp_path / "model", backbone)
    config = AutoConfig.from_pretrained(folder)
    config.architectures = [MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[type(config)].__name__]
    config.save_pretrained(folder)
    template = load_template(folder, backbone, max_pixels=max_pixels)
    prompt = encode(template, "transformers", row)["input_ids"]
    encoded = encode(template, "vllm", row)
    processor = MULTIMODAL_REGISTRY.create_processor(ModelConfig(model=str(folder), dtype="float32"))
    items = processor.info.parse_mm_data({"image": encoded["images"]})
    done = processor(
        encoded["input_ids"], mm_items=items, hf_processor_mm_kwargs=encoded.get("mm_processor_kwargs", {})
    )
    assert done["prompt_token_ids"] == prompt


def test_internvl3(tmp_path, row):
    from vllm.transformers_utils.processors.internvl import InternVLImageProcessor, InternVLProcessor

    (tmp_path / "model").mkdir()
    with patch.dict(os.environ, ENV["internvl3"]):
        template = load_template(make_backbone(tmp_path / "model", "internvl3"), "internvl3")
    trained = encode(template, "train", row)
    encoded = encode(template, "vllm", row)
    images = InternVLImageProcessor(
        image_size=112, min_dynamic_patch=1, max_dynamic_patch=12, dynamic_image_size=True, use_thumbnail=True
    )
    processor = InternVLProcessor(images, template.tokenizer, image_seq_length=16)
    text = template.tokenizer.decode(encoded["input_ids"])
    done = processor(text=[text], images=encoded["images"], return_tensors="pt", **encoded["mm_processor_kwargs"])
    assert done["input_ids"][0].tolist() == encode(template, "transformers", row)["input_ids"]
    assert done["pixel_values_flat"].equal(trained["pixel_values"])


def test_ovis2_5(tmp_path, row):
    """Ovis' own `preprocess` is on the hub; vLLM's is a copy of it, which stands for both here."""
    from vllm.transformers_utils.processors.ovis2_5 import Ovis2_5Processor

    (tmp_path / "model").mkdir()
    template = load_template(make_backbone(tmp_path / "model", "ovis2_5"), "ovis2_5")
    processor = Ovis2_5Processor(
        SiglipImageProcessor(), template.tokenizer, patch_size=OVIS_PATCH, hidden_stride=OVIS_STRIDE
    )

    def preprocess(image, min_pixels, max_pixels):
        pixels, _, grid = processor.preprocess_multidata(images=image, min_pixels=min_pixels, max_pixels=max_pixels)
        return pixels, grid

    template.model.visual_tokenizer.preprocess = preprocess
    ids = encode(template, "transformers", row)["input_ids"]
    encoded = encode(template, "vllm", row)
    text = template.tokenizer.decode(encoded["input_ids"])
    done = processor(text=[text], images=encoded["images"])
    made = done["input_ids"][0].tolist()
    marks = dict(zip(ids, made, strict=True))  # one mark stands for one token
    assert [marks[id] for id in ids] == made
    assert all(id == mark for id, mark in marks.items() if id >= 0)
    assert {id for id in ids if id < 0} == {-300, -301, -302}
