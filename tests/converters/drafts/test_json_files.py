"""JSON files as tools write them."""

import pytest

from converters.drafts.json_files import decode_json, load_json
from swift_plugins.fakexplain.errors import DataError


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_null(tmp_path, number):
    (tmp_path / "a.json").write_text(f'{{"x": {number}, "y": "{number}"}}')
    assert load_json(tmp_path / "a.json") == {"x": None, "y": number}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("value", ["1", "NaN"])
def test_a_key_twice_is_an_error_in_any_encoding(tmp_path, encoding, value):
    (tmp_path / "a.json").write_text(f'{{"a": [{{"x:": {value}, "y": 2}}]}}', encoding=encoding)
    assert load_json(tmp_path / "a.json")["a"][0]["y"] == 2
    (tmp_path / "a.json").write_text(f'{{"a": [{{"x:": {value}, "x:": 2}}]}}', encoding=encoding)
    with pytest.raises(DataError, match=r"a\.json: x:: expected each key once, found a second one"):
        load_json(tmp_path / "a.json")


@pytest.mark.parametrize("raw", [b"{", b"", b"\xff", b"[" * 100_000])
def test_text_that_is_not_json_is_an_error_that_names_what_was_expected(raw):
    with pytest.raises(DataError, match="expected one JSON object, found"):
        decode_json(raw, "one JSON object")
