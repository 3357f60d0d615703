"""The command line: what it prints, what it writes, how it ends."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from tests.cli.command import COMMAND, fakexplain, fakexplain_process
from tests.conftest import record, write_annotations_file

UNBUFFERED = {"PYTHONUNBUFFERED": "1"}


@pytest.mark.e2e
def test_plugin_prints_the_path_of_the_plugin_file():
    done = fakexplain_process("plugin")
    assert done.returncode == 0
    assert Path(done.stdout.strip()).name == "fakexplain_plugin.py"
    assert Path(done.stdout.strip()).is_file()


@pytest.mark.e2e
def test_validate_says_what_the_file_holds(annotations_file):
    done = fakexplain_process("validate", annotations_file)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar in a pipe
    assert done.stdout.splitlines() == [
        "16 records, 16 regions, 2.00 regions per fake image, 0 fake images without a region",
        "  label: fake 8, real 8",
        "  tags: structure_attribute_error 8",
        "  fold: 0 4, 1 4, 2 4, 3 4",
        "  generator: camera 8, paint 8",
    ]


def test_validate_stops_at_the_first_error(tmp_path):
    path = write_annotations_file(tmp_path, [record(0), record(1, fold=7), record(2, label="real")])
    done = fakexplain("validate", path)
    assert done.returncode == 1
    assert done.stderr.strip() == f"error: {path}:2: fold: expected 0, 1, 2 or 3, found 7 (id 'fake-001')"


def test_validate_can_go_on_and_keep_the_good(tmp_path):
    path = write_annotations_file(tmp_path / "data", [record(0), record(1, fold=7), record(2, label="real"), record(3)])
    (tmp_path / "data/images/fake-003.png").unlink()
    good = tmp_path / "clean" / "good.jsonl"
    done = fakexplain("validate", path, "--keep-going", "--output", good)
    assert done.returncode == 1
    errors = done.stderr.splitlines()
    assert errors[0].startswith(f"error: {path}:2: fold:")
    assert errors[1].startswith(f"error: {path}:4: image: expected an image file, found no file")
    assert errors[2] == f"error: 2 of 4 records in {path} are bad"
    kept = list(read_annotations(good))
    assert [annotation.id for annotation in kept] == ["fake-000", "real-002"]
    assert all(annotation.path.is_file() for annotation in kept)  # paths follow the file to its new folder


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["validate"], 2, "Missing argument 'ANNOTATIONS'"),
        (["validate", "none.jsonl"], 1, "none.jsonl: expected an annotations file (JSON Lines), found no such file"),
        (["validate", "."], 1, "expected an annotations file (JSON Lines), found a folder"),
        (["export", "none.jsonl", "-o", "x.jsonl", "--subset", "fold9_train"], 2, "no such subset"),
        (["split", "none.jsonl"], 2, "Missing option '--out'"),
        (["fly"], 2, "No such command 'fly'"),
    ],
)
def test_bad_usage_and_bad_data_have_codes_of_their_own(args, code, message):
    done = fakexplain_process(*args, COLUMNS="200", NO_COLOR="1", TERM="dumb")
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.e2e
def test_a_reader_that_leaves_ends_the_command_without_a_word(annotations_file):
    command = [*COMMAND, "validate", str(annotations_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | UNBUFFERED) as run:
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 1


def test_an_output_that_is_the_current_folder_is_bad_usage(annotations_file, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for command in (["convert", "coco", annotations_file], ["pair-real", annotations_file, "--real", annotations_file]):
        done = fakexplain(*command, "-o", ".", COLUMNS="200", NO_COLOR="1")
        assert done.returncode == 2
        assert "expected a file, found something else at ." in done.stderr


def test_the_output_cannot_overwrite_what_is_read(annotations_file):
    before = annotations_file.read_bytes()
    done = fakexplain("validate", annotations_file, "--keep-going", "-o", annotations_file, NO_COLOR="1")
    assert done.returncode == 2
    assert annotations_file.read_bytes() == before


def test_an_output_that_cannot_be_written_is_an_error(annotations_file, tmp_path):
    (tmp_path / "taken").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    settings = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}
    for out, what in (("taken", "file"), ("pipe", "file"), ("file", "folder")):
        command = ("split", annotations_file) if what == "file" else ("export", annotations_file, "--to", "masks")
        done = fakexplain(*command, "-o", tmp_path / out, "--force", **settings)
        assert done.returncode == 2
        assert f"expected a {what}, found something else at {tmp_path / out}" in done.stderr
    done = fakexplain("split", annotations_file, "-o", tmp_path / "file" / "folds.jsonl")
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path / 'file'}: File exists\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "file", "pipe", "taken"]


def test_export_does_not_overwrite_the_images_it_reads(annotations_file, tmp_path):
    elsewhere = tmp_path / "elsewhere.jsonl"
    assert fakexplain("split", annotations_file, "-o", elsewhere).returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    settings = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}
    for source, message in (
        (annotations_file, "data holds an input"),
        (elsewhere, "data holds an input image"),
    ):
        args = [
            "export",
            source,
            "--to",
            "masks",
            "-o",
            annotations_file.parent,
            "--force",
            "--images",
            annotations_file.parent,
        ]
        done = fakexplain(*args, **settings)
        assert done.returncode == 2 and message in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before


def test_force_leaves_no_files_of_an_earlier_run_among_the_new_ones(annotations_file, tmp_path):
    out = tmp_path / "out"
    for subset, code in (("fold0_test", 0), ("fold0_train", 1), ("fold0_test", 0)):
        done = fakexplain("export", annotations_file, "--to", "folders", "-o", out, "--subset", subset, "--force")
        assert done.returncode == code
        assert ("found 4 more, such as 0_real/images/real-000.png" in done.stderr) == bool(code)
        assert len([path for path in out.rglob("*") if path.is_file()]) == 4


def test_export_finds_the_folder_that_holds_all_images(annotations_file, tmp_path):
    folds = tmp_path / "splits" / "folds.jsonl"
    assert fakexplain("split", annotations_file, "-o", folds).returncode == 0
    done = fakexplain("export", folds, "--to", "coco", "-o", tmp_path / "c.json")
    assert done.stdout.splitlines() == [
        f"16 records in {tmp_path / 'c.json'}",
        f"  image paths are relative to {tmp_path}",
    ]
    done = fakexplain("convert", "coco", tmp_path / "c.json", "--images", tmp_path, "-o", tmp_path / "back.jsonl")
    assert done.returncode == 0, done.stderr


def test_a_record_without_a_fold_does_not_stop_the_others(annotations_file, tmp_path):
    lines = annotations_file.read_text().splitlines()
    lines[2] = json.dumps({name: value for name, value in json.loads(lines[2]).items() if name != "fold"})
    annotations_file.write_text("\n".join(lines))
    args = ["export", annotations_file, "-o", tmp_path / "rows.jsonl", "--subset", "fold0_train", "--keep-going"]
    done = fakexplain(*args)
    assert (done.returncode, done.stdout) == (1, f"11 rows in {tmp_path / 'rows.jsonl'}\n")
    assert done.stderr.startswith(f"error: {annotations_file}:3: fold: expected 0, 1, 2 or 3")


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    done = fakexplain("validate", tmp_path / "empty.jsonl")
    assert done.returncode == 1
    assert "expected at least one record, found an empty file" in done.stderr


def test_split_writes_folds_and_counts_them(annotations_file, tmp_path):
    out = tmp_path / "folds" / "annotations.jsonl"
    done = fakexplain("split", annotations_file, "-o", out, "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "              fold 0  fold 1  fold 2  fold 3",
        "fake               2       2       2       2",
        "      paint        2       2       2       2",
        "real               2       2       2       2",
        "      camera       2       2       2       2",
    ]
    assert fakexplain("validate", out).returncode == 0
    again = tmp_path / "again.jsonl"
    fakexplain("split", annotations_file, "-o", again, "--seed", "3")
    assert [a.fold for a in read_annotations(again)] == [a.fold for a in read_annotations(out)]


def test_export_writes_stock_rows(annotations_file, tmp_path):
    out = tmp_path / "rows.jsonl"
    done = fakexplain("export", annotations_file, "-o", out, "--subset", "fold0_test__no_tags")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [json.loads(row["solution"])["id"] for row in rows] == ["fake-000", "real-000", "fake-004", "real-004"]
    assert rows[0]["messages"][2]["content"] == (
        "<think>\n<bbox> Sign with illegible letters.\n<bbox> Hand with six fingers.\n</think>\n<verdict>fake</verdict>"
    )
    assert rows[0]["objects"]["bbox"] == [[10.0, 5.0, 50.0, 45.0], [60.0, 50.5, 100.0, 80.0]]
    assert rows[1]["objects"] == {"ref": [], "bbox": []}
    assert all(Path(row["images"][0]).is_absolute() for row in rows)


def test_export_of_a_fold_wants_folds(tmp_path):
    path = write_annotations_file(tmp_path, [record(0)])
    done = fakexplain("export", path, "-o", tmp_path / "rows.jsonl", "--subset", "fold0_train")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"error: {path}:1: fold: expected 0, 1, 2 or 3 (`fakexplain split` assigns folds), "
        "found nothing (id 'fake-000')"
    )
    assert not list(tmp_path.glob("rows.jsonl*"))


@pytest.mark.parametrize("to", ["coco", "labelme", "yolo", "masks", "folders"])
def test_export_can_go_on_past_what_a_format_cannot_hold(annotations_file, tmp_path, to):
    lines = annotations_file.read_text().splitlines(keepends=True)
    outside = json.loads(lines[3]) | {"id": "outside", "image": "../outside.png"}
    shutil.copy(annotations_file.parent / "images/real-000.png", tmp_path / "outside.png")
    annotations_file.write_text("".join([*lines[:3], json.dumps(outside) + "\n", *lines[3:]]))
    args = ["export", annotations_file, "--to", to, "-o", tmp_path / "out", "--images", annotations_file.parent]
    where = f"error: {annotations_file}:4: image: expected an image in {annotations_file.parent} "
    done = fakexplain(*args)
    assert done.returncode == 1 and done.stderr.startswith(where)
    assert not (tmp_path / "out").exists()
    done = fakexplain(*args, "--keep-going")
    assert done.returncode == 1 and done.stdout.splitlines()[0] == f"16 records in {tmp_path / 'out'}"
    first, last = done.stderr.splitlines()
    assert first.startswith(where)
    assert last == f"error: 1 of 17 records in {annotations_file} are bad"
