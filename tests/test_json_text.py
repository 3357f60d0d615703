"""Depth and keys of JSON text, against a reading character by character and Python's own decoder."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.json_items import is_json_list, load_json_items
from swift_plugins.fakexplain.json_text import MAX_DEPTH, DepthCheck, check_keys
from swift_plugins.fakexplain.jsonl import decode_line
from swift_plugins.fakexplain.scoring.plots.training import read_log
from swift_plugins.fakexplain.scoring.predictions.answers import read_predictions
from tests.conftest import record

TEXTS = st.text(st.sampled_from('"\\[]{}:,u0aé'), max_size=8)
VALUES = st.recursive(
    TEXTS | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(value=VALUES, above=st.integers(0, 8), cuts=st.lists(st.integers(0, 400)), ascii=st.booleans())
def test_the_depth_is_that_of_the_value_however_the_text_is_cut(value, above, cuts, ascii):
    levels = MAX_DEPTH - 5 + above
    text = ("[" * levels + json.dumps(value, ensure_ascii=ascii) + "]" * levels).encode()
    check = DepthCheck()

    def read() -> None:
        for start, end in pairwise(sorted({0, len(text), *(levels + cut for cut in cuts if levels + cut < len(text))})):
            check.add(text[start:end])

    if levels + depth_of(value) > MAX_DEPTH:
        with pytest.raises(DataError, match="nested less deeply"):
            read()
    else:
        read()
        assert check._depth == 0


def has_key_twice(text: str) -> bool:
    found = []

    def pairs(each):
        found.append(len(dict(each)) < len(each))
        return dict(each)

    json.loads(text, object_pairs_hook=pairs)
    return any(found)


def dump(value: object, again: list[int], ascii: bool, colon: str) -> str:
    """JSON in which the objects whose turn it is have their first key twice."""
    if isinstance(value, list):
        return f"[{', '.join(dump(each, again, ascii, colon) for each in value)}]"
    if isinstance(value, dict):
        pairs = [json.dumps(key, ensure_ascii=ascii) + colon + dump(value[key], again, ascii, colon) for key in value]
        twice = bool(again and again.pop()) and pairs[:1]
        return f"{{{', '.join([*pairs, *(twice or [])])}}}"
    return json.dumps(value, ensure_ascii=ascii)


@given(
    value=VALUES,
    again=st.lists(st.integers(0, 1), max_size=6),
    ascii=st.booleans(),
    colon=st.sampled_from([":", ": ", " : "]),
    escaped=st.booleans(),
)
def test_a_key_twice_is_found_wherever_it_is(value, again, ascii, colon, escaped):
    text = dump({"a:": value}, again, ascii, colon)
    if escaped:
        text = text.replace("a:", "a\\u003a")
    if has_key_twice(text):
        with pytest.raises(DataError, match="expected each key once, found a second one"):
            check_keys(text.encode(), json.loads(text))
    else:
        check_keys(text.encode(), json.loads(text))


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"label": "fake"', '"label": "real", "label": "fake"', "label"),
        ('"bbox": [', '"bbox": [1, 2, 3, 4], "bbox": [', "bbox"),
        ('"label": "fake"', '"label": "fake", "more": {"x": {"y": 1, "y": 2}}', "y"),
        ('"label": "fake"', '"note": "a: b", "label" : "fake", "note": "a: b"', "note"),
    ],
)
def test_a_key_twice_in_a_record(tmp_path, old, new, field):
    path = tmp_path / "a.jsonl"
    lines = [json.dumps(record(index)) for index in range(3)]
    lines[1] = lines[1].replace(old, new, 1)
    path.write_text("\n".join(lines))
    with pytest.raises(DataError) as error:
        list(read_annotations(path))
    message = f"{path}:2: {field}: expected each key once, found a second one (id 'fake-001')"
    assert str(error.value) == message
    assert len(list(read_annotations(path, on_error=lambda _: None))) == 2
    with pytest.raises(DataError, match=f"{field}: expected each key once"):
        decode_line(lines[1].encode())


def test_colons_in_texts_are_no_keys(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record(0, note="a: b: c", more={"x": "é:"})))
    assert len(list(read_annotations(path))) == 1


@pytest.mark.parametrize(("text", "prefix"), [('[{"a": 1, "a": 2}]', "item"), ('{"x": [{"b": {"a": 1, "a": 2}}]}', "")])
def test_a_key_twice_in_an_item(tmp_path, text, prefix):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"a\.json: a: expected each key once"):
        list(load_json_items(path, prefix))


@pytest.mark.parametrize("level", ["[", '{"a":'])
def test_deep_items_are_refused_at_once(tmp_path, level, request):
    import tracemalloc

    path: Path = tmp_path / "a.json"
    path.write_text(level * 40_000)
    tracemalloc.start()
    request.addfinalizer(tracemalloc.stop)
    with pytest.raises(DataError, match=r"a\.json: expected data nested less deeply, found more than 100 levels"):
        list(load_json_items(path, "item" if level == "[" else ""))
    with pytest.raises(DataError, match=r"a\.json: expected data nested less deeply"):
        is_json_list(path)
    assert tracemalloc.get_traced_memory()[1] < 3e6


def test_a_key_twice_in_answers_and_logs(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"response": "fake", "response": "real", "images": ["a.png"], "logprobs": NaN}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:1: response: expected each key once"):
        list(read_predictions(path))
    for loss in ("0.5", "NaN"):
        path.write_text(f'{{"step": 1, "loss": {loss}, "loss": 1}}\n')
        with pytest.raises(DataError, match=r"a\.jsonl:1: loss: expected each key once"):
            read_log(path)


def test_a_deep_line_is_refused():
    with pytest.raises(DataError, match="expected one JSON object, found maximum recursion depth"):
        decode_line(b"[" * 40_000)
