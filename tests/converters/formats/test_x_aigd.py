"""X-AIGD: polygons, categories and their tags, ids, and every field that must be there."""

import pyarrow.parquet as pq
import pytest

from converters.formats.x_aigd import CATEGORIES, from_x_aigd
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.tags import TAGS
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.rows import change, png, records

SOURCE = ASSETS / "x-aigd/source.parquet"
ROW = {"image": png((16, 16)), "generator": "FLUX", "uid": "7", "labels": [], "width": 16, "height": 16}


def test_golden(tmp_path):
    check_golden("x-aigd", tmp_path)


def test_images_are_written_as_they_were(tmp_path):
    found = records("x-aigd", SOURCE, tmp_path)
    held = [row["image"]["bytes"] for row in pq.read_table(SOURCE).to_pylist()]
    assert [(tmp_path / record.image).read_bytes() for record in found] == held


@pytest.mark.parametrize(("category", "tag"), CATEGORIES.items())
def test_every_category_gives_a_region_and_some_a_tag(category, tag):
    label = {"label": category, "points": [[1.0, 2.0], [9.5, 2.0], [3.0, 7.0]]}
    (draft,) = from_x_aigd({"row": ROW | {"labels": [label]}})
    ((box, caption, *_),) = draft.regions
    assert box == (1.0, 2.0, 9.5, 7.0) and draft.label == "fake"
    assert caption.lower().removesuffix(".").replace(" ", "_") == category.replace("-level-", "-level_")
    assert draft.tags == ([tag] if tag else []) and set(draft.tags) <= set(TAGS)


def test_other_columns_are_kept():
    own = {"steps": [20, 30], "size": {"w": 8}, "id": 3, "label": 1, "annotator": "a07", "fold": 2, "raw": [b"x"]}
    (draft,) = from_x_aigd({"row": ROW | own | {"tags": ["Wrong Texture"]}})
    assert (draft.id, draft.tags) == ("FLUX/7", ["Wrong Texture"])
    kept = {"steps": [20, 30], "size": {"w": 8}, "source_id": 3, "source_label": 1, "annotator": "a07", "fold": 2}
    assert draft.fields == kept | {"generator": "FLUX"}


def test_a_tag_is_said_once():
    label = {"label": "low-level-texture", "points": [[1.0, 2.0], [9.5, 2.0], [3.0, 7.0]]}
    (draft,) = from_x_aigd({"row": ROW | {"labels": [label], "tags": ["Wrong Texture", "artistic_style"]}})
    assert draft.tags == ["texture_error", "artistic_style"]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ({"label": "low-level-noise", "points": [[1, 1], [2, 1], [1, 2]]}, r"labels\[0\].label: expected one of low-"),
        ({"label": None, "points": []}, r"labels\[0\].label: expected a category, found None"),
        ({"label": "low-level-color", "points": None}, r"labels\[0\].points: expected a list of points"),
        ({"label": "low-level-color", "points": [[1, 1], [3, 3]]}, r"labels\[0\].points: expected a polygon of at"),
        ({"label": "low-level-color", "points": [[1, 1], [3], [4, 5]]}, r"labels\[0\].points\[1\]: expected two num"),
        ({"label": "low-level-color", "points": [[1, 1], [3, 1], [9, 1]]}, r"labels\[0\].bbox: expected a shape with"),
        ({"label": "low-level-color", "points": [[50, 1], [60, 1], [55, 9]]}, r"bbox: expected a box inside the 40x30"),
    ],
)
def test_a_bad_label_is_an_error(tmp_path, label, message):
    source = change(SOURCE, tmp_path / "a.parquet", rows=lambda rows: [rows[0] | {"labels": [label]}])
    with pytest.raises(DataError, match=message):
        records("x-aigd", source, tmp_path)


def test_the_size_must_be_the_images(tmp_path):
    source = change(SOURCE, tmp_path / "a.parquet", rows=lambda rows: [rows[0] | {"width": 30, "height": 40}])
    with pytest.raises(DataError, match=r"\[0\]\.width, height: expected the size of the upright image, 40x30"):
        records("x-aigd", source, tmp_path)
