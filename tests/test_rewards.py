"""The rewards: hand arithmetic, unreadable text, gold columns; through ms-swift's own call of them."""

import json
from types import SimpleNamespace

import pytest
import torch
from swift.rewards import orms
from swift.rl_core.data import GRPOSample
from swift.rl_core.grpo_algorithm import compute_rewards_per_func

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.answer import render_answer
from swift_plugins.fakexplain.backbones import TEMPLATES
from swift_plugins.fakexplain.frames import frame_rule, set_active_rule
from swift_plugins.fakexplain.host.rewards import register_rewards
from swift_plugins.fakexplain.rewards import Gold, format_reward, iou_reward, label_reward, match_reward, read_gold
from swift_plugins.fakexplain.rows import to_row
from swift_plugins.fakexplain.variants import VARIANTS
from tests.answers import answer

register_rewards()
NAMES = ["fx_iou", "fx_label", "fx_format", "fx_match"]
RULE = frame_rule("fx_qwen2_5_vl", env={})
# 512x512 is 504x504 to Qwen2.5-VL: the gold [0, 0, 256, 512] of the original is [0, 0, 252, 504] there
HALF = Gold("fake", ((0.0, 0.0, 256.0, 512.0),), (512, 512), "full")
BARE = Gold("fake", (), (512, 512), "full")
REAL = Gold("real", (), (512, 512), "full")


def rewards(template: str = "fx_qwen2_5_vl"):
    return [orms[name](args=SimpleNamespace(template=template, max_pixels=None)) for name in NAMES]


def scores(texts, golds, functions=None):
    rows = [
        {"messages": [{"role": "assistant", "content": text}], "solution": gold}
        for text, gold in zip(texts, golds, strict=True)
    ]
    samples = [GRPOSample.from_row(row) for row in rows]
    return compute_rewards_per_func(samples, functions or rewards(), [None] * 4, torch.device("cpu"))


@pytest.mark.parametrize(
    ("text", "gold", "expected", "why"),
    [
        (answer("[0, 0, 252, 504] Left half."), HALF, 1.0, "the target itself"),
        (answer("[0, 0, 252, 252] Quarter."), HALF, 1.1 * 0.5, "half of the gold, relaxed by eta"),
        (answer("[0, 0, 232, 504] Nearly."), HALF, 1.0, "1.1 * 232 / 252 is above 1, and is cut"),
        (
            answer("[0, 0, 256, 512] Original pixels."),
            HALF,
            1.0,
            "1.1 * 252 / 256 is above 1; the frame clips the rest",
        ),
        (answer("[0, 0, 504, 504] All."), HALF, 1.1 * 0.5, "twice the gold"),
        (answer("[0, 0, 252, 252] Up.", "[0, 252, 252, 504] Down."), HALF, 1.0, "two boxes that together cover it"),
        (answer("[0, 0, 252, 504] A.", "[0, 0, 252, 504] B."), HALF, 1.0, "a repeated box covers nothing more"),
        (answer("[252, 0, 504, 504] Right half."), HALF, 0.0, "beside the gold"),
        (answer("[600, 600, 700, 700] Outside."), HALF, 0.0, "nothing left inside the frame"),
        (answer(), HALF, 0.0, "one side empty"),
        (answer("[0, 0, 252, 504] Left half."), BARE, 0.0, "the other side empty"),
        (answer(), BARE, 1.0, "both sides empty"),
        (answer(verdict="real"), REAL, 1.0, "both sides empty, and the image is real"),
        ("<think>\n(0,0),(252,504) loose\n", HALF, 1.0, "another notation, cut off"),
        ("", REAL, 0.0, "nothing to read, so no credit for naming nothing"),
        ("<verdict>real</verdict>", REAL, 0.0, "the part that names regions is missing"),
        ("[" + "9" * 401 + ", 1, 2, 3] x", HALF, 0.0, "401 digits"),
        (answer("[1e308, 1e308, NaN, inf] x"), HALF, 0.0, "absurd numbers"),
        (answer("[0, 0, 1e308, 1e308] x"), HALF, 1.1 * 0.5, "absurd, finite, clipped to the frame"),
    ],
)
def test_iou_reward(text, gold, expected, why):
    assert iou_reward(text, gold, RULE) == pytest.approx(expected, abs=1e-12), why


TWO = Gold("fake", ((0.0, 0.0, 128.0, 512.0), (384.0, 0.0, 512.0, 512.0)), (512, 512), "full")
LEFT, RIGHT = "[0, 0, 126, 504] Left.", "[378, 0, 504, 504] Right."


@pytest.mark.parametrize(
    ("text", "gold", "expected", "why"),
    [
        (answer(LEFT, RIGHT), TWO, 1.0, "the target itself"),
        (answer(RIGHT, LEFT), TWO, 1.0, "in any order"),
        (answer(LEFT), TWO, 0.5, "a box too few"),
        (answer(LEFT, RIGHT, "[200, 0, 300, 9] Third."), TWO, 2 / 3, "a box too many"),
        (answer("[0, 0, 504, 504] All."), TWO, 0.25 / 2, "one box over both, matched to one"),
        (answer("[0, 0, 126, 252] Up.", "[0, 252, 126, 504] Down.", RIGHT), TWO, (0.5 + 1) / 3, "fragments"),
        (answer(), TWO, 0.0, "one side empty"),
        (answer(LEFT), BARE, 0.0, "the other side empty"),
        (answer(), BARE, 1.0, "both sides empty"),
        (answer("[5000, 5000, 6000, 6000] Rail."), BARE, 0.0, "names a region, though none counts"),
        ("", REAL, 0.0, "nothing to read"),
        (None, REAL, 0.0, "no text"),
    ],
)
def test_match_reward(text, gold, expected, why):
    assert match_reward(text, gold, RULE) == pytest.approx(expected, abs=1e-12), why


def test_match_reward_skips_and_leaves_out_as_the_iou_reward_does():
    assert match_reward(answer(), BARE, RULE, empty="skip") is None
    assert match_reward(answer(LEFT), TWO._replace(variant="no_bbox"), RULE) is None


@pytest.mark.parametrize(
    "line",
    ["[5000, 5000, 6000, 6000] Rail.", "[90, 8, 12, 60] Rail.", "[1, 2, 3] Rail.", "[nan, 0, 9, 9] Rail."],
    ids=["outside", "inverted", "three numbers", "unreadable"],
)
def test_an_answer_that_names_regions_is_not_empty_though_none_counts(line):
    assert iou_reward(answer(line), BARE, RULE) == 0.0
    assert iou_reward(answer(line, verdict="real"), REAL, RULE) == 0.0
    assert iou_reward(answer(line), BARE, RULE, empty="skip") == 0.0
    assert iou_reward(answer(line, "[0, 0, 252, 504] Left half."), HALF, RULE) == 1.0  # beside one that counts


@pytest.mark.parametrize("completion", [None, 7, 1.5, b"<verdict>fake</verdict>", [{"role": "assistant"}], {}, True])
def test_a_completion_that_is_no_text_scores_nothing(completion):
    for gold in (HALF, BARE, REAL):
        assert iou_reward(completion, gold, RULE) == 0.0
        assert label_reward(completion, gold) == format_reward(completion, gold) == 0.0


@pytest.mark.parametrize("text", ["nan", "-1", "0", "inf", "abc", ""])
def test_a_wrong_eta_is_named(text, monkeypatch):
    monkeypatch.setenv("FX_IOU_ETA", text)
    with pytest.raises(ValueError, match=f"FX_IOU_ETA: expected a finite number above 0, found '{text}'"):
        rewards()


def test_iou_reward_needs_the_frame_of_the_template():
    qwen3 = frame_rule("fx_qwen3_vl", env={})  # 0–1000
    assert iou_reward(answer("[0, 0, 500, 1000] Left half."), HALF, qwen3) == 1.0
    assert iou_reward(answer("[0, 0, 252, 504] Left half."), HALF, qwen3) == pytest.approx(1.1 * 252 * 504 / 500_000)


@pytest.mark.parametrize("variant", ["no_bbox", "label_only"])
def test_iou_reward_of_a_variant_without_boxes_is_none(variant):
    assert iou_reward(answer("[0, 0, 1, 1] x"), HALF._replace(variant=variant), RULE) is None


def test_settings_of_the_iou_reward(monkeypatch):
    monkeypatch.setenv("FX_IOU_ETA", "1.5")
    monkeypatch.setenv("FX_IOU_EMPTY", "skip")
    reward = rewards()[0]
    assert reward.score(answer("[0, 0, 252, 252] Quarter."), HALF) == pytest.approx(0.75)
    assert reward.score(answer(), BARE) is None
    assert reward.score("", BARE) == 0.0
    monkeypatch.setenv("FX_IOU_EMPTY", "zero")
    with pytest.raises(ValueError, match="FX_IOU_EMPTY: expected 'one' or 'skip', found 'zero'"):
        rewards()


@pytest.mark.parametrize(
    ("text", "verdict", "format"),
    [
        (answer("[0, 0, 9, 9] Left half."), 1, 1),
        (answer(verdict="real"), 0, 1),
        (answer("[0, 0, 9, 9] Left half.", verdict="real"), 0, 0),  # a flaw in a real image
        (answer("[9, 9, 0, 0] Inside out."), 1, 0),
        ("<verdict>Generated</verdict>", 1, 0),
        (answer() + " So it is.", 1, 0),
        ("fake", 1, 0),
        ("I cannot tell.", 0, 0),
        ("<verdict>fake</verdict><verdict>real</verdict>", 0, 0),
        ("\ud800", 0, 0),
    ],
)
def test_label_and_format_rewards(text, verdict, format):
    assert (label_reward(text, HALF), format_reward(text, HALF)) == (verdict, format)


def test_format_reward_wants_the_rows_variant():
    text = "<think>\nSign.\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    assert format_reward(text, HALF._replace(variant="no_bbox")) == 1
    assert format_reward(text, HALF) == 0


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_gold_scores_one_on_every_reward(annotations_file, variant, template):
    rule = frame_rule(template)
    records = list(read_annotations(annotations_file))
    texts = [render_answer(record, variant, rule.frame(record.image_wh)) for record in records]
    golds = [to_row(record, variant)["solution"] for record in records]
    result = scores(texts, golds, rewards(template))
    without_boxes = variant in ("no_bbox", "label_only")
    for column in (0, 3):
        assert torch.equal(result[:, column].isnan(), torch.full((16,), without_boxes))
    assert torch.equal(result.nan_to_num(1.0), torch.ones(16, 4))


def test_a_batch_of_real_images_alone(annotations_file):
    records = [record for record in read_annotations(annotations_file) if record.label == "real"]
    golds = [to_row(record)["solution"] for record in records]
    assert scores([answer(verdict="real")] * 8, golds).eq(1).all()


def gold_with(**fields) -> str:
    return json.dumps({"label": "fake", "boxes": [], "size": [8, 8], "variant": "full"} | fields)


NO_GOLD_BOXES = [
    [3, 1, 2, 2],  # inverted
    [1, 1, 1, 2],  # without area
    [-1, 0, 2, 2],
    [0, 0, 2, 9],
    [0, 0, 2, float("nan")],
    [0, 0, float("inf"), 2],
]


@pytest.mark.parametrize("name", NAMES)
class TestColumns:
    def reward(self, name):
        return orms[name](args=SimpleNamespace(template="fx_qwen2_5_vl"))

    def test_missing(self, name):
        with pytest.raises(ValueError, match=f"reward {name}: the rows have no column `solution`"):
            self.reward(name)(["text"], messages=[[]])

    def test_of_another_length(self, name):
        with pytest.raises(ValueError, match=f"reward {name}: column `solution` has 1 rows for 2 completions"):
            self.reward(name)(["a", "b"], solution=["{}"])

    @pytest.mark.parametrize(
        ("solution", "what"),
        [
            (None, "TypeError"),
            ("not json", "JSONDecodeError"),
            ("{}", "KeyError: 'label'"),
            ('{"label": "ai", "boxes": [], "size": [1, 1], "variant": "full"}', "label: expected 'fake' or 'real'"),
            ('{"label": "fake", "boxes": [[1]], "size": [1, 1], "variant": "full"}', "boxes: expected four numbers"),
            ('{"label": "fake", "boxes": [], "size": [1], "variant": "full"}', "size: expected two whole"),
            ('{"label": "fake", "boxes": [], "size": [1, 1], "variant": "x"}', "variant: expected one of full"),
            *((gold_with(size=size), "size: expected two whole") for size in ([0, 8], [8, -1], [8.0, 8], [True, 8])),
            *((gold_with(boxes=[box]), "boxes: expected four numbers") for box in ([1, 2, 3, "4"], [0, 0, 1, True])),
            *((gold_with(boxes=[box]), "boxes: expected x1 < x2 and y1 < y2 inside the 8x8") for box in NO_GOLD_BOXES),
            ({"label": "fake", "boxes": [], "size": [8, 8], "variant": "full"}, "found \"{'label'"),
            (["fake"], "a value of type list"),
            (b"{}", "a value of type bytes"),
            ("[" * 100_000, "RecursionError"),
            (gold_with().replace("{", '{"label": "real", ', 1), "label: expected each key once"),
        ],
    )
    def test_malformed(self, name, solution, what):
        with pytest.raises(ValueError, match="column `solution`") as caught:
            self.reward(name)(["text"], solution=[solution])
        assert what in str(caught.value)


def test_the_frame_is_that_of_the_template_in_use():
    set_active_rule(None)
    with pytest.raises(ValueError, match="frame of the run's template is not known.*--template fx_qwen2_5_vl"):
        orms["fx_iou"](args=SimpleNamespace())  # as ms-swift's GRPOConfig, which names no template
    with pytest.raises(ValueError, match="template 'llava1_5_hf': its model frame is not known"):
        orms["fx_iou"](args=SimpleNamespace(template="llava1_5_hf"))
    try:
        set_active_rule(frame_rule("fx_qwen3_vl"))
        assert orms["fx_iou"](args=SimpleNamespace()).rule.norm1000
        assert not orms["fx_iou"](args=SimpleNamespace(template="fx_qwen2_5_vl")).rule.norm1000
        capped = orms["fx_iou"](args=SimpleNamespace(template="fx_qwen2_5_vl", max_pixels=224 * 224)).rule
        assert capped.frame((512, 512)).frame_wh == (224, 224)
    finally:
        set_active_rule(None)


def test_a_completion_is_parsed_once_for_three_rewards(annotations_file, monkeypatch):
    from swift_plugins.fakexplain import rewards as module

    calls = []
    parse = module.parse_answer
    monkeypatch.setattr(module, "parse_answer", lambda *args, **kwargs: calls.append(args) or parse(*args, **kwargs))
    module.read_completion.cache_clear()
    gold = json.dumps({"label": "fake", "boxes": [], "size": [512, 512], "variant": "full"})
    scores([answer(), answer("[0, 0, 1, 1] x")], [gold, gold])
    assert len(calls) == 2


def test_read_gold_reads_what_a_row_carries(annotations_file):
    (first, *_) = read_annotations(annotations_file)
    assert read_gold(to_row(first)["solution"]) == Gold(
        "fake", ((10.0, 5.0, 50.0, 45.0), (60.0, 50.5, 100.0, 80.0)), (120, 90), "full"
    )
