"""Boxes where they belong, badges that hide nothing."""

from __future__ import annotations

import pytest
from PIL import Image

from swift_plugins.fakexplain.scoring import overlay
from swift_plugins.fakexplain.scoring.lettering import Pen
from swift_plugins.fakexplain.scoring.overlay import GOLD, PRED, draw_boxes
from tests.scoring.pixels import outline, spots

BLACK = (0, 0, 0)


def test_annotated_box_is_a_closed_outline_and_predicted_one_is_dashed():
    canvas = Image.new("RGB", (360, 360))
    draw_boxes(canvas, {"1": (100.0, 120.0, 200.0, 260.0)}, {"a": (210.0, 50.0, 330.0, 110.0)}, Pen(360))
    gold, pred = spots(canvas, GOLD), spots(canvas, PRED)
    assert outline(100, 120, 199, 259) <= gold
    assert max(x for x, y in gold if y < 250) == 199  # the box ends before x = 200
    edge = outline(210, 50, 329, 109)
    assert {(210, 50), (329, 50), (210, 109), (329, 109)} <= pred  # corners are drawn
    assert 0.5 < len(edge & pred) / len(edge) < 0.8  # and gaps are left
    inner = {(x, y) for x in range(104, 196) for y in range(124, 256)} | {
        (x, y) for x in range(214, 326) for y in range(54, 106)
    }
    assert {canvas.getpixel(spot) for spot in inner} == {BLACK}  # nothing covers what the boxes show


def test_boxes_that_coincide_show_both_colours():
    canvas = Image.new("RGB", (360, 360))
    box = (100.0, 120.0, 200.0, 260.0)
    draw_boxes(canvas, {"1": box}, {"a": box}, Pen(360))
    edge = outline(100, 120, 199, 259)
    shares = [len(edge & spots(canvas, colour)) / len(edge) for colour in (GOLD, PRED)]
    assert min(shares) > 0.15


@pytest.mark.parametrize(
    "boxes",
    [
        [(0, 0, 360, 360)],
        [(0, 0, 360, 360), (0, 0, 360, 360), (0, 0, 360, 360)],
        [(0, 0, 1, 1), (359.9, 359.9, 360, 360)],
        [(50, 50, 90, 90), (60, 60, 100, 100), (70, 70, 110, 110), (80, 80, 120, 120)],
    ],
)
def test_badges_stay_in_the_picture_and_apart(boxes: list, monkeypatch: pytest.MonkeyPatch):
    places = []
    place = overlay._place
    monkeypatch.setattr(
        overlay,
        "_place",
        lambda size, *rest, **more: places.append((size, place(size, *rest, **more))) or places[-1][1],
    )
    canvas = Image.new("RGB", (360, 360))
    draw_boxes(canvas, dict(zip("123456", boxes, strict=False)), dict(zip("abcdef", boxes, strict=False)), Pen(360))
    frames = [(x, y, x + width, y + height) for (width, height), (x, y) in places]
    assert len(frames) == 2 * len(boxes)
    assert all(min(x1, y1) >= 0 and max(x2, y2) <= 360 for x1, y1, x2, y2 in frames)
    for index, one in enumerate(frames):
        assert not any(overlay._overlap(one, other) for other in frames[:index])
