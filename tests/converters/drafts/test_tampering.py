"""Rows of So-Fake and SID_Set without a label, which `--label` and masks stand in for."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from converters.drafts.choices import Choices
from swift_plugins.fakexplain.errors import DataError
from tests.converters.rows import mask, png, records

WH = 40, 30
FORMATS = ("sid-set", "so-fake")
MASKS = {"none": None, "black": mask(WH), "an area": mask(WH, (3, 4, 9, 12)), "all": mask(WH, (0, 0, *WH))}


def source(tmp_path, **columns):
    """A row for each of MASKS, with these columns more."""
    rows = [
        {"img_id": name, "id": name, "image": png(WH), "mask": each, "width": WH[0], "height": WH[1], **columns}
        for name, each in MASKS.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("columns", [{}, {"label": None}], ids=["no column", "null"])
@pytest.mark.parametrize("label", ["real", "fake"])
def test_the_label_option_labels_rows_without_a_mask(tmp_path, format, columns, label):
    found = records(format, source(tmp_path, **columns), tmp_path, label=label)
    assert [each.id for each in found] == list(MASKS)
    assert [each.label for each in found] == [label, label, "fake", label]
    assert [[region.bbox for region in each.regions] for each in found] == [[], [], [(3, 4, 9, 12)], []]


@pytest.mark.parametrize("format", FORMATS)
def test_without_it_a_row_without_a_label_is_an_error_that_names_it(tmp_path, format):
    with pytest.raises(DataError, match=r"\[0\]\.label: expected one of real, full_synthetic, tampered, or --label "):
        records(format, source(tmp_path), tmp_path)
    found = records(format, source(tmp_path), tmp_path, choices=Choices(unannotated="skip"))
    assert [each.id for each in found] == ["an area"]
