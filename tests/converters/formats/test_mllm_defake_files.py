"""Files of the authors' rows: lists and lines, several files, images in any folder, the order of boxes, GRPO rows."""

import json

import pytest

from converters.drafts.choices import Choices
from converters.formats.mllm_defake import from_mllm_defake, load_mllm_defake
from converters.formats.mllm_defake_files import MACHINE
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.converters.reading import pictures
from tests.converters.rows import records


def fake(image="a.png", boxes=((1, 2, 30, 20),), **others):
    think = "\n".join("<ref-object><bbox> is odd;" for _ in boxes)
    answer = f"<think>\n{think}\n</think>\n<verdict>generated</verdict>"
    objects = {"ref": ["Hand"] * len(boxes), "bbox": [list(box) for box in boxes]}
    messages = [{"role": "user", "content": "<image>Real?"}, {"role": "assistant", "content": answer}]
    return {"messages": messages, "images": [image], "objects": objects} | others


def question(image="a.png", **others):
    """A row for GRPO, without an answer."""
    return {"messages": [{"role": "user", "content": "<image>Real?"}], "images": [image]} | others


def write(path, *rows, lines=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows, indent=1), "utf-8")
    return path


def read(source, images, **settings):
    """Records of a source, with the search below the folder that the command has for this format."""
    return records("mllm-defake", source, images, search=True, **settings)


def drafts(source, **settings):
    return [draft for piece in load_mllm_defake(source, **settings) for draft in from_mllm_defake(piece.data)]


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
@pytest.mark.parametrize("lines", [True, False])
def test_lists_and_lines_are_told_apart_by_their_content(tmp_path, name, lines):
    pictures(tmp_path, "a.png", "b.png")
    path = write(tmp_path / name, fake("a.png"), fake("b.png", seed=7), lines=lines)
    first, second = read(path, tmp_path)
    assert (first.id, second.extra) == ("a", {"seed": 7})
    assert [record.line for record in (first, second)] == ([1, 2] if lines else [0, 0])


def test_all_files_of_a_folder_are_read_and_a_bad_one_does_not_stop_the_others(tmp_path):
    pictures(tmp_path, *(f"{name}.png" for name in "abcd"))
    write(tmp_path / "1.jsonl", fake("a.png"))
    (tmp_path / "2.json").write_text('[{"messages": ')
    write(tmp_path / "deep/3.json", fake("b.png"), 7, fake("c.png"), lines=False)
    write(tmp_path / "4.jsonl", fake("d.png"))
    errors = []
    found = read(tmp_path, tmp_path, on_error=errors.append)
    assert [record.id for record in found] == ["a", "d", "b", "c"]
    assert [error.file.removeprefix(f"{tmp_path}/") for error in errors] == ["2.json", "deep/3.json"]
    assert errors[1].field == "[1]" and errors[1].expected == "a JSON object"


def test_a_folder_without_rows_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"expected files \*\.jsonl or \*\.json with rows, found none in the folder"):
        read(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("rows", "image", "file"),
    [
        ("rows.jsonl", "FakeXplain/images/flux/1.png", "images/flux/1.png"),
        ("rows.jsonl", "/mnt/data/images/flux/1.png", "images/flux/1.png"),
        ("rows.jsonl", "D:\\data\\flux\\1.png", "images/flux/1.png"),
        ("gpt/rows.jsonl", "images/1.png", "gpt/images/1.png"),
        ("gpt/rows.jsonl", "gpt/images/1.png", "gpt/images/1.png"),
        ("annotations/rows.jsonl", "../images/1.png", "images/1.png"),
        ("annotations/rows.jsonl", "/data/x/1.png", "images/sd/1.png"),
    ],
)
def test_images_are_found_below_any_folder(tmp_path, rows, image, file):
    pictures(tmp_path, file, "images/other.png")
    write(tmp_path / rows, fake(image))
    (record,) = read(tmp_path, tmp_path)
    assert record.image == f"source/{file}"


def test_images_of_one_name_are_told_apart_by_the_ends_of_their_paths(tmp_path):
    pictures(tmp_path, "images/flux/1.png", "images/sd/1.png")
    write(tmp_path / "rows.jsonl", fake("root/sd/1.png"), fake("root/flux/1.png"))
    assert [record.image for record in read(tmp_path, tmp_path)] == [
        "source/images/sd/1.png",
        "source/images/flux/1.png",
    ]


@pytest.mark.parametrize("images", [["x/1.png"], ["root/flux/1.png", "base/flux/1.png"], ["1.png"]])
def test_an_image_that_may_be_two_is_none(tmp_path, images):
    pictures(tmp_path, "images/flux/1.png", "images/sd/1.png")
    write(tmp_path / "rows.jsonl", *(fake(image) for image in images))
    with pytest.raises(DataError, match=r"images\[0\]: expected an image file"):
        read(tmp_path, tmp_path, again=lambda: load_mllm_defake(tmp_path))


def test_rows_without_an_answer_are_fake_by_their_objects_and_real_without(tmp_path):
    objects = {"ref": ["Left  hand", "Cup"], "bbox": [[1, 2, 3, 4], [5, 6, 7, 8]]}
    path = write(
        tmp_path / "rows.jsonl",
        question(objects=objects, seed=7),
        *(question(objects=empty) for empty in (None, {}, {"ref": [], "bbox": []})),
        question(),
    )
    first, *others = drafts(path)
    assert (first.label, first.fields, first.tags) == ("fake", {"seed": 7}, [])
    assert [region[:2] for region in first.regions] == [((1, 2, 3, 4), "Left hand"), ((5, 6, 7, 8), "Cup")]
    assert [(draft.label, draft.regions) for draft in others] == [("real", [])] * 4


def test_rows_without_an_answer_say_nothing_where_no_row_of_the_file_has_objects(tmp_path):
    pictures(tmp_path, "a.png")
    path = write(tmp_path / "rows.jsonl", question())
    with pytest.raises(DataError, match=r"label: expected 'fake' or 'real', or --label"):
        read(path, tmp_path)
    assert read(path, tmp_path, label="real")[0].label == "real"


@pytest.mark.parametrize("stated", [{"label": "Fake"}, {"solution": "<think></think><verdict>generated</verdict>"}])
def test_a_row_without_objects_that_says_fake_elsewhere_is_an_error(tmp_path, stated):
    path = write(tmp_path / "rows.jsonl", fake(), question(**stated))
    with pytest.raises(DataError, match="expected no word of a fake, because the row has no objects"):
        drafts(path)


def test_boxes_without_names_take_the_users_caption(tmp_path):
    pictures(tmp_path, "a.png")
    path = write(tmp_path / "rows.jsonl", question(objects={"bbox": [[1, 2, 3, 4]]}))
    with pytest.raises(DataError, match=r"objects\.ref\[0\]: expected a name; or --caption TEXT"):
        read(path, tmp_path)
    (record,) = read(path, tmp_path, choices=Choices(caption="Odd."))
    assert record.regions[0].caption == "Odd."


def test_names_that_do_not_match_the_boxes_are_an_error(tmp_path):
    path = write(tmp_path / "rows.jsonl", question(objects={"ref": ["a"], "bbox": [[1, 2, 3, 4], [1, 2, 3, 4]]}))
    with pytest.raises(DataError, match=r"objects\.ref: expected one ref for each of 2 bbox, found 1"):
        drafts(path)


SPANS = (20, 30, 2, 8)  # only x1, x2, y1, y2
CORNERS = (2, 20, 8, 30)  # either
STRAIGHT = (20, 2, 30, 8)  # only x1, y1, x2, y2


def test_boxes_that_make_sense_only_in_the_other_order_are_refused_for_the_whole_file(tmp_path):
    pictures(tmp_path, "a.png", "b.png", "c.png")
    write(tmp_path / "1.jsonl", fake("a.png", [CORNERS]), fake("b.png", [CORNERS, SPANS]))
    write(tmp_path / "2.jsonl", fake("c.png", [STRAIGHT]))
    errors = []
    assert [record.id for record in read(tmp_path, tmp_path, on_error=errors.append)] == ["c"]
    (error,) = errors
    assert (error.file, error.field) == (str(tmp_path / "1.jsonl"), "objects.bbox")
    assert error.expected == "boxes x1, y1, x2, y2, or --box-order x1y1x2y2 or x1x2y1y2 to say what they are"
    found = (
        "1 of 3 boxes that make sense only as x1, x2, y1, y2, the first in line 2: [20, 30, 2, 8]; 0 make sense only"
    )
    assert error.found.startswith(found)


@pytest.mark.parametrize("lines", [True, False])
def test_the_user_names_the_order_of_boxes(tmp_path, lines):
    path = write(tmp_path / "rows.json", fake(boxes=[SPANS, CORNERS]), lines=lines)
    (draft,) = drafts(path, box_order="x1x2y1y2")
    assert [region.box for region in draft.regions] == [(20, 2, 30, 8), (2, 8, 20, 30)]
    (draft,) = drafts(path, box_order="x1y1x2y2")
    assert [region.box for region in draft.regions] == [SPANS, CORNERS]


def test_a_few_bad_boxes_do_not_make_an_order(tmp_path):
    pictures(tmp_path, "a.png", "b.png")
    path = write(tmp_path / "rows.jsonl", fake("a.png", [STRAIGHT, STRAIGHT]), fake("b.png", [SPANS]))
    errors = []
    (record,) = read(path, tmp_path, on_error=errors.append)
    assert record.id == "a" and len(errors) == 1
    assert (errors[0].line, errors[0].expected) == (2, "x1 < x2 and y1 < y2")


@pytest.mark.parametrize(
    ("folder", "generator"),
    [("chameleon-gpt-image-2", "gpt-image-2"), ("Chameleon-NanoBanana2-v1", "gemini-3.1-flash-image")],
)
def test_the_extensions_of_machine_annotations_are_known_by_their_names(tmp_path, folder, generator):
    rows = (fake(), fake(boxes=[], annotator="me"), question())
    in_folder, as_file = tmp_path / folder / "data/rows.jsonl", tmp_path / f"{folder}.jsonl"
    for path in (in_folder, as_file):
        first, second, third = drafts(write(path, *rows))
        assert first.fields == {"annotator": MACHINE, "generator": generator}
        assert second.fields == {"annotator": "me", "generator": generator}
        assert (third.label, third.fields) == ("real", {})
    assert drafts(write(tmp_path / "FakeXplain/rows.jsonl", fake()))[0].fields == {}


def test_images_are_paths_or_objects_of_them(tmp_path):
    images = "a.png", [{"bytes": None, "path": "a.png"}]
    path = write(tmp_path / "rows.jsonl", *(fake() | {"images": each} for each in images))
    assert [draft.image for draft in drafts(path)] == ["a.png", "a.png"]


def test_other_keys_of_objects_are_kept(tmp_path):
    row = fake()
    row["objects"] |= {"bbox_type": "real", "image_id": [0], "area": [7]}
    assert drafts(write(tmp_path / "rows.jsonl", row))[0].fields == {"objects_area": [7]}


@pytest.mark.parametrize("wrong", [{"bbox_type": "norm1"}, {"image_id": [1]}])
def test_keys_that_change_what_a_box_means_are_an_error(tmp_path, wrong):
    row = fake()
    row["objects"] |= wrong
    with pytest.raises(DataError, match=r"expected boxes in pixels of the one image"):
        drafts(write(tmp_path / "rows.jsonl", row))


def test_the_command_searches_images_and_takes_the_order(tmp_path):
    pictures(tmp_path / "FakeXplain", "deep/images/a.png")
    write(tmp_path / "FakeXplain/rows.jsonl", fake("root/images/a.png", [SPANS]))
    out = tmp_path / "out.jsonl"
    words = ("convert", "mllm-defake", tmp_path / "FakeXplain", "--out", out)
    done = fakexplain(*words)
    assert done.returncode == 1 and "--box-order x1y1x2y2 or x1x2y1y2" in done.stderr and not out.exists()
    done = fakexplain(*words, "--box-order", "x1x2y1y2")
    assert done.returncode == 0, done.stderr
    row = json.loads(out.read_text("utf-8"))
    assert row["regions"][0]["bbox"] == [20.0, 2.0, 30.0, 8.0] and row["image"] == "FakeXplain/deep/images/a.png"


def test_options_of_another_format_are_bad_usage(tmp_path):
    pictures(tmp_path, "real/a.png")
    done = fakexplain("convert", "folder", tmp_path, "--out", tmp_path / "o.jsonl", "--box-order", "x1y1x2y2")
    assert done.returncode == 2 and "expected the format mllm-defake" in done.stderr


@pytest.mark.parametrize("suffix", ["7z", "rar", "tar", "gz"])
def test_an_archive_that_is_not_a_zip_is_to_be_unpacked_first(tmp_path, suffix):
    (tmp_path / f"FakeXplain.{suffix}").write_bytes(b"7z")
    done = fakexplain("convert", "mllm-defake", tmp_path / f"FakeXplain.{suffix}", "--out", tmp_path / "o.jsonl")
    assert done.returncode == 1 and f"found an archive .{suffix}" in done.stderr and "7z x FILE" in done.stderr
