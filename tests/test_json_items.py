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


TWICE = [
    # text, prefix, field, reason
    ('{"rows": [1], "a": 2, "rows": [2]}', "rows.item", "rows", "a list"),
    ('{"rows": {"b": 1}, "rows": {"c": 2}}', "rows.", "rows", "an object"),
    ('{"a": {"rows": [1], "rows": [2]}}', "a.rows.item", "a.rows", "a list in an object"),
    ('{"b": 1, "b": 2}', "", "b", "a key at the top"),
    ('{"rows": {"b": 1, "b": 2}}', "rows.", "b", "a key in an object"),
    ('[{"b": 1, "b": 2}]', "item", "b", "a key of an item"),
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(("text", "prefix", "field", "reason"), TWICE, ids=[row[3] for row in TWICE])
def test_a_key_that_stands_twice_is_an_error(tmp_path, text, prefix, field, reason, encoding):
    path = tmp_path / "a.json"
    path.write_text(text, encoding=encoding)
    with pytest.raises(DataError, match=rf"a\.json: {field}: expected each key once, found a second one"):
        list(load_json_items(path, prefix))


def test_a_key_elsewhere_is_no_second_one(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"rows": [{"rows": [1]}, "rows"], "more": {"rows": [2]}}')
    assert [value for _, value in load_json_items(path, "rows.item")] == [{"rows": [1]}, "rows"]
