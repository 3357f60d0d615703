"""Measures of completions by hand, and their sums over processes."""

from __future__ import annotations

import pytest

from swift_plugins.fakexplain.diagnostics import MEASURES, Means, measure_completion
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.rewards import Gold
from tests.answers import answer

RULE = frame_rule("fx_qwen3_vl", env={})  # 1000x1000
HALF = Gold("fake", ((0.0, 0.0, 50.0, 100.0),), (100, 100), "full")  # [0, 0, 500, 1000]
BARE = Gold("fake", (), (100, 100), "full")  # tags alone
REAL = Gold("real", (), (100, 100), "full")

RIGHT = {"accuracy": 1, "format": 1, "unreadable": 0}
FAKE = RIGHT | {"accuracy_fake": 1}
NOTHING = {"accuracy": 0, "format": 0, "unreadable": 1}

COMPLETIONS = [
    (answer("[0, 0, 500, 1000] x"), HALF, FAKE | {"iou": 1, "boxes": 1, "box_area": 0.5, "overlap": 0, "no_box": 0}),
    # a quarter of the frame, all of it in the gold: IoU without eta
    (answer("[0, 0, 500, 500] x"), HALF, FAKE | {"iou": 0.5, "boxes": 1, "box_area": 0.25, "overlap": 0, "no_box": 0}),
    # 500 and 750 thousandths of the frame, of which 250 are in both: a fifth of 1250 is covered before
    (
        answer("[0, 0, 500, 1000] x", "[250, 0, 1000, 1000] y"),
        HALF,
        FAKE | {"iou": 0.5, "boxes": 2, "box_area": 0.625, "overlap": 0.2, "no_box": 0},
    ),
    # clipped to the frame; one outside it does not count
    (
        answer("[-1000, 0, 500, 9000] x", "[2000, 0, 3000, 1000] y"),
        HALF,
        FAKE | {"format": 0, "iou": 1, "boxes": 1, "box_area": 0.5, "overlap": 0, "no_box": 0},
    ),
    (answer(), HALF, FAKE | {"iou": 0, "boxes": 0, "no_box": 1}),
    (answer(), BARE, FAKE | {"iou": 1, "boxes": 0}),
    ("", HALF, NOTHING | {"accuracy_fake": 0, "iou": 0, "boxes": 0, "no_box": 1}),
    (None, HALF, NOTHING | {"accuracy_fake": 0, "iou": 0, "boxes": 0, "no_box": 1}),
    ("", BARE, NOTHING | {"accuracy_fake": 0, "iou": 0, "boxes": 0}),
    (answer(verdict="real"), HALF, RIGHT | {"accuracy": 0, "accuracy_fake": 0, "iou": 0, "boxes": 0, "no_box": 1}),
    (answer(verdict="real"), REAL, RIGHT | {"accuracy_real": 1}),
    (answer("[0, 0, 500, 1000] x"), REAL, RIGHT | {"accuracy": 0, "accuracy_real": 0}),
    ("fake", REAL, {"accuracy": 0, "format": 0, "unreadable": 0, "accuracy_real": 0}),
]


@pytest.mark.parametrize("text, gold, expected", COMPLETIONS)
def test_measures_by_hand(text, gold, expected):
    assert measure_completion(text, gold, RULE) == pytest.approx(expected)


@pytest.mark.parametrize("variant", ["no_bbox", "label_only"])
def test_a_variant_without_boxes_has_none_to_measure(variant):
    text = "<verdict>fake</verdict>"
    measured = measure_completion(text, HALF._replace(variant=variant), RULE)
    assert measured == FAKE | {"format": float(variant == "label_only")}


def test_the_measures_are_those_of_the_table():
    measured = [measure_completion(text, gold, RULE) for text, gold, _ in COMPLETIONS]
    assert {name for values in measured for name in values} == set(MEASURES)


def test_means_are_over_the_completions_that_a_measure_applies_to():
    means = Means()
    means.add(measure_completion(text, gold, RULE) for text, gold, _ in COMPLETIONS[:6])
    # IoU 1, 1/2, 1/2, 1, 0 and 1; boxes 1, 1, 2, 1, 0 and 0; the last two have no area, the last no annotated box
    assert means.values() == pytest.approx(
        {
            **{"accuracy": 1, "format": 5 / 6, "unreadable": 0, "accuracy_fake": 1, "iou": 4 / 6, "boxes": 5 / 6},
            **{"box_area": (0.5 + 0.25 + 0.625 + 0.5) / 4, "overlap": 0.2 / 4, "no_box": 1 / 5},
        }
    )


def test_sums_of_two_processes_give_the_means_over_all_completions():
    """Not the mean of the two means: the processes have 2 and 11 completions."""
    measured = [measure_completion(text, gold, RULE) for text, gold, _ in COMPLETIONS]
    first, second, both = Means(), Means(), Means()
    first.add(measured[:2])
    second.add(measured[2:])
    both.add(measured)
    first.sums = [a + b for a, b in zip(first.sums, second.sums, strict=True)]
    assert first.values() == pytest.approx(both.values())
    assert Means().values() == {}
