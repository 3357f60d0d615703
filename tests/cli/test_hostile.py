"""Input that no one means: every command answers it with one line and an exit code, not with a traceback or a wait."""

import json
import os
import re
import resource
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.atomic import atomic_folder
from tests.cli.command import COMMAND, fakexplain
from tests.cli.predictions import answer
from tests.conftest import record, write_annotations_file

pytestmark = pytest.mark.e2e

PLAIN = {"NO_COLOR": "1", "COLUMNS": "400", "TERM": "dumb"}
ESCAPE = "\x1b[2J"

# Every command that reads annotations; BAD is the path of the file.
READERS = {
    "validate": "validate BAD",
    "split": "split BAD -o OUT.jsonl",
    "pair-real": "pair-real BAD --real DATA/images -o OUT.jsonl",
    "export": "export BAD -o OUT.jsonl",
    "perturb": "perturb BAD jpeg:80 -o OUT",
    "prepare": "prepare BAD -o OUT",
    "stats": "stats BAD -o OUT",
    "qc": "qc BAD -o OUT",
    "sheet": "sheet BAD -o OUT.png",
    "draw": "draw BAD -o OUT",
    "compare": "label-studio compare BAD --predictions a=DATA/answers.jsonl -o OUT",
    "handout": "label-studio handout BAD -o OUT.html",
    "score": "score DATA/answers.jsonl --annotations BAD -o OUT",
}
# Every other place of a file to read.
FILES = {
    "convert": "convert coco BAD -o OUT.jsonl",
    "pair-real": "pair-real DATA/annotations.jsonl --real BAD -o OUT.jsonl",
    "qc": "qc DATA/annotations.jsonl --reference BAD -o OUT",
    "sheet": "sheet DATA/annotations.jsonl --predictions BAD -o OUT.png",
    "draw": "draw DATA/annotations.jsonl --predictions a=BAD -o OUT",
    "score": "score a=BAD --annotations DATA/annotations.jsonl",
    "score coco": "score DATA/boxes.json --coco BAD --annotations DATA/annotations.jsonl",
    "report": "report BAD -o OUT",
    "report votes": "report DATA/run --votes BAD -o OUT",
    "report log": "report DATA/run --log a=BAD -o OUT",
    "manifest": "manifest --classes BAD -o OUT.csv",
    "label-studio": "label-studio --tasks BAD -o OUT.json",
    "screen": "label-studio screen BAD -o OUT",
    "decisions": "prepare DATA/images --decisions BAD -o OUT",
    "preannotate": "label-studio preannotate DATA/images --predictions BAD -o OUT",
    "assign": "label-studio assign BAD --annotators 2 -o OUT",
    "votes": "label-studio votes BAD --key DATA/key.jsonl -o OUT.csv",
    "votes key": "label-studio votes DATA/key.jsonl --key BAD -o OUT.csv",
    "label-studio manifest": "label-studio --tasks DATA/images --manifest BAD -o OUT.json",
}
ALL = [*READERS.values(), *FILES.values()]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    records = [record(index, label, annotator="a") for index in range(2) for label in ("fake", "real")]
    write_annotations_file(folder, records)
    (folder / "answers.jsonl").write_text("".join(answer(folder / each["image"], "fake") for each in records))
    (folder / "boxes.json").write_text("[]")
    sides = {"left": {"system": "a"}, "right": {"system": "b"}}
    (folder / "key.jsonl").write_text(json.dumps({"pair": "p1", "id": "x"} | sides))
    scored = ("score", folder / "answers.jsonl", "--annotations", folder / "annotations.jsonl", "--resamples", "0")
    assert fakexplain(*scored, "--out", folder / "run").returncode == 0
    return folder


def run(command: str, data: Path, out: Path, bad: object):
    places = {"DATA": str(data), "OUT": str(out / "out"), "BAD": str(bad)}
    return fakexplain(
        *(re.sub("DATA|OUT|BAD", lambda match: places[match[0]], word) for word in command.split()), **PLAIN
    )


def bad_path(kind: str, folder: Path) -> Path:
    path = folder / "bad.jsonl"
    if kind == "circle":
        path.symlink_to("bad.jsonl")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/null")
    return path


@pytest.mark.parametrize("command", ALL)
@pytest.mark.parametrize("kind", ["circle", "pipe", "device"])
def test_what_is_no_regular_file_is_refused_at_once(data, tmp_path, command, kind):
    bad = bad_path(kind, tmp_path)
    done = run(command, data, tmp_path, bad)
    words = {"circle": "links in a circle", "pipe": "a pipe", "device": "a device"}[kind]
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {bad}: expected ") and f"found {words}" in done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [each for each in READERS.values() if "OUT.png" not in each and "draw" not in each])
@pytest.mark.parametrize("kind", ["circle", "pipe"])
def test_an_image_that_is_no_regular_file(data, tmp_path, command, kind):
    """Commands that open images refuse the record; the others do not wait for it."""
    shutil.copytree(data / "images", tmp_path / "images")
    path = tmp_path / "bad.jsonl"
    path.write_text((data / "annotations.jsonl").read_text())
    image = tmp_path / "images" / "real-001.png"
    image.unlink()
    image.symlink_to("real-001.png") if kind == "circle" else os.mkfifo(image)
    done = run(command, data, tmp_path, path)
    if command.split()[0] in ("validate", "export", "perturb", "prepare", "pair-real"):
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {path}:4: image: expected an image file") and "real-001" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", ["prepare BAD -o OUT --keep-going", "convert folder BAD --label real -o OUT.jsonl --keep-going"]
)
def test_a_link_to_itself_in_a_folder_is_one_bad_image(data, tmp_path, command):
    shutil.copytree(data / "images", tmp_path / "images")
    (tmp_path / "images" / "self.png").symlink_to("self.png")
    done = run(f"{command} --keep-going", data, tmp_path, tmp_path / "images")
    assert done.returncode == 1
    assert "self.png" in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[1:] == [f"error: 1 of 5 records in {tmp_path / 'images'} are bad"]


@pytest.mark.parametrize("command", ["sheet BAD -o OUT.png", "draw BAD -o OUT"])
def test_pictures_of_unreadable_images_are_reported_after_the_rest(tmp_path, data, command):
    path = write_annotations_file(tmp_path, [record(0), record(1)])
    (tmp_path / "images" / "fake-001.png").unlink()
    done = run(command, data, tmp_path, path)
    assert done.returncode == 1 and done.stdout.startswith("2 images ")
    assert done.stderr.startswith("error: 1 images could not be read; their pictures say why. The first: ")
    assert list(tmp_path.glob("out*"))


@pytest.mark.parametrize("argument", ["=x.jsonl", "x=", "="])
@pytest.mark.parametrize(
    "command", ["score BAD --annotations DATA/annotations.jsonl", "report DATA/run --log BAD -o OUT"]
)
def test_a_name_or_a_file_that_is_empty_is_bad_usage(data, tmp_path, command, argument):
    done = run(command, data, tmp_path, argument)
    assert done.returncode == 2 and f"expected FILE or NAME=FILE, found '{argument}'" in done.stderr


COMMANDS_THAT_PRINT_NAMES = {
    "validate": "validate BAD",
    "stats": "stats BAD",
    "split": "split BAD -o OUT.jsonl",
    "qc": "qc BAD -o OUT",
    "score": f"score a{ESCAPE}=DATA/answers.jsonl --annotations DATA/annotations.jsonl --resamples 0",
    "score missing": "score DATA/some.jsonl --annotations DATA/annotations.jsonl --resamples 0",
    "bad id": "validate BAD --no-images --keep-going",
    "bad name": f"validate {ESCAPE}.jsonl",
    "bad option": f"perturb BAD {ESCAPE} -o OUT",
    "existing": f"validate BAD -o DATA/{ESCAPE}",
    "prepare": f"prepare BAD --size 32 -o OUT{ESCAPE}",
}


@pytest.mark.parametrize("name", COMMANDS_THAT_PRINT_NAMES)
def test_names_cannot_command_the_terminal(tmp_path, name):
    fields = ("generator", "family", "annotator", "class_name")
    records = [record(index, id=f"{index}{ESCAPE}", **dict.fromkeys(fields, ESCAPE)) for index in range(3)]
    path = write_annotations_file(tmp_path, records)
    (tmp_path / "answers.jsonl").write_text(answer(tmp_path / records[0]["image"], "fake"))
    (tmp_path / "some.jsonl").write_text(answer(tmp_path / records[0]["image"], "fake"))
    if name == "bad id":
        path.write_text(json.dumps(records[0] | {"width": 0, "image": ESCAPE}) + "\n")
    (tmp_path / ESCAPE).write_text("")
    done = run(COMMANDS_THAT_PRINT_NAMES[name], tmp_path, tmp_path, path)
    printed = done.stdout + done.stderr
    assert "\x1b" not in printed
    assert "\\x1b[2J" in printed or name == "prepare"


def test_a_name_that_is_not_utf8_is_printed_and_named(tmp_path, data):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    path = write_annotations_file(folder, [record(0), record(1, "real")])
    done = fakexplain("split", path, "-o", folder / "out.jsonl")
    assert done.returncode == 0, done.stderr
    done = fakexplain("validate", folder / "none.jsonl")
    assert (done.returncode, "caf\\udce9/none.jsonl: expected an annotations file" in done.stderr) == (1, True)
    done = fakexplain("split", path, "-o", tmp_path / "out.jsonl")  # whose records would name the folder
    assert done.returncode == 1
    assert done.stderr == "error: expected text that UTF-8 can write, found 'caf\\udce9/images/fake-000.png'\n"
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("command", ["export BAD -o OUT", "validate BAD -o OUT"])
def test_a_link_that_leads_nowhere_is_not_overwritten(tmp_path, command):
    path = write_annotations_file(tmp_path, [record(0)])
    (tmp_path / "out").symlink_to("nowhere")
    done = run(command, tmp_path, tmp_path, path)
    assert done.returncode == 2 and "already exists; --force overwrites it" in done.stderr
    assert (tmp_path / "out").is_symlink()


@pytest.mark.parametrize("command", ["validate BAD --no-images", "stats BAD", "qc BAD -o OUT"])
def test_a_size_that_no_image_has(tmp_path, command):
    path = write_annotations_file(tmp_path, [record(0)])
    path.write_text(json.dumps(record(0, width=10**400)) + "\n")
    done = run(command, tmp_path, tmp_path, path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {path}:1: width: expected at most 2147483647 pixels, found 1000")


def test_a_nul_in_a_path_is_an_error_of_its_line(tmp_path):
    path = write_annotations_file(tmp_path, [record(0)])
    path.write_text(json.dumps(record(0, image="a\0.png")) + "\n")
    done = fakexplain("validate", path, "--no-images")
    assert done.returncode == 1
    assert done.stderr == f"error: {path}:1: image: expected a path, found 'a\\x00.png' (id 'fake-000')\n"


def test_an_answer_with_half_a_surrogate_is_named(data, tmp_path):
    lines = (data / "answers.jsonl").read_text().splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | {"response": "fake \ud800"})
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(lines))
    scored = ("score", path, "--annotations", data / "annotations.jsonl", "--resamples", "0")
    assert fakexplain(*scored).returncode == 0
    done = fakexplain(*scored, "-o", tmp_path / "run")
    expected = (
        f"error: {path}:3: response: expected text that UTF-8 can write, found half of a surrogate pair, \\ud800\n"
    )
    assert (done.returncode, done.stderr) == (1, expected)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "command", ["validate BAD", "prepare BAD --size 32 -o OUT", "perturb BAD jpeg:80 -o OUT", "draw BAD -o OUT"]
)
def test_images_of_several_frames_are_counted(tmp_path, data, command):
    path = write_annotations_file(tmp_path, [record(0), record(1), record(2)])
    frames = [Image.new("RGB", (120, 90), colour) for colour in ("red", "blue")]
    for index, format in enumerate(("GIF", "PNG")):
        frames[0].save(tmp_path / f"images/fake-00{index}.png", format, save_all=True, append_images=frames[1:])
    done = run(command, data, tmp_path, path)
    assert done.returncode == 0
    names = ", ".join(f"{tmp_path / 'images'}/fake-00{index}.png" for index in range(2))
    assert done.stderr == f"2 images have several frames, of which only the first was used: {names}\n"
    assert run("stats BAD", data, tmp_path, path).stderr == ""


def test_a_second_run_into_one_folder_is_refused_while_the_first_runs(data, tmp_path):
    command = "prepare DATA/annotations.jsonl --size 32 -o OUT --force"
    with atomic_folder(tmp_path / "out"):
        done = run(command, data, tmp_path, "")
        assert done.returncode == 2 and "another run is writing it" in done.stderr
    assert run(command, data, tmp_path, "").returncode == 0


WRITERS = {name: command for name, command in READERS.items() if name != "validate"} | {
    "validate": "validate BAD -o OUT.jsonl",
    "convert": "convert folder DATA/images --label real -o OUT.jsonl",
    "manifest": "manifest --classes BAD -o OUT.csv",
    "label-studio": "label-studio --tasks DATA/images -o OUT.json",
    "report": "report DATA/run --gallery 0 -o OUT",
    "score json": "score DATA/answers.jsonl --annotations BAD --resamples 0 --json OUT.json",
    "prepare jpeg": "prepare BAD --format jpeg -o OUT",
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_names_the_output_and_leaves_nothing(data, tmp_path, name):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        done = run(WRITERS[name], data, tmp_path, data / "annotations.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.returncode == 1
    assert re.fullmatch(f"error: {tmp_path}/out[^:]*: File too large\n", done.stderr)
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]


def test_full_standard_output_is_named(data):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        command = [*COMMAND, "validate", data / "annotations.jsonl"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n")


def test_every_command_prints_through_one_door():
    """`print` stands in app.py, in the path of the plugin, and nowhere else, so that nothing from a file is raw."""
    folder = Path(__file__).parents[2] / "swift_plugins/fakexplain/cli"
    printing = {path.name for path in folder.glob("*.py") if re.search(r"(?<![\w.])print\(", path.read_text())}
    assert printing <= {"app.py", "setup.py"}
