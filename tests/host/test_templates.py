"""The chat templates: the frame that ms-swift's own classes encode, the boxes they write, and what else differs.

ms-swift reads image settings from the environment once a process. Here each set of settings gets qwen_vl_utils'
constants anew, so ms-swift's own code reads them again.
"""

import importlib
import os
import pickle
import random
import re
import shutil
import sys
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qwen_vl_utils import vision_process
from swift.template import TEMPLATE_MAPPING

import swift_plugins.fakexplain
from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.answer import parse_answer, target_regions
from swift_plugins.fakexplain.backbones import BACKBONES, TEMPLATES
from swift_plugins.fakexplain.frames import active_rule, frame_rule, set_active_rule
from swift_plugins.fakexplain.host.rewards import FxFormat, FxIoU, FxLabel
from swift_plugins.fakexplain.host.templates import register_templates
from swift_plugins.fakexplain.prompts import system_prompt
from swift_plugins.fakexplain.rows import to_row
from swift_plugins.fakexplain.tags import TAGS
from tests.host.backbones import ALL, ENV, load_template, make_backbone

SETTINGS = {
    "default": {},
    "MAX_PIXELS": {"MAX_PIXELS": "200000"},
    "MIN_PIXELS": {"MIN_PIXELS": "120000", "MAX_PIXELS": "300000"},
    "tokens": {"IMAGE_MAX_TOKEN_NUM": "177", "MAX_PIXELS": "300000", "IMAGE_MIN_TOKEN_NUM": "40"},
    "--max_pixels": {"max_pixels": 90000},
    "--max_pixels and MAX_PIXELS": {"max_pixels": 250001, "MAX_PIXELS": "150100", "MIN_PIXELS": "50176"},
}
READ = ("MAX_PIXELS", "MIN_PIXELS", "IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM", "MAX_RATIO", "SPATIAL_MERGE_SIZE")
EXTREME = [(28, 28), (28, 4000), (4000, 28), (3999, 41), (57, 3001), (29, 31)]


@pytest.fixture(scope="module", autouse=True)
def _registered():
    register_templates()
    yield
    set_active_rule(None)
    forget_settings()


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    return {name: make_backbone(tmp_path_factory.mktemp(name), name) for name in ALL}


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Path of a picture of a size."""
    folder = tmp_path_factory.mktemp("pictures")

    def path(image_wh: tuple[int, int]) -> str:
        file = folder / "{}x{}.png".format(*image_wh)
        if not file.exists():
            Image.radial_gradient("L").resize(image_wh, Image.Resampling.NEAREST).save(file, compress_level=1)
        return str(file)

    return path


def forget_settings() -> None:
    vars(vision_process).pop("_patch", None)
    importlib.reload(vision_process)


@contextmanager
def run_of(settings: dict):
    """Environment and template arguments of a run with these settings; ms-swift reads them as in a new process."""
    env = {name: value for name, value in settings.items() if name.isupper()}
    with patch.dict(os.environ):  # put back afterwards: ms-swift writes into it
        for name in READ:
            os.environ.pop(name, None)
        os.environ.update(env)
        forget_settings()
        yield env, {name: value for name, value in settings.items() if name not in env}


def template_of(folders, name, mode="train", stock=None, **arguments):
    backbone = name.removeprefix("fx_")
    with patch.dict(os.environ, {**ENV.get(backbone, {}), **os.environ}):
        return load_template(folders[backbone], backbone, stock or name, mode, **arguments)


def answer_of(template, ids: list[int]) -> str:
    """The text of a completion, up to the token that ends it, as the host decodes it."""
    stop = template.template_meta.stop_token_id
    return template.decode_generate_ids(ids[: ids.index(stop) + 1], skip_special_tokens=True)


def sizes(seed: str, count: int, most: int) -> list[tuple[int, int]]:
    draw = random.Random(seed)
    found: list[tuple[int, int]] = []
    while len(found) < count:
        image_wh = (int(28 * 143 ** draw.random()), int(28 * 143 ** draw.random()))
        if image_wh[0] * image_wh[1] <= most:
            found.append(image_wh)
    return found


def whole_image(path: str, image_wh: tuple[int, int]) -> dict:
    """A row whose one box is the whole image: written into the text, it reads as the frame."""
    return {
        "messages": [{"role": "user", "content": "<image><bbox>"}, {"role": "assistant", "content": "Seen."}],
        "images": [path],
        "objects": {"ref": [], "bbox": [[0.0, 0.0, float(image_wh[0]), float(image_wh[1])]]},
    }


@pytest.mark.parametrize(
    ("backbone", "norm_bbox", "setting"),
    [
        *((backbone, None, setting) for backbone in ("qwen2_5_vl", "qwen3_vl") for setting in SETTINGS),
        *(("qwen3_vl", "none", setting) for setting in ("default", "tokens", "--max_pixels and MAX_PIXELS")),
        ("mimo_vl", None, "tokens"),
        ("qwen3_5", "none", "MAX_PIXELS"),
        ("mimo_vl", "norm1000", "MAX_PIXELS"),
    ],
)
def test_frame_is_what_the_host_encodes(folders, picture, backbone, norm_bbox, setting):
    with run_of(SETTINGS[setting]) as (env, arguments):
        arguments["norm_bbox"] = norm_bbox
        host = template_of(folders, backbone, **arguments)
        rule = template_of(folders, f"fx_{backbone}", **arguments).frame_rule
        assert rule == frame_rule(f"fx_{backbone}", env=env, **arguments) == active_rule()
        if not norm_bbox:
            assert rule.norm1000 == (backbone == "qwen3_vl")
        cases = [("train", wh) for wh in EXTREME[:3] + sizes(setting + backbone, 6, most=100_000)]
        cases += [("vllm", wh) for wh in EXTREME + sizes(backbone + setting, 9, most=400_000)]
        if setting == "MAX_PIXELS":
            cases += [("train", (1000, 3999)), ("vllm", (3333, 1000))]
        if (backbone, setting) == ("qwen2_5_vl", "default"):
            cases += [("vllm", (4000, 3300))]  # more than the 16,384 tokens that an image may be by default
        for mode, image_wh in cases:
            host.set_mode(mode)
            encoded = host.encode(whole_image(picture(image_wh), image_wh), return_template_inputs=True)
            (image,) = encoded["template_inputs"].images
            text = host.tokenizer.decode(encoded["input_ids"])
            (written,) = re.findall(r"\(0,0\),\((\d+),(\d+)\)", text)
            frame = rule.frame(image_wh)
            assert frame.frame_wh == tuple(map(int, written)), (mode, image_wh)
            if not rule.norm1000:
                assert frame.frame_wh == image.size
            if mode == "train":  # the pixels the model gets
                patch_size = host.processor.image_processor.patch_size
                _, rows, columns = encoded["image_grid_thw"][0].tolist()
                assert (columns * patch_size, rows * patch_size) == image.size
                assert len(encoded["pixel_values"]) == rows * columns
            else:  # the image vLLM gets, and is told to leave as it is
                assert encoded["images"][0].size == image.size
                assert encoded["mm_processor_kwargs"] == {"do_resize": False}


@pytest.mark.parametrize(
    ("image_wh", "settings"),
    [
        ((5629, 28), {}),
        ((4000, 28), {"IMAGE_MAX_TOKEN_NUM": "4"}),
        ((4000, 28), {"max_pixels": 9}),
        ((4000, 40), {"MAX_RATIO": "99"}),
    ],
)
def test_an_image_without_a_frame_is_one_the_host_refuses(folders, picture, image_wh, settings):
    with run_of(settings) as (env, arguments):
        rule = template_of(folders, "fx_qwen2_5_vl", **arguments).frame_rule
        assert rule == frame_rule("fx_qwen2_5_vl", env=env, **arguments)
        with pytest.raises(ValueError, match="{}x{}".format(*image_wh)):
            rule.frame(image_wh)
        host = template_of(folders, "qwen2_5_vl", **arguments)
        with pytest.raises((ValueError, RuntimeError, ZeroDivisionError)):
            host.encode(whole_image(picture(image_wh), image_wh))


@pytest.mark.parametrize("variable", ["MAX_PIXELS", "IMAGE_MAX_TOKEN_NUM"])
def test_a_setting_without_room_for_an_image_stops_the_run(folders, variable):
    with run_of({variable: "3"}), pytest.raises(ValueError, match="MIN_PIXELS"):
        template_of(folders, "fx_qwen2_5_vl")


def test_the_announced_rule_is_the_running_one(folders):
    """ms-swift reads the settings once; what the environment says later is not what is encoded."""
    with run_of({"MAX_PIXELS": "50176"}):
        template_of(folders, "fx_qwen2_5_vl")
        os.environ["IMAGE_MAX_TOKEN_NUM"] = "128"
        later = template_of(folders, "fx_mimo_vl").frame_rule
        assert (later.template, later.max_tokens) == ("fx_mimo_vl", 64)
        assert active_rule() == later


@st.composite
def annotations(draw) -> Annotation:
    """Up to five regions, from the whole image to boxes that would vanish in the frame."""
    image_wh = draw(st.sampled_from([(512, 512), (640, 427), (333, 999), (64, 97), (1280, 720), (300, 30)]))
    regions = []
    for index in range(draw(st.integers(0, 5))):
        ends = [sorted(draw(st.tuples(*[st.floats(0, side)] * 2).filter(lambda pair: len({*pair}) == 2)))
                for side in image_wh]  # fmt: skip
        (x1, x2), (y1, y2) = ends
        regions.append(Region((x1, y1, x2, y2), f"Part {index} with a flaw."))
    tags = draw(st.lists(st.sampled_from(TAGS), unique=True))
    return Annotation("a", "a.png", *image_wh, "fake", tuple(regions), tuple(tags))


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("setting", ["default", "--max_pixels and MAX_PIXELS"])
def test_gold_scores_one(folders, picture, name, setting):
    """A target is a strict answer with the frame's boxes, from its first character, in training and for vLLM."""
    with run_of(SETTINGS[setting]) as (env, arguments):
        template = template_of(folders, name, **arguments)
        assert template.frame_rule == frame_rule(name, env=env, **arguments) == active_rule()
        rewards = [reward(SimpleNamespace(template=name, **arguments)) for reward in (FxIoU, FxLabel, FxFormat)]
        modes = ["train"]
        if name != "fx_ovis2_5" or not {"MAX_PIXELS", "MIN_PIXELS"} & env.keys():  # of Ovis, vLLM takes no others
            modes.append("vllm")

        @settings(max_examples=8, deadline=None, derandomize=True)
        @given(annotations(), st.sampled_from(modes))
        def check(record, mode):
            record = replace(record, path=Path(picture(record.image_wh)))
            row = to_row(record)
            template.set_mode(mode)
            if mode == "train":
                ids = [token for token in template.encode(row)["labels"] if token >= 0]
            else:
                prompt, ids = (
                    template.encode(each)["input_ids"] for each in (row | {"messages": row["messages"][:-1]}, row)
                )
                assert ids[: len(prompt)] == prompt
                ids = [*ids[len(prompt) :], template.template_meta.stop_token_id]
            text = answer_of(template, ids)
            assert [reward([text], solution=[row["solution"]]) for reward in rewards] == [[1.0]] * 3
            answer = parse_answer(text, strict=True, variant="full")
            frame = template.frame_rule.frame(record.image_wh)
            gold = target_regions(record)
            assert [region.caption for region in answer.regions] == [region.caption for region in gold]
            assert [region.bbox for region in answer.regions] == [frame.target_xyxy(region.bbox) for region in gold]

        check()


@pytest.mark.parametrize("name", TEMPLATES)
def test_all_but_the_boxes_is_the_hosts(folders, picture, name):
    """The same text with the boxes' markup taken off, the same pixels."""
    frame_boxes = {
        "messages": [
            {"role": "system", "content": "Look."},
            {"role": "user", "content": "<image>Which is <bbox>?"},
            {"role": "assistant", "content": "<think>\n<bbox> Sign.\n</think>\n<verdict>fake</verdict>"},
        ],
        "images": [picture((320, 240))],
        "objects": {"ref": [], "bbox": [[10.4, 20.6, 60.0, 70.0], [1.0, 2.0, 300.0, 200.0]]},
    }
    with run_of({}):
        row = BACKBONES[name.removeprefix("fx_")]
        host, ours = (template_of(folders, name, "vllm", stock=stock) for stock in (row.host, None))
        texts = [each.tokenizer.decode(each.encode(frame_boxes)["input_ids"]) for each in (host, ours)]
        plain = re.sub(
            r"(?:<\|box_start\|>|\[)\((\d+),(\d+)\),\((\d+),(\d+)\)(?:<\|box_end\|>|\])", r"[\1, \2, \3, \4]", texts[0]
        )
        plain = re.sub(r"<box>\[(.*?)\]</box>", r"\1", plain)
        if row.gap:  # what the host leaves out for vLLM alone
            plain = plain.replace("Which", "\nWhich")
        plain = plain.replace("</think>\n\n", "</think>\n")  # Qwen3.5's rewrites the thought
        assert texts[1] == plain != texts[0]
        pixels = []
        for each in (host, ours):
            each.set_mode("train")
            pixels.append(each.encode(frame_boxes)["pixel_values"])
        assert torch.equal(*pixels)


def test_placeholder_tokens_are_no_other_templates(folders):
    with run_of({}):
        one, other = (template_of(folders, "fx_qwen2_5_vl") for _ in range(2))
        one.placeholder_tokens.append(-1)
        assert -1 not in other.placeholder_tokens
        assert -1 not in type(one).placeholder_tokens


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("travel", [copy, deepcopy, lambda template: pickle.loads(pickle.dumps(template))])
def test_a_copied_template_encodes_alike(folders, picture, name, travel):
    row = whole_image(picture((300, 200)), (300, 200))
    with run_of({"MAX_PIXELS": "40000", "MIN_PIXELS": "10000"}):
        template = template_of(folders, name, max_pixels=50000)
        again = travel(template)
        again.set_mode("train")
        if name == "fx_ovis2_5":  # ms-swift drops the model from a copy, and makes one from the release's own code
            again.dummy_model = template.model
        assert again.frame_rule == template.frame_rule
        assert again.encode(row)["input_ids"] == template.encode(row)["input_ids"]


@pytest.mark.parametrize(
    ("objects", "boxes"),
    [
        # 512x512 is 504x504; 280x140 keeps its size
        ({"bbox": [[256.0, 0.0, 256.1, 512.0], [70.0, 7.0, 70.1, 7.2]], "image_id": [0, 1]},
         ["[252, 0, 253, 504]", "[70, 7, 71, 8]"]),
        ({"bbox": [[280.0, 140.0, 280.0, 140.0]], "image_id": [1]}, ["[279, 139, 280, 140]"]),
        ({"bbox": [[0.5, 0.5, 0.5, 0.75]], "bbox_type": "norm1"}, ["[252, 252, 253, 378]"]),
        ({"bbox": [[256.0, 128.0]]}, ["[252, 126]"]),  # a point stays one
        ({"bbox": []}, []),
    ],
)  # fmt: skip
def test_boxes_in_the_ways_ms_swift_knows(folders, picture, objects, boxes):
    row = {
        "messages": [
            {"role": "user", "content": "<image><image>?"},
            {"role": "assistant", "content": "Here:" + "<bbox>" * len(boxes)},
        ],
        "images": [picture((512, 512)), picture((280, 140))],
        "objects": {"ref": []} | objects,
    }
    with run_of({}):
        template = template_of(folders, "fx_qwen2_5_vl")
        for _ in range(2):  # the row is left as it was
            text = template.tokenizer.decode([token for token in template.encode(row)["labels"] if token >= 0])
            assert text.split("Here:")[1].startswith("".join(boxes) + "<|im_end|>")


@pytest.mark.parametrize("name", TEMPLATES)
def test_system_prompt(folders, picture, name):
    row = {"messages": [{"role": "user", "content": "<image>?"}], "images": [picture((56, 56))]}
    with run_of({}):
        template = template_of(folders, name, "transformers")

        def system(row):
            text = template.tokenizer.decode([id for id in template.encode(row)["input_ids"] if id >= 0])
            begin = r"(?:<\|im_start\|>system|\[gMASK\]<sop><\|system\|>)\n"
            return re.match(begin + r"(.*?)(?:<\|im_end\|>|<\|user\|>)", text, re.DOTALL)[1]

        assert system(row) == system_prompt("full")
        own = [{"role": "system", "content": system_prompt("label_only")}, *row["messages"]]
        assert system(row | {"messages": own}) == system_prompt("label_only")
        assert TEMPLATE_MAPPING[BACKBONES[name.removeprefix("fx_")].host].default_system != system_prompt("full")


def test_registration_again_and_from_another_copy(folders, picture, tmp_path, monkeypatch):
    """A checkpoint's arguments load the plugin a second time, perhaps from another place."""
    package = Path(swift_plugins.fakexplain.__file__).parent
    shutil.copytree(package, tmp_path / "fakexplain_elsewhere", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(tmp_path)
    try:
        elsewhere = importlib.import_module("fakexplain_elsewhere.host.templates")
        elsewhere.register_templates()
        with run_of({}):
            row = whole_image(picture((300, 200)), (300, 200))
            template = template_of(folders, "fx_qwen2_5_vl")
            assert type(template).__module__ == "fakexplain_elsewhere.host.templates"
            register_templates()
            register_templates()
            again = template_of(folders, "fx_qwen2_5_vl")
            assert type(again).__module__ == "swift_plugins.fakexplain.host.templates"
            assert again.encode(row)["input_ids"] == template.encode(row)["input_ids"]
    finally:
        register_templates()
        for name in [name for name in sys.modules if name.startswith("fakexplain_elsewhere")]:
            del sys.modules[name]
