"""Preparing a folder: whole or not at all, the command, and memory."""

import json
import signal
import subprocess
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from converters.images import prepare as module
from converters.images.duplicates import Fingerprint
from converters.images.prepare import PrepareSettings, annotation_jobs, folder_jobs, prepare
from swift_plugins.fakexplain.annotation import parse_record, read_annotations
from swift_plugins.fakexplain.atomic import atomic_folder
from tests.cli.command import COMMAND, fakexplain, fakexplain_process
from tests.conftest import heed_interrupts, record, write_annotations_file
from tests.converters.pictures import drawn, scene


class TestWholeOrNotAtAll:
    def test_an_interrupt_waits_for_the_threads_and_leaves_nothing(self, tmp_path, monkeypatch):
        for index in range(12):
            scene(index, 64).save(tmp_path / f"{index:02}.png")
        taken, slow = [], module.fingerprint

        def interrupted(line):
            taken.append(line)
            if len(taken) == 3:
                raise KeyboardInterrupt
            return json.dumps(line)

        def late(image):
            time.sleep(0.05)
            return slow(image)

        monkeypatch.setattr(module, "fingerprint", late)
        monkeypatch.setattr(module.json, "dumps", interrupted)
        jobs = list(folder_jobs(tmp_path))
        with pytest.raises(KeyboardInterrupt) as held, atomic_folder(tmp_path / "out") as partial:
            prepare(jobs, partial)
        assert held  # what it holds keeps everything alive, as a command's end does
        time.sleep(0.5)
        assert not [path.name for path in tmp_path.iterdir() if path.is_dir()]

    @pytest.mark.e2e
    def test_the_command_interrupted(self, tmp_path):
        source = tmp_path / "src"
        source.mkdir()
        for index in range(60):
            scene(index % 3, 512).resize((1500, 1500)).save(source / f"{index:02}.jpg")
        command = [*COMMAND, "prepare", str(source), "--out", str(tmp_path / "out")]
        with subprocess.Popen(command, preexec_fn=heed_interrupts, stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None and not list(tmp_path.glob(".out.*.partial/out/*.png")):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate()
        assert process.returncode == 130
        assert errors == "error: interrupted; no partial output was left behind\n"
        assert [path.name for path in tmp_path.iterdir()] == ["src"]


class TestCommand:
    def test_annotations(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0), record(0, "real")])
        out = tmp_path / "out"
        done = fakexplain("prepare", path, "--out", out, "--size", "64x64")
        assert done.returncode == 0 and done.stderr == "", done.stderr
        assert done.stdout.splitlines() == [
            f"2 images of 64x64 in {out}",
            "  2 scaled down",
            "  2 cropped",
            "  1 regions clipped at the image border",
            "  1 exact duplicates of an earlier image; " + str(out / "duplicates.csv"),
        ]
        assert fakexplain("validate", out / "annotations.jsonl").returncode == 0
        assert [new.image for new in read_annotations(out / "annotations.jsonl")] == [
            "images/fake-000.png",
            "images/real-000.png",
        ]
        assert (out / "duplicates.csv").read_text() == (
            "group,kind,image,distance\n1,exact,images/fake-000.png,0\n1,exact,images/real-000.png,0\n"
        )

    @pytest.mark.e2e
    def test_a_folder_keeps_its_paths_and_the_same_bytes_come_each_time(self, tmp_path):
        for index in range(9):
            drawn(tmp_path / f"src/sub {index % 2}/ä{index}.jpg", turn=index % 8 + 1)
        for out, run in (("one", fakexplain), ("two", fakexplain_process)):
            args = ["--out", tmp_path / out, "--format", "jpeg", "--quality", "80", "--fit", "pad"]
            done = run("prepare", tmp_path / "src", *args)
            assert done.returncode == 0, done.stderr
        files = [
            {path.relative_to(tmp_path / out).as_posix(): path.read_bytes() for path in (tmp_path / out).rglob("*.*")}
            for out in ("one", "two")
        ]
        assert files[0] == files[1]
        assert set(files[0]) == {"duplicates.csv"} | {f"sub {index % 2}/ä{index}.jpg" for index in range(9)}
        again = fakexplain("prepare", tmp_path / "src", *args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert again.returncode == 2 and "already exists; --force overwrites it" in again.stderr
        assert fakexplain("prepare", tmp_path / "src", *args, "--force").returncode == 0

    def test_keep_going(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0), record(1, fold=9), record(2)])
        (tmp_path / "data/images/fake-002.png").write_text("text")
        done = fakexplain("prepare", path, "--out", tmp_path / "out")
        assert done.returncode == 1 and not (tmp_path / "out").exists()
        done = fakexplain("prepare", path, "--out", tmp_path / "out", "--keep-going")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == f"error: 2 of 3 records in {path} are bad"
        assert [new.id for new in read_annotations(tmp_path / "out/annotations.jsonl")] == ["fake-000"]

    def test_nothing_good_leaves_nothing(self, tmp_path):
        path = write_annotations_file(tmp_path / "data", [record(0, fold=9)])
        done = fakexplain("prepare", path, "--out", tmp_path / "out", "--keep-going")
        assert done.returncode == 1 and "1 of 1 records in" in done.stderr
        (tmp_path / "empty").mkdir()
        done = fakexplain("prepare", tmp_path / "empty", "--out", tmp_path / "out")
        assert done.returncode == 1 and "expected at least one image" in done.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "empty"]

    @pytest.mark.parametrize(
        ("args", "code", "message"),
        [
            (["data", "--out", "x", "--fit", "zoom"], 2, "'zoom' is not one of 'crop', 'pad', 'stretch'"),
            (["data", "--out", "x", "--format", "gif"], 2, "'gif' is not one of 'png', 'jpeg'"),
            (["data", "--out", "x", "--size", "0"], 2, "expected a size such as 512 or 640x480"),
            (["none", "--out", "x"], 1, "none: expected an annotations file or a folder of images"),
            (["data", "--out", "data", "--force"], 2, "holds an input"),
            (["data", "--out", "data/new"], 2, "lies in the input folder"),
            (["data/annotations.jsonl", "--out", "data", "--force"], 2, "holds an input"),
        ],
    )
    def test_bad_usage(self, tmp_path, monkeypatch, args, code, message):
        monkeypatch.chdir(tmp_path)
        path = write_annotations_file(tmp_path / "data", [record(0)])
        before = path.read_bytes()
        done = fakexplain("prepare", *args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert done.returncode == code and message in done.stderr
        assert [each.name for each in tmp_path.iterdir()] == ["data"] and path.read_bytes() == before


def test_memory_hardly_grows_with_the_records(tmp_path, monkeypatch):
    image = drawn(tmp_path / "a.png", wh=(8, 8), box=(1, 1, 5, 5), tags=[], regions=[])
    monkeypatch.setattr(Image.Image, "save", lambda *args, **settings: None)
    marks = iter(np.random.default_rng(0).integers(0, 2**63, 1000, dtype=np.uint64))
    monkeypatch.setattr(module, "fingerprint", lambda _: Fingerprint(*[int(next(marks))] * 2))

    def peak(count: int) -> int:
        records = (parse_record(image | {"id": f"{n:06}"}, folder=tmp_path) for n in range(count))
        tracemalloc.start()
        assert prepare(annotation_jobs(records), tmp_path, PrepareSettings(wh=(8, 8))) == {"images": count}
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(500) < peak(100) + 400 * 200  # bytes; the records alone would be some 2 kB each
