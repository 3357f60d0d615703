"""SID_Set: labels, masks against boxes painted by hand, and every field that must be there."""

import io

import numpy as np
import pytest
from PIL import Image

from converters.drafts.tampering import mask_regions
from converters.formats.sid_set import COLUMNS, from_sid_set
from swift_plugins.fakexplain.errors import DataError
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.rows import change, mask, png, records

SOURCE = ASSETS / "sid-set/source.parquet"


def test_golden(tmp_path):
    check_golden("sid-set", tmp_path)


@pytest.mark.parametrize(
    ("names", "labels"),
    [(["tampered", "real", "full_synthetic"], ["fake", "fake", "real"]), (None, ["real", "fake", "fake"])],
)
def test_names_in_the_file_go_before_the_numbers_meaning(tmp_path, names, labels):
    plain = lambda rows: [row | {"mask": None} for row in rows]  # noqa: E731
    source = change(SOURCE, tmp_path / "a.parquet", rows=plain, names=names)
    assert [record.label for record in records("sid-set", source, tmp_path)] == labels


def test_other_columns_are_kept():
    row = {"img_id": "7", "image": png((8, 8)), "mask": None, "width": 8, "height": 8, "label": 1}
    own = {"generator": "FLUX", "tags": ["Wrong Texture"], "steps": [20], "kind": "x", "id": 3}
    (draft,) = from_sid_set({"row": row | own, "names": {}})
    assert (draft.id, draft.tags) == ("full_synthetic/7", ["Wrong Texture"])
    kept = {"generator": "FLUX", "steps": [20], "source_kind": "x", "source_id": 3, "kind": "full_synthetic"}
    assert draft.fields == kept


@pytest.mark.parametrize("label", [3, -1])
def test_another_label_is_an_error(tmp_path, label):
    source = change(SOURCE, tmp_path / "a.parquet", rows=lambda rows: [rows[0] | {"label": label}])
    with pytest.raises(DataError, match=rf"\[0\]\.label: expected a number below 3, found {label}"):
        records("sid-set", source, tmp_path)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_is_missing_is_an_error(tmp_path, column):
    source = change(SOURCE, tmp_path / "a.parquet", without=[column])
    with pytest.raises(DataError, match=rf"a\.parquet: {column}: expected a column, found columns"):
        records("sid-set", source, tmp_path)


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "mask"])
def test_a_value_that_is_missing_is_an_error(tmp_path, column):
    source = change(SOURCE, tmp_path / "a.parquet", rows=lambda rows: [rows[0] | {column: None}, *rows[1:]])
    with pytest.raises(DataError, match=rf"a\.parquet: \[0\]\.{column}: expected .*, found None"):
        records("sid-set", source, tmp_path)


class TestMasks:
    WH = (40, 30)

    def boxes(self, held, kind="tampered"):
        regions = mask_regions({"mask": held}, kind, png(self.WH))
        assert {each.caption for each in regions} <= {"Tampered area."}
        return [each.box for each in regions]

    @pytest.mark.parametrize(
        ("painted", "expected"),
        [
            ([(3, 4, 9, 12)], [(3, 4, 9, 12)]),
            ([(0, 0, 1, 1)], [(0, 0, 1, 1)]),
            ([(39, 29, 40, 30)], [(39, 29, 40, 30)]),
            ([(2, 2, 5, 5), (5, 5, 8, 9)], [(2, 2, 8, 9)]),  # by a corner
            ([(2, 2, 5, 5), (6, 5, 8, 9)], [(2, 2, 5, 5), (6, 5, 8, 9)]),
            ([(0, 0, 40, 30)], [(0, 0, 40, 30)]),
            ([], []),
        ],
    )
    @pytest.mark.parametrize(("mode", "value"), [("L", 255), ("L", 1), ("1", 1), ("RGB", (255, 255, 255))])
    def test_one_tight_box_for_each_area(self, painted, expected, mode, value):
        assert self.boxes(mask(self.WH, *painted, value=value, mode=mode)) == expected

    def test_a_jpeg_mask_has_no_specks(self):
        image = Image.open(io.BytesIO(mask(self.WH, (8, 8, 24, 16))))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=70)
        assert (np.asarray(Image.open(out)) % 255).any()  # its grey values are not 0 and 255 only
        assert self.boxes(out.getvalue()) == [(8, 8, 24, 16)]

    @pytest.mark.parametrize("kind", ["real", "full_synthetic"])
    def test_no_region_where_nothing_was_tampered_with(self, kind):
        assert self.boxes(None, kind) == self.boxes(mask(self.WH), kind) == []
        assert self.boxes(mask(self.WH, (0, 0, *self.WH)), "full_synthetic") == []
