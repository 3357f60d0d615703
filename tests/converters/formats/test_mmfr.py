"""MMFR: labels and paths from folders, wherever the files lie, and texts kept by attribute."""

import json

import pytest

from converters.convert import Place
from converters.drafts.draft import folder_of
from converters.formats.mmfr import from_mmfr, load_mmfr
from swift_plugins.fakexplain.errors import DataError
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.rows import png, records


def draft(image, attributes, way="sets/flux", name=None):
    folder = {"path": way, "name": name or way.split("/")[-1]}
    (found,) = from_mmfr({"image": image, "folder": folder, "attributes": attributes})
    return found


def test_golden(tmp_path):
    check_golden("mmfr", tmp_path)


@pytest.mark.parametrize(
    "inner", ["evaluation_sets", "evaluation_sets/flux", "evaluation_sets/flux/flux_reasoning.json"]
)
def test_images_are_found_from_every_folder(tmp_path, inner):
    source = ASSETS / "mmfr/source" / inner
    found = records("mmfr", source, tmp_path, images=Place(folder_of(source), "source"))
    assert [record.label for record in found] == ["real", "fake"]


@pytest.mark.parametrize(
    ("image", "way", "label", "generator"),
    [
        ("flux/0_real/a.png", "sets/flux", "real", None),
        ("flux/1_fake/a.png", "sets/flux", "fake", "flux"),
        ("1_fake/a.png", "sets/flux", "fake", "flux"),
        ("sets/gigagan/1_fake/x/a.png", "sets", "fake", "gigagan"),
        ("0_real/b/1_fake/a.png", "flux", "fake", "b"),
        ("laion/00000/a.jpg", "laion", "real", None),
        ("00000/a.jpg", "laion", "real", None),
        ("00000/a.jpg", "laion/parts", "real", None),
        ("diffusiondb/part-000001/a.png", "diffusiondb", "fake", None),
        ("a.png", "flux/1_fake", "fake", "flux"),
        ("a.png", "1_fake", "fake", None),
    ],
)
def test_the_innermost_folder_is_the_label(image, way, label, generator):
    found = draft(image, {}, way)
    assert (found.label, found.fields) == (label, {"generator": generator} if generator else {})


@pytest.mark.parametrize(
    ("image", "generator"),
    [
        ("1_fake/a.png", None),
        ("flux/1_fake/a.png", "flux"),  # the folder's name, or that of one within it
        ("gigagan/1_fake/a.png", "gigagan"),
        ("flux/gigagan/1_fake/a.png", "gigagan"),
    ],
)
def test_the_folder_that_a_source_happens_to_lie_in_is_no_generator(image, generator):
    found = draft(image, {}, ".", "flux")
    assert (found.label, found.fields) == ("fake", {"generator": generator} if generator else {})
    other = draft(image, {}, ".", "unpacked.partial")
    assert (other.label, other.fields) == (found.label, found.fields)


def test_a_file_at_the_sources_root_says_no_generator(tmp_path):
    (tmp_path / "download/1_fake").mkdir(parents=True)
    (tmp_path / "download/1_fake/a.png").write_bytes(png((8, 8)))
    (tmp_path / "download/flux_reasoning.json").write_text('{"1_fake/a.png": {}}')
    for source in (tmp_path / "download", tmp_path / "download/flux_reasoning.json"):
        (record,) = records("mmfr", source, tmp_path, images=Place(tmp_path / "download", "download"))
        assert (record.label, record.generator) == ("fake", None)
    (record,) = records("mmfr", tmp_path, tmp_path)
    assert record.generator == "download"


def test_a_broken_file_does_not_stop_the_others(tmp_path):
    for name, text in (
        ("a", '{"a/0_real/1.png": {}, "a/0_real/2.png": {'),
        ("b", "[]"),
        ("c", '{"c/0_real/1.png": {}}'),
    ):
        (tmp_path / name / "0_real").mkdir(parents=True)
        (tmp_path / name / "0_real/1.png").write_bytes(png((8, 8)))
        (tmp_path / name / "x_reasoning.json").write_text(text)
    errors = []
    assert [record.id for record in records("mmfr", tmp_path, tmp_path, on_error=errors.append)] == [
        "a/0_real/1",
        "c/0_real/1",
    ]
    assert [str(error).partition(",")[0] for error in errors] == [
        f"{tmp_path / name / 'x_reasoning.json'}: expected {what}"
        for name, what in (("a", "JSON"), ("b", "an object {image: {attribute: text or null}}"))
    ]
    with pytest.raises(DataError, match=r"a/x_reasoning\.json: expected JSON"):
        records("mmfr", tmp_path, tmp_path)


def test_texts_are_kept_by_attribute_and_nulls_are_not():
    fields = draft("0_real/a.png", {"b": "Two.", "c": None, "a": "One."}).fields
    assert list(fields["explanation"].items()) == [("a", "One."), ("b", "Two.")]
    assert draft("0_real/a.png", {"c": None}).fields == {}


@pytest.mark.parametrize(
    ("image", "attributes", "message"),
    [
        ("0_real/a.png", None, r"^expected an object \{attribute: text or null\}, found None"),
        ("0_real/a.png", {"texture": 1}, r"^texture: expected a text or null, found 1"),
        ("0_real/a.png", {"texture": ["a"]}, r"^texture: expected a text or null, found \['a'\]"),
        ("../0_real/a.png", {}, r"^image: expected a relative path that stays inside"),
        ("/0_real/a.png", {}, r"^image: expected a relative path that stays inside"),
        ("0_real\\..\\..\\a.png", {}, r"^image: expected a relative path that stays inside"),
        ("", {}, r"^image: expected a relative path that stays inside"),
    ],
)
def test_a_bad_image_is_an_error(image, attributes, message):
    with pytest.raises(DataError, match=message):
        draft(image, attributes)


@pytest.mark.parametrize("image", ["flux/a.png", "0_real.png"])
def test_a_path_without_the_folder_of_a_label_states_none(image):
    found = draft(image, {})
    assert found.label is None
    expected = f"label: expected a folder 0_real, 1_fake, laion, diffusiondb, found none on the path {image}"
    assert str(found.unlabelled) == expected


FOLDER = {"path": "flux", "name": "flux"}


@pytest.mark.parametrize(
    "data",
    [None, 7, "x", [1], b"x", {}, {"image": "1_fake/a.png", "folder": FOLDER}]
    + [{"image": image, "folder": FOLDER, "attributes": {}} for image in (None, 7, b"x", ["1_fake"])]
    + [
        {"image": "1_fake/a.png", "folder": folder, "attributes": {}} for folder in (None, {}, {"path": 7, "name": "x"})
    ],
)
def test_data_of_another_shape_is_an_error(data):
    with pytest.raises(DataError):
        from_mmfr(data)


def test_errors_name_the_file_and_the_image(tmp_path):
    (tmp_path / "flux").mkdir()
    source = tmp_path / "flux/flux_reasoning.json"
    source.write_text(json.dumps({"flux/0_real/a.png": {"texture": 1}}), "utf-16")
    with pytest.raises(DataError, match=r"flux_reasoning\.json: flux/0_real/a\.png\.texture: expected a text or"):
        records("mmfr", tmp_path, tmp_path)


def test_files_are_read_in_order_and_others_are_not(tmp_path):
    for name in ("b", "a", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_reasoning.json").write_text(
            json.dumps({f"{name}/0_real/{n}.png": {} for n in "21"})
        )
    (tmp_path / "forgery_reasoning_cot.json").write_text("[]")
    found = [piece.data["image"] for piece in load_mmfr(tmp_path)]
    assert found == [f"{name}/0_real/{n}.png" for name in "abc" for n in "21"]


def test_a_source_without_such_a_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"expected files \*_reasoning\.json, found none in the folder"):
        list(load_mmfr(tmp_path))
    with pytest.raises(FileNotFoundError, match="expected a file or folder to convert"):
        list(load_mmfr(tmp_path / "none"))
