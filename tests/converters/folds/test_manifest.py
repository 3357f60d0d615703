"""The plan of what to generate."""

import csv
import json
from itertools import count, islice

import pytest

from converters.folds.manifest import FIELDS, imagenet_classes, load_classes, manifest, save_manifest
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.generators import GENERATORS
from tests.cli.command import fakexplain


def test_the_paper_s_plan_has_a_line_for_each_class_and_generator():
    classes = imagenet_classes()
    assert len(classes) == 1000 and classes[0] == "tench" and classes[999] == "toilet tissue"
    lines = list(manifest(classes))
    assert len(lines) == 27_000
    for name in ("id", "image"):
        assert len({line[name] for line in lines}) == 27_000
    assert {(line["generator"], line["family"]) for line in lines} == set(GENERATORS.items())
    assert {line["image"] for line in lines} == {f"images/{line['id']}.png" for line in lines}


def test_a_line():
    [line] = manifest(["jack-o'-lantern"], ["Stable Diffusion 1.5"], prompt="{class_name}, {x}", wh=(640, 480))
    assert tuple(line) == FIELDS
    assert line == {
        "id": "sd-1-5/0000-jack-o-lantern",
        "prompt": "jack-o'-lantern, {x}",
        "class_name": "jack-o'-lantern",
        "class_index": 0,
        "generator": "Stable Diffusion 1.5",
        "family": "diffusion",
        "width": 640,
        "height": 480,
        "image": "images/sd-1-5/0000-jack-o-lantern.png",
    }


def test_a_class_name_twice_gives_two_ids():
    assert [line["id"] for line in manifest(["crane", "狗", "crane", "!"], ["DiT"])] == [
        "dit/0000-crane",
        "dit/0001-狗",
        "dit/0002-crane",
        "dit/0003",
    ]


def test_a_generator_of_one_s_own_has_no_family():
    assert next(manifest(["tench"], ["My Model 2"]))["family"] is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompt": "A photo"}, r"expected a prompt with \{class_name\} in it, found 'A photo'"),
        ({"generators": ["SD 1.5", "sd15"]}, "different names of generators, found 'sd15', which means .* 'SD 1.5'"),
        ({"generators": ["a b", "A-B"]}, "different names of generators"),
        ({"generators": ["?"]}, "different names of generators, found '?'"),
    ],
)
def test_bad_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        manifest(["tench"], **settings)


def test_classes_come_from_a_file(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_bytes("\ufefftench\r\n\r\n great white shark \n狗".encode())
    assert load_classes(path) == ["tench", "great white shark", "狗"]


@pytest.mark.parametrize(("raw", "found"), [(b"\n \n", "none"), (b"\xff", "UTF-8 text")])
def test_a_file_without_classes_is_an_error(tmp_path, raw, found):
    (tmp_path / "classes.txt").write_bytes(raw)
    with pytest.raises(DataError, match=rf"classes\.txt: expected .*{found}"):
        load_classes(tmp_path / "classes.txt")


def test_both_forms_say_the_same(tmp_path):
    lines = list(manifest(["a, b", "狗"], ["DiT", "mine"]))
    assert save_manifest(iter(lines), tmp_path / "m.jsonl") == save_manifest(iter(lines), tmp_path / "m.csv") == 4
    assert [json.loads(line) for line in (tmp_path / "m.jsonl").read_text("utf-8").splitlines()] == lines
    with open(tmp_path / "m.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{name: "" if value is None else str(value) for name, value in line.items()} for line in lines]


def test_lines_are_made_as_they_are_taken():
    endless = manifest(map(str, count()), ["DiT"])
    assert [line["class_name"] for line in islice(endless, 3)] == ["0", "1", "2"]


class TestCommand:
    def test_it_writes_what_is_asked_for(self, tmp_path):
        (tmp_path / "classes.txt").write_text("tench\ncrane\n")
        out = tmp_path / "m.csv"
        args = ["manifest", "--classes", tmp_path / "classes.txt", "--generators", "SD 1.5", "--generators", "DiT"]
        done = fakexplain(*args, "--prompt", "A {class_name}", "--size", "256x128", "--out", out)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"4 lines in {out}: 2 classes by 2 generators\n"
        assert out.read_text().splitlines() == [
            "id,prompt,class_name,class_index,generator,family,width,height,image",
            "sd-1-5/0000-tench,A tench,tench,0,SD 1.5,diffusion,256,128,images/sd-1-5/0000-tench.png",
            "sd-1-5/0001-crane,A crane,crane,1,SD 1.5,diffusion,256,128,images/sd-1-5/0001-crane.png",
            "dit/0000-tench,A tench,tench,0,DiT,dit,256,128,images/dit/0000-tench.png",
            "dit/0001-crane,A crane,crane,1,DiT,dit,256,128,images/dit/0001-crane.png",
        ]
        again = fakexplain(*args, "--out", out, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert again.returncode == 2 and "already exists; --force overwrites it" in again.stderr

    @pytest.mark.parametrize(
        ("args", "code", "message"),
        [
            (["--out", "m.txt"], 2, "expected a name that ends in .jsonl or .csv"),
            (["--out", "m.csv", "--size", "big"], 2, "expected a size such as 512 or 640x480"),
            (["--out", "m.csv", "--classes", "c.txt", "--prompt", "x"], 2, "expected a prompt with {class_name}"),
            (["--out", "m.csv", "--classes", "none"], 1, "none: expected a file of class names"),
        ],
    )
    def test_bad_usage(self, tmp_path, monkeypatch, args, code, message):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "c.txt").write_text("tench")
        done = fakexplain("manifest", *args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert done.returncode == code and message in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["c.txt"]
