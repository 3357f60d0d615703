"""Choices of the user: shapes without an area, regions without words, captions and tags by name, images without any."""

import pytest

from converters.drafts.choices import Changes, Choices, settle_label, settle_regions, settle_tags
from converters.drafts.draft import Draft, DraftRegion, Unusable
from swift_plugins.fakexplain.errors import DataError

GOOD = DraftRegion((5, 6, 20, 18), "Hand.", "box[0]")
POINT = DraftRegion(Unusable("a shape with an area", "point", field="points[0]"), "Hand.", "points[0]")
LINE = DraftRegion((5, 6, 5, 18), "Hand.", "box[1]")
WORDLESS = DraftRegion((1, 2, 3, 4), DataError("a caption", "", field="box[2].label"), "box[2]")


def settle(*regions, **choices):
    changes = Changes()
    found = settle_regions(Draft("a.png", list(regions)), (40, 30), Choices(**choices), changes)
    return [(box, caption) for box, caption, _ in found], changes


@pytest.mark.parametrize("region", [POINT, LINE])
def test_a_shape_without_an_area_is_an_error_that_names_the_option_or_left_out(region):
    with pytest.raises(DataError, match=rf"^{region.at[:-3]}.*: expected a shape with an area; --skip-unusable"):
        settle(GOOD, region)
    assert settle(GOOD, region, skip_unusable=True) == ([((5, 6, 20, 18), "Hand.")], Changes(unusable=1))


@pytest.mark.parametrize("box", [(20, 18, 5, 6), (20, 6, 5, 18), (5, 18, 20, 6)])
def test_corners_are_put_in_order_unless_the_order_may_mean_another_notation(box):
    assert settle(GOOD._replace(box=box)) == ([((5, 6, 20, 18), "Hand.")], Changes(reordered=1))
    ordered = GOOD._replace(box=box, ordered=True)
    assert settle(ordered)[0] == [(box, "Hand.")]  # the record's check reports it


def test_a_box_may_depend_on_the_size_of_the_image():
    assert settle(GOOD._replace(box=lambda wh: (0, 0, wh[0] / 2, wh[1])))[0] == [((0, 0, 20, 30), "Hand.")]


@pytest.mark.parametrize("boxes", [[(0.1, 0.2, 0.5, 0.6)], [(0, 0, 1, 1), (0.5, 0.5, 1, 1)]])
def test_boxes_that_are_shares_of_the_image_are_an_error(boxes):
    with pytest.raises(DataError, match=r"^box\[0\].bbox: expected pixels, but every box .* shares"):
        settle(*(GOOD._replace(box=box) for box in boxes))
    assert settle(*(GOOD._replace(box=box) for box in boxes), GOOD)[1] == Changes()
    assert settle(GOOD._replace(box=(0.0, 0.0, 1.0, 1.0)))[1] == Changes()  # one pixel of a mask


def test_a_region_without_words_takes_a_caption_or_is_left_out():
    expected = r"^box\[2\].label: expected a caption; or --caption TEXT .*--caption-from NAME .*--skip-unusable"
    with pytest.raises(DataError, match=expected):
        settle(WORDLESS)
    assert settle(WORDLESS, caption="Odd.") == ([((1, 2, 3, 4), "Odd.")], Changes(captioned=1))
    assert settle(WORDLESS, skip_unusable=True) == ([], Changes(wordless=1))
    assert settle(WORDLESS._replace(may_be_wordless=True)) == ([], Changes(wordless=1))


def test_captions_come_from_the_chosen_attribute_and_other_texts_are_counted():
    region = GOOD._replace(
        attributes={"Problem": "Six fingers.", "who": "me", "occluded": "false", "kind": "texture error"}
    )
    assert settle(region)[1].texts == {"Problem": 1, "who": 1}
    found, changes = settle(region, GOOD, caption_from="problem")
    assert [caption for _, caption in found] == ["Six fingers.", "Hand."]
    assert (changes.chosen, changes.texts) == (1, {"who": 1})


def test_tags_come_from_the_chosen_attribute_of_regions_and_image():
    region = GOOD._replace(attributes={"Issue": "Wrong Texture, perspective"})
    draft = Draft("a.png", [region], ["texture_error"], fields={"ISSUE": ["artistic style"], "seed": 7})
    tags = settle_tags(draft, Choices(tag_from="issue"), Changes())
    assert tags == ["texture_error", "artistic_style", "perspective_error"] and draft.fields == {"seed": 7}
    with pytest.raises(
        DataError, match=r"^box\[0\].issue: expected one of perspective_error.* --tag-from, found 'dim'"
    ):
        settle_tags(Draft("a.png", [GOOD._replace(attributes={"issue": "dim"})]), Choices(tag_from="issue"), Changes())


@pytest.mark.parametrize(
    ("draft", "label", "unannotated", "found"),
    [
        (Draft("a"), None, "skip", None),
        (Draft("a"), None, "real", "real"),
        (Draft("a"), "fake", "skip", "fake"),
        (Draft("a", unannotated=DataError("x", "y")), "real", "skip", None),
        (Draft("a", [POINT]), "real", "real", "fake"),  # what was marked is not real
        (Draft("a", label="real"), "fake", "skip", "real"),
    ],
)
def test_an_image_without_annotation_is_what_the_user_chooses(draft, label, unannotated, found):
    assert settle_label(draft, [], label, Choices(unannotated=unannotated), Changes()) == found


def test_an_image_without_annotation_is_an_error_that_names_the_option():
    with pytest.raises(DataError, match="^label: expected .*; or --unannotated skip or real"):
        settle_label(Draft("a"), [], None, Choices(), Changes())
