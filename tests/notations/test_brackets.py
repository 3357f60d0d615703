"""Boxes are found alike whether one kind of bracket or several stand in a text."""

from __future__ import annotations

import pytest

from swift_plugins.fakexplain.notations.brackets import BOX, find_boxes, numbers_of

TEXTS = {
    "[1, 2, 3, 4] a [5 6 7 8] b [x1, y1, x2, y2] c [1, 2, 3] d [1 to 2, 3, 4] e [12 px, 3, 4, 5] f [word-3] g": 6,
    "(1, 2, 3, 4) a (1, 2) to (3, 4) b (5 6 7 8) c (1, 2, 3, 4 d (see 3.2) e (12 + 3) f (a, b, c, d)": 3,
    "［1，2，3，4］ a\n［5；6；7；8］ b": 2,
    "{1, 2, 3, 4} a {hand}": 1,
}


@pytest.mark.parametrize("text", TEXTS)
def test_one_kind_of_bracket_alone(text):
    boxes = list(find_boxes(text, set(), False))
    found = [match.group() for _, match in boxes]
    assert len(found) == TEXTS[text]
    assert text.startswith("".join(gap + match.group() for gap, match in boxes))
    assert found == [match.group() for _, match in find_boxes(f"{text} < [ ( {{", set(), False)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("[1, 2, 3, 4]", ("1", "2", "3", "4")),
        ("(1, 2), (3, 4)", ("1", "2", "3", "4")),
        ("(1, 2) to the bottom right at (3, 4)", ("1", "2", "3", "4")),
        ("[1 2.5 3 4]", ("1", "2.5", "3", "4")),
        ("(1 2.5 3 4)", ("1", "2.5", "3", "4")),
        ("\ue0001 2 3 4\ue001", ("1", "2", "3", "4")),
        ("[1, 2, 3]", None),
        ("(1, 2, 3, 4", None),
    ],
)
def test_numbers_of_each_form(text, numbers):
    match = BOX.search(text)
    assert match and numbers_of(match) == numbers
