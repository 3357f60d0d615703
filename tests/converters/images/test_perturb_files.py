"""Perturbing files: seeds, records, profiles, errors, and the command, whose folders are whole or not there."""

import io
import json
import signal
import subprocess
import time

import pytest
from PIL import Image

from converters.images.chains import parse_chain
from converters.images.perturb import LostRegions, perturb_all
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import COMMAND, fakexplain, fakexplain_process
from tests.conftest import heed_interrupts, record, write_annotations_file
from tests.converters.pictures import photo


def perturbed(folder, records, text, tmp_path, name="out", **settings):
    """Records of a chain and the bytes of their images, by id."""
    path = folder if folder.is_file() else write_annotations_file(folder, records)
    out = tmp_path / name
    out.mkdir()
    found = list(perturb_all(read_annotations(path), parse_chain(text), out, **settings))
    return {each.id: (each, (out / each.image).read_bytes()) for each in found}


class TestFiles:
    def test_what_is_drawn_depends_on_seed_and_id_alone(self, tmp_path):
        records = [record(index) for index in range(6)]
        path = write_annotations_file(tmp_path / "data", records)
        for each in records:
            photo((120, 90)).save(tmp_path / "data" / each["image"])
        text = "crop:0.5+noise:5"
        first = perturbed(path, records, text, tmp_path, "a")
        assert len({image for _, image in first.values()}) == 6  # one picture, six windows
        path.write_text("".join(json.dumps(each) + "\n" for each in reversed(records[2:])))
        second = perturbed(path, records, text, tmp_path, "b")
        assert len(second) == 4
        for id, (each, image) in second.items():
            assert image == first[id][1] and each.regions == first[id][0].regions
        third = perturbed(path, records, text, tmp_path, "c", seed=1)
        assert all(third[id][1] != image for id, (_, image) in second.items())

    def test_records_keep_what_they_had(self, tmp_path):
        before = record(0, fold=3, generator="FLUX", mine={"a": [1]})
        ((each, image),) = perturbed(tmp_path / "data", [before], "down:0.5+jpeg:30", tmp_path).values()
        assert (each.id, each.generator, each.fold, each.class_name) == ("fake-000", "FLUX", 3, "class-0")
        assert each.extra == {"mine": {"a": [1]}, "perturbation": "down:0.5+jpeg:30"}
        assert (each.image, each.image_wh) == ("images/fake-000.jpg", (60, 45))
        assert Image.open(io.BytesIO(image)).format == "JPEG"

    def test_a_second_perturbation_is_noted_after_the_first(self, tmp_path):
        before = record(0, perturbation="jpeg:30")
        ((each, _),) = perturbed(tmp_path / "data", [before], "crop:0.9", tmp_path).values()
        assert each.extra["perturbation"] == "jpeg:30+crop:0.9"

    def test_exif_neither_turns_the_image_nor_goes_along(self, tmp_path):
        write_annotations_file(tmp_path / "data", [record(0)])
        exif = Image.Exif()
        exif[0x0112] = 6
        photo((120, 90)).save(tmp_path / "data/images/fake-000.png", exif=exif)
        for index, text in enumerate(("jpeg:80", "down:0.9", "webp:80")):
            path = tmp_path / "data/annotations.jsonl"
            ((each, image),) = perturbed(path, [], text, tmp_path, str(index)).values()
            with Image.open(io.BytesIO(image)) as opened:
                assert opened.size == each.image_wh and opened.width > opened.height
                assert not opened.getexif()

    @pytest.mark.parametrize("text", ["jpeg:80", "down:0.9", "webp:80", "noise:3", "jpeg:80+blur:1"])
    def test_a_profile_of_the_colours_goes_along(self, tmp_path, text):
        from PIL import ImageCms

        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        path = write_annotations_file(tmp_path / "data", [record(0)])
        photo((120, 90)).save(tmp_path / "data/images/fake-000.png", icc_profile=profile)
        ((_, image),) = perturbed(path, [], text, tmp_path, "rgb").values()
        assert Image.open(io.BytesIO(image)).info["icc_profile"] == profile
        photo((120, 90), "L").save(tmp_path / "data/images/fake-000.png", icc_profile=profile)
        ((_, image),) = perturbed(path, [], text, tmp_path, "grey").values()
        assert "icc_profile" not in Image.open(io.BytesIO(image)).info

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"image": "none.png"}, r"annotations.jsonl:1: image: expected an image file"),
            ({"width": 121}, r":1: width, height: expected the size of the image, 120x90, found 121x90"),
            ({"id": "../a"}, r":1: id: expected a relative path that stays inside"),
        ],
    )
    def test_a_bad_record_says_where(self, tmp_path, changes, message):
        path = write_annotations_file(tmp_path / "data", [record(0), record(1)])
        path.write_text("".join(json.dumps(each) + "\n" for each in (record(0) | changes, record(1))))
        with pytest.raises(DataError, match=message):
            perturbed(path, [], "jpeg:80", tmp_path)
        errors = []
        assert list(perturbed(path, [], "jpeg:80", tmp_path, "b", on_error=errors.append)) == ["fake-001"]
        assert len(errors) == 1

    def test_two_ids_of_one_file_are_an_error(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0)])
        path.write_text("".join(json.dumps(record(0, id=id)) + "\n" for id in ("a/b", "a//b")))
        with pytest.raises(DataError, match=r"id: expected an id that gives a unique file name, found 'a/"):
            perturbed(path, [], "jpeg:80", tmp_path)

    def test_what_is_lost_is_counted(self, tmp_path):
        corner = {"bbox": [0, 0, 1, 1], "caption": "Corner."}
        other = {"bbox": [119, 89, 120, 90], "caption": "Corner."}
        records = [record(0, regions=[corner, other]), record(1, regions=[]), record(2, "real")]
        lost = LostRegions()
        perturbed(tmp_path / "data", records, "crop:0.5", tmp_path, lost=lost)
        assert lost == LostRegions(dropped=2, bare=1)


class TestCommand:
    def test_sets_side_by_side(self, annotations_file, tmp_path):
        done = fakexplain("perturb", annotations_file, "--paper", "crop:0.5+webp:60", "-o", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        folders = ["jpeg-80", "jpeg-30", "crop-0.8", "down-0.5", "crop-0.5_webp-60"]
        lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
        assert lines == [f"16 records in {tmp_path / 'out' / name / 'annotations.jsonl'}" for name in folders]
        for name in folders:
            assert fakexplain("validate", tmp_path / "out" / name / "annotations.jsonl").returncode == 0
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(folders)

    def test_a_subset(self, annotations_file, tmp_path):
        args = ["perturb", annotations_file, "jpeg:80", "-o", tmp_path / "out", "--subset"]
        done = fakexplain(*args, "fold1_test")
        assert done.returncode == 0, done.stderr
        path = tmp_path / "out/jpeg-80/annotations.jsonl"
        assert done.stdout == f"4 records in {path}\n"
        assert {each.fold for each in read_annotations(path)} == {1}
        assert len(list((path.parent / "images").iterdir())) == 4
        assert "finished before" not in fakexplain(*args, "fold2_test").stdout
        write_annotations_file(tmp_path / "one", [record(0, fold=0)])
        args = ["perturb", tmp_path / "one/annotations.jsonl", "jpeg:80", "-o", tmp_path / "x", "--subset"]
        done = fakexplain(*args, "fold1_test")
        assert done.returncode == 1 and "no record belongs to the subset fold1_test" in done.stderr
        assert not list((tmp_path / "x").iterdir())

    @pytest.mark.e2e
    def test_the_same_bytes_each_time_and_no_overwriting_without_force(self, annotations_file, tmp_path):
        args = ["perturb", annotations_file, "crop:0.5+noise:4", "messenger", "-o", tmp_path / "out", "--seed", 3]
        assert fakexplain_process(*args).returncode == 0
        files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        before = {path: path.read_bytes() for path in files}
        again = fakexplain(*args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert again.returncode == 2 and "already exists; --force overwrites it" in again.stderr
        assert fakexplain(*args, "--force").returncode == 0
        assert {path: path.read_bytes() for path in files} == before and len(files) == 36

    def test_keep_going_tells_each_bad_record_once(self, annotations_file, tmp_path):
        (annotations_file.parent / "images/fake-000.png").write_text("text")
        args = ["perturb", annotations_file, "jpeg:80", "down:0.5", "-o", tmp_path / "out"]
        done = fakexplain(*args)
        assert done.returncode == 1 and not list((tmp_path / "out").iterdir())
        done = fakexplain(*args, "--keep-going")
        assert done.returncode == 1
        assert done.stdout.count("15 records in") == 2
        first, last = done.stderr.splitlines()
        assert "image: expected a readable image" in first
        assert last == f"error: 1 of 16 records in {annotations_file} are bad"

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["jpg:80", "-o", "x"], "expected social, messenger or KIND:VALUE of jpeg"),
            (["down:2", "-o", "x"], "expected down: followed by a fraction between 0 and 1, found 'down:2'"),
            (["jpeg:80"], "expected a folder to write"),
            (["-o", "x"], "expected a perturbation such as jpeg:80, or --paper"),
            (["jpeg:80", "jpeg:80.0", "-o", "x"], "expected each perturbation once"),
            (["--paper", "down:0.5", "-o", "x"], "expected each perturbation once"),
            (["jpeg:80", "-o", "x", "--min-visible", "2"], "Invalid value for '--min-visible'"),
            (["jpeg:80", "-o", "x", "--subset", "fold4_test"], "no such subset; expected fold0_train"),
            (["jpeg:80", "-o", "x", "--subset", "all__no_bbox"], "expected a subset without a variant"),
        ],
    )
    def test_bad_usage(self, annotations_file, monkeypatch, tmp_path, args, message):
        monkeypatch.chdir(tmp_path)
        done = fakexplain("perturb", annotations_file, *args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert done.returncode == 2 and message in done.stderr
        assert not (tmp_path / "x").exists()

    @pytest.mark.e2e
    def test_an_interrupt_keeps_what_was_finished_and_leaves_nothing_half_written(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0)])
        path.write_text("".join(json.dumps(record(0, id=f"a{index}")) + "\n" for index in range(4000)))
        out = tmp_path / "out"
        command = [*COMMAND, "perturb", path, "down:0.1", "noise:3", "-o", out]
        with subprocess.Popen([*map(str, command)], preexec_fn=heed_interrupts, stderr=subprocess.PIPE) as process:
            while process.poll() is None and not list(out.glob(".noise-3.*.partial/noise-3/images")):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            errors = process.communicate()[1]
        assert process.returncode == 130, errors
        assert [each.name for each in out.iterdir()] == ["down-0.1"]
        assert sum(1 for _ in read_annotations(out / "down-0.1/annotations.jsonl")) == 4000

    def test_the_same_command_goes_on_with_the_sets_that_are_missing(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0)])
        out = tmp_path / "out"
        assert fakexplain("perturb", path, "down:0.5", "-o", out).returncode == 0
        before = (out / "down-0.5/images/fake-000.png").stat()
        done = fakexplain("perturb", path, "down:0.5", "jpeg:80", "-o", out)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            f"{out / 'down-0.5'}: finished before",
            f"1 records in {out / 'jpeg-80/annotations.jsonl'}",
        ]
        assert (out / "down-0.5/images/fake-000.png").stat() == before
        for changes in (["--seed", 3], ["--min-visible", 0.5], ["--subset", "fold0_test"]):
            done = fakexplain("perturb", path, "down:0.5", "blur:1", "-o", out, *changes, COLUMNS="300")
            assert done.returncode == 2 and "already exists" in done.stderr
        with open(path, "a") as file:
            file.write("\n")
        done = fakexplain("perturb", path, "down:0.5", "blur:1", "-o", out, COLUMNS="300")
        assert done.returncode == 2 and "already exists" in done.stderr
        assert not (out / "blur-1").exists()
