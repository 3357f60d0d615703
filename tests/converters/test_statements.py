"""What is said of a whole image: read by what the values mean, kept under its name, contradicted."""

import pytest

from converters.statements import say
from swift_plugins.fakexplain.annotation import AnnotationError


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("anything", ["FAKE"], {"label": "fake"}),
        (
            "anything",
            ["Wrong Texture", "texture errors", "perspective"],
            {"tags": ["texture_error", "perspective_error"]},
        ),
        ("anything", ["fake", "Artistic Styles"], {"label": "fake", "tags": ["artistic_style"]}),
        ("anything", [], {}),
        ("light", ["dim"], {"light": "dim"}),
        ("light", ["dim", "red"], {"light": ["dim", "red"]}),
        ("light", ["dim", "fake"], {"light": ["dim", "fake"]}),
        ("stars", [4], {"stars": 4}),
        ("generator", ["real"], {"generator": "real"}),
        ("class_name", ["perspective"], {"class_name": "perspective"}),
    ],
)
def test_values_are_read_by_what_they_mean(name, values, said):
    found = {"tags": []}
    say(found, name, values, "x")
    assert found == {"tags": []} | said


@pytest.mark.parametrize("name", ["tags", "tag", "label", "verdict"])
def test_a_field_of_tags_or_label_holds_nothing_else(name):
    with pytest.raises(AnnotationError, match="^x: expected fake, real or one of perspective_error, .*, found 'dim'"):
        say({"tags": []}, name, ["fake", "dim"], "x")


def test_contradictions_are_errors_and_repetitions_are_not():
    said = {"tags": []}
    for _ in range(2):
        say(said, "verdict", ["fake"], "x")
        say(said, "light", ["dim"], "x")
    for values, name in ((["real"], "label"), (["red"], "light")):
        with pytest.raises(
            AnnotationError, match=f"x: expected one {name}, for .* was said before, found '{values[0]}'"
        ):
            say(said, "light", values, "x")
