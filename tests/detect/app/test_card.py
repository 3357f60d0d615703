"""The answer about an image as HTML: what it says, and that texts of the model are only text."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import Region
from swift_plugins.fakexplain.detect.app.card import reasons, render_card, sorry
from swift_plugins.fakexplain.detect.detection import Detection
from swift_plugins.fakexplain.operating_point import OperatingPoint
from tests.scoring.report.in_browser.browser import HOSTILE

POINT = OperatingPoint(0.95, (0.5, 0.95), 0.01, 0.02, 300, 2, 1.0, "runs/main", "7B")
REGIONS = (Region((10.0, 10.0, 20.0, 40.0), "Small."), Region((0.0, 0.0, 100.0, 50.0), "Large."))


def detection(**changes) -> Detection:
    given = {"label": "fake", "verdict": "fake", "p_fake": 0.97, "regions": REGIONS, "tags": ("texture_error",)}
    return Detection(
        **{"id": "a", "path": Path("a.png"), "image_wh": (100, 50), "problems": (), "answer": "…", "seconds": 0.1}
        | given
        | changes
    )


def card(found: Detection, name: str = "a.png", truth: str | None = None) -> str:
    return render_card(name, found, Image.new("RGB", (8, 4)), None, truth)


SURE = "P(fake) is 97.0 %: very likely fake, as the model itself estimates."


@pytest.mark.parametrize(
    "changes, point, sentences",
    [
        ({}, None, [SURE]),
        ({}, POINT, ["P(fake) is 97.0 %, calibrated 97.0 %: very likely fake."]),
        (
            {"verdict": "unsure", "p_fake": 0.7},
            POINT,
            [
                "P(fake) is 70.0 %, calibrated 70.0 %: more likely fake than real.",
                "From 50.0 % to 95.0 %, nothing is decided. The model's own verdict is fake.",
            ],
        ),
        (
            {"label": None, "verdict": "unsure", "p_fake": None},
            POINT,
            [
                "P(fake) is not known: the model gives no probability for its verdict.",
                "Its answer holds no verdict that can be read, so nothing is decided.",
            ],
        ),
        (
            {"label": "real", "verdict": "unsure", "problems": ("real_with_flaws",)},
            None,
            [SURE, "Its answer says real but names flaws: it contradicts itself."],
        ),
        ({"label": "real"}, None, [SURE, "The model's own verdict is real."]),
        ({"agreement": 0.75, "samples": 4}, None, [SURE, "75.0 % of 4 answers agree with this verdict."]),
        (
            {"label": "fake", "verdict": "unsure", "p_fake": None},
            POINT,
            [
                "P(fake) is not known: the model gives no probability for its verdict.",
                "Without it nothing is decided. The model's own verdict is fake.",
            ],
        ),
    ],
)
def test_the_verdict_is_explained(changes, point, sentences):
    assert reasons(detection(**changes), point) == sentences


def test_boxes_have_places_captions_and_rows_and_small_ones_lie_on_top():
    html = card(detection(), truth="fake")
    assert "Label in the data set: fake." in html
    assert html.index('title="Large."') < html.index('title="Small."')
    assert "left:10.0%;top:20.0%;width:10.0%;height:60.0%" in html
    rows = re.findall(r'<li class="(fx-r\d)"><span class="fx-mark">(\w)</span><span>(\w+)\.', html)
    assert rows == [("fx-r0", "a", "Small"), ("fx-r1", "b", "Large")]
    boxes = dict(re.findall(r'<div class="fx-box (fx-r\d)"[^>]*title="(\w+)\.', html))
    assert boxes == {"fx-r0": "Small", "fx-r1": "Large"}
    assert "texture error" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_from_outside_are_only_text(text):
    found = detection(regions=(Region((0.0, 0.0, 9.0, 9.0), text),), answer=text, problems=("no_verdict",))
    html = card(found, name=text) + sorry(text)
    assert "<script" not in html and "<img src=x" not in html
    assert html.count(escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")) >= 5
