"""Objects: what a side is read from if an object names it twice, and numbers with a point."""

from __future__ import annotations

import pytest

from swift_plugins.fakexplain.notations.objects import mark_objects, sides_of


def test_first_name_of_a_side_counts():
    twice = "left: 9, x1: 1, top: 9, y_min: 2, right: 9, xbr: 3, bottom: 9, y2: 4"
    assert sides_of(twice) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("numbers", ["1, 2, 3, 4", "0.5, 2, 30.25, 4.0"])
def test_plain_numbers_are_read_as_others(numbers):
    marked = mark_objects(f'{{"bbox": [{numbers}], "label": "six fingers"}}', False, set())
    assert marked == f"\n\ue000{numbers.replace(',', '')}\ue001 six fingers\n"
    assert mark_objects(f'{{"bbox": [{numbers}], "label": "six fingers", "id": 7}}', False, set()) == marked
