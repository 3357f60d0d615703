"""Scores by hand, and of answers that are right."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.answer import PROBLEMS, render_answer
from swift_plugins.fakexplain.frames import TEMPLATES, frame_rule
from swift_plugins.fakexplain.prompts import VARIANTS
from swift_plugins.fakexplain.scoring.metrics import Scored, score, score_image
from swift_plugins.fakexplain.scoring.table import render_table

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
    (fake("f1", (0, 0, 256, 256)), says("[0, 0, 252, 252] Rail.", "fake")),
    # x 126..252 is 128..256, y 126..378 is 128..384: the left half of the gold box, IoU 1/2
    (fake("f2", (128, 128, 384, 384)), says("[126, 126, 252, 378] Rail.", "fake", "texture error")),
    # truncated: no verdict, so wrong; its box, clipped at x = 512, is the right half and the gold box: IoU 1
    (fake("f3", (256, 0, 512, 512)), "<think>\n[252, 0, 900, 504] Rail."),
    # no region to name and none named: IoU 1
    (fake("f4"), says("No visible flaw.", "fake", "texture error")),
    # no region to name and nothing said of regions: IoU 0; the verdict is right
    (fake("f5"), "fake"),
    # wrong; no box where there is one: IoU 0
    (fake("f6", (10, 10, 20, 20)), says("No visible flaw.", "real")),
    (real("r1"), says("No visible flaw.", "real")),
    # wrong, in a word that is known but not asked for; boxes on a real image have no IoU
    (real("r2"), says("[0, 0, 504, 504] Sky.", "generated")),
    (real("r3"), None),
]
DETAILS = [
    Scored("f1", "fake", "fake", 1.0, ()),
    Scored("f2", "fake", "fake", 0.5, ()),
    Scored("f3", "fake", None, 1.0, ("no_verdict", "unclosed")),
    Scored("f4", "fake", "fake", 1.0, ()),
    Scored("f5", "fake", "fake", 0.0, ("bare_verdict", "extra_text")),
    Scored("f6", "fake", "real", 0.0, ()),
    Scored("r1", "real", "real", None, ()),
    Scored("r2", "real", "fake", None, ("wording",)),
]
NAMED = ("no_verdict", "bare_verdict", "unclosed", "wording", "extra_text")
RESULT = {
    "n": 8,
    "accuracy": 5 / 8,  # f1, f2, f4, f5, r1
    "accuracy_fake": 4 / 6,
    "accuracy_real": 1 / 2,
    "format_rate": 5 / 8,  # f1, f2, f4, f6, r1
    "fake": 6,
    "real": 2,
    "unreadable": 1,
    "records": 9,
    "confusion": {"fake": {"fake": 4, "real": 1, "unreadable": 1}, "real": {"fake": 1, "real": 1, "unreadable": 0}},
    "iou": 3.5 / 6,
    "fake_without_regions": 2,
    "exact": 5,
    "problems": {code: int(code in NAMED) for code in PROBLEMS},
}


def test_scores_by_hand():
    details: list[Scored] = []
    result = score(iter(BY_HAND), RULE, on_image=details.append)
    assert details == DETAILS
    assert result.as_dict() == RESULT
    assert list(result.as_dict()) == list(RESULT)  # the order of the keys is a part of what is written
    assert json.loads(json.dumps(result.as_dict())) == RESULT


def test_another_frame_is_another_score():
    """Were boxes read in the wrong frame, the score would show it."""
    quarter = frame_rule("fx_qwen2_5_vl", env={"MAX_PIXELS": "50176"})  # 224x224
    assert score_image(*BY_HAND[0], quarter).iou == 256**2 / 512**2  # 252 units are more than the image
    assert score_image(*BY_HAND[0], frame_rule("fx_qwen3_vl")).iou == pytest.approx(0.252**2 / 0.5**2)
    assert score_image(*BY_HAND[0], RULE).iou == 1.0


@pytest.mark.parametrize(
    ("pairs", "iou", "accuracy"),
    [
        ([], None, None),
        ([(real("a"), None)], None, None),
        ([(real("a"), "real")], None, 1.0),
        ([(fake("a", (0, 0, 9, 9)), "")], 0.0, 0.0),
        ([(fake("a", (0, 0, 9, 9)), "[nan, 1e999, inf, 3] [0, 0, 9]")], 0.0, 0.0),
        ([(fake("a", (0, 0, 512, 512)), says("[-1e308, -9, 1.7e308, 1e300] Sky.", "fake"))], 1.0, 1.0),
        ([(fake("a", (0, 0, 9, 9)), says("[600, 600, 700, 700] Out.", "fake"))], 0.0, 1.0),
        ([(fake("a"), says("[600, 600, 700, 700] Out.", "fake"))], 1.0, 1.0),  # a box outside is no box
    ],
)
def test_edges(pairs: list, iou: float | None, accuracy: float | None):
    result = score(pairs, RULE)
    assert (result.iou, result.accuracy) == (iou, accuracy)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_right_answers_score_one(template: str, variant: str):
    """Rounding to the frame is all that parts a right answer from its record.

    A side of at least 40 units moves by at most half a unit at each end: IoU >= (40 / 41)² > 0.95.
    """
    rng = random.Random(f"{template} {variant}")
    rule = frame_rule(template, env={})
    pairs = []
    for index in range(40):
        width, height = rng.randint(64, 1500), rng.randint(64, 1500)
        frame_width, frame_height = rule.frame((width, height)).frame_wh
        least_w, least_h = 40 * width / frame_width, 40 * height / frame_height
        x, y = rng.uniform(0, width - least_w), rng.uniform(0, height - least_h)
        box = x, y, rng.uniform(x + least_w, width), rng.uniform(y + least_h, height)
        gold = fake(f"f{index}", box, wh=(width, height)) if index % 4 else real(f"r{index}")
        pairs.append((gold, render_answer(gold, variant, rule.frame(gold.image_wh)) + "\n"))
    result = score(pairs, rule, variant)
    assert (result.n, result.accuracy, result.format_rate, result.unreadable) == (40, 1.0, 1.0, 0)
    if variant in ("no_bbox", "label_only"):
        assert result.iou is None
    else:
        assert result.iou is not None
        assert 0.95 < result.iou < 1


def test_format_is_that_of_the_variant():
    text = says("[0, 0, 252, 252] Rail.", "fake")
    assert [score([(BY_HAND[0][0], text)], RULE, variant).exact for variant in VARIANTS] == [1, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="variant: expected one of full"):
        score([(BY_HAND[0][0], text)], RULE, "fulll")


def test_table():
    truncated = [(fake("f3", (256, 0, 512, 512)), "<think>\n[252, 0, 900, 504] Rail.")]
    rows = [("base", score(truncated, RULE)), ("SFT + GRPO", score(BY_HAND, RULE)), ("none", score([], RULE))]
    golden = """\
            n  accuracy  on fake  on real    IoU  format  unreadable
base        1     0.000    0.000        —  1.000   0.000           1
SFT + GRPO  8     0.625    0.667    0.500  0.583   0.625           1
none        0         —        —        —      —       —           0

answers with  base  SFT + GRPO  none
no_verdict       1           1     0  no verdict that can be read
bare_verdict     0           1     0  the whole text is a verdict, outside its block; read
unclosed         1           1     0  a part that begins and does not end; read
wording          0           1     0  a verdict, tag or box in another known way of writing
extra_text       0           1     0  text outside the parts of an answer"""
    assert render_table(rows) == golden
    exact = render_table([("gold", score([BY_HAND[0]], RULE))])
    assert exact.count("\n") == 1  # nothing to say of problems


def test_scoring_never_imports_the_host():
    import subprocess
    import sys

    code = (
        "import sys, swift_plugins.fakexplain.scoring.table, swift_plugins.fakexplain.scoring.predictions\n"
        "import swift_plugins.fakexplain.scoring.sheet\n"
        "assert not {'swift', 'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
