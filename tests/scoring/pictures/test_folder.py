"""A folder of pictures: their names, the errors of broken images, and that it appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.pictures.draw import draw_image
from swift_plugins.fakexplain.scoring.pictures.folder import draw_all, name_files
from swift_plugins.fakexplain.scoring.pictures.records import AnsweredRecord


def records(folder: Path, count: int) -> list[AnsweredRecord]:
    found: list[AnsweredRecord] = []
    for number in range(count):
        path = folder / f"{number}.png"
        Image.new("RGB", (40, 30), (number, 0, 0)).save(path)
        found.append((Annotation(f"r{number}", path.name, 40, 30, "real", path=path), {}))
    return found


def test_each_picture_shows_its_record(tmp_path: Path):
    answered = records(tmp_path, 3)
    answered[1][0].path.write_bytes(b"broken")
    errors = list(draw_all(answered, tmp_path / "drawn", longer_side=240))
    assert [error and "a readable image" in str(error) for error in errors] == [None, True, None]
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["r0.png", "r1.png", "r2.png"]
    for record, answers in answered:
        expected, _ = draw_image(record, answers, longer_side=240)
        with Image.open(tmp_path / "drawn" / f"{record.id}.png") as picture:
            assert picture.tobytes() == expected.tobytes()


def test_an_unfinished_folder_is_not_written(tmp_path: Path):
    drawing = draw_all(records(tmp_path, 3), tmp_path / "out" / "drawn", longer_side=240)
    assert next(drawing) is None
    drawing.close()
    assert not list((tmp_path / "out").iterdir())


def names(*ids: str) -> list[str]:
    return name_files([Annotation(id, "a.png", 9, 9, "real", file="f.jsonl", line=n) for n, id in enumerate(ids, 1)])


def test_names_of_files():
    assert names("a b", "../etc/passwd", "..") == ["a b.png", "..%2Fetc%2Fpasswd.png", "...png"]
    assert names("a%2Fb", "a/b") == ["a%252Fb.png", "a%2Fb.png"]
    assert names("x" * 200) == ["x" * 200 + ".png"]
    with pytest.raises(DataError, match="^f.jsonl:2: id: expected an id of at most 200 characters .* found 201"):
        names("a", "x" * 201)
    with pytest.raises(DataError, match="^f.jsonl:3: id: .* differs from Cat.png in more than upper and lower case"):
        names("Cat", "dog", "cAT")
