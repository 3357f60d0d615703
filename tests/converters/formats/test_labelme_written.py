"""A folder that LabelMe opens: records come back, one file word for word, links, what is refused."""

import pytest

from converters.formats.labelme import save_labelme, to_labelme
from swift_plugins.fakexplain.annotation import parse_record, read_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.tags import TAGS
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file
from tests.converters.pictures import picture
from tests.converters.various import RECORDS, read_back, various, without_paths


def test_records_come_back_as_they_were(tmp_path):
    before = various(tmp_path / "data")
    out = tmp_path / "out"
    assert save_labelme(before, out, images=tmp_path / "data") == 3
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == [
        "c.json",
        "c.png",
        "images/a/v1.5 湖.json",
        "images/a/v1.5 湖.png",
        "images/b.jpg",
        "images/b.json",
    ]
    after = {annotation.id: annotation for annotation in read_back("labelme", out, out)}
    after = [after[annotation.id] for annotation in before]
    assert without_paths(after) == without_paths(before)
    for one in before:
        assert (out / one.image).read_bytes() == one.path.read_bytes()


def test_captions_that_are_called_as_a_label_or_a_tag_come_back_and_add_no_tag(tmp_path):
    regions = [{"bbox": [1, 2, 3, 4], "caption": caption} for caption in ("flaw", "texture error", "Perspective")]
    before = various(tmp_path / "data", [RECORDS[0] | {"regions": regions, "tags": []}])
    save_labelme(before, tmp_path / "out", images=tmp_path / "data")
    assert without_paths(read_back("labelme", tmp_path / "out", tmp_path / "out")) == without_paths(before)


def test_a_file_is_what_labelme_writes():
    made = to_labelme(parse_record(record(0, tags=["other_anomaly", "artistic_style"], id="a"), file="x"))
    assert list(made) == [
        *("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"),
        *("id", "generator", "class_name"),
    ]
    assert list(made["flags"])[:4] == ["fake", "real", "other_anomaly", "artistic_style"]
    assert {name for name, value in made["flags"].items() if value} == {"fake", "other_anomaly", "artistic_style"}
    assert set(made["flags"]) == {"fake", "real", *TAGS}
    assert made["shapes"][0] == {
        "label": "flaw",
        "points": [[60.0, 50.5], [100.0, 80.0]],
        "group_id": None,
        "description": "Hand with six fingers.",
        "shape_type": "rectangle",
        "flags": {},
        "mask": None,
    }
    assert (made["imagePath"], made["imageData"], made["imageWidth"], made["imageHeight"]) == (
        "fake-000.png",
        None,
        120,
        90,
    )


def test_links_take_no_room(tmp_path):
    (first, *_) = various(tmp_path / "data")
    save_labelme([first], tmp_path / "out", images=tmp_path / "data", link=True)
    assert first.path.samefile(tmp_path / "out" / first.image)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "../a.png"}, r"annotations.jsonl:1: image: expected an image in .*data \(--images"),
        (
            {"image": "images/b.png"},
            r"annotations.jsonl:1: image: expected a unique output file, but an .*also uses .*b\.json",
        ),
        ({"image": "turned.jpg"}, r"annotations.jsonl:1: image: expected an upright image, .* EXIF orientation 6"),
        ({"shapes": 4}, r"annotations.jsonl:1: shapes: expected no field of this name, because LabelMe has its own"),
        ({"flags": 4}, r"annotations.jsonl:1: flags: expected a list of names, found 4"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, changes, message):
    annotations = various(tmp_path / "data", [RECORDS[1], RECORDS[2] | changes])
    picture(tmp_path / "data/turned.jpg", turn=6)
    with pytest.raises(DataError, match=message):
        save_labelme(annotations, tmp_path / "out", images=tmp_path / "data")


def test_commands_there_and_back(tmp_path):
    source = write_annotations_file(tmp_path / "data", [record(0, annotator="a07"), record(1, "real", fold=2)])
    done = fakexplain("export", source, "--to", "labelme", "--out", tmp_path / "there")
    assert done.returncode == 0, done.stderr
    done = fakexplain("convert", "labelme", tmp_path / "there", "--out", tmp_path / "back/annotations.jsonl")
    assert done.returncode == 0, done.stderr
    back = list(read_annotations(tmp_path / "back/annotations.jsonl"))
    assert without_paths(back) == without_paths(read_annotations(source))
    assert [one.image for one in back] == [f"../there/images/{one.path.name}" for one in read_annotations(source)]
