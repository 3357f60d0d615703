"""Damaged files into every reader: an exit code of its own, one line for each error, never a traceback."""

import json
import shutil
from pathlib import Path

import pytest

from converters.formats import FORMATS
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file

pytestmark = pytest.mark.fuzz

ASSETS = Path(__file__).parents[1] / "assets"
SOURCES = {name: source for name in FORMATS for source in (ASSETS / name).glob("source*") if (ASSETS / name).is_dir()}
VALUES = (
    *(None, True, False, 0, 1, -1, 0.5, 1e308, 10**30, "", " ", "fake", "real", "0", "nan", "\x00", "\ud800", "é" * 9),
    *([], {}, [[]], [{}], {"": None}, [None], [0, 0, 0, 0], [1, 2, 3], [9, 9, 1, 1], "../../x", "/dev/null", "."),
)


def nodes(value, at=()):
    """Every container in a JSON value."""
    if isinstance(value, (dict, list)):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from nodes(each, at)


def damage_value(rng, value):
    """Change one place of a JSON value: another value, a part missing, one twice, a key of another name."""
    places = [(node, key) for node in nodes(value) for key in (node if isinstance(node, dict) else range(len(node)))]
    if not places:
        return rng.choice(VALUES)
    node, key = rng.choice(places)
    way = rng.randrange(4)
    if way == 0:
        del node[key]
    elif way == 1 and isinstance(node, list):
        node.append(node[key])
    elif way == 2 and isinstance(node, dict):
        node[f"{key}{rng.choice(' _2')}"] = node.pop(key)
    else:
        node[key] = rng.choice(VALUES)
    return value


def damage_bytes(rng, data):
    """Cut, flip, repeat or nest some bytes."""
    at = rng.randrange(len(data) + 1)
    return rng.choice(
        (
            data[:at],
            data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
            data[:at] + data[at : at + rng.randrange(99)] + data[at:],
            data[:at]
            + rng.choice((b"[" * 5000, b'{"a":' * 5000, b"\xff\xfe", b"\x00", b"\n\n", b'"', b"1e999"))
            + data[at:],
        )
    )


def damage(rng, path):
    """Damage a file in one to three places."""
    for _ in range(rng.randint(1, 3)):
        data = path.read_bytes()
        if rng.random() < 0.3:
            path.write_bytes(damage_bytes(rng, data))
            continue
        lines = data.split(b"\n") if path.suffix == ".jsonl" else [data]
        which = rng.randrange(len(lines))
        try:
            value = json.loads(lines[which])
        except (ValueError, RecursionError):
            path.write_bytes(damage_bytes(rng, data))
            continue
        lines[which] = json.dumps(damage_value(rng, value)).encode()
        path.write_bytes(b"\n".join(lines))


def run(*args):
    done = fakexplain(*args)
    assert done.returncode in (0, 1, 2), (args, done.stderr)
    assert "Traceback" not in done.stderr, (args, done.stderr)
    assert done.returncode == 0 or done.stderr.strip(), args
    return done


def test_sources_of_every_format(fuzz, tmp_path):
    def check(rng):
        name = rng.choice(list(SOURCES))
        folder = tmp_path / "source"
        source = folder / SOURCES[name].name
        if SOURCES[name].is_dir():
            shutil.copytree(SOURCES[name], source)
        else:
            folder.mkdir()
            shutil.copy(SOURCES[name], source)
            for images in SOURCES[name].parent.glob("images*"):
                shutil.copytree(images, folder / images.name)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        texts = [path for path in files if path.suffix in (".json", ".jsonl", ".xml", ".txt", ".csv")]
        damage(rng, rng.choice(texts or files))
        out = tmp_path / "out.jsonl"
        options = rng.choice(((), ("--keep-going",)))
        done = run("convert", name, source, "-o", out, *options)
        if texts and out.exists() and out.read_bytes():  # converting opens images, it does not decode them
            checked = run("validate", out)
            assert checked.returncode == 0, (done.stdout, checked.stderr)
        shutil.rmtree(folder)
        for path in tmp_path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    fuzz(check)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Annotations, answers to them, and a scored run."""
    folder = tmp_path_factory.mktemp("made")
    records = [
        record(index, label, fold=index % 4, annotator=f"a{index % 2}")
        for index in range(4)
        for label in ("fake", "real")
    ]
    write_annotations_file(folder, records)
    fake = "<think>\n[9, 5, 47, 42] Sign.\n</think>\n<tag>texture error</tag>\n<verdict>fake</verdict>"
    answers = [{"response": fake, "images": [str(folder / each["image"])]} for each in records]
    (folder / "answers.jsonl").write_text("".join(json.dumps(each) + "\n" for each in answers))
    scored = ("score", folder / "answers.jsonl", "--annotations", folder / "annotations.jsonl", "--resamples", "20")
    assert fakexplain(*scored, "-o", folder / "run").returncode == 0
    return folder


COMMANDS = {
    "annotations.jsonl": (
        ["validate", "annotations.jsonl"], ["validate", "annotations.jsonl", "--keep-going"],
        ["split", "annotations.jsonl", "-o", "out.jsonl"], ["stats", "annotations.jsonl"],
        ["qc", "annotations.jsonl", "-o", "out"], ["export", "annotations.jsonl", "-o", "out.jsonl"],
        ["export", "annotations.jsonl", "--to", "coco", "-o", "out.json"],
        ["perturb", "annotations.jsonl", "noise:8", "-o", "out"],
        ["draw", "annotations.jsonl", "--limit", "2", "-o", "out"],
        ["score", "answers.jsonl", "--annotations", "annotations.jsonl", "--resamples", "0"],
    ),
    "answers.jsonl": (
        ["score", "answers.jsonl", "--annotations", "annotations.jsonl", "--resamples", "0"],
        ["score", "answers.jsonl", "--annotations", "annotations.jsonl", "--resamples", "0", "-o", "out"],
        ["sheet", "annotations.jsonl", "--predictions", "answers.jsonl", "-o", "out.png"],
    ),
    "run/run.json": (["report", "run", "-o", "out"], ["draw", "run", "--limit", "2", "-o", "out"]),
    "run/images.jsonl": (["report", "run", "-o", "out"], ["draw", "run", "--limit", "2", "-o", "out"]),
}  # fmt: skip


def test_own_files(fuzz, made, tmp_path):
    def check(rng):
        folder = tmp_path / "own"
        shutil.copytree(made, folder)
        name = rng.choice(list(COMMANDS))
        damage(rng, folder / name)
        words = rng.choice(COMMANDS[name])
        run(*(folder / word if word.startswith(("out", "run", "ann", "ans")) else word for word in words))
        shutil.rmtree(folder)

    fuzz(check)
