"""Original pixels and model frames: arithmetic against qwen_vl_utils' own, settings, rounding, what is refused."""

import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from swift_plugins.fakexplain.backbones import BACKBONES, REFUSED, TEMPLATES
from swift_plugins.fakexplain.frames import (
    Frame,
    FrameRule,
    active_rule,
    frame_rule,
    set_active_rule,
    widen_xyxy,
)

SIZES = st.integers(28, 4000)
FRAMES = st.one_of(
    st.builds(Frame, st.tuples(st.integers(1, 140), st.integers(1, 140)).map(lambda n: (n[0] * 28, n[1] * 28)),
              st.tuples(SIZES, SIZES)),
    st.builds(Frame, st.just((1000, 1000)), st.tuples(SIZES, SIZES)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("template", "settings", "image_wh", "frame_wh"),
    [
        ("fx_qwen2_5_vl", {}, (512, 512), (504, 504)),  # 18.3 tokens a side
        ("fx_mimo_vl", {}, (512, 512), (504, 504)),
        ("fx_qwen2_5_vl", {}, (640, 427), (644, 420)),  # 22.9 and 15.25 tokens
        ("fx_qwen2_5_vl", {}, (14, 14), (56, 56)),  # never below four tokens
        ("fx_qwen2_5_vl", {}, (70, 98), (56, 112)),  # 2.5 and 3.5 tokens round to even
        ("fx_qwen2_5_vl", {}, (5600, 2800), (5068, 2520)),  # 20,000 tokens are more than 16,384
        ("qwen2_5_vl", {}, (512, 512), (504, 504)),
        ("fx_qwen3_vl", {}, (512, 512), (1000, 1000)),
        ("qwen3_vl", {"MAX_PIXELS": "50176"}, (31, 4000), (1000, 1000)),
        ("fx_qwen2_5_vl", {"MAX_PIXELS": "50176"}, (512, 512), (224, 224)),  # 64 tokens
        ("fx_qwen2_5_vl", {"MAX_PIXELS": "50959"}, (512, 512), (224, 224)),  # 64.999 tokens are 64
        ("fx_qwen2_5_vl", {"IMAGE_MAX_TOKEN_NUM": "64"}, (512, 512), (224, 224)),
        ("fx_qwen2_5_vl", {"IMAGE_MAX_TOKEN_NUM": "64", "MAX_PIXELS": "999999"}, (512, 512), (224, 224)),
        ("fx_qwen2_5_vl", {"MIN_PIXELS": "200704"}, (100, 100), (448, 448)),  # 256 tokens
        ("fx_qwen2_5_vl", {"IMAGE_MIN_TOKEN_NUM": "256", "MIN_PIXELS": "1"}, (100, 100), (448, 448)),
        ("fx_qwen2_5_vl", {"IMAGE_MIN_TOKEN_NUM": "", "MIN_PIXELS": "200704"}, (100, 100), (448, 448)),
        ("fx_qwen2_5_vl", {"max_pixels": 65536}, (512, 512), (252, 252)),  # 256 pixels a side first
        ("fx_qwen2_5_vl", {"max_pixels": 65536, "MAX_PIXELS": "50176"}, (512, 512), (224, 224)),
        ("fx_qwen2_5_vl", {"max_pixels": 0}, (512, 512), (504, 504)),  # no limit, as ms-swift reads it
        ("fx_qwen2_5_vl", {"max_pixels": 262144}, (512, 512), (504, 504)),
        ("fx_glm4v", {"max_pixels": 65536, "MAX_PIXELS": "50176"}, (640, 480), (1000, 1000)),
        ("internvl2_5", {}, (512, 512), (1000, 1000)),
        ("fx_qwen3_5", {"norm_bbox": "none"}, (520, 300), (512, 288)),
        ("fx_qwen2_5_vl", {"norm_bbox": "norm1000"}, (512, 512), (1000, 1000)),
        ("fx_qwen3_vl", {"norm_bbox": "none"}, (520, 300), (512, 288)),  # tokens of 32: 16.25 and 9.4
        ("fx_qwen3_vl", {"norm_bbox": "none", "MAX_PIXELS": "65535"}, (512, 512), (224, 224)),  # 63 tokens
    ],
)
def test_frame_of_an_image(template, settings, image_wh, frame_wh):
    arguments = {name: settings[name] for name in ("max_pixels", "norm_bbox") if name in settings}
    env = {name: value for name, value in settings.items() if name not in arguments}
    frame = frame_rule(template, env=env, **arguments).frame(image_wh)
    assert frame == Frame(frame_wh, image_wh)


def test_only_two_backbones_write_pixels():
    kinds = {name: frame_rule(f"fx_{name}", env={}).norm1000 for name in BACKBONES}
    assert [name for name, norm1000 in kinds.items() if not norm1000] == ["qwen2_5_vl", "mimo_vl"]
    assert {frame_rule(row.host, env={}).norm1000 == kinds[name] for name, row in BACKBONES.items()} == {True}
    assert not REFUSED.keys() & ({row.host for row in BACKBONES.values()} | BACKBONES.keys())


def test_environment_is_read_when_the_rule_is_made(monkeypatch):
    monkeypatch.setenv("IMAGE_MAX_TOKEN_NUM", "64")
    assert frame_rule("fx_qwen2_5_vl").max_tokens == 64
    monkeypatch.setattr(os, "environ", {"IMAGE_MAX_TOKEN_NUM": "65"})  # datasets swaps the object itself
    assert frame_rule("fx_qwen2_5_vl").max_tokens == 65


@pytest.mark.parametrize(
    ("factor", "min_tokens", "max_tokens"),
    [(28, 4, 16384), (28, 4, 768), (28, 1280, 1280), (32, 4, 16384), (32, 500, 1000), (28, 4, 5)],
)
def test_resized_size_is_the_hosts(factor, min_tokens, max_tokens):
    from qwen_vl_utils import smart_resize

    rule = FrameRule("fx_qwen2_5_vl", factor=factor, min_tokens=min_tokens, max_tokens=max_tokens)
    draw = random.Random(factor + max_tokens)
    sizes = [(draw.randint(28, 4000), draw.randint(28, 4000)) for _ in range(2000)]
    sizes += [(int(28 * 143 ** draw.random()), int(28 * 143 ** draw.random())) for _ in range(1000)]
    sizes += [(28, 4000), (4000, 28), (20, 4000), (3999, 3997), (28, 28), (1, 1), (1, 200)]
    refused = 0
    for width, height in sizes:
        expected = smart_resize(height, width, factor, min_tokens * factor**2, max_tokens * factor**2)[::-1]
        if min(expected):
            assert rule.frame((width, height)).frame_wh == expected, (width, height)
        else:  # the host would fail on the image itself
            refused += 1
            with pytest.raises(ValueError, match=f"{max_tokens} tokens"):
                rule.frame((width, height))
    assert refused < len(sizes) / 3


@pytest.mark.parametrize("max_pixels", [50_000, 262_144, 1_000_003])
def test_max_pixels_scales_as_the_host_does(max_pixels):
    from qwen_vl_utils import smart_resize
    from swift.template.vision_utils import rescale_image

    rule = FrameRule("fx_qwen2_5_vl", max_pixels=max_pixels)
    draw = random.Random(max_pixels)
    for _ in range(60):
        image_wh = (int(28 * 143 ** draw.random()), int(28 * 143 ** draw.random()))
        scaled = rescale_image(Image.new("L", image_wh), max_pixels)
        expected = smart_resize(scaled.height, scaled.width, 28)[::-1]
        assert rule.frame(image_wh).frame_wh == expected, image_wh


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: frame_rule("llava", env={}), ["'llava'", *TEMPLATES]),
        (lambda: frame_rule("fx_fx_qwen2_5_vl", env={}), ["'fx_fx_qwen2_5_vl'"]),
        (lambda: frame_rule("fx_internvl2_5", env={}), ["'fx_internvl2_5'", "fx_internvl3"]),
        (lambda: frame_rule("step3_vl", env={}), ["'step3_vl'", REFUSED["step3_vl"]]),
        (lambda: frame_rule("fx_gemma3_vision", env={}), ["'fx_gemma3_vision'", "GRPO", *TEMPLATES]),
        (lambda: frame_rule("fx_glm4v", norm_bbox="none", env={}), ["norm_bbox", "'none'", "fx_glm4v"]),
        (lambda: frame_rule("fx_qwen2_5_vl", norm_bbox="norm1", env={}), ["norm_bbox", "'norm1'", "'norm1000'"]),
        (lambda: frame_rule("fx_qwen2_5_vl", env={"MAX_PIXELS": "1e6"}), ["MAX_PIXELS", "'1e6'"]),
        (lambda: frame_rule("fx_qwen2_5_vl", env={"IMAGE_MIN_TOKEN_NUM": ""}), ["IMAGE_MIN_TOKEN_NUM", "''"]),
        (lambda: frame_rule("fx_qwen2_5_vl", env={"MAX_PIXELS": "700"}), ["MAX_PIXELS", "MIN_PIXELS", "found 0"]),
        (lambda: frame_rule("fx_qwen2_5_vl", env={}).frame((5629, 28)), ["200 to 1", "5629x28"]),
        (lambda: frame_rule("fx_qwen2_5_vl", max_pixels=9, env={}).frame((4000, 28)), ["4000x28", "--max_pixels"]),
        (
            lambda: frame_rule("fx_qwen2_5_vl", env={"IMAGE_MAX_TOKEN_NUM": "4"}).frame((4000, 28)),
            ["4000x28", "4 tokens of 28x28"],
        ),
        (
            lambda: frame_rule("fx_qwen2_5_vl", env={"SPATIAL_MERGE_SIZE": "0"}),
            ["SPATIAL_MERGE_SIZE", "at least 1", "'0'"],
        ),
        (lambda: frame_rule("fx_qwen2_5_vl", env={}).frame((0, 5)), ["0x5"]),
        (lambda: frame_rule("fx_qwen3_vl", env={}).frame((5, 0)), ["5x0"]),
    ],
)
def test_what_is_refused(make, words):
    with pytest.raises(ValueError) as refused:
        make()
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("xyxy_px", "xyxy_frame"),
    [
        ((34.0, 120.0, 210.0, 300.0), (33, 118, 207, 295)),  # times 504/512: 33.47, 118.1, 206.7, 295.3
        ((0.0, 0.0, 512.0, 512.0), (0, 0, 504, 504)),
        ((100.0, 10.0, 100.4, 20.0), (98, 10, 99, 20)),  # 98.4 and 98.8
        ((511.9, 511.9, 512.0, 512.0), (503, 503, 504, 504)),  # would vanish beyond the last unit
        ((0.0, 0.0, 0.1, 0.1), (0, 0, 1, 1)),
        ((10.0, 511.8, 20.0, 511.9), (10, 503, 20, 504)),
    ],
)
def test_target_box(xyxy_px, xyxy_frame):
    target = Frame((504, 504), (512, 512)).target_xyxy(xyxy_px)
    assert target == xyxy_frame
    assert all(type(value) is int for value in target)


@pytest.mark.parametrize(
    ("xyxy", "widened"),
    [
        ((3, 4, 5, 6), (3, 4, 5, 6)),
        ((3, 4, 3, 6), (3, 4, 4, 6)),
        ((3, 4, 5, 4), (3, 4, 5, 5)),
        ((0, 0, 0, 0), (0, 0, 1, 1)),
        ((10, 8, 10, 8), (9, 7, 10, 8)),
    ],
)
def test_only_a_vanished_side_is_widened(xyxy, widened):
    assert widen_xyxy(xyxy, (10, 8)) == widened


@st.composite
def boxes_in_frames(draw):
    frame = draw(FRAMES)
    ends = []
    for side in frame.image_wh:
        low = draw(st.floats(0, side, exclude_max=True))
        ends.append((low, draw(st.floats(low, side, exclude_min=True))))
    (x1, x2), (y1, y2) = ends
    return frame, (x1, y1, x2, y2)


@given(boxes_in_frames())
def test_a_target_lies_in_its_frame_and_maps_back(case):
    frame, xyxy_px = case
    target = frame.target_xyxy(xyxy_px)
    for low, high, side in ((target[0], target[2], frame.frame_wh[0]), (target[1], target[3], frame.frame_wh[1])):
        assert 0 <= low < high <= side
    back = frame.to_pixels(target)
    for there, here, units, pixels in zip(back, xyxy_px, frame.frame_wh * 2, frame.image_wh * 2, strict=True):
        assert abs(there - here) * units / pixels <= 1.5 + 1e-6  # half a unit of rounding; widening adds up to one


def test_to_pixels_neither_rounds_nor_clips():
    frame = Frame((504, 504), (512, 256))
    assert frame.to_pixels((-63, 63, 1008, 31.5)) == (-64.0, 32.0, 1024.0, 16.0)


def test_rules_compare_by_value_and_travel():
    rule = frame_rule("fx_qwen2_5_vl", max_pixels=9, env={"MAX_PIXELS": "50176"})
    again = frame_rule("fx_qwen2_5_vl", max_pixels=9, env={"IMAGE_MAX_TOKEN_NUM": "64"})
    assert rule == again
    assert hash(rule) == hash(again)
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert rule != frame_rule("fx_mimo_vl", max_pixels=9, env={"MAX_PIXELS": "50176"})
    assert rule.frame((640, 480)) is again.frame((640, 480))  # computed once


def test_active_rule_is_the_last_announced():
    before = active_rule()
    try:
        for template in ("fx_qwen2_5_vl", "fx_qwen3_vl"):
            set_active_rule(frame_rule(template, env={}))
            assert active_rule() == frame_rule(template, env={})
        set_active_rule(None)
        assert active_rule() is None
    finally:
        set_active_rule(before)


def test_neither_torch_nor_swift_is_imported():
    code = "import sys, swift_plugins.fakexplain.frames; print({'torch', 'swift', 'PIL'} & set(sys.modules))"
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
