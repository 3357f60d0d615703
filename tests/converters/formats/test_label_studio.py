"""Label Studio: the stored export, shapes, captions, what choices say, annotators, what is skipped and counted."""

import json

import pytest

from converters.convert import Changes
from converters.formats.label_studio import from_label_studio
from swift_plugins.fakexplain.errors import DataError
from tests.converters.content import without
from tests.converters.formats.label_studio_parts import (
    ELLIPSE,
    POLYGON,
    RECTANGLE,
    annotation,
    choice,
    one,
    shape,
    task,
    text,
)
from tests.converters.goldens import check_golden
from tests.converters.reading import peak_of_reading, pictures
from tests.converters.rows import records


def test_golden(tmp_path):
    changes = Changes()
    check_golden("label-studio", tmp_path, changes=changes)
    assert changes == Changes(turned=1, circumscribed=1, renamed=1)


@pytest.mark.parametrize(
    ("result", "box"),
    [
        (shape(), (4, 6, 24, 21)),
        (shape("rectangle"), (4, 6, 24, 21)),
        # the same three as the editor draws them: corners at (8, 18), (32, 6), and the centre (20, 15)
        (shape(value={"x": 20, "y": 60, "width": 20, "height": 20, "rotation": 30}), (5, 18, 14.928203, 27.196152)),
        (shape(value={"x": 80, "y": 20, "width": 20, "height": 20, "rotation": 90}), (26, 6, 32, 14)),
        (shape("ellipselabels", ELLIPSE | {"rotation": 90}), (17, 7, 23, 23)),
        (shape("ellipselabels", ELLIPSE), (12, 12, 28, 18)),
        (shape("ellipse", ELLIPSE), (12, 12, 28, 18)),
        (shape("polygonlabels", POLYGON), (4, 3, 20, 27)),
        (shape("polygon", POLYGON), (4, 3, 20, 27)),
        # drawn in a view that was turned to the right, at 10 to 30 % of its width and 10 to 20 % of its height
        (
            shape(value=dict(zip(RECTANGLE, (9.989, 69.996, 9.989, 20.051), strict=True)), image_rotation=90),
            (3.9956, 20.9988, 7.9912, 27.0141),
        ),
        (shape(value={"x": 100 / 3, "y": 100 / 3, "width": 100 / 6, "height": 100 / 6}), (13.333333, 10, 20, 15)),
    ],
)  # fmt: skip
def test_every_shape_gives_its_tight_box_in_pixels(result, box):
    draft = one(result, text("Hand."))
    assert [each[:2] for each in draft.regions] == [(box, "Hand.")] and draft.wh == (40, 30)


@pytest.mark.parametrize(
    ("results", "caption"),
    [
        ([shape(), text("Hand.")], "Hand."),
        ([text("Hand."), shape()], "Hand."),
        ([shape(), text("Two\n lines", "of text.")], "Two lines of text."),
        ([shape(meta={"text": ["Noted."]}), text("Hand.")], "Hand."),
        ([shape(meta={"text": ["Noted."]}), text(" ")], "Noted."),
        ([shape(meta={"text": "Noted."})], "Noted."),
        ([shape(labels=["hand", "six fingers"])], "hand, six fingers"),
        ([shape("rectangle"), choice("hand", id="r", kind="labels")], "hand"),
        ([shape("rectangle"), choice("hand", id="r")], "hand"),
        ([shape(), text("WAIT", name="ocr"), text("Hand.")], "Hand."),
        ([shape(), text("Hand.", name="what")], "Hand."),
        ([shape(), {**text(), "value": {"text": "Hand."}}], "Hand."),
    ],
)
def test_a_caption_is_a_text_area_or_meta_or_a_label(results, caption):
    assert one(*results).regions[0].caption == caption


def test_each_region_has_its_own_text():
    draft = one(shape(id="a"), shape(id="b"), text("B.", id="b"), text("A.", id="a"))
    assert [region.caption for region in draft.regions] == ["A.", "B."]


def test_choices_and_texts_of_the_image_are_read_by_name_and_by_what_they_mean():
    draft = one(
        choice("Fake", name="choice"),
        choice("Wrong Texture", "perspective", name="Image tags"),
        choice("real", name="background"),
        choice("perspective", "dim", name="what is wrong"),
        choice("dim", name="light_label"),
        choice("a", "b", name="rooms"),
        text("second look", id="t", name="note"),
        {"id": "s", "type": "rating", "from_name": "stars", "value": {"rating": 4}},
        text("FLUX", id="g", name="generator"),
    )
    assert (draft.label, draft.tags) == ("fake", ["texture_error", "perspective_error"])
    given = {
        "annotator": "1",
        "background": "real",
        "what is wrong": ["perspective", "dim"],
        "light_label": "dim",
        "rooms": ["a", "b"],
        "note": "second look",
        "stars": 4,
        "generator": "FLUX",
    }
    assert draft.fields == given


@pytest.mark.parametrize(
    ("results", "tags"),
    [
        (
            [shape(labels=["Wrong Texture", "hand"]), shape(labels=["Perspective"])],
            ["texture_error", "perspective_error"],
        ),
        ([shape(labels=["Wrong Texture"]), text("Hand."), choice("texture error", name="tags")], ["texture_error"]),
        (
            [shape("ellipselabels", ELLIPSE, ["Wrong Texture"]), choice("perspective", name="tags")],
            ["perspective_error", "texture_error"],
        ),
        ([shape("rectangle"), choice("other anomaly", id="r", kind="labels"), text("Hand.")], ["other_anomaly"]),
        ([shape("rectangle"), choice("other anomaly", id="r"), text("Hand.")], ["other_anomaly"]),
        ([shape(), text("perspective"), shape(id="s", meta={"text": "texture error"})], []),
    ],
)
def test_labels_of_regions_that_are_tags_are_the_images(results, tags):
    assert one(*results).tags == tags
    assert one(shape(labels=["Wrong Texture"])).regions[0].caption == "Wrong Texture"


def test_fields_come_from_data_or_else_meta():
    data = {"image": "a.png", "generator": "FLUX", "id": 7, "seed": 8, "label": "real", "fold": 3, "words": None}
    meta = {"family": "diffusion", "generator": "other", "id": "x"}
    (draft,) = from_label_studio(task(annotation(choice("fake")), data=data, meta=meta))
    assert (draft.id, draft.label) == ("7", "fake")
    assert draft.fields == {"generator": "FLUX", "family": "diffusion", "seed": 8, "fold": 3, "annotator": "1"}


@pytest.mark.parametrize(
    ("who", "annotator"),
    [
        (7, "7"),
        ("anna", "anna"),
        ({"id": 7, "email": "a@example.org"}, "a@example.org"),
        ({"id": 7}, "7"),
        (None, None),
    ],
)
def test_who_completed_an_annotation_is_its_annotator(who, annotator):
    assert one(choice("fake"), who=who).fields.get("annotator") == annotator


def test_several_annotations_are_records_of_their_own(tmp_path):
    each = [annotation(shape(), choice("fake"), who=who) for who in (1, 2)]
    skipped = annotation(who=3, was_cancelled=True)
    assert [(draft.id, draft.by) for draft in from_label_studio(task(*each, skipped))] == [(None, "1"), (None, "2")]
    assert [(draft.id, draft.by) for draft in from_label_studio(task(skipped, each[1]))] == [(None, "")]
    named = task(*each, data={"image": "b/c.png", "id": "x"})
    pictures(tmp_path, "b/a.png", "b/c.png")
    (tmp_path / "export.json").write_text(json.dumps([task(*each, image="b/a.png"), named]))
    found = records("label-studio", tmp_path / "export.json", tmp_path)
    assert [record.id for record in found] == ["b/a@1", "b/a@2", "x@1", "x@2"]
    with pytest.raises(DataError, match=r"annotations\[1\]\.completed_by: expected the annotator, found nothing"):
        from_label_studio(task(each[0], annotation(who=None)))
    with pytest.raises(DataError, match=r"annotations\[1\]\.completed_by: expected one annotation of .* found '1'"):
        from_label_studio(task(each[0], each[0]))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_tasks(tmp_path):
    def peak(count):
        path = tmp_path / "export.json"
        path.write_text(json.dumps([task(annotation(shape(), text("Hand."))) for _ in range(count)]))
        return peak_of_reading("label-studio", path, count)

    peak(10)  # imports
    assert peak(1_500) < peak(500) + 40_000  # 40 bytes per task


def test_relations_and_results_of_other_images_are_left_out_and_counted():
    relation = {"type": "relation", "from_id": "r", "to_id": "s", "direction": "right"}
    other = shape(id="s", to_name="reference")
    verdict = choice("real") | {"to_name": "reference"}
    data = {"image": "a.png", "reference": "b.png"}
    (draft,) = from_label_studio(task(annotation(shape(), other, relation, verdict), data=data))
    assert (len(draft.regions), draft.unread, draft.label) == (1, 3, None)
    (draft,) = from_label_studio(task(annotation(other), data={"left": "a.png", "reference": "b.png"}))
    assert draft.image == "b.png"
    with pytest.raises(DataError, match=r"to_name: expected regions of one image, .* found left and right"):
        from_label_studio(task(annotation(shape(to_name="left"), shape(to_name="right", id="s"))))


def test_a_taxonomy_is_a_field_and_an_old_export_is_named():
    taxonomy = {"id": "t", "type": "taxonomy", "from_name": "part", "value": {"taxonomy": [["Body", "Hand"]]}}
    assert one(shape(), taxonomy | {"to_name": "image"}).fields["part"] == ["Body", "Hand"]
    with pytest.raises(DataError, match=r"expected .* 1\.0 or later; .* found an export of Label Studio 0\.x"):
        from_label_studio({"data": {"image": "a.png"}, "completions": []})


def test_a_task_whose_annotations_are_cancelled_is_left_out_and_counted(tmp_path):
    pictures(tmp_path, "a.png", "b.png")
    tasks = [task(annotation(was_cancelled=True)), task(annotation(shape()), image="b.png")]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    changes = Changes()
    (record,) = records("label-studio", tmp_path / "export.json", tmp_path, changes=changes)
    assert record.id == "b" and changes == Changes(cancelled=1)


def test_without_a_size_the_shares_are_those_of_the_image_itself(tmp_path):
    pictures(tmp_path, "a.png")
    result = without(without(shape(), "original_width"), "original_height")
    (tmp_path / "export.json").write_text(json.dumps([task(annotation(result))]))
    (record,) = records("label-studio", tmp_path / "export.json", tmp_path)
    assert record.regions[0].bbox == (4, 6, 24, 21)
