"""SynthScars: polygons, phrases and what is wrong, both layouts of the file, and every field that must be there."""

import json

import pytest

from converters.formats.synthscars import from_synthscars, load_synthscars
from swift_plugins.fakexplain.errors import DataError
from tests.converters.goldens import check_golden
from tests.converters.reading import settle
from tests.converters.rows import png, records

REF = {"sentence": "Hand", "explanation": "Six fingers.", "segmentation": [[1, 2, 9, 2, 5, 8.5]]}
IMAGE = {"img_file_name": "a.png", "caption": "A hand.", "refs": [REF]}


def test_golden(tmp_path):
    check_golden("synthscars", tmp_path)


@pytest.mark.parametrize(
    ("sentence", "more", "caption"),
    [
        ("Man's right ear.", {"explanation": "It is\nturned. "}, "Man's right ear: It is turned."),
        ("Two  ears:", {"explanation": "Turned."}, "Two ears: Turned."),
        ("Man's right ear.", {"explanation": ""}, "Man's right ear."),
        ("Man's right ear.", {"explanation": None}, "Man's right ear."),
        ("Man's right ear.", {}, "Man's right ear."),
        (" ", {"explanation": "It is turned."}, "It is turned."),
    ],
)
def test_a_caption_says_what_is_there_and_what_is_wrong(sentence, more, caption):
    ref = {"sentence": sentence, "segmentation": REF["segmentation"]} | more
    assert from_synthscars({"1": IMAGE | {"refs": [ref]}})[0].regions[0][:2] == ((1, 2, 9, 8.5), caption)


def test_every_image_is_fake():
    assert from_synthscars({"1": IMAGE | {"refs": [], "caption": " "}})[0].label == "fake"


def test_fields_of_an_images_own_are_kept():
    own = {
        "generator": "FLUX",
        "annotator": "a07",
        "class": "human",
        "tags": ["Wrong Texture"],
        "width": 9,
        "height": 8,
    }
    (draft,) = from_synthscars({"7": IMAGE | own | {"id": 3, "label": 0, "score": float("nan")}})
    assert (draft.id, draft.label, draft.wh, draft.tags) == ("7", "fake", (9, 8), ["Wrong Texture"])
    assert draft.fields == {
        "generator": "FLUX",
        "annotator": "a07",
        "class": "human",
        "source_id": 3,
        "source_label": 0,
        "explanation": "A hand.",
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tags": "x"}, r"^7\.tags: expected a list of tags, or null, found 'x'"),
        ({"height": 8}, r"^7\.width: expected a whole number of pixels, found nothing"),
    ],
)
def test_a_field_of_another_kind_is_an_error(changes, message):
    with pytest.raises(DataError, match=message):
        from_synthscars({"7": IMAGE | changes})


@pytest.mark.parametrize("name", ["list.json", "object.json"])
def test_images_before_a_break_are_read(tmp_path, name):
    (tmp_path / "a.png").write_bytes(png((16, 16)))
    images = {"7": IMAGE, "8": IMAGE}
    (tmp_path / name).write_text(json.dumps([images, images] if name == "list.json" else images)[:-20])
    errors = []
    found = records("synthscars", tmp_path, tmp_path, on_error=errors.append)
    assert [record.id for record in found] == (["7", "8"] if name == "list.json" else ["7"])
    assert [str(error).partition(",")[0] for error in errors] == [f"{tmp_path / name}: expected JSON"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_of_objects_and_one_object_read_alike(tmp_path, encoding):
    images = {"3": IMAGE, "1": IMAGE | {"caption": "[中]"}, "2": IMAGE}
    whole = [{"3": images["3"]}, {"1": images["1"], "2": images["2"]}]
    for name, value in (("object.json", images), ("list.json", whole)):
        (tmp_path / name).write_text(json.dumps(value, ensure_ascii=False), encoding)
    found = [[piece.data for piece in load_synthscars(tmp_path / name)] for name in ("object.json", "list.json")]
    assert found[0] == found[1] == [{id: image} for id, image in images.items()]


@pytest.mark.parametrize("field", IMAGE)
def test_a_field_that_is_missing_is_an_error(field):
    image = {name: value for name, value in IMAGE.items() if name != field}
    with pytest.raises(DataError, match=rf"^7\.{field}: expected .*, found nothing"):
        from_synthscars({"7": image})


@pytest.mark.parametrize("field", ["sentence", "segmentation"])
def test_a_field_of_a_ref_that_is_missing_is_an_error(field):
    ref = {name: value for name, value in REF.items() if name != field}
    with pytest.raises(DataError, match=rf"^7\.refs\[1\]\.{field}: expected .*, found nothing"):
        from_synthscars({"7": IMAGE | {"refs": [REF, ref]}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sentence": 1}, r"refs\[0\]\.sentence: expected a phrase, found 1"),
        ({"explanation": 1}, r"refs\[0\]\.explanation: expected a text or null, found 1"),
        ({"segmentation": {"counts": ""}}, r"refs\[0\]\.segmentation: expected a list of polygons"),
        ({"segmentation": [[1, 2, 3, 4]]}, r"segmentation\[0\]: expected a polygon .* of at least three points"),
        ({"segmentation": [REF["segmentation"][0], [1, 2, 3, 4, 5, 6, 7]]}, r"segmentation\[1\]: expected a polygon"),
        ({"segmentation": [[1, 2, 3, 4, 5, None]]}, r"segmentation\[0\]: expected a polygon"),
        ({"segmentation": [[[1, 2], [3, 4], [5, 6], [], [], []]]}, r"segmentation\[0\]: expected"),
    ],
)
def test_a_bad_ref_is_an_error(changes, message):
    with pytest.raises(DataError, match=message):
        settle(from_synthscars({"7": IMAGE | {"refs": [REF | changes]}}))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("a", r"a\.json: \[0\]: expected an object \{id: image\}, found 'a'"),
        ({}, r"a\.json: \[0\]: expected an object \{id: image\}, found \{\}"),
        ({"7": []}, r"a\.json: \[0\]\.7: expected a JSON object, found \[\]"),
        (
            {"7": IMAGE | {"img_file_name": "/a.png"}},
            r"\[0\]\.7\.img_file_name: expected a relative path .*, found '/a.png' \(id '7'\)",
        ),
        (
            {"7": IMAGE | {"img_file_name": "../a.png"}},
            r"\.img_file_name: expected a relative path .*, found '../a.png'",
        ),
        (
            {"7": IMAGE | {"refs": [REF | {"segmentation": [[1, 2, 1, 5, 1, 9]]}]}},
            r"7\.refs\[0\]\.segmentation\[0\]\.bbox: expected a shape with an area",
        ),
    ],
)
def test_a_bad_item_does_not_stop_the_others(tmp_path, item, message):
    (tmp_path / "a.png").write_bytes(png((16, 16)))
    (tmp_path / "a.json").write_text(json.dumps([item, {"8": IMAGE}]))
    with pytest.raises(DataError, match=message):
        records("synthscars", tmp_path / "a.json", tmp_path)
    errors = []
    (good,) = records("synthscars", tmp_path / "a.json", tmp_path, on_error=errors.append)
    assert good.id == "8" and len(errors) == 1
