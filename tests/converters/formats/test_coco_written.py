"""COCO as it is written: the file itself, the exact way back, and memory."""

import json
import tracemalloc
from dataclasses import replace

import pytest

from converters.formats.coco import from_coco, load_coco, save_coco, to_coco_annotations
from swift_plugins.fakexplain.annotation import parse_record, read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file
from tests.converters.various import RECORDS, read_back, various, without_paths


def test_records_come_back_as_they_were_to_the_last_bit(tmp_path):
    before = various(tmp_path / "data")
    x1, _, x2, _ = before[0].regions[0].bbox
    assert x1 + (x2 - x1) != x2  # so x, y, width and height alone would not do
    out = tmp_path / "coco.json"
    assert save_coco(before, out, images=tmp_path / "data") == 3
    after = read_back("coco", out, tmp_path / "data")
    assert without_paths(after) == without_paths(before)
    assert [one.image for one in after] == [str(one.path) for one in before]


def test_captions_that_are_called_as_a_category_or_a_tag_come_back_and_add_no_tag(tmp_path):
    regions = [{"bbox": [1, 2, 3, 4], "caption": caption} for caption in ("flaw", "texture error", "Perspective")]
    before = various(tmp_path / "data", [RECORDS[0] | {"regions": regions, "tags": []}])
    save_coco(before, tmp_path / "coco.json", images=tmp_path / "data")
    assert without_paths(read_back("coco", tmp_path / "coco.json", tmp_path / "data")) == without_paths(before)


def test_a_file_is_what_coco_asks_for(tmp_path):
    before = various(tmp_path / "data")
    save_coco(before, tmp_path / "a.json", images=tmp_path / "data")
    save_coco(iter(before), tmp_path / "b.json", images=tmp_path / "data")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    content = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert content["categories"] == [{"id": 1, "name": "flaw"}]
    assert [(image["id"], image["file_name"]) for image in content["images"]] == [
        (1, "images/a/v1.5 湖.png"),
        (2, "images/b.jpg"),
        (3, "c.png"),
    ]
    assert [each["id"] for each in content["annotations"]] == [1, 2, 3]
    assert content["annotations"][2] == {
        "id": 3,
        "image_id": 1,
        "category_id": 1,
        "bbox": [1.0, 2.0, 2.0, 2.0],
        "area": 4.0,
        "segmentation": [],
        "iscrowd": 0,
        "attributes": {"caption": "flaw"},
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json", "data"]


def test_annotations_are_numbered_on_and_whole_boxes_stand_alone():
    made = to_coco_annotations(parse_record(record(0)), 7, 5)
    assert [(each["id"], each["image_id"], each["bbox"]) for each in made] == [
        (5, 7, [60.0, 50.5, 40.0, 29.5]),
        (6, 7, [10.0, 5.0, 40.0, 40.0]),
    ]
    assert all(set(each["attributes"]) == {"caption"} for each in made)


def test_an_image_outside_the_folder_is_refused(tmp_path):
    annotations = various(tmp_path / "data", [RECORDS[1] | {"image": "../b.jpg"}])
    with pytest.raises(DataError, match=r"annotations.jsonl:1: image: expected an image in .*data \(--images"):
        save_coco(annotations, tmp_path / "a.json", images=tmp_path / "data")


def test_commands_there_and_back(tmp_path):
    source = write_annotations_file(tmp_path / "data", [record(0, annotator="a07"), record(1, "real", fold=2)])
    there, back = tmp_path / "coco.json", tmp_path / "back/annotations.jsonl"
    done = fakexplain("export", source, "--to", "coco", "--out", there)
    assert done.returncode == 0, done.stderr
    done = fakexplain("convert", "coco", there, "--images", tmp_path / "data", "--out", back)
    assert done.returncode == 0, done.stderr
    assert without_paths(read_annotations(back)) == without_paths(read_annotations(source))
    assert [one.image for one in read_annotations(back)] == [f"../data/{one.image}" for one in read_annotations(source)]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_images(tmp_path):
    regions = [{"bbox": [0.1, 0.7, 30.5, 11.25], "caption": f"Flaw {n}, a caption of some length."} for n in range(2)]
    template = parse_record(record(0, regions=regions), folder=tmp_path)

    def peak(count):
        path = tmp_path / f"{count}.json"
        annotations = (replace(template, id=f"fake-{n:06}") for n in range(count))
        tracemalloc.start()
        assert save_coco(annotations, path, images=tmp_path) == count
        _, saving = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        found = sum(len(draft.regions) for piece in load_coco(path) for draft in from_coco(piece.data))
        _, loading = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found == 2 * count
        return saving, loading

    peak(10)
    few, many = peak(500), peak(1_500)
    assert many[0] < few[0] + 50_000 and many[1] < few[1] + 100_000  # 50 and 100 bytes per image; a draft takes 3,500
