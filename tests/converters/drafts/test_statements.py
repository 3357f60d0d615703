"""Statements about a whole image: in fields named for it, by regions, kept under their names, contradicted."""

import pytest

from converters.drafts.statements import ABOUT, CAPTIONS, TAGGED, Statement, add_field, add_region, caption_among
from swift_plugins.fakexplain.errors import DataError


@pytest.mark.parametrize(
    "name", ["label", "verdict", "tags", "Tag", "choice", "image_label", "Final Verdict", "my-tags"]
)
@pytest.mark.parametrize(
    ("values", "stated"),
    [
        (["FAKE"], {"label": "fake"}),
        (["Wrong Texture", "texture errors", "perspective"], {"tags": ["texture_error", "perspective_error"]}),
        (["fake", "Artistic Styles"], {"label": "fake", "tags": ["artistic_style"]}),
        ([" wrong texture, Artistic Styles,"], {"tags": ["texture_error", "artistic_style"]}),
        (["Structure, attribute error"], {"tags": ["structure_attribute_error"]}),  # one tag, its comma is within it
        ([","], {}),
        ([], {}),
    ],
)
def test_fields_named_for_it_are_read_by_what_their_values_mean(name, values, stated):
    found = {"tags": []}
    add_field(found, name, values, "x")
    assert found == {"tags": []} | stated


@pytest.mark.parametrize(
    ("name", "values", "kept"),
    [
        ("background", ["real"], "real"),
        ("view", ["perspective"], "perspective"),
        ("what is wrong", ["Wrong Texture", "fake"], ["Wrong Texture", "fake"]),
        ("generator", ["real"], "real"),
        ("class_name", ["perspective"], "perspective"),
        ("stage", ["fake"], "fake"),  # holds `tag`, but is none
        ("vintage", ["real"], "real"),
        ("rooms", [","], ","),
        ("stars", [4], 4),
        # named for it, and yet about something else
        ("light_label", ["dim"], "dim"),
        ("light_label", ["dim, red"], "dim, red"),
        ("light_label", ["dim", "fake"], ["dim", "fake"]),
        ("choices", [4], 4),
        ("image_tags", ["texture error, shiny"], "texture error, shiny"),
    ],
)
def test_other_fields_are_kept_whatever_they_hold(name, values, kept):
    found = {"tags": []}
    add_field(found, name, values, "x")
    assert found == {"tags": [], name: kept}


@pytest.mark.parametrize("name", ["tags", "tag", "label", "verdict", "Label"])
@pytest.mark.parametrize("values", [["fake", "dim"], ["texture error, dim"]])
def test_a_field_of_tags_or_label_holds_nothing_else(name, values):
    with pytest.raises(DataError, match="^x: expected fake, real or one of perspective_error, .*, found 'dim'"):
        add_field({"tags": []}, name, values, "x")


def test_contradictions_are_errors_and_repetitions_are_not():
    named = {"tags": []}
    for _ in range(2):
        add_field(named, "verdict", ["fake"], "x")
        add_field(named, "light", ["dim"], "x")
    for name, values, what in (("choice", ["real"], "label"), ("light", ["red"], "light")):
        with pytest.raises(
            DataError, match=f"x: expected one {what}, but an earlier statement is .*, found '{values[0]}'"
        ):
            add_field(named, name, values, "x")


@pytest.mark.parametrize(
    ("labels", "attributes", "tags"),
    [
        (["Wrong Texture"], {}, ["texture_error"]),
        (["flaw", None, 7, "Perspective"], {}, ["texture_error", "perspective_error"]),
        ([], {"tag": "Artistic Style"}, ["texture_error", "artistic_style"]),
        (["perspective"], {"tags": "other anomaly, texture error, dim"}, None),
        ([], {"tags": ["Unknown object", 7, None]}, ["texture_error", "unknown_object"]),
        ([], {"tags": {"texture_error": True}, "tag": 7, "kind": "perspective", "label": "fake"}, ["texture_error"]),
    ],
)
def test_tags_of_a_region_are_the_images_once_and_in_order(labels, attributes, tags):
    statement = Statement(tags=["texture_error"])
    add_region(statement, labels, attributes, "x")
    assert statement == Statement(tags=tags or ["texture_error", "perspective_error", "other_anomaly"])


@pytest.mark.parametrize("name", ABOUT)
def test_what_all_regions_say_of_the_image_is_the_images(name):
    statement = Statement()
    for value in (None, " ", " A ", "A", ""):
        add_region(statement, [], {name: value, "id": "r", "note": "b"}, "x")
    assert statement == Statement(fields={name: "A"})
    numbered = Statement()
    add_region(numbered, [], {name: 7}, "x")
    assert numbered.fields == {name: "7"}
    with pytest.raises(
        DataError, match=rf"^y\.{name}: expected one {name}, but an earlier statement is 'A', found 'B'"
    ):
        add_region(statement, [], {name: "B"}, "y")
    for value in (0.5, True, ["A"], {"A": True}):
        with pytest.raises(DataError, match=rf"^y\.{name}: expected a non-empty string, found"):
            add_region(statement, [], {name: value}, "y")


def test_names_of_a_caption_go_before_each_other():
    assert CAPTIONS == ("caption", "description", "comment", "explanation", "text", "note", "reason")
    for index, name in enumerate(CAPTIONS):
        blank = dict(zip(CAPTIONS[:index], [None, " ", 7, "\n", True, []], strict=False))
        later = dict.fromkeys(CAPTIONS[index + 1 :], "Later.")
        assert caption_among({**later, **blank, name: "Six\n fingers."}) == "Six fingers."
    assert caption_among({"kind": "hand", "title": "Six."}) == "" and not {*ABOUT, *TAGGED} & {*CAPTIONS}
