"""The command convert, whatever the format: what it prints, archives, bad usage, options."""

import json
import zipfile

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from tests.cli.command import fakexplain, fakexplain_process
from tests.converters.pictures import picture


class TestCommand:
    @pytest.fixture
    def source(self, tmp_path):
        picture(tmp_path / "src/0_real/ä.png")
        picture(tmp_path / "src/1_fake/b.jpg", turn=8)
        return tmp_path / "src"

    def test_folders_become_records(self, source, tmp_path):
        out = tmp_path / "out/annotations.jsonl"
        done = fakexplain("convert", "folder", source, "--out", out, "--set", "generator=camera")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            f"2 records in {out}",
            f"  1 images turned upright, in {tmp_path / 'out/annotations_images'}",
        ]
        real, fake = read_annotations(out)
        assert (real.id, real.image, real.label) == ("0_real/ä", "../src/0_real/ä.png", "real")
        assert (fake.image, fake.image_wh, fake.generator) == (
            "annotations_images/1_fake/b.jpg.png",
            (20, 40),
            "camera",
        )
        assert real.path.is_file() and fake.path.is_file()
        assert fakexplain("validate", out).returncode == 0

    @pytest.mark.e2e
    def test_the_same_bytes_each_time_and_no_overwriting_without_force(self, source, tmp_path):
        out = tmp_path / "out/a.jsonl"
        assert fakexplain_process("convert", "folder", source, "--out", out).returncode == 0
        before = {path: path.read_bytes() for path in out.parent.rglob("*.*")}
        again = fakexplain("convert", "folder", source, "--out", out, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert again.returncode == 2 and "already exists; --force overwrites it" in again.stderr
        assert fakexplain("convert", "folder", source, "--out", out, "--force").returncode == 0
        assert {path: path.read_bytes() for path in out.parent.rglob("*.*")} == before

    def test_an_archive_is_unpacked_beside_the_records(self, source, tmp_path):
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            for path in source.rglob("*.*"):
                archive.write(path, path.relative_to(source))
        out = tmp_path / "out/a.jsonl"
        done = fakexplain("convert", "folder", tmp_path / "s.zip", "--out", out)
        assert done.returncode == 0, done.stderr
        assert sorted(record.image for record in read_annotations(out)) == [
            "a_images/1_fake/b.jpg.png",
            "a_source/0_real/ä.png",
        ]
        assert all(record.path.is_file() for record in read_annotations(out))

    def test_keep_going_writes_the_good_and_counts_the_bad(self, source, tmp_path):
        (source / "1_fake/c.png").write_text("text")
        out = tmp_path / "a.jsonl"
        done = fakexplain("convert", "folder", source, "--out", out)
        assert done.returncode == 1 and not out.exists() and not (tmp_path / "a_images").exists()
        done = fakexplain("convert", "folder", source, "--out", out, "--keep-going")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == f"error: 1 of 3 records in {source} are bad"
        assert len(list(read_annotations(out))) == 2

    @pytest.mark.parametrize(
        ("args", "code", "message"),
        [
            (["convert", "fly", "."], 2, "'fly' is not one of 'folder', 'x-aigd'"),
            (["convert", "folder", "none", "--out", "x.jsonl"], 1, "none: expected a file or folder to convert"),
            (["convert", "folder", ".", "--out", "x.jsonl", "--set", "fold=1"], 2, "expected NAME=VALUE with one of"),
            (["convert", "folder", ".", "--out", "x.jsonl", "--label", "maybe"], 2, "'maybe' is not one of 'fake'"),
            (
                ["convert", "folder", ".", "--out", "x.jsonl", "--real", "A", "--fake", "a"],
                2,
                "different names for real and fake folders, found 'a' in both",
            ),
            (["convert", "folder", "."], 2, "Invalid value for --out: expected an annotations file to write"),
            (
                ["convert", "folder", ".", "--out", "x.jsonl", "--images", "none"],
                1,
                "expected the folder of the images",
            ),
        ],
    )
    def test_bad_usage(self, tmp_path, monkeypatch, args, code, message):
        monkeypatch.chdir(tmp_path)
        done = fakexplain(*args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert done.returncode == code and message in done.stderr
        assert not list(tmp_path.iterdir())

    def test_what_it_wrote_into_the_source_is_not_read_as_one_of_its_images(self, source, tmp_path):
        picture(source / "1_fake/turned.jpg", turn=6)
        args = ["convert", "folder", source, "--out", source / "1_fake/a.jsonl"]
        assert fakexplain(*args).returncode == 0
        before = (source / "1_fake/a.jsonl").read_bytes()
        assert b"a_images/1_fake/turned.jpg.png" in before
        assert fakexplain(*args, "--force").returncode == 0
        assert (source / "1_fake/a.jsonl").read_bytes() == before

    def test_errors_of_an_archive_name_it(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            archive.writestr("1_fake/a.png", b"text")
        done = fakexplain("convert", "folder", tmp_path / "s.zip", "--out", tmp_path / "a.jsonl")
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {tmp_path}/s.zip/1_fake/a.png: image: expected a readable image, found ")
        assert "partial" not in done.stderr

    @pytest.mark.parametrize("folder", ["..", "/etc"])
    def test_images_of_an_archive_are_within_it(self, tmp_path, folder):
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            archive.writestr("1_fake/a.png", b"text")
        args = ["convert", "folder", tmp_path / "s.zip", "--out", tmp_path / "a.jsonl", "--images", folder]
        done = fakexplain(*args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert done.returncode == 2 and "expected a relative path that stays inside" in done.stderr

    def test_list_names_the_formats(self):
        assert "folder " in fakexplain("convert", "list").stdout


def test_options_decide_what_the_source_leaves_open_and_the_counts_are_printed(tmp_path):
    picture(tmp_path / "pics/deep/a.png")
    picture(tmp_path / "pics/b.png")
    region = {"image_id": 1, "bbox": [9, 9, -5, -6], "attributes": {"problem": "Six fingers.", "who": "me"}}
    wordless = {"image_id": 1, "bbox": [1, 2, 3, 4], "attributes": {"issue": "Wrong Texture"}}
    images = [{"id": 1, "file_name": "/mnt/x/a.png"}, {"id": 2, "file_name": "b.png"}]
    point = {"image_id": 1, "bbox": [1, 1, 0, 0]}
    content = {"images": images, "annotations": [region, wordless, point], "categories": []}
    (tmp_path / "c.json").write_text(json.dumps(content))
    out = tmp_path / "out.jsonl"
    options = ["--skip-unusable", "--unannotated", "skip", "--caption", "Odd.", "--caption-from", "Problem"]
    command = ["convert", "coco", tmp_path / "c.json", "--images", tmp_path / "pics", "-o", out, *options]
    done = fakexplain(*command, "--tag-from", "issue")
    assert (done.returncode, done.stderr) == (0, "")
    (record,) = read_annotations(out)
    assert [tuple(each) for each in record.regions] == [((4, 3, 9, 9), "Six fingers."), ((1, 2, 4, 6), "Odd.")]
    assert record.tags == ("texture_error",) and record.image == "pics/deep/a.png"
    for line in (
        "1 records in",
        "1 boxes drawn backwards",
        "1 shapes without an area skipped",
        "1 regions without words, with the caption of --caption",
        "1 images without annotation skipped",
        "1 images found by their name alone",
        "1 captions from attribute 'Problem'",
        "1 images with tags from attribute 'issue'",
        "1 texts of attribute 'who' skipped",
    ):
        assert line in done.stdout
    bad = fakexplain("convert", "coco", tmp_path / "c.json", "-o", out, "--force", "--caption", "[1]")
    assert bad.returncode == 2 and "--caption" in bad.stderr


def test_a_source_of_which_nothing_is_left_is_an_error_after_the_counts(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "c.json").write_text('{"images": [{"id": 1, "file_name": "a.png"}], "annotations": []}')
    done = fakexplain("convert", "coco", tmp_path / "c.json", "-o", tmp_path / "o.jsonl", "--unannotated", "skip")
    assert done.returncode == 1 and "1 images without annotation skipped" in done.stdout
    assert "expected at least one good record" in done.stderr and not (tmp_path / "o.jsonl").exists()
