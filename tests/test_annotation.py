"""The record: what is read, what is refused, and what the refusal says."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugins.fakexplain.annotation import parse_record, read_annotations, to_record, write_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.jsonl import decode_line
from swift_plugins.fakexplain.tags import TAG_WORDS, TAGS, canonical_tag

FAKE = {
    "id": "flux-0001",
    "image": "images/flux-0001.png",
    "width": 512,
    "height": 512,
    "label": "fake",
    "regions": [{"bbox": [34.0, 120.0, 210.0, 300.0], "caption": "Left hand with six fingers."}],
    "tags": ["structure_attribute_error"],
    "generator": "FLUX.1-dev",
    "family": "diffusion",
    "class_name": "tench",
    "annotator": "a07",
    "fold": 0,
}
REAL = {"id": "r1", "image": "r1.png", "width": 8, "height": 8, "label": "real", "regions": [], "tags": []}


SPECIAL_TOKENS = (  # written out: the table that annotations are checked with may lose one
    *("<IMG_CONTEXT>", "<img>", "</img>", "<quad>", "<image_id>", "</image_id>", "<slice>", "</slice>", "<point>"),
    *("<unk>", "<s>", "</s>", "<im_start>", "<im_end>", "<ovis_image>", "<ovis_image_start>", "<ovis_visual_atom>"),
    *("<image_soft_token>", "<video_soft_token>", "<start_of_image>", "[gMASK]", "[MASK]", "<sop>", "<eop>"),
    *("<|begin_of_box|>", "<|end_of_box|>", "<|image|>", "<|begin_of_image|>", "<|observation|>", "<|user|>"),
    *("<|vision_start|>", "<|image_pad|>", "<|object_ref_start|>", "<|endoftext|>"),
)


def region(**changes):
    return [{"bbox": [1, 2, 3, 4], "caption": "Sign with no letters."} | changes]


def write_lines(path: Path, *lines) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_a_record_is_read_and_written_back_whole(tmp_path):
    lines = [FAKE | {"seed": 7}, REAL]
    source = write_lines(tmp_path / "a.jsonl", *lines)
    records = list(read_annotations(source))
    assert [to_record(record) for record in records] == lines
    assert records[0].path == tmp_path / "images/flux-0001.png"
    assert records[0].extra == {"seed": 7}
    assert write_annotations(tmp_path / "b.jsonl", records) == 2
    assert [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()] == lines
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        *((tag, tag) for tag in TAGS),
        *((words, tag) for tag, words in TAG_WORDS.items()),
        # Table 7
        ("Structure/Attribute Error", "structure_attribute_error"),
        ("Wrong Texture", "texture_error"),
        ("Artistic Style", "artistic_style"),
        ("Other Anomalies", "other_anomaly"),
        ("Unrecognizable Objects", "unknown_object"),
        ("Perspective Errors", "perspective_error"),
        # App. A.2
        ("Artistic styles", "artistic_style"),
        ("Unknown objects", "unknown_object"),
        ("Structure/attribute errors", "structure_attribute_error"),
        ("Texture errors", "texture_error"),
    ],
)
def test_the_papers_names_of_a_tag_are_read(name, tag):
    assert canonical_tag(name) == tag


@pytest.mark.parametrize("name", ["", "s", "texture", "no texture error", "错误"])
def test_other_words_are_no_tag(name):
    assert canonical_tag(name) is None


@pytest.mark.parametrize(
    ("change", "field", "expected", "found"),
    [
        ({"id": None}, "id", "a non-empty string", "None"),
        ({"id": " "}, "id", "a non-empty string", "' '"),
        ({"image": 3}, "image", "a non-empty string", "3"),
        ({"width": 512.5}, "width", "a whole number of pixels", "512.5"),
        ({"width": True}, "width", "a whole number of pixels", "True"),
        ({"height": 0}, "height", "at least 1 pixel", "0"),
        ({"label": "ai"}, "label", "'fake' or 'real'", "'ai'"),
        ({"label": "real"}, "regions", "an empty list because the image is real", "[{"),
        ({"label": "real", "regions": []}, "tags", "an empty list because the image is real", "['struct"),
        ({"regions": None}, "regions", "a list of {bbox, caption}", "None"),
        ({"regions": {}}, "regions", "a list of {bbox, caption}", "{}"),
        ({"regions": [[1, 2, 3, 4]]}, "regions[0]", "{bbox, caption}", "[1, 2, 3, 4]"),
        ({"regions": [{"bbox": [1, 2, 3, 4]}]}, "regions[0]", "{bbox, caption}", "{'bbox'"),
        ({"regions": region(bbox=[1, 2, 3])}, "regions[0].bbox", "four numbers x1, y1, x2, y2", "[1, 2, 3]"),
        ({"regions": region(bbox=[1, 2, "3", 4])}, "regions[0].bbox", "four numbers x1, y1, x2, y2", "[1, 2, '3', 4]"),
        ({"regions": region(bbox=[1, 2, True, 4])}, "regions[0].bbox", "four numbers", "[1, 2, True, 4]"),
        (
            {"regions": region(bbox=[1, 2, 10**400, 4])},
            "regions[0].bbox",
            "numbers that fit into a float",
            "[1, 2, 1000",
        ),
        ({"regions": region(bbox=[3, 2, 3, 4])}, "regions[0].bbox", "x1 < x2 and y1 < y2", "[3, 2, 3, 4]"),
        ({"regions": region(bbox=[1, 4, 3, 2])}, "regions[0].bbox", "x1 < x2 and y1 < y2", "[1, 4, 3, 2]"),
        ({"regions": region(bbox=[-1, 2, 3, 4])}, "regions[0].bbox", "a box inside the 512x512 image", "[-1, 2"),
        ({"regions": region(bbox=[1, 2, 512.5, 4])}, "regions[0].bbox", "a box inside the 512x512 image", "[1, 2"),
        ({"regions": region(caption="")}, "regions[0].caption", "a non-empty string", "''"),
        ({"regions": region(caption=None)}, "regions[0].caption", "a non-empty string", "None"),
        ({"regions": region(caption="two\nlines")}, "regions[0].caption", "one line", "'two\\nlines'"),
        ({"regions": region(caption="two\u2028lines")}, "regions[0].caption", "one line", "'two"),
        ({"regions": region(caption="see <bbox>")}, "regions[0].caption", "no markup or placeholder", "'<bbox>'"),
        ({"regions": region(caption="a <image>")}, "regions[0].caption", "no markup or placeholder", "'<image>'"),
        ({"regions": region(caption="<ref-object>")}, "regions[0].caption", "no markup", "'<ref-object>'"),
        ({"regions": region(caption="a </think>")}, "regions[0].caption", "no markup", "'</think>'"),
        *(
            ({"regions": region(caption=f"a {token} b")}, "regions[0].caption", "no markup", repr(token))
            for token in SPECIAL_TOKENS
        ),
        ({"regions": region(caption="a <|im_end|>")}, "regions[0].caption", "no markup", "'<|im_end|>'"),
        ({"regions": region(caption="[1, 2, 3, 4] x")}, "regions[0].caption", "words, not a part", "'[1, 2, 3, 4] x'"),
        ({"regions": region(caption="No visible flaw.")}, "regions[0].caption", "words, not a part", "'No vis"),
        ({"tags": ["shiny"]}, "tags[0]", "one of perspective_error, artistic_style", "'shiny'"),
        ({"tags": ["texture_error", "Wrong Texture"]}, "tags[1]", "each tag once", "'Wrong Texture'"),
        ({"fold": 4}, "fold", "0, 1, 2 or 3", "4"),
        ({"fold": "0"}, "fold", "0, 1, 2 or 3", "'0'"),
    ],
)
def test_a_bad_record_says_where_what_was_expected_and_what_was_there(tmp_path, change, field, expected, found):
    path = write_lines(tmp_path / "bad.jsonl", REAL, FAKE | change)
    with pytest.raises(DataError) as caught:
        list(read_annotations(path))
    message = str(caught.value)
    assert message.startswith(f"{path}:2: {field}: expected {expected}")
    assert f"found {found}" in message
    assert change.get("id", FAKE["id"]) is None or repr(change.get("id", FAKE["id"])) in message


@pytest.mark.parametrize("name", ["id", "image", "width", "height", "label", "regions", "tags"])
def test_a_missing_field_is_named(name):
    record = {key: value for key, value in FAKE.items() if key != name}
    with pytest.raises(DataError, match=rf"^{name}: expected .*, found nothing$"):
        parse_record(record)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "a"', "expected one JSON object, found"),
        ("[1, 2]", "expected a JSON object, found [1, 2]"),
        ("", "expected at least one record, found an empty file"),
        ('{"id": NaN}', "NaN, which is not JSON"),
        ("[" * 100_000, "expected one JSON object, found"),
    ],
)
def test_a_line_that_is_no_record_is_an_error(tmp_path, line, message):
    path = write_lines(tmp_path / "bad.jsonl", line)
    with pytest.raises(DataError, match=r"bad\.jsonl") as caught:
        list(read_annotations(path))
    assert message in str(caught.value)


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"id": "caf\xe9"}\n')
    with pytest.raises(DataError, match=r"latin\.jsonl:1: expected UTF-8 text, found byte 0xe9 at column 12"):
        list(read_annotations(path))


def test_a_repeated_id_names_the_first_line(tmp_path):
    path = write_lines(tmp_path / "twice.jsonl", FAKE, "", REAL, FAKE)
    with pytest.raises(DataError, match=r"twice\.jsonl:4: id: .*\(line 1 already uses this one\), found 'flux-0001'"):
        list(read_annotations(path))


def test_reading_can_go_on_after_errors(tmp_path):
    path = write_lines(tmp_path / "some.jsonl", FAKE | {"fold": 9}, "{", REAL, REAL)
    errors = []
    assert [record.id for record in read_annotations(path, on_error=errors.append)] == ["r1"]
    assert [error.line for error in errors] == [1, 2, 4]


@pytest.mark.parametrize("path", ["missing.jsonl", "."])
def test_a_path_that_is_no_file_is_an_error(tmp_path, path):
    with pytest.raises(FileNotFoundError, match="expected an annotations file"):
        list(read_annotations(tmp_path / path))


def test_a_byte_order_mark_is_read_over(tmp_path):
    path = tmp_path / "bom.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(REAL).encode())
    assert [record.id for record in read_annotations(path)] == ["r1"]


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.jsonl"
        with open(path, "w") as file:
            for index in range(count):
                file.write(json.dumps(FAKE | {"id": f"flux-{index:07}"}) + "\n")
        tracemalloc.start()
        assert sum(1 for _ in read_annotations(path)) == count
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(3_000) < peak(1_000) + 100_000  # 50 bytes per record; a record takes 1,700


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(anything, st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(value, ascii):
    raw = json.dumps(value, ensure_ascii=ascii).encode()
    assert repr(decode_line(raw)) == repr(json.loads(raw)) == repr(value)


@pytest.mark.parametrize("raw", [b"1e400", b"9" * 400])
def test_json_that_the_fast_reader_refuses_is_read_all_the_same(raw):
    assert decode_line(raw) == json.loads(raw)


def test_text_that_no_file_can_hold_is_an_error_of_its_record(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(FAKE | {"generator": "\ud800"}))
    with pytest.raises(DataError, match=r"a.jsonl:1: expected text that UTF-8 can write, found half .*ud800"):
        list(read_annotations(path))
