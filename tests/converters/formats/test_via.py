"""VGG Image Annotator: the stored project, VIA 1, shapes, what attributes say, every field that must be there."""

import json
import math
import re

import pytest

from converters.convert import Changes
from converters.formats.via import from_via
from swift_plugins.fakexplain.errors import DataError
from tests.converters.content import without
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.reading import drafts, peak_of_reading, pictures
from tests.converters.rows import records

RECT = {"name": "rect", "x": 3, "y": 2, "width": 6, "height": 6}
NUMBERS = {
    "rect": RECT,
    "circle": {"name": "circle", "cx": 10, "cy": 9, "r": 4},
    "ellipse": {"name": "ellipse", "cx": 10, "cy": 9, "rx": 4, "ry": 2},
}
POLYGON = {"name": "polygon", "all_points_x": [3, 1, 2.5], "all_points_y": [4, 9, 2]}


SHAPE = "a.regions[0].shape_attributes"
WORDS = "a.regions[0].region_attributes"


def region(shape=RECT, **attributes):
    return {"shape_attributes": shape, "region_attributes": attributes or {"caption": "Hand."}}


def entry(*regions, name="a.png", **file):
    return {"filename": name, "size": 9, "regions": list(regions), "file_attributes": file}


def test_golden(tmp_path):
    changes = Changes()
    check_golden("via", tmp_path, changes=changes)
    assert changes == Changes(turned=1, circumscribed=1)


def test_an_export_of_annotations_and_via_1_are_read_as_a_project_is(tmp_path):
    source = ASSETS / "via/source/via_project.json"
    entries = json.loads(source.read_text("utf-8"))["_via_img_metadata"]
    (tmp_path / "plain.json").write_text(json.dumps(entries))
    for each in entries.values():
        each["regions"] = {str(index): region for index, region in enumerate(each["regions"])}
        each |= {"fileref": "", "base64_img_data": ""}
    (tmp_path / "via1.json").write_text(json.dumps(entries))
    assert drafts("via", source) == drafts("via", tmp_path / "plain.json") == drafts("via", tmp_path / "via1.json")


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (RECT, (3, 2, 9, 8)),
        (NUMBERS["circle"], (6, 5, 14, 13)),
        (NUMBERS["ellipse"], (6, 7, 14, 11)),
        (NUMBERS["ellipse"] | {"theta": math.pi / 2}, (8, 5, 12, 13)),
        # half a side: sqrt(16 / 2 + 4 / 2) both ways
        (NUMBERS["ellipse"] | {"theta": math.pi / 4}, (6.837722, 5.837722, 13.162278, 12.162278)),
        (POLYGON, (1, 2, 3, 9)),
        ({"name": "polyline", "all_points_x": [3, 1], "all_points_y": [4, 9]}, (1, 4, 3, 9)),
    ],
)
def test_every_shape_gives_its_tight_box(shape, box):
    assert from_via(entry(region(shape)))[0].regions[0][:3] == (box, "Hand.", "regions[0]")


@pytest.mark.parametrize(
    ("attributes", "caption"),
    [
        ({"caption": "A.", "description": "B.", "kind": "c"}, "A."),
        ({"caption": " ", "description": "B."}, "B."),
        ({"note": "N.", "text": "T.", "kind": "k", "what": "w"}, "T."),
        ({"reason": "R.", "what": "W.", "comment": {"a": False}}, "R."),
        ({"reason": "R.", "comment": {"a finger": True}}, "a finger"),
        ({"Caption": "A.", "kind": "__undefined__"}, "A."),
        ({"what": "W.", "kind": "W."}, "W."),
        ({"what": "W.", "tag": "dim", "tags": "Wrong Texture", "annotator": "a", "generator": "g"}, "W."),
        ({"what": "W.", "family": "f", "class_name": "c"}, "W."),
        ({"what": "W.", "kind": "Wrong Texture", "view": "perspective"}, "W."),
        ({"kind": "Wrong Texture"}, "Wrong Texture"),
        ({"what": "Two\n lines.", "sure": {"yes": True}, "empty": ""}, "Two lines."),
    ],
)
def test_a_caption_is_an_attribute_that_is_text(attributes, caption):
    assert from_via(entry(region(**attributes)))[0].regions[0].caption == caption


@pytest.mark.parametrize(
    ("file", "label", "tags", "fields"),
    [
        ({"label": "Real", "generator": "camera"}, "real", [], {"generator": "camera"}),
        ({"tags": {"Wrong Texture": True, "perspective_error": False}}, None, ["texture_error"], {}),
        ({"tags": "wrong texture, Artistic Styles,"}, None, ["texture_error", "artistic_style"], {}),
        ({"Final verdict": {"fake": True, "other anomalies": True}}, "fake", ["other_anomaly"], {}),
        ({"image_tags": "wrong texture,perspective"}, None, ["texture_error", "perspective_error"], {}),
        (
            {"background": "real", "view": "perspective", "what": {"fake": True}, "light_label": "dim, red"},
            None,
            [],
            {"background": "real", "view": "perspective", "what": "fake", "light_label": "dim, red"},
        ),
        (
            {"light": "dim, red", "seed": 7, "note": None, "rooms": {"a": True, "b": True}},
            None,
            [],
            {"light": "dim, red", "seed": 7, "rooms": ["a", "b"]},
        ),
    ],
)
def test_attributes_of_a_file_say_label_tags_and_fields(file, label, tags, fields):
    (draft,) = from_via(entry(**file))
    assert (draft.label, draft.tags, draft.fields) == (label, tags, fields)


@pytest.mark.parametrize(
    ("regions", "file", "tags"),
    [
        (
            [{"kind": "Wrong Texture"}, {"kind": "hand", "how": "perspective"}],
            {},
            ["texture_error", "perspective_error"],
        ),
        ([{"kind": "Wrong Texture"}], {"tags": "perspective"}, ["perspective_error", "texture_error"]),
        ([{"kind": "Wrong Texture"}], {"tags": "texture error"}, ["texture_error"]),
        ([{"kind": {"Wrong Texture": True, "perspective": False, "hand": True, "x": 7}}], {}, ["texture_error"]),
        ([{"tags": "perspective, dim", "tag": {"Wrong Texture": True}}], {}, ["perspective_error", "texture_error"]),
        ([{"description": "perspective", "note": "texture error"}], {}, []),
        ([{"kind": "Wrong Texture, perspective"}], {}, []),
    ],
)
def test_tags_of_regions_are_the_images(regions, file, tags):
    assert from_via(entry(*(region(caption="Hand.", **each) for each in regions), **file))[0].tags == tags
    assert from_via(entry(region(kind="Wrong Texture")))[0].tags == ["texture_error"]


def test_what_regions_say_of_their_image_is_the_images():
    hand = {"caption": "Hand.", "annotator": "a07", "class_name": {"tench": True, "cat": False}, "family": ""}
    (draft,) = from_via(entry(region(**hand), region(), region(caption="Eye.", annotator="a07"), generator="SDXL"))
    assert draft.fields == {"generator": "SDXL", "annotator": "a07", "class_name": "tench"}
    for bad in (
        entry(region(**hand), region(caption="Eye.", annotator="a08")),
        entry(region(), region(caption="Eye.", annotator="a08"), annotator="a07"),
    ):
        message = r"^regions\[1\]\.region_attributes\.annotator: expected one annotator, but .* 'a07', found 'a08'"
        with pytest.raises(DataError, match=message):
            from_via(bad)


def test_an_error_found_later_names_the_region(tmp_path):
    assert [each.at for each in from_via(entry(region(), region()))[0].regions] == ["regions[0]", "regions[1]"]
    named = entry() | {"regions": {"x": region(), "y": region(RECT | {"x": 90})}}
    assert [each.at for each in from_via(named)[0].regions] == ["regions[x]", "regions[y]"]
    pictures(tmp_path, "a.png")
    (tmp_path / "via.json").write_text(json.dumps({"a": named}))
    with pytest.raises(DataError, match=r"regions\[y\]\.bbox: expected a box inside the 40x30 image"):
        records("via", tmp_path / "via.json", tmp_path)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (7, "a: expected a JSON object, found 7"),
        *(
            (without(entry(region()), name), f"a.{name}: expected {expected}, found nothing")
            for name, expected in (
                ("filename", "the name of the image's file"),
                ("regions", "a list of regions"),
                ("file_attributes", "an object of attributes"),
            )
        ),
        *(
            (entry(without(region(), name)), f"a.regions[0].{name}: expected an object")
            for name in ("shape_attributes", "region_attributes")
        ),
        *(
            (entry(region(without(shape, name))), f"{SHAPE}.{name}: expected")
            for shape in (*NUMBERS.values(), POLYGON)
            for name in shape
        ),
        (entry(region({"name": "point", "cx": 1, "cy": 2})), f"{SHAPE}.name: expected one of rect, circle"),
        (entry(region(RECT | {"x": "3"})), f"{SHAPE}.x: expected a number, found '3'"),
        (entry(region(RECT | {"x": True})), f"{SHAPE}.x: expected a number, found True"),
        (entry(region(RECT | {"width": 0})), f"{SHAPE}: expected sides or radii above 0"),
        (entry(region(RECT | {"x": 1e300})), f"{SHAPE}: expected finite numbers between -1e9 and 1e9"),
        (entry(region(POLYGON | {"all_points_x": [1, 2, 3, 4]})), f"{SHAPE}.all_points_x: expected equal numbers of x"),
        (entry(region(POLYGON | {"all_points_x": [1, 2, "3"]})), f"{SHAPE}.all_points_x: expected numbers"),
        (entry(region(kind="a", what="b")), f"{WORDS}: expected a `caption`, or one other attribute that is text"),
        (entry(region(sure={"yes": True})), f"{WORDS}: expected a `caption`, or one other attribute"),
        (entry(region(tag="perspective", annotator="a")), f"{WORDS}: expected a `caption`, or one other attribute"),
        (entry(region(caption="A.", tags={"perspective": "yes"})), f"{WORDS}.tags.perspective: expected true or false"),
        (entry(region(caption="A.", family=0.5)), f"{WORDS}.family: expected a non-empty string, found 0.5"),
        (
            entry(region(caption="A.", family={"a": True, "b": True})),
            f"{WORDS}.family: expected a non-empty string, found ['a', 'b']",
        ),
        (entry(region(NUMBERS["ellipse"] | {"theta": 10**18})), f"{SHAPE}.theta: expected finite numbers"),
        (entry(label="maybe"), "a.file_attributes.label: expected fake, real or one of"),
        (entry(tags={"shiny": True}), "a.file_attributes.tags: expected fake, real or one of"),
        (entry(tags={"texture_error": "yes"}), "a.file_attributes.tags.texture_error: expected true or false, found"),
        (entry(note=["a"]), "a.file_attributes.note: expected text, a number or check boxes"),
        (entry(width=40), "a.width: expected no field of this name"),
        (entry(label="real", verdict="fake"), "a.file_attributes.verdict: expected one label"),
        (entry(region(), name="../a.png"), "a.filename: expected a relative path that stays inside"),
        (entry(region(), name="/a.png"), "a.filename: expected a relative path that stays inside"),
        (entry(region(), name="http://localhost/a.png"), "a.filename: expected a relative path that stays inside"),
        (entry(), "a.label: expected 'fake' or 'real', or --label"),
    ],
)  # fmt: skip
def test_a_bad_entry_says_where_and_does_not_stop_the_others(tmp_path, bad, message):
    pictures(tmp_path, "a.png", "b.png")
    source = tmp_path / "via.json"
    source.write_text(json.dumps({"b": entry(region(), name="b.png"), "a": bad}))
    with pytest.raises(DataError, match=re.escape(f"via.json: {message}")):
        records("via", source, tmp_path)
    errors = []
    assert len(records("via", source, tmp_path, on_error=errors.append)) == len(errors) == 1


def test_a_project_without_an_image_is_an_error(tmp_path):
    (tmp_path / "via.json").write_text(json.dumps({"_via_settings": {}, "_via_img_metadata": {}}))
    with pytest.raises(DataError, match=r"via\.json: expected at least one image in _via_img_metadata"):
        drafts("via", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("project", [True, False])
def test_memory_does_not_grow_with_the_number_of_images(tmp_path, project):
    def peak(count):
        entries = {f"{index}.png9": entry(region(), name=f"{index}.png") for index in range(count)}
        path = tmp_path / "via.json"
        path.write_text(json.dumps({"_via_settings": {}, "_via_img_metadata": entries} if project else entries))
        return peak_of_reading("via", path, count)

    peak(10)  # imports
    assert peak(1_500) < peak(500) + 40_000  # 40 bytes per image
