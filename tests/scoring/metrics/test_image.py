"""Scores of one image by hand: answers, silence, and baselines."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.answer import render_answer
from swift_plugins.fakexplain.backbones import TEMPLATES
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.matching import BoxCounts
from swift_plugins.fakexplain.scoring.metrics.image import (
    Outputs,
    Scored,
    score_baseline,
    score_image,
    score_missing_answer,
)
from swift_plugins.fakexplain.scoring.predictions.labels import BaselinePrediction
from swift_plugins.fakexplain.variants import VARIANTS

RULE = frame_rule("fx_qwen2_5_vl", env={})  # a 512x512 image is 504x504 to it: a unit is 64/63 pixels


def fake(id: str, *boxes: tuple[float, float, float, float], wh: tuple[int, int] = (512, 512)) -> Annotation:
    regions = tuple(Region(box, "Rail with a bend.") for box in boxes)
    return Annotation(id, f"{id}.png", *wh, "fake", regions, ("texture_error",))


def real(id: str) -> Annotation:
    return Annotation(id, f"{id}.png", 512, 512, "real")


def says(think: str, verdict: str, tag: str = "none") -> str:
    return f"<think>\n{think}\n</think>\n<tag>{tag}</tag>\n<verdict>{verdict}</verdict>"


BY_HAND = [
    # 252 units are 256 pixels: IoU exactly 1 (252²/256² = 0.969 were the answer taken for pixels)
    (fake("f1", (0, 0, 256, 256)), says("[0, 0, 252, 252] Rail.", "fake"), "fake", 1.0, ()),
    # x 126..252 is 128..256, y 126..378 is 128..384: the left half of the gold box, IoU 1/2
    (fake("f2", (128, 128, 384, 384)), says("[126, 126, 252, 378] Rail.", "fake", "texture error"), "fake", 0.5, ()),
    # truncated: no verdict; its box, clipped at x = 512, is the right half and the gold box: IoU 1
    (
        fake("f3", (256, 0, 512, 512)),
        "<think>\n[252, 0, 900, 504] Rail.",
        None,
        1.0,
        ("no_verdict", "beyond_frame", "unclosed"),
    ),
    # no annotated region, and the answer says so: IoU 1
    (fake("f4"), says("No visible flaw.", "fake", "texture error"), "fake", 1.0, ()),
    # no annotated region, but the answer does not mention regions: IoU 0; the verdict is right
    (fake("f5"), "fake", "fake", 0.0, ("bare_verdict", "extra_text")),
    # wrong; no box although one is annotated: IoU 0
    (fake("f6", (10, 10, 20, 20)), says("No visible flaw.", "real"), "real", 0.0, ()),
    (real("r1"), says("No visible flaw.", "real"), "real", None, ()),
    # wrong, in a known word that is not the requested one; boxes on a real image have no IoU
    (real("r2"), says("[0, 0, 504, 504] Sky.", "generated"), "fake", None, ("wording",)),
    # base models: other notations, read and not exact
    (
        fake("b1", (0, 0, 256, 256)),
        '```json\n[{"bbox_2d": [0, 0, 252, 252], "label": "rail"}]\n```\nThe image is fake.',
        "fake",
        1.0,
        ("sentence_verdict", "wording", "extra_text"),
    ),
    (fake("e1", (0, 0, 9, 9)), "", None, 0.0, ("no_verdict",)),
    (fake("e2", (0, 0, 9, 9)), "[nan, 1e999, inf, 3] [0, 0, 9]", None, 0.0, None),
    (fake("e3", (0, 0, 512, 512)), says("[-1e308, -9, 1.7e308, 1e300] Sky.", "fake"), "fake", 1.0, None),
    (fake("e4", (0, 0, 9, 9)), says("[600, 600, 700, 700] Out.", "fake"), "fake", 0.0, ("outside_frame",)),
    # regions of which none counts are not "no region"
    (fake("e5"), says("[600, 600, 700, 700] Out.", "fake"), "fake", 0.0, ("outside_frame",)),
    (fake("e6"), says("[90, 8, 12, 60] Out.", "fake"), "fake", 0.0, ("inverted_box",)),
    (fake("e7"), says("[1, 2, 3] Out.", "fake"), "fake", 0.0, ("bad_box",)),
]


@pytest.mark.parametrize(
    ("annotation", "text", "verdict", "iou", "problems"), BY_HAND, ids=lambda v: getattr(v, "id", "")
)
def test_answers_by_hand(
    annotation: Annotation, text: str, verdict: str | None, iou: float | None, problems: tuple | None
):
    scored = score_image(annotation, text, RULE, p_fake=0.25)
    assert (scored.label, scored.verdict, scored.iou, scored.p_fake) == (annotation.label, verdict, iou, 0.25)
    assert scored.answered
    assert scored.right == (verdict == annotation.label)
    assert scored.exact == (not set(scored.problems) - {"outside_frame"})  # the format does not depend on the frame
    assert problems is None or scored.problems == problems


def test_everything_of_one_answer():
    gold = Annotation(
        "a", "a.png", 512, 512, "fake",
        (Region((0, 256, 256, 512), "Sky."), Region((0, 0, 256, 256), "Bent rail.")), ("artistic_style",),
    )  # fmt: skip
    text = says("[0, 0, 126, 252] Rail.\n[0, 504, 504, 900] Ground.", "fake", "texture error")
    assert score_image(gold, text, RULE) == Scored(
        "fake",
        "fake",
        iou=0.25,  # 128 x 256 of 256 x 512
        problems=("outside_frame",),
        exact=True,
        regions=(Region((0.0, 0.0, 128.0, 256.0), "Rail."),),  # the other one lies below the image
        tags=("texture_error",),
        boxes=BoxCounts(hits=1, pred=1, gold=2, matched=1, iou_sum=0.5),
        fragments=(1, 0.125, 0.0),
        text=(("Rail.", "Ground."), ("Bent rail.", "Sky.")),  # in reading order
        matched=((("Rail.",), ("Bent rail.",)),),
    )


@pytest.mark.parametrize(
    ("variant", "iou", "tags", "text"),
    [
        ("full", True, True, True),
        ("no_bbox", False, True, True),
        ("no_caption", True, True, False),
        ("no_tags", True, False, True),
        ("label_only", False, False, False),
    ],
)
def test_parts_that_were_not_asked_for_are_not_scored(variant: str, iou: bool, tags: bool, text: bool):
    gold = fake("a", (0, 0, 256, 256))
    right = render_answer(gold, variant, RULE.frame((512, 512)))
    for scored in (score_image(gold, right, RULE, variant), score_missing_answer(gold, variant)):
        have = [each is not None for each in (scored.iou, scored.boxes, scored.tags, scored.text)]
        assert have == [iou, iou, tags, text]


def test_silence_is_wrong_in_everything():
    gold = fake("a", (0, 0, 256, 256))
    assert score_missing_answer(gold) == Scored(
        "fake",
        answered=False,
        iou=0.0,
        exact=False,
        tags=(),
        boxes=BoxCounts(0, 0, 1, 0, 0),
        text=((), ("Rail with a bend.",)),
    )
    assert score_missing_answer(fake("b")).iou == 0.0  # no annotated region, but the answer does not say so
    assert score_missing_answer(real("c")) == Scored("real", answered=False, exact=False, tags=())


def said(**fields) -> BaselinePrediction:
    return BaselinePrediction("a.png", **fields)


@pytest.mark.parametrize(
    ("gold", "prediction", "outputs", "verdict", "iou"),
    [
        (fake("a", (0, 0, 256, 256)), said(verdict="fake", score=3.5), Outputs(), "fake", None),
        (fake("a", (0, 0, 256, 256)), None, Outputs(), None, None),
        (real("r"), said(verdict="real", boxes=((0, 0, 9, 9),)), Outputs(boxes=True), "real", None),
        # half of it, reaching out of the image
        (fake("a", (0, 0, 256, 256)), said(boxes=((-50, -50, 128, 256),)), Outputs(boxes=True), None, 0.5),
        (fake("a", (0, 0, 256, 256)), said(boxes=()), Outputs(boxes=True), None, 0.0),
        (fake("a"), said(boxes=()), Outputs(boxes=True), None, 1.0),
        (fake("a"), said(boxes=((600, 0, 700, 9),)), Outputs(boxes=True), None, 0.0),
        (fake("a"), said(verdict="fake"), Outputs(boxes=True), "fake", 0.0),  # it gave no boxes
        (fake("a"), None, Outputs(boxes=True), None, 0.0),
        (fake("a", (0, 0, 9, 9)), said(verdict="real"), Outputs(masks=True), "real", 0.0),  # no mask is an empty one
        (fake("a"), said(verdict="fake"), Outputs(masks=True), "fake", 1.0),
        (fake("a"), None, Outputs(masks=True), None, 0.0),
    ],
)
def test_baselines_by_hand(gold, prediction, outputs: Outputs, verdict: str | None, iou: float | None):
    scored = score_baseline(gold, prediction, outputs)
    assert (scored.verdict, scored.iou, scored.answered) == (verdict, iou, prediction is not None)
    assert (scored.exact, scored.tags, scored.text, scored.problems) == (None, None, None, ())
    assert scored.p_fake == (prediction.score if prediction else None)


def test_a_mask_by_hand(tmp_path: Path):
    mask = np.zeros((512, 512), np.uint8)
    mask[:256, :128] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    scored = score_baseline(fake("a", (0, 0, 256, 256)), said(mask=str(tmp_path / "m.png")), Outputs(masks=True))
    assert (scored.iou, scored.boxes) == (0.5, None)


def test_another_frame_changes_the_score():
    """Boxes read in the wrong frame would change the score."""
    annotation, text, *_ = BY_HAND[0]
    quarter = frame_rule("fx_qwen2_5_vl", env={"MAX_PIXELS": "50176"})  # 224x224
    assert score_image(annotation, text, quarter).iou == 256**2 / 512**2  # 252 units are more than the image
    assert score_image(annotation, text, frame_rule("fx_qwen3_vl")).iou == pytest.approx(0.252**2 / 0.5**2)
    assert score_image(annotation, text, RULE).iou == 1.0


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_right_answers_score_one(template: str, variant: str):
    """A right answer differs from its record only by rounding to the frame.

    A side of at least 40 units moves by at most half a unit at each end: IoU >= (40 / 41)² > 0.95.
    """
    rng = random.Random(f"{template} {variant}")
    rule = frame_rule(template, env={})
    for index in range(40):
        width, height = rng.randint(64, 1500), rng.randint(64, 1500)
        frame_width, frame_height = rule.frame((width, height)).frame_wh
        least_w, least_h = 40 * width / frame_width, 40 * height / frame_height
        x, y = rng.uniform(0, width - least_w), rng.uniform(0, height - least_h)
        box = x, y, rng.uniform(x + least_w, width), rng.uniform(y + least_h, height)
        gold = fake(f"f{index}", box, wh=(width, height)) if index % 4 else real(f"r{index}")
        scored = score_image(gold, render_answer(gold, variant, rule.frame(gold.image_wh)) + "\n", rule, variant)
        assert scored.right and scored.exact
        if gold.label == "real" or variant in ("no_bbox", "label_only"):
            assert scored.iou is None
        else:
            assert scored.iou is not None and 0.95 < scored.iou <= 1


def test_the_variant_decides_the_format():
    annotation, text, *_ = BY_HAND[0]
    assert [score_image(annotation, text, RULE, variant).exact for variant in VARIANTS] == [True] + [False] * 4
    with pytest.raises(ValueError, match="variant: expected one of full"):
        score_image(annotation, text, RULE, "fulll")


def test_scoring_never_imports_the_host():
    import subprocess
    import sys

    code = (
        "import sys, swift_plugins.fakexplain.scoring.tables.terminal, swift_plugins.fakexplain.scoring.run\n"
        "import swift_plugins.fakexplain.scoring.pictures.sheet\n"
        "assert not {'swift', 'torch', 'transformers', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
