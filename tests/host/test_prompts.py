"""Each template's prompt: the same ids in all modes, no thought of the model's own, a place for each feature."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from swift.template import TEMPLATE_MAPPING

from swift_plugins.fakexplain.annotation import Annotation, Region, check_caption
from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.backbones import BACKBONES as ROWS
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.frames import set_active_rule
from swift_plugins.fakexplain.host.templates import register_templates
from swift_plugins.fakexplain.rows import to_row
from tests.host.backbones import ALL, ENCODE_ONLY, ENV, load_template, make_backbone

IMAGE_WH = (300, 200)


@pytest.fixture(scope="module", autouse=True)
def _registered():
    register_templates()
    yield
    set_active_rule(None)


@pytest.fixture(scope="module", params=ALL)
def backbone(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(backbone, tmp_path_factory):
    return make_backbone(tmp_path_factory.mktemp(backbone), backbone)


@pytest.fixture(autouse=True)
def _environment(backbone, monkeypatch):
    for name, value in ENV.get(backbone, {}).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "a.png"
    Image.radial_gradient("L").resize(IMAGE_WH).convert("RGB").save(path)
    return path


@pytest.fixture
def template(folder, backbone):
    return load_template(folder, backbone)


@pytest.fixture(scope="module")
def row(picture) -> dict:
    regions = (Region((10.0, 20.0, 60.0, 80.0), "Hand with six fingers."),)
    return to_row(Annotation("a", "a.png", *IMAGE_WH, "fake", regions, ("texture_error",), path=picture))


def question_of(row: dict) -> dict:
    return row | {"messages": row["messages"][:-1]}


def encode(template, mode: str, row: dict) -> dict:
    template.set_mode(mode)
    return template.encode(row)


def as_ids(template, ids: list[int]) -> list[int]:
    """Ids of the tokenizer: for the marks that ms-swift writes for Ovis, those of the tokens they stand for."""
    marks = {-300: "<ovis_visual_atom>", -301: "<ovis_image_start>", -302: "<ovis_image_end>"}
    vocabulary = template.tokenizer.get_vocab()
    return [vocabulary[marks[id]] if id < 0 else id for id in ids]


def expand(template, backbone: str, encoded: dict, places: int) -> list[int]:
    """The ids that vLLM makes of a prompt: it gives text and image to the model's own processor."""
    text = template.tokenizer.decode(encoded["input_ids"])
    if backbone not in ENCODE_ONLY:
        processed = template.processor(
            text=[text], images=encoded["images"], return_tensors="pt", **encoded.get("mm_processor_kwargs", {})
        )
        return processed["input_ids"][0].tolist()
    full = ("<ovis_image_start>", "<ovis_visual_atom>", "<ovis_image_end>")
    if backbone.startswith("internvl"):
        full = ("<img>", "<IMG_CONTEXT>", "</img>")
    assert text.count("<image>") == 1
    return template.tokenizer.encode(text.replace("<image>", full[0] + full[1] * places + full[2]))


@pytest.mark.parametrize("max_pixels", [None, 20_000])
def test_prompt_is_the_same_in_all_modes(backbone, folder, row, max_pixels):
    template = load_template(folder, backbone, max_pixels=max_pixels)
    trained = encode(template, "train", row)
    prompt = encode(template, "transformers", question_of(row))["input_ids"]
    assert trained["input_ids"][: len(prompt)] == prompt
    assert all(label == -100 for label in trained["labels"][: len(prompt)])
    assert all(label >= 0 for label in trained["labels"][len(prompt) :])
    encoded = encode(template, "vllm", question_of(row))
    assert expand(template, backbone, encoded, template._count_features(trained)) == as_ids(template, prompt)


@pytest.mark.parametrize("arguments", [{}, {"enable_thinking": True}])
@pytest.mark.parametrize("mode", ["transformers", "vllm"])
def test_an_answer_begins_where_the_prompt_ends(backbone, folder, row, mode, arguments):
    """The host neither opens a thought nor takes one off, so that what the model writes is the answer."""
    template = load_template(folder, backbone, mode=mode, **arguments)
    prompt = template.tokenizer.decode([id for id in template.encode(question_of(row))["input_ids"] if id >= 0])
    assert re.search(r"(?:<\|im_start\|>assistant|<\|assistant\|>)\n$", prompt)
    for text in ("<think>\nNo visible flaw.\n</think>\n<tag>none</tag>\n<verdict>real</verdict>", "<think>\n[1, 2"):
        ids = template.tokenizer.encode(text, add_special_tokens=False)
        answer = template.decode_generate_ids([*ids, template.template_meta.stop_token_id], skip_special_tokens=True)
        assert answer == text
    assert parse_answer(answer, strict=True).problems
    assert template.decode_generate_ids(ids, is_finished=False) == text


def test_another_thought_is_not_rewritten(template, row):
    """Texts reach the model as they are."""
    answer = "<think>\n  Two \n\n</think>\n<verdict>fake</verdict> "
    messages = [*row["messages"][:-1], {"role": "assistant", "content": answer}]
    labels = encode(template, "train", row | {"messages": messages, "objects": {}})["labels"]
    assert template.tokenizer.decode([id for id in labels if id >= 0]).startswith(answer)


def test_rows_encode_in_threads(template, row):
    """As ms-swift's engines encode a batch, with the thread's turn as short as it can be."""
    turn = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            encoded = list(threads.map(lambda _: template.encode(row)["input_ids"], range(16)))
    finally:
        sys.setswitchinterval(turn)
    assert all(ids == encoded[0] for ids in encoded)


def test_the_models_own_chat_template_is_refused(backbone, folder, row):
    template = load_template(folder, backbone, template_backend="jinja")
    with pytest.raises(ValueError, match="template_backend"):
        template.encode(row)


def test_places_are_as_many_as_features(template, row, picture):
    for images in (1, 2):
        content = "<image>" * images + "Which?"
        many = row | {"messages": [{"role": "user", "content": content}, row["messages"][-1]]}
        encoded = encode(template, "train", many | {"images": [str(picture)] * images})
        template._check_places(encoded)
        assert template._count_features(encoded) > images
        (place,) = template.placeholder_tokens[:1] or [-300]
        encoded["input_ids"].remove(place)
        with pytest.raises(RuntimeError, match=f"expected {template._count_features(encoded)} places") as error:
            template.data_collator([encoded])
        assert "</verdict>" in str(error.value)


def test_an_image_that_was_left_in_the_prompt_ends_the_run(template, row):
    """As ms-swift leaves it where a tokenizer does not have the id of its constant."""
    encoded = encode(template, "train", row)
    (place,) = template.placeholder_tokens[:1] or [-300]
    ids = encoded["input_ids"]
    encoded["input_ids"] = [id for index, id in enumerate(ids) if id != place or ids.index(place) == index]
    with pytest.raises(RuntimeError, match="found 1"):
        template.data_collator([encoded])


def test_ids_are_the_tokenizers(template, backbone):
    vocabulary = template.tokenizer.get_vocab()
    assert template.placeholder_tokens == [vocabulary[token] for token in ROWS[backbone].places]
    for name in ROWS[backbone].constants:
        assert getattr(template, f"{name}_token") == vocabulary[f"<|{name}|>"]
    (stop,) = template.tokenizer.encode(template.template_meta.suffix[-1].strip(), add_special_tokens=False)
    assert template.template_meta.stop_token_id == stop


def test_constants_of_the_host_are_all_known(backbone):
    """Whole numbers that are attributes of the host's class: a new one may be an id."""
    host = TEMPLATE_MAPPING[ROWS[backbone].host].template_cls
    numbers = {name for each in host.__mro__ for name, value in vars(each).items() if type(value) is int}
    known = {f"{name}_token" for name in ROWS[backbone].constants} | {"image_token_id", "video_token_id"}
    assert numbers - known <= {"VIDEO_SEGMENTS"}


def test_no_caption_holds_a_special_token(template):
    tokens = [token.content for token in template.tokenizer.added_tokens_decoder.values() if token.special]
    assert len(tokens) > 10
    for token in tokens:
        with pytest.raises(DataError):
            check_caption(f"Hand {token} with six fingers.")
