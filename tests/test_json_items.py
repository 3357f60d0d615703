"""Items of a JSON file, one at a time."""

import json

import pytest

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_items import load_json_items


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom"])
def test_json_items_stream_in_any_unicode(tmp_path, encoding):
    path = tmp_path / "a.json"
    text = json.dumps({"rows": [{"a": "中"}, 2.5]}, ensure_ascii=False)
    bom = encoding == "utf-16-le-bom"
    path.write_bytes(b"\xff\xfe" + text.encode("utf-16-le") if bom else text.encode(encoding))
    assert list(load_json_items(path, "rows.item")) == [("rows[0]", {"a": "中"}), ("rows[1]", 2.5)]
    assert list(load_json_items(path, "")) == [("rows", [{"a": "中"}, 2.5])]


@pytest.mark.parametrize("text", ['[{"rows": [', "", "nope", '[{"a": NaN}]'])
def test_broken_json_is_an_error_that_names_the_file(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"a\.json: expected JSON, found"):
        list(load_json_items(tmp_path / "a.json"))


def test_an_object_where_a_list_is_to_be_is_an_error(tmp_path):
    (tmp_path / "a.json").write_text(' {"a": 1}')
    with pytest.raises(DataError, match=r"a.json: expected a JSON list"):
        list(load_json_items(tmp_path / "a.json"))
