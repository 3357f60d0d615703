"""Label Studio: the stored export, shapes, captions, what choices say, image paths, every field that must be there."""

import json
import re

import pytest

from converters.convert import Changes
from converters.formats.label_studio import from_label_studio
from converters.formats.label_studio_tasks import image_tasks
from swift_plugins.fakexplain.errors import DataError
from tests.converters.content import without
from tests.converters.goldens import check_golden
from tests.converters.reading import drafts, peak_of_reading, pictures
from tests.converters.rows import records

SIZE = {"original_width": 40, "original_height": 30, "image_rotation": 0}
RECTANGLE = {"x": 10, "y": 20, "width": 50, "height": 50}
ELLIPSE = {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10}
POLYGON = {"points": [[10, 10], [50, 20], [20, 90]]}


def shape(kind="rectanglelabels", value=RECTANGLE, labels=("flaw",), id="r", **changes):
    value = value | ({kind: list(labels)} if kind.endswith("labels") else {})
    return SIZE | {"id": id, "type": kind, "from_name": "regions", "to_name": "image", "value": value} | changes


def text(*words, id="r", name="caption"):
    return {"id": id, "type": "textarea", "from_name": name, "to_name": "image", "value": {"text": list(words)}}


def choice(*words, id="c", name="verdict", kind="choices"):
    return {"id": id, "type": kind, "from_name": name, "to_name": "image", "value": {kind: list(words)}}


def annotation(*results, who=1, **changes):
    return {"completed_by": who, "was_cancelled": False, "result": list(results)} | changes


def task(*annotations, image="a.png", **changes):
    return {"id": 1, "data": {"image": image}, "annotations": list(annotations), "predictions": []} | changes


def one(*results, **changes):
    (draft,) = from_label_studio(task(annotation(*results, **changes)))
    return draft


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


def test_an_error_found_later_names_the_result(tmp_path):
    good, bad = shape(id=None), shape(id="s", value=RECTANGLE | {"x": 120})
    each = task(annotation(was_cancelled=True), annotation(good, text("A.", id="s"), bad))
    (draft,) = from_label_studio(each)
    assert [each.at for each in draft.regions] == ["annotations[1].result[0]", "annotations[1].result[2]"]
    pictures(tmp_path, "a.png")
    (tmp_path / "export.json").write_text(json.dumps([each]))
    with pytest.raises(DataError, match=r"annotations\[1\]\.result\[2\]\.bbox: expected a box inside the 40x30"):
        records("label-studio", tmp_path / "export.json", tmp_path)


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


@pytest.mark.parametrize(
    "paths",
    [
        ("/data/local-files/?d=images/Fu%C3%9Fg%C3%A4nger%20%E8%A1%97.png", "images/Fußgänger 街.png"),
        ("/data/local-files/?d=images%5Ca%26b%3Fc%2B.png", "images\\a&b?c+.png"),
        ("/data/local-files?d=a.png", "a.png"),
        ("http://localhost:8080/data/local-files/?d=images/a.png", "images/a.png"),
        ("/data/upload/12/ab12cd34-a-b.png", "ab12cd34-a-b.png", "a-b.png"),
        ("/data/upload/12/ab12cd34-Fu%C3%9F_%E8%A1%97.png", "ab12cd34-Fuß_街.png", "Fuß_街.png"),
        ("/data/upload/ab12cd34-a.png", "ab12cd34-a.png", "a.png"),
        ("/data/upload/12/holidays-a.png", "holidays-a.png"),
        ("https://label.example.org/studio/data/upload/12/ab12cd34-a.png", "ab12cd34-a.png", "a.png"),
        ("s3://bucket/b/a%20b.png", "b/a%20b.png"),
        ("gs://bucket/b/a.png", "b/a.png"),
        ("azure-blob://container/a.png", "a.png"),
        ("b/a.png", "b/a.png"),
    ],
)
def test_an_image_path_leads_into_the_folder_of_the_images(paths):
    image, *found = paths
    (draft,) = from_label_studio(task(annotation(choice("fake")), image=image))
    assert [draft.image, *draft.others] == found


@pytest.mark.parametrize(
    ("image", "message"),
    [
        *(
            (image, "data.image: expected a relative path that stays inside")
            for image in (
                "../a.png", "/etc/a.png", "b/../../a.png", "C:\\a.png", "", "file:a/../../b.png",
                "/data/local-files/?d=../a.png", "/data/local-files/?d=/etc/a.png", "/data/local-files/?d=..%2Fa.png",
                "/data/local-files/?d=..%5Ca.png", "/data/local-files/?d=%2Fetc/a.png", "/data/local-files/",
                "/data/upload/12/../../a.png", "/data/upload/12/ab12cd34-..%2F..%2Fa.png", "s3://bucket/../a.png",
                "s3://bucket//a.png", "s3://bucket",
            )
        ),
        *(
            (image, "expected a relative path that stays inside the folder of the images, or --images FOLDER")
            for image in ("http://example.org/a.png", "https://x/a.png?d=c.png", "ftp://x/a.png")
        ),
        ("data:image/png,", "data.image: expected an image in the folder of the images; save it there"),
        (["a.png", "b.png"], "data.image: expected the image's path, found ['a.png', 'b.png']"),
        (None, "data.image: expected the image's path, found None"),
    ],
)  # fmt: skip
def test_an_image_path_that_leads_elsewhere_is_refused(tmp_path, image, message):
    (tmp_path / "export.json").write_text(json.dumps([task(annotation(choice("fake")), image=image)]))
    with pytest.raises(DataError, match=re.escape(message)):
        records("label-studio", tmp_path / "export.json", tmp_path)


def test_an_image_may_stand_under_another_key():
    found = from_label_studio(task(annotation(choice("fake")), data={"photo": "b/a.JPG", "prompt": "a cat"}))
    assert (found[0].image, found[0].fields["prompt"]) == ("b/a.JPG", "a cat")
    with pytest.raises(DataError, match=r"data.image: expected the image's path, under one key, found x, y"):
        from_label_studio(task(annotation(choice("fake")), data={"x": "a.png", "y": "b.png"}))
    with pytest.raises(DataError, match=r"data.image: expected the image's path, under one key, found nothing"):
        from_label_studio(task(annotation(choice("fake")), data={"text": "a cat"}))


HERE = "[1].annotations[0].result"
FULL = "expected the full JSON export (JSON, not JSON-MIN), found nothing"


def bad(*results, **changes):
    return task(annotation(*results, **changes))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (7, "[1]: expected a JSON object, found 7"),
        ({"image": "a.png", "id": 1, "regions": [], "annotator": 1, "annotation_id": 1}, f"[1].data: {FULL}"),
        (without(task(), "annotations"), f"[1].annotations: {FULL}"),
        (task(data=[]), "[1].data: expected the data of a task, found []"),
        (task(annotations=None), "[1].annotations: expected a list of annotations, found None"),
        (task(), "[1].annotations: expected at least one annotation; or --unannotated skip or real"),
        (task(7), "[1].annotations[0]: expected a JSON object, found 7"),
        (task({"was_cancelled": False}), "[1].annotations[0].result: expected a list of results, found nothing"),
        (bad(who=[1]), "[1].annotations[0].completed_by: expected a user number"),
        (bad(who=True), "[1].annotations[0].completed_by: expected a user number"),
        (bad(7), f"{HERE}[0]: expected a JSON object, found 7"),
        *(
            (bad(without(shape(), name)), f"{HERE}[0].{name}: expected {expected}, found nothing")
            for name, expected in (
                ("type", "the type of a result"),
                ("value", "a shape"),
                ("original_width", "a whole number of pixels"),
                ("original_height", "a whole number of pixels"),
            )
        ),
        *(
            (bad(shape(kind, without(value, name))), f"{HERE}[0].value.{name}: expected {expected}, found")
            for kind, value, expected in (
                ("rectanglelabels", RECTANGLE, "a number"),
                ("ellipselabels", ELLIPSE, "a number"),
                ("polygonlabels", POLYGON, "a list of points [x, y]"),
            )
            for name in value
        ),
        (bad(shape(value=RECTANGLE | {"x": "1"})), f"{HERE}[0].value.x: expected a number, found '1'"),
        (bad(shape(value=RECTANGLE | {"rotation": None})), f"{HERE}[0].value.rotation: expected a number"),
        (bad(shape(value=RECTANGLE | {"width": 0})), f"{HERE}[0].value: expected sides or radii above 0"),
        (bad(shape(value=RECTANGLE | {"x": 1e300})), f"{HERE}[0].value.x: expected finite numbers"),
        (bad(shape("polygonlabels", {"points": [[1, 1], [2, 2]]})), f"{HERE}[0].value.points: expected 3 points"),
        (bad(shape("polygonlabels", {"points": [[1, 1], [2], [3, 4]]})), f"{HERE}[0].value.points[1]: expected two"),
        (bad(shape("brushlabels", {"rle": []})), f"{HERE}[0].type: expected one of rectangle, polygon, ellipse"),
        (bad(shape("keypointlabels", {"x": 1})), f"{HERE}[0].type: expected one of rectangle, polygon, ellipse"),
        (bad(shape("rectangle")), f"{HERE}[0]: expected a caption: a text area of the region, or a label"),
        (bad(shape(), text("A.", name="x"), text("B.", name="y")), f"{HERE}[0]: expected one text area"),
        (bad(shape(), choice(4, id="r", kind="rating")), f"{HERE}[1].value.rating: expected a list of texts"),
        (bad(shape(), without(text("A."), "from_name")), f"{HERE}[1].from_name: expected the name of a"),
        (bad(shape(), without(text("A."), "value")), f"{HERE}[1].value: expected a value, found nothing"),
        (bad(shape(), {**text(), "value": {}}), f"{HERE}[1].value.text: expected text, found nothing"),
        *(
            (bad(*results, shape(id=id)), f"{HERE}[{len(results)}].id: expected the id of a result, found {id}")
            for results in ([], [text("A.")])
            for id in ({}, [1], True)
        ),
        (bad(shape(), text("A.", id={})), f"{HERE}[1].id: expected the id of a result, found {{}}"),
        *(
            (bad(shape(meta={"text": noted})), f"{HERE}[0].meta.text: expected {expected}, found")
            for noted, expected in (
                ([1], "a list of texts"), (["a", None], "a list of texts"), (7, "text"), ({"a": 1}, "text"),
            )
        ),
        *(
            (
                bad(shape() | {"value": RECTANGLE | {"rectanglelabels": held}}),
                f"{HERE}[0].value.rectanglelabels: expected",
            )
            for held in (7, None, {}, [7])
        ),
        *(
            (bad(shape(), choice(id=id) | {"value": {"choices": held}}), f"{HERE}[1].value.choices: expected")
            for held in (7, None, {"real": True}, [7])
            for id in ("r", "c")
        ),
        (bad(shape(original_width=10**12)), f"{HERE}[0].original_width, original_height: expected finite numbers"),
        (bad(shape(), shape(id="s", original_width=41)), f"{HERE}[1].original_width: expected the same image size"),
        (bad(choice("shiny", name="tags")), f"{HERE}[0].value: expected fake, real or one of"),
        (bad(choice("maybe", name="verdict")), f"{HERE}[0].value: expected fake, real or one of"),
        (bad(choice("real"), choice("fake")), f"{HERE}[1].value: expected one label, but an earlier"),
        (bad(text("9", id="t", name="width")), "[1].annotations[0].width: expected no field of this name"),
        (bad(shape(original_width=30, original_height=40)), "[1].width, height: expected the size of the upright"),
        (bad(shape(), choice("real")), "[1].regions: expected an empty list because the image is real"),
        (bad(), "[1].label: expected 'fake' or 'real', or --label"),
    ],
)  # fmt: skip
def test_a_bad_task_says_where_and_does_not_stop_the_others(tmp_path, bad, message):
    pictures(tmp_path, "a.png", "b.png")
    source = tmp_path / "export.json"
    source.write_text(json.dumps([task(annotation(shape()), image="b.png"), bad]))
    with pytest.raises(DataError, match=re.escape(f"export.json: {message}")):
        records("label-studio", source, tmp_path)
    errors = []
    assert len(records("label-studio", source, tmp_path, on_error=errors.append)) == len(errors) == 1


@pytest.mark.parametrize("content", [{}, [], {"tasks": []}])
def test_a_file_without_tasks_is_an_error(tmp_path, content):
    (tmp_path / "export.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"export\.json: expected a (JSON list|list of tasks: .* as JSON), found none"):
        drafts("label-studio", tmp_path)


def test_tasks_lead_back_to_their_images(tmp_path):
    names = ["images/a b+c&d.png", "images/b/?%20#.jpg", "images/街.webp"]
    for name in [*names, "images/.hidden.png", "images/note.txt", "other/a.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    tasks = list(image_tasks(tmp_path / "images", tmp_path))
    assert tasks[0] == {"data": {"image": "/data/local-files/?d=images/a%20b%2Bc%26d.png"}}
    labelled = [each | {"annotations": [annotation(choice("fake"))]} for each in tasks]
    assert [from_label_studio(each)[0].image for each in labelled] == names
    with pytest.raises(ValueError, match="images: expected a folder in .*other"):
        list(image_tasks(tmp_path / "images", tmp_path / "other"))


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
