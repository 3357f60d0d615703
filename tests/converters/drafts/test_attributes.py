"""Attributes: blank values, names in any case, values chosen."""

import pytest

from converters.drafts.attributes import by_name, chosen, is_empty, text_of


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "none",
        "NONE",
        "undefined",
        "__undefined__",
        "Empty",
        "null",
        "Select...",
        "-- select --",
        "n/a",
        "...",
        "<none>",
        "Please select",
        "select an option",
        "Nothing selected",
        None,
        [],
        {},
        float("nan"),
    ],
)
def test_what_tools_write_for_nothing_is_blank(value):
    assert is_empty(value) and chosen(value) == [] and text_of(value) == ""
    assert by_name({"a": value}) == {}


@pytest.mark.parametrize("value", ["None of the fingers bend.", "no", "empty eyes", "null island", 0, False, "select2"])
def test_other_values_are_not(value):
    assert not is_empty(value) and by_name({"A": value}) == {"a": value}


@pytest.mark.parametrize("names", [("note", "NOTE"), ("NOTE", "note")])
def test_of_two_names_that_differ_in_case_the_lower_one_counts(names):
    assert by_name({name: name for name in names}) == {"note": "note"}
