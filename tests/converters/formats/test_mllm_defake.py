"""The authors' rows: captions out of placeholders, tags out of prose, rows whose parts do not fit together."""

import json

import pytest

from converters.formats.mllm_defake import from_mllm_defake, tag_of
from converters.formats.mllm_defake_files import SourceRow
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.tags import TAG_WORDS
from tests.converters.goldens import check_golden
from tests.converters.rows import png, records

TWO = "<ref-object><bbox> has six fingers; and a ring;\n<ref-object> <bbox>: melted"


def row(think=TWO, tags=(), verdict="generated", **changes):
    tags = "".join(f"<tag>{tag}</tag>\n" for tag in tags)
    answer = f"<think>\n{think}\n</think>\n{tags}<verdict>{verdict}</verdict>"
    return {
        "messages": [{"role": "user", "content": "<image>Real?"}, {"role": "assistant", "content": answer}],
        "images": ["a.png"],
        "objects": {"ref": ["Left hand", "Cup"], "bbox": [[1, 2, 3, 4], [5.5, 6.5, 7.5, 8.5]]},
    } | changes


def draft(row):
    (found,) = from_mllm_defake(SourceRow(json.dumps(row).encode()))
    return found


def test_golden(tmp_path):
    check_golden("mllm-defake", tmp_path)


def test_a_caption_is_the_line_with_the_name_in_its_place():
    assert [region[:2] for region in draft(row()).regions] == [
        ((1, 2, 3, 4), "Left hand has six fingers; and a ring"),
        ((5.5, 6.5, 7.5, 8.5), "Cup: melted"),
    ]


@pytest.mark.parametrize("objects", [{}, None, {"ref": [], "bbox": []}, []])
def test_the_verdict_is_the_label(objects):
    assert draft(row("", verdict="real", objects=objects)).label == "real"
    assert draft(row("", verdict="generated", objects=objects)).label == "fake"
    without = row("", verdict="real")
    del without["objects"]
    assert draft(without).label == "real"


def test_fields_of_the_row_are_kept():
    found = draft(row(id="x-1", generator="FLUX", class_name="tench", seed=3, steps=[20, None], width=8, height=6))
    assert (found.id, found.wh) == ("x-1", (8, 6))
    assert found.fields == {"generator": "FLUX", "class_name": "tench", "seed": 3, "steps": [20, None]}


def test_fields_whose_names_mean_something_else_in_a_record_are_kept_under_another():
    found = draft(row("So it is.", objects=None, id=0, label="1", explanation="Mine."))
    assert found.id == "0"
    assert found.fields == {"source_label": "1", "source_explanation": "Mine.", "explanation": "So it is."}


def test_tags_of_the_row_follow_those_of_the_answer():
    changed = row(tags=["Wrong Texture"]) | {"tags": ["texture_error", "artistic_style"]}
    assert draft(changed).tags == ["texture_error", "artistic_style"]


@pytest.mark.parametrize(
    ("prose", "tag"),
    [(words, tag) for tag, words in TAG_WORDS.items()]
    + [
        ("Wrong Texture", "texture_error"),
        ("The image has an unnatural viewing angle.", "perspective_error"),
        ("Vanishing points do not agree.", "perspective_error"),
        ("The overall image looks like an oil painting.", "artistic_style"),
        ("The subject of the image does not exist in the world.", "unknown_object"),
        ("The main object is unrecognisable.", "unknown_object"),
        ("The subject's structure is inconsistent with common knowledge.", "structure_attribute_error"),
        ("Obvious texture errors\nappear in the image.", "texture_error"),
        ("There are other very obvious errors.", "other_anomaly"),
    ],
)
def test_prose_means_a_tag(prose, tag):
    assert tag_of(prose) == tag and draft(row(tags=[prose])).tags == [tag]


@pytest.mark.parametrize(
    "prose", ["The image is shiny.", "", "There are no texture errors.", "The texture and the perspective are wrong."]
)
def test_prose_that_means_none_or_several_is_an_error_that_names_it(prose):
    expected = r"messages\[1\]\.content: expected a <tag> that means one of perspective error, .*, found '" + prose
    with pytest.raises(DataError, match=expected):
        draft(row(tags=["artistic style", prose]))


ONE = {"ref": ["Hand"], "bbox": [[1, 2, 3, 4]]}
ROLES = [{"role": "assistant", "content": ""}, {"role": "assistant", "content": ""}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"messages": None}, r"^messages: expected a list of messages, found None"),
        ({"messages": ROLES}, r"^messages: expected at most one message of the assistant, found 2"),
        ({"messages": [{"content": "a"}]}, r"^messages\[0\]\.role: expected a role, found nothing"),
        (
            {"messages": [{"role": "assistant"}]},
            r"^messages\[0\]\.content: expected the assistant's text, found nothing",
        ),
        ({"images": []}, r"^images: expected a list of one image, found \[\]"),
        ({"images": ["a.png", "b.png"]}, r"^images: expected a list of one image"),
        ({"images": [7]}, r"^images: expected a list of one image, found \[7\]"),
        ({"think": "text"}, r"^objects: expected one ref and one bbox for each .*: 0, found 2 ref and 2 bbox"),
        ({"objects": ONE}, r"^objects: expected one ref and one bbox for each .*: 2, found 1 ref and 1 bbox"),
        ({"objects": {}}, r"^objects: expected one ref and one bbox for each .*: 2, found 0 ref and 0 bbox"),
        ({"objects": "a"}, r"^objects: expected an object of ref and bbox, found 'a'"),
        ({"objects": 0}, r"^objects: expected an object of ref and bbox, found 0"),
        ({"id": ["a"]}, r"^id: expected a text or a whole number, found \['a'\]"),
        ({"width": 8}, r"^height: expected a whole number of pixels, found nothing"),
        ({"objects": {"bbox": [], "ref": 7}}, r"^objects\.ref: expected a list of names, found 7"),
        ({"objects": {"ref": []}}, r"^objects\.bbox: expected a list of boxes, found nothing"),
        ({"objects": {"ref": [1], "bbox": []}}, r"^objects\.ref\[0\]: expected a name, found 1"),
        ({"objects": {"ref": [], "bbox": [[1, 2]]}}, r"^objects\.bbox\[0\]: expected four numbers"),
        ({"objects": {"ref": [], "bbox": [[1, 2, 3, True]]}}, r"^objects\.bbox\[0\]: expected four numbers"),
        (
            {"objects": ONE | {"bbox_type": "norm1"}},
            r"^objects\.bbox_type: expected boxes in pixels of the one image, found 'norm1'",
        ),
        ({"verdict": "real"}, r"^objects: expected no object, because the verdict is real, found 2"),
        ({"verdict": "maybe"}, r"content: expected the verdict generated or real, found 'maybe'"),
        ({"verdict": "<b>"}, r"content: expected <think>…</think>, a <tag> for each tag, <verdict>…</verdict>, found"),
        ({"think": f"See: {TWO}"}, r"content: expected <ref-object><bbox> before the first text .*, found 'See:'"),
    ],
)
def test_a_bad_row_is_an_error(changes, message):
    with pytest.raises(DataError, match=message):
        draft(row(**changes))


@pytest.mark.parametrize("field", ["messages", "images"])
def test_a_field_that_is_missing_is_an_error(field):
    without = row()
    del without[field]
    with pytest.raises(DataError, match=rf"^{field}: expected a list of .*, found nothing"):
        draft(without)


@pytest.mark.parametrize("line", [b"{", b"[1", b"\xff\xfe", b"null", b"[]"])
def test_a_line_that_is_no_object_is_an_error(line):
    with pytest.raises(DataError, match="expected (one|a) JSON object"):
        from_mllm_defake(SourceRow(line))


def test_errors_name_file_and_line_and_the_good_rows_go_on(tmp_path):
    (tmp_path / "a.png").write_bytes(png((16, 16)))
    up, root, good = (json.dumps(row(images=[f"{folder}a.png"])) for folder in ("../", "/", ""))
    lines = ["\ufeff" + up, "", "{", json.dumps(row(tags=["shiny"])), root, good]
    (tmp_path / "train.jsonl").write_text("\n".join(lines), "utf-8")
    errors = []
    (record,) = records("mllm-defake", tmp_path, tmp_path, on_error=errors.append)
    assert record.line == 6
    assert [(error.file, error.line, error.field) for error in errors] == [
        (str(tmp_path / "train.jsonl"), 1, "images[0]"),
        (str(tmp_path / "train.jsonl"), 3, ""),
        (str(tmp_path / "train.jsonl"), 4, "messages[1].content"),
        (str(tmp_path / "train.jsonl"), 5, "images[0]"),
    ]
    assert all("a relative path that stays inside" in errors[index].expected for index in (0, 3))
