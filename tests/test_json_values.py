"""Fields that must be there, and numbers that pixels can have."""

from __future__ import annotations

from typing import Any

import pytest

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_values import read_box, require


def test_a_box_keeps_the_numbers_of_the_file():
    box = read_box([1, -2.5, 10**8, 0], "four numbers", "bbox")
    assert box == (1, -2.5, 10**8, 0) and [type(each) for each in box] == [int, float, int, int]


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (None, "bbox: expected four numbers, found None"),
        ((1, 2, 3, 4), "bbox: expected four numbers, found (1, 2, 3, 4)"),  # no JSON
        ("1234", "bbox: expected four numbers, found '1234'"),
        ([1, 2, 3], "bbox: expected four numbers, found [1, 2, 3]"),
        ([1, 2, 3, 4, 5], "bbox: expected four numbers, found [1, 2, 3, 4, 5]"),
        ([1, 2, 3, "4"], "bbox: expected four numbers, found '4'"),
        ([1, 2, 3, True], "bbox: expected four numbers, found True"),
        ([1, 2, 3, None], "bbox: expected four numbers, found None"),
        ([1, 2, 3, float("nan")], "bbox: expected finite numbers between -1e9 and 1e9, found nan"),
        ([1, 2, 3, float("-inf")], "bbox: expected finite numbers between -1e9 and 1e9, found -inf"),
        ([1, 2, 3, 10**400], "bbox: expected finite numbers between -1e9 and 1e9, found 1000"),
    ],
)
def test_what_is_no_box(box: Any, message: str):
    with pytest.raises(DataError) as error:
        read_box(box, "four numbers", "bbox")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("data", "kind", "found"),
    [
        ([], int, "images[0]: expected a JSON object, found []"),
        ({}, int, "images[0].id: expected an id, found nothing"),
        ({"id": True}, int, "images[0].id: expected an id, found True"),
        ({"id": True}, (int, float), "images[0].id: expected an id, found True"),
        ({"id": 1.0}, int, "images[0].id: expected an id, found 1.0"),
        ({"id": 1}, float, None),
        ({"id": True}, (bool, int), None),
        ({"id": None}, (str, type(None)), None),
    ],
)
def test_a_field_of_a_type(data: Any, kind: Any, found: str | None):
    if found is None:
        assert require(data, "id", kind, "an id", "images[0]") is data["id"]
        return
    with pytest.raises(DataError) as error:
        require(data, "id", kind, "an id", "images[0]")
    assert str(error.value) == found


@pytest.mark.parametrize("kinds", [int, float])
def test_true_is_no_number(kinds):
    with pytest.raises(DataError, match=r"^top.x: expected a number, found True"):
        require({"x": True}, "x", kinds, "a number", at="top")
