"""FakeClue: 1 is real, the answers are kept, every field must be there, and memory does not grow."""

import json
import tracemalloc

import pytest

from converters.convert import Place
from converters.formats.fakeclue import from_fakeclue, load_fakeclue
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.rows import png, records

SOURCE = ASSETS / "fakeclue/source"
TALK = [{"from": "human", "value": "Real?"}, {"from": "gpt", "value": "No."}]
ITEM = {"image": "a.png", "label": 0, "cate": "doc", "conversations": TALK}


def test_golden(tmp_path):
    check_golden("fakeclue", tmp_path, images=Place(SOURCE / "test", "source/test"))


def test_the_command_with_the_releases_own_folders(tmp_path):
    out = tmp_path / "a.jsonl"
    done = fakexplain("convert", "fakeclue", SOURCE / "data_json/test.json", "--images", SOURCE / "test", "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == f"2 records in {out}"
    assert all(record.path.is_file() for record in read_annotations(out))


@pytest.mark.parametrize(("number", "label"), [(1, "real"), (0, "fake")])
def test_one_is_real(number, label):
    assert from_fakeclue(ITEM | {"label": number})[0].label == label


def test_answers_are_kept_as_they_are():
    talk = [*TALK, {"from": "human", "value": "Why?"}, {"from": "gpt", "value": " It has\nsix legs."}]
    assert from_fakeclue(ITEM | {"conversations": talk})[0].fields["explanation"] == "No.\n It has\nsix legs."


def test_fields_of_an_items_own_are_kept():
    own = {"id": 0, "generator": "FLUX", "annotator": 7, "class": ["dog"], "note": {"seed": 3}, "empty": None}
    (draft,) = from_fakeclue(ITEM | own | {"tags": ["Wrong Texture"], "width": 8, "height": 6, "class_name": "paper"})
    assert (draft.id, draft.wh, draft.tags) == ("0", (8, 6), ["Wrong Texture"])
    assert draft.fields == {
        "generator": "FLUX",
        "annotator": "7",
        "class": ["dog"],
        "note": {"seed": 3},
        "source_class_name": "paper",  # `cate` is the class
        "class_name": "doc",
        "explanation": "No.",
    }


def test_items_before_a_break_are_read(tmp_path):
    (tmp_path / "a.png").write_bytes(png((8, 8)))
    (tmp_path / "test.json").write_text(json.dumps([ITEM, ITEM])[:-9])
    errors = []
    (record,) = records("fakeclue", tmp_path, tmp_path, on_error=errors.append)
    assert record.label == "fake"
    assert [str(error).partition(",")[0] for error in errors] == [f"{tmp_path / 'test.json'}: expected JSON"]


@pytest.mark.parametrize("field", sorted(ITEM.keys() - {"label"}))
def test_a_field_that_is_missing_is_an_error(field):
    item = {name: value for name, value in ITEM.items() if name != field}
    with pytest.raises(DataError, match=rf"^{field}: expected .*, found nothing"):
        from_fakeclue(item)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": 7}, r"^image: expected the image's path, found 7"),
        ({"label": 2}, r"^label: expected 1 for real or 0 for fake, found 2"),
        ({"label": -1}, r"^label: expected 1 for real or 0 for fake, found -1"),
        ({"label": True}, r"^label: expected 1 for real or 0 for fake, found True"),
        ({"label": "2"}, r"^label: expected 1 for real or 0 for fake, found '2'"),
        ({"cate": None}, r"^cate: expected a category, found None"),
        ({"conversations": {}}, r"^conversations: expected a list of messages"),
        ({"conversations": TALK[:1]}, r"^conversations: expected a message with from: gpt, found none"),
        ({"conversations": [{"value": "a"}]}, r"^conversations\[0\]\.from: expected human or gpt, found nothing"),
        ({"conversations": [{"from": "gpt"}]}, r"^conversations\[0\]\.value: expected a text, found nothing"),
        ({"conversations": ["a"]}, r"^conversations\[0\]: expected a JSON object, found 'a'"),
        ({"id": 1.5}, r"^id: expected a text or a whole number, found 1.5"),
        ({"id": True}, r"^id: expected a text or a whole number, found True"),
        ({"tags": "real"}, r"^tags: expected a list of tags, or null, found 'real'"),
        ({"tags": [1]}, r"^tags: expected a list of tags, or null, found \[1\]"),
        ({"width": 8}, r"^height: expected a whole number of pixels, found nothing"),
    ],
)
def test_a_bad_item_is_an_error(changes, message):
    with pytest.raises(DataError, match=message):
        from_fakeclue(ITEM | changes)


@pytest.mark.parametrize("image", ["../a.png", "/a.png", "a/../../b.png", "C:\\a.png"])
def test_a_path_that_leads_outside_is_an_error_that_says_where(tmp_path, image):
    (tmp_path / "test.json").write_text(json.dumps([ITEM | {"image": image}]))
    with pytest.raises(DataError, match=r"test\.json: \[0\]\.image: expected a relative path that stays inside"):
        records("fakeclue", tmp_path / "test.json", tmp_path)


def test_utf_16_is_read_too(tmp_path):
    (tmp_path / "test.json").write_text(json.dumps([ITEM | {"cate": "猫"}], ensure_ascii=False), "utf-16")
    (piece,) = load_fakeclue(tmp_path)
    assert from_fakeclue(piece.data)[0].fields["class_name"] == "猫"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_items(tmp_path):
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.json"
        path.write_text(json.dumps([ITEM | {"image": f"{index}.png"} for index in range(count)]))
        tracemalloc.start()
        assert sum(len(from_fakeclue(piece.data)) for piece in load_fakeclue(path)) == count
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(3_000) < peak(1_000) + 20_000  # 10 bytes per item; a piece takes 1,500
