"""Boxes in their places, and badges that hide nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from swift_plugins.fakexplain.pictures.colours import GOLD, INK, PAPER, PRED
from swift_plugins.fakexplain.pictures.lettering import Pen
from swift_plugins.fakexplain.pictures.overlay import draw_badge, draw_boxes, place_badges
from tests.pictures.pixels import outline, spots

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
    assert {canvas.getpixel(spot) for spot in inner} == {BLACK}  # nothing covers the content of the boxes


def test_boxes_that_coincide_show_both_colours():
    canvas = Image.new("RGB", (360, 360))
    box = (100.0, 120.0, 200.0, 260.0)
    draw_boxes(canvas, {"1": box}, {"a": box}, Pen(360))
    edge = outline(100, 120, 199, 259)
    shares = [len(edge & spots(canvas, colour)) / len(edge) for colour in (GOLD, PRED)]
    assert min(shares) > 0.15


def overlaps(a: tuple, b: tuple) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def badge_boxes(boxes: list, sizes: list, picture: tuple[int, int], upward: list[bool]) -> list[tuple]:
    places = place_badges(boxes, sizes, picture, upward=upward)
    return [(x, y, x + width, y + height) for (x, y), (width, height) in zip(places, sizes, strict=True)]


@pytest.mark.parametrize(
    "boxes",
    [
        [(0, 0, 359, 359)],
        [(0, 0, 359, 359)] * 3,
        [(0, 0, 4, 4), (355, 355, 359, 359)],
        [(50, 50, 90, 90), (60, 60, 100, 100), (70, 70, 110, 110), (80, 80, 120, 120)],
        [(100, 100, 140, 140)] * 30,
    ],
)
def test_badges_stay_in_the_picture_and_apart(boxes: list):
    twice = [each for each in boxes for _ in range(2)]
    badges = badge_boxes(twice, [(20, 20)] * len(twice), (360, 360), [False, True] * len(boxes))
    assert all(min(x1, y1) >= 0 and max(x2, y2) <= 360 for x1, y1, x2, y2 in badges)
    assert not any(overlaps(a, b) for i, a in enumerate(badges) for b in badges[:i])


@given(st.integers(0, 2**32), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_badges_never_overlap_if_there_is_room(seed: int, count: int):
    """Twenty badges fill 5 % of the picture, so the searched grid always has a free place."""
    rng = random.Random(seed)
    boxes = []
    for _ in range(count):
        x, y = rng.randint(0, 390), rng.randint(0, 290)
        boxes.append((x, y, rng.randint(x + 4, 399), rng.randint(y + 4, 299)))
    sizes = [(rng.choice([16, 24]), 16) for _ in boxes]
    badges = badge_boxes(boxes, sizes, (400, 300), [rng.random() < 0.5 for _ in boxes])
    assert all(x1 >= 0 and y1 >= 0 and x2 <= 400 and y2 <= 300 for x1, y1, x2, y2 in badges)
    assert not any(overlaps(a, b) for i, a in enumerate(badges) for b in badges[:i])


def test_a_badge_moves_no_farther_than_it_must():
    first, second = badge_boxes([(40, 40, 60, 60)] * 2, [(20, 20)] * 2, (100, 100), [False, False])
    assert first == (40, 20, 60, 40)
    assert max(40 - second[2], second[0] - 60, 40 - second[3], second[1] - 60) <= 10


def test_a_badge_prefers_its_box_if_that_hides_no_more():
    """The badge of a box in the corner of a box that fills the picture lies below it, not beyond its corner."""
    whole, corner = (0, 0, 479, 359), (468, 0, 479, 11)
    _, badge = badge_boxes([whole, corner], [(27, 27)] * 2, (480, 360), [False, True])
    assert badge == (441, 12, 468, 39)


def test_a_picture_full_of_badges_keeps_them_in_it():
    badges = badge_boxes([(0, 0, 20, 20)] * 9, [(16, 16)] * 9, (24, 24), [False] * 9)
    assert all(min(x1, y1) >= 0 and max(x2, y2) <= 24 for x1, y1, x2, y2 in badges)


@pytest.mark.parametrize(("ground", "ink"), [(GOLD, PAPER), (PRED, INK)])
def test_marks_are_readable_on_their_badges(ground: tuple, ink: tuple):
    """The contrast that WCAG requires of text is at least 4.5."""

    def luminance(colour: tuple) -> float:
        parts = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    darker, lighter = sorted(map(luminance, (ground, ink)))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
    badge = draw_badge("m", ground, Pen(720))
    assert len(spots(badge, ground)) > 100 and len(spots(badge, ink)) > 20
