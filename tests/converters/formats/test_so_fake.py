"""So-Fake: labels by name whatever their numbers, masks, ids, and every field that must be there."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from converters.formats.so_fake import from_so_fake
from swift_plugins.fakexplain.errors import DataError
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.rows import change, mask, png, records

SOURCE = ASSETS / "so-fake/source/test-00001-of-00002.parquet"
V1, V2 = ["full_synthetic", "real", "tampered"], ["real", "tampered", "full_synthetic"]


def test_golden(tmp_path):
    check_golden("so-fake", tmp_path)


@pytest.mark.parametrize("names", [V1, V2])
def test_names_count_and_numbers_do_not(tmp_path, names):
    rows = [{"image": png((8, 8)), "label": number, "filename": f"{number}.png"} for number in range(3)]
    source = change(SOURCE, tmp_path / "a.parquet", rows=lambda _: [], names=names)
    pq.write_table(pa.Table.from_pylist(rows).replace_schema_metadata(pq.read_schema(source).metadata), source)
    found = {record.id: record.label for record in records("so-fake", source, tmp_path)}
    labels = {"real": "real", "full_synthetic": "fake", "tampered": "fake"}
    assert found == {f"{name}/{number}": labels[name] for number, name in enumerate(names)}


def test_labels_may_be_names_themselves(tmp_path):
    rows = [{"image": png((8, 8)), "label": "FULL_SYNTHETIC", "id": "so-1"}, {"image": png((8, 8)), "label": "REAL"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = records("so-fake", tmp_path / "a.parquet", tmp_path)
    assert [(record.id, record.label) for record in found] == [
        ("full_synthetic/so-1", "fake"),
        ("real/a-000001", "real"),
    ]


def draft(**changes):
    row = {"image": {"bytes": png((8, 8)), "path": "c.png"}, "label": "real"} | changes
    (found,) = from_so_fake({"row": row, "names": {}, "number": "a-000007"})
    return found


@pytest.mark.parametrize(
    ("changes", "id"),
    [
        ({"id": 0, "filename": "b.png"}, "0"),
        ({"id": "x.png"}, "x"),
        ({"id": None, "filename": "b.png"}, "b"),
        ({"id": float("nan"), "filename": "b.png"}, "b"),
        ({"id": "", "filename": None}, "c"),
        ({"image": png((8, 8))}, "a-000007"),
        ({"image": {"bytes": png((8, 8)), "path": None}}, "a-000007"),
    ],
)
def test_the_id_is_the_first_name_there_is(changes, id):
    assert draft(**changes).id == f"real/{id}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": True}, r"^id: expected a text or a whole number, found True"),
        ({"filename": {}}, r"^filename: expected a text or a whole number, found \{\}"),
        ({"image": {"bytes": b"x", "path": 1.5}}, r"^image\.path: expected a text or a whole number, found 1\.5"),
        ({"width": 8}, r"^height: expected a whole number of pixels, found nothing"),
        ({"tags": "texture_error"}, r"^tags: expected a list of tags, or null, found 'texture_error'"),
    ],
)
def test_a_column_of_another_kind_is_an_error(changes, message):
    with pytest.raises(DataError, match=message):
        draft(**changes)


def test_other_columns_are_kept():
    found = draft(
        kind="photo", mask={"bytes": None, "path": None}, tags=None, size=[8, 8], annotator=7, width=8, height=8
    )
    assert (found.tags, found.wh) == ([], (8, 8))
    assert found.fields == {"source_kind": "photo", "size": [8, 8], "annotator": "7", "kind": "real"}
    assert draft(label="tampered", tags=["Wrong Texture"]).tags == ["Wrong Texture"]


def test_numbers_without_names_are_an_error(tmp_path):
    source = change(SOURCE, tmp_path / "a.parquet", names=[])
    expected = r"a\.parquet: \[0\]\.label: expected a label's name, or a number and its names in .* metadata, found 1"
    with pytest.raises(DataError, match=expected):
        records("so-fake", source, tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["real", "fake", "x"], r"\[0\]\.label: expected one of real, full_synthetic, tampered, found 'fake'"),
        (["real"], r"\[0\]\.label: expected a number below 1, found 1"),
    ],
)
def test_other_names_are_an_error(tmp_path, names, message):
    source = change(SOURCE, tmp_path / "a.parquet", names=names)
    with pytest.raises(DataError, match=message):
        records("so-fake", source, tmp_path)


@pytest.mark.parametrize(
    ("row", "held", "message"),
    [
        (0, mask((16, 24)), r"\[0\]\.mask: expected the size of the image, 24x16, found 16x24"),
        (0, b"text", r"\[0\]\.mask: expected a readable image"),
        (
            1,
            mask((24, 16), (0, 0, 2, 2)),
            r"\[1\]\.mask: expected no mask, because the image is real, found one of 4 pixels",
        ),
        (1, mask((24, 16), (0, 0, 24, 16)), r"\[1\]\.mask: expected no mask, because the image is real"),
        (2, mask((24, 16), (0, 0, 2, 2)), r"\[2\]\.mask: expected no mask, because the image is full_synthetic"),
    ],
)
def test_a_mask_that_cannot_be_is_an_error(tmp_path, row, held, message):
    def with_mask(rows):
        rows[row]["mask"] = {"bytes": held, "path": None}
        return rows

    source = change(SOURCE, tmp_path / "a.parquet", rows=with_mask)
    with pytest.raises(DataError, match=message):
        records("so-fake", source, tmp_path)
