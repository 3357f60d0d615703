"""The Parquet formats: a required column that is missing, a value that is null, data of another shape."""

import pyarrow.parquet as pq
import pytest

from converters.formats import READ, sid_set, so_fake, x_aigd
from swift_plugins.fakexplain.errors import DataError
from tests.converters.goldens import ASSETS
from tests.converters.rows import change, records

SOURCES = {
    "sid-set": (ASSETS / "sid-set/source.parquet", sid_set.COLUMNS),
    "so-fake": (ASSETS / "so-fake/source/test-00001-of-00002.parquet", so_fake.COLUMNS),
    "x-aigd": (ASSETS / "x-aigd/source.parquet", x_aigd.COLUMNS),
}
NULLABLE = {("sid-set", "mask"), ("x-aigd", "labels")}
COLUMNS = [(name, column) for name, (_, columns) in SOURCES.items() for column in columns]


@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_a_missing_column_is_an_error(tmp_path, name, column):
    source = change(SOURCES[name][0], tmp_path / "a.parquet", without=[column])
    with pytest.raises(DataError, match=rf"a\.parquet: {column}: expected a column, found columns"):
        records(name, source, tmp_path)


@pytest.mark.parametrize(("name", "column"), [each for each in COLUMNS if each not in NULLABLE])
def test_a_missing_value_is_an_error(tmp_path, name, column):
    def remove(rows):
        return [rows[0] | {column: None}, *rows[1:]]

    source = change(SOURCES[name][0], tmp_path / "a.parquet", rows=remove)
    with pytest.raises(DataError, match=rf"a\.parquet: \[0\]\.{column}: expected .*, found None"):
        records(name, source, tmp_path)
    errors = []
    good = pq.read_table(source).num_rows - 1
    assert len(records(name, source, tmp_path, on_error=errors.append)) == good and len(errors) == 1


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "data",
    [None, 7, "x", [1], b"x", {}, {"row": None, "names": {}}, {"row": [1], "names": {}}, {"row": {}, "names": {}}]
    + [{"row": {"label": 0}, "names": names} for names in (None, [1], {"label": 7}, {"label": [None]})],
)
def test_data_of_another_shape_is_an_error(name, data):
    with pytest.raises(DataError):
        READ[name].parse(data)
