"""Every command that writes: the same bytes each time, nothing half-written, nothing overwritten without `--force`."""

import contextlib
import json
import os
import re
import signal
import time

import numpy as np
import pytest
from PIL import Image

import converters.convert
import converters.convert_source
import converters.images.perturb
from swift_plugins.fakexplain.cli import commands as cli
from tests.cli.command import fakexplain, forked
from tests.conftest import record

pytestmark = pytest.mark.e2e

MANY, SOME, FEW, FEWEST = 1_500, 500, 100, 20


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Records of 120x90 images, many, some of them and few; and label folders whose images EXIF turns."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "images").mkdir()
    (folder / "labelled" / "0_real").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "one.jpg")  # whatever its name says
    records = [record(index, "fake", id=f"{index:05}", image=f"images/{index:05}.png") for index in range(MANY)]
    for index, each in enumerate(records):
        each["annotator"] = f"a{index % 7}"
        os.link(folder / "one.jpg", folder / each["image"])
    for name, number in (("many", MANY), ("some", SOME), ("few", FEW), ("fewest", FEWEST)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records[:number]))
    for index in range(2 * FEW):
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(np.roll(pixels, index)).save(folder / "labelled" / "0_real" / f"{index:04}.jpg", exif=exif)
    text = "<think>\n[9, 5, 47, 42] Sign.\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"
    answers = ({"response": text, "images": [str(folder / each["image"])]} for each in records[:SOME])
    (folder / "answers.jsonl").write_text("".join(json.dumps(each) + "\n" for each in answers))
    scored = ("score", folder / "answers.jsonl", "--annotations", folder / "some.jsonl", "--resamples", "0")
    assert fakexplain(*scored, "--out", folder / "run").returncode == 0
    assert fakexplain("label-studio", "--tasks", folder / "images", "--out", folder / "tasks.json").returncode == 0
    (folder / "classes.txt").write_text("".join(f"class {index}\n" for index in range(1000)))
    return folder


COMMANDS = {
    "validate": "validate DATA/many.jsonl --keep-going -o OUT.jsonl",
    "split": "split DATA/many.jsonl -o OUT.jsonl",
    "split near duplicates": "split DATA/few.jsonl --near-duplicates 6 -o OUT.jsonl",
    "pair-real": "pair-real DATA/few.jsonl --real DATA/labelled -o OUT.jsonl",
    "convert": "convert folder DATA/labelled -o OUT.jsonl",
    "rows": "export DATA/many.jsonl -o OUT.jsonl",
    "coco": "export DATA/many.jsonl --to coco -o OUT.json",
    "labelme": "export DATA/some.jsonl --to labelme -o OUT",
    "yolo": "export DATA/some.jsonl --to yolo -o OUT",
    "masks": "export DATA/some.jsonl --to masks -o OUT",
    "folders": "export DATA/some.jsonl --to folders -o OUT",
    "prepare": "prepare DATA/few.jsonl --size 256 -o OUT",
    "perturb": "perturb DATA/few.jsonl noise:8 -o OUT",
    "qc": "qc DATA/many.jsonl -o OUT",
    "stats": "stats DATA/some.jsonl -o OUT",
    "manifest": "manifest --classes DATA/classes.txt -o OUT.csv",
    "label-studio": "label-studio --tasks DATA/images -o OUT.json",
    "preannotate": "label-studio preannotate DATA/images --predictions DATA/answers.jsonl -o OUT",
    "assign": "label-studio assign DATA/tasks.json --annotators 7 --overlap 0.5 -o OUT",
    "compare": "label-studio compare DATA/some.jsonl --predictions DATA/answers.jsonl --limit 9 --longer-side 240 "
    "-o OUT",
    "score": "score DATA/answers.jsonl --annotations DATA/some.jsonl --resamples 0 -o OUT",
    "report": "report DATA/run --gallery 20 -o OUT",
    "draw": "draw DATA/few.jsonl --limit 0 --longer-side 240 -o OUT",
}


def command_of(name, data, out):
    """Its words, with these folders."""
    return [word.replace("DATA", str(data)).replace("OUT", str(out)) for word in COMMANDS[name].split()]


def written(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def half_written(folder):
    """Whether something is half-written."""
    with contextlib.suppress(FileNotFoundError):  # moved while it is looked at
        return any(path.is_file() for each in folder.rglob("*.partial") for path in (each, *each.rglob("*.*")))


def interrupted(args, folder, errors):
    """Exit code and stderr of a command that gets an interrupt once something is half-written."""
    process = forked(*args, errors=errors)
    while process.is_alive() and not half_written(folder):
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGINT)
    process.join()
    return process.exitcode, errors.read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_an_interrupt_leaves_nothing(name, data, tmp_path):
    for attempt in range(40):  # a quick command may end before the interrupt
        folder = tmp_path / f"{attempt}"
        folder.mkdir()
        ended = interrupted(command_of(name, data, folder / "out"), folder, tmp_path / f"{attempt}.errors")
        if ended[0]:
            break
    assert ended == (130, "error: interrupted; no partial output was left behind\n")
    assert written(folder) == {} and not list(folder.rglob("*.partial"))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_run_gives_the_same_bytes_and_none_overwrites_without_force(name, data, tmp_path):
    args = command_of(name, data, tmp_path / "out")
    if "answers.jsonl" not in COMMANDS[name]:  # as few records as will do; the answers are for some
        args = [re.sub("(many|some|few).jsonl$", "fewest.jsonl", word) for word in args]
    errors = tmp_path / "errors"
    process = forked(*args, errors=errors)  # another process hashes strings in another order
    process.join()
    assert process.exitcode == 0 and "error" not in errors.read_text(), errors.read_text()
    errors.unlink()
    first = written(tmp_path)
    assert first

    done = fakexplain(*args, NO_COLOR="1", COLUMNS="400", TERM="dumb")
    assert done.returncode == 2
    assert "already exists; --force overwrites it" in done.stderr
    assert written(tmp_path) == first

    done = fakexplain(*args, "--force")
    assert done.returncode == 0, done.stderr
    assert written(tmp_path) == first


@pytest.mark.parametrize("name", ["convert", "perturb"])
def test_an_interrupt_waits_for_images_that_are_being_written(name, data, tmp_path, monkeypatch):
    """Or they would bring back the folder that is being removed."""
    command, writer, slow, args = {
        "convert": (
            cli.convert.convert,
            converters.convert_source,
            (converters.convert, "save_upright"),
            {"format": "folder", "src": data / "labelled"},
        ),
        "perturb": (
            cli.perturb.perturb,
            cli.perturb,
            (converters.images.perturb, "perturb"),
            {"annotations": data / "few.jsonl", "names": ["blur:2"]},
        ),
    }[name]
    work = getattr(*slow)

    def late(*args):
        time.sleep(0.1)
        return work(*args)

    def interrupted(_, records):
        next(iter(records))
        raise KeyboardInterrupt

    monkeypatch.setattr(*slow, late)
    monkeypatch.setattr(writer, "write_annotations", interrupted)
    out = {"output" if name == "convert" else "out": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt) as held:
        command(**args, **out)
    assert held  # what it holds keeps everything alive, as a command's end does
    time.sleep(0.5)
    assert written(tmp_path) == {}
