"""LOKI: UTF-16, x y width height, which of its files is read, and every field that must be there."""

import json

import pytest

from converters.formats.loki import from_loki, load_loki
from swift_plugins.fakexplain.errors import DataError
from tests.converters.goldens import check_golden
from tests.converters.rows import png, records

REGION = {"region": [1.5, 2.0, 3.0, 4.25], "desc": "Six\n toes."}
PROBLEMS = {"global": [{"desc": "Too smooth."}], "regional": [REGION]}
ITEM = {"image_path": "a.png", "problems": PROBLEMS}


def with_region(**changes):
    return ITEM | {"problems": PROBLEMS | {"regional": [REGION | changes]}}


def test_golden(tmp_path):
    check_golden("loki", tmp_path)


def test_a_region_is_x_y_width_height():
    assert [region[:2] for region in from_loki(ITEM)[0].regions] == [((1.5, 2.0, 4.5, 6.25), "Six toes.")]


def test_every_image_is_fake():
    (draft,) = from_loki(ITEM | {"problems": {"global": [], "regional": []}})
    assert (draft.label, draft.regions, draft.fields) == ("fake", [], {})


def test_fields_of_an_items_own_are_kept():
    own = {"id": "x", "metric": "judge", "generator": "FLUX", "annotator": "a07", "class": "animal", "image": "b.png"}
    (draft,) = from_loki(ITEM | own | {"tags": ["Wrong Texture"], "width": 9, "height": 8, "explanation": "Mine."})
    assert (draft.id, draft.wh, draft.tags) == ("x", (9, 8), ["Wrong Texture"])
    assert draft.fields == {
        "metric": "judge",
        "generator": "FLUX",
        "annotator": "a07",
        "class": "animal",
        "source_image": "b.png",
        "source_explanation": "Mine.",
        "explanation": "Too smooth.",
    }


def test_items_before_a_break_are_read(tmp_path):
    (tmp_path / "a.png").write_bytes(png((16, 16)))
    (tmp_path / "a.json").write_bytes(json.dumps([ITEM, ITEM]).encode("utf-16")[:-10])
    errors = []
    (record,) = records("loki", tmp_path, tmp_path, on_error=errors.append)
    assert record.id == "a"
    assert [str(error).partition(",")[0] for error in errors] == [f"{tmp_path / 'a.json'}: expected JSON"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le-bom", "utf-16-be-bom", "utf-8"])
def test_any_unicode_is_read_and_of_the_modalities_the_image(tmp_path, encoding):
    for modality in ("image", "video"):
        folder = tmp_path / "data_json" / modality
        folder.mkdir(parents=True)
        text = json.dumps([{"image_path": f"{modality}/雪.png"}], ensure_ascii=False)
        marked = "\ufeff" + text if encoding.endswith("-bom") else text
        (folder / "open_ended_vqa.json").write_bytes(marked.encode(encoding.removesuffix("-bom")))
        (folder / "true_or_false.json").write_text("[]")
    (piece,) = load_loki(tmp_path)
    assert (piece.data, piece.at) == ({"image_path": "image/雪.png"}, "[0]")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("a", r"^expected a JSON object, found 'a'"),
        ({"problems": PROBLEMS}, r"^image_path: expected the image's path, found nothing"),
        (ITEM | {"image_path": ["a.png"]}, r"^image_path: expected the image's path, found \['a.png'\]"),
        ({"image_path": "a.png"}, r"^problems: expected an object of global and regional, found nothing"),
        (ITEM | {"problems": {"regional": []}}, r"^problems\.global: expected a list of \{desc\}, found nothing"),
        (ITEM | {"problems": {"global": []}}, r"^problems\.regional: expected a list of .*, found nothing"),
        (
            ITEM | {"problems": PROBLEMS | {"global": [{}]}},
            r"^problems\.global\[0\]\.desc: expected a description, found nothing",
        ),
        (
            ITEM | {"problems": PROBLEMS | {"regional": [{"desc": "a"}]}},
            r"^problems\.regional\[0\]\.region: expected four numbers .*, found nothing",
        ),
        (
            ITEM | {"problems": PROBLEMS | {"regional": [REGION, {"region": REGION["region"]}]}},
            r"^problems\.regional\[1\]\.desc: expected a description, found nothing",
        ),
        (with_region(desc=7), r"^problems\.regional\[0\]\.desc: expected a description, found 7"),
        (with_region(region=[1, 2, 3]), r"regional\[0\]\.region: expected four numbers x, y, width, height"),
        (with_region(region=[1, 2, 3, "4"]), r"regional\[0\]\.region: expected four numbers x, y, width, height"),
        (with_region(region=[1, 2, 3, True]), r"regional\[0\]\.region: expected four numbers x, y, width, height"),
    ],
)
def test_a_bad_item_is_an_error(item, message):
    with pytest.raises(DataError, match=message):
        from_loki(item)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (ITEM | {"image_path": "../a.png"}, r"a\.json: \[0\]\.image_path: expected a relative path that stays inside"),
        (ITEM | {"image_path": "/a.png"}, r"a\.json: \[0\]\.image_path: expected a relative path that stays inside"),
        (with_region(region=[1, 2, 0, 4]), r"\[0\]\.problems\.regional\[0\]\.bbox: expected a shape with an area"),
    ],
)
def test_a_record_that_cannot_be_is_an_error(tmp_path, item, message):
    (tmp_path / "a.png").write_bytes(png((16, 16)))
    (tmp_path / "a.json").write_text(json.dumps([item]), "utf-16")
    with pytest.raises(DataError, match=message):
        records("loki", tmp_path / "a.json", tmp_path)
