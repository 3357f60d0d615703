"""`fakexplain publish`: what the folder holds, what is refused, and what an interrupt leaves."""

import json
import signal
import subprocess
import time

import pytest
from PIL import Image

from swift_plugins.fakexplain.publish.check import Check
from tests.cli.command import COMMAND, fakexplain
from tests.conftest import heed_interrupts
from tests.publish.checkpoints import read_json, write_checkpoint
from tests.scoring.runs import write_forty

LICENCE = ("--license", "apache-2.0")


@pytest.fixture
def checkpoint(tmp_path):
    return write_checkpoint(tmp_path / "trained" / "checkpoint-1")


def test_the_folder_is_whole_and_names_no_place_of_this_machine(checkpoint, tmp_path):
    write_forty(tmp_path, tmp_path / "run")
    out = tmp_path / "detector"
    options = ("--out", out, *LICENCE, "--run", tmp_path / "run", "--system", "ours", "--no-check")
    done = fakexplain("publish", checkpoint, *options, MAX_PIXELS="50176")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"model in {out}", f"hf upload USER/detector {out}"]
    assert {path.name for path in out.iterdir()} == {
        *("README.md", "args.json", "chat_template.jinja", "config.json", "generation_config.json"),
        *("model.safetensors", "processor_config.json", "tokenizer.json", "tokenizer_config.json"),
        *("swift_plugins", "converters"),
    }
    assert (out / "model.safetensors").read_bytes() == (checkpoint / "model.safetensors").read_bytes()
    for path in out.glob("*.*"):
        assert str(tmp_path) not in path.read_text(errors="replace"), path
    assert "chat_template" not in read_json(out / "tokenizer_config.json")
    size = read_json(out / "processor_config.json")["image_processor"]["size"]
    assert size == {"shortest_edge": 3136, "longest_edge": 50176}
    args = read_json(out / "args.json")
    assert args["model_kwargs"] == {"MAX_PIXELS": "50176"}
    assert [(out / path).is_file() for path in args["external_plugins"]] == [True]
    assert not list(out.rglob("__pycache__"))
    assert "MAX_PIXELS=50176 swift infer" in (out / "README.md").read_text()

    assert fakexplain("publish", checkpoint, *options).returncode == 2  # it exists
    assert fakexplain("publish", checkpoint, *options, "--force").returncode == 0
    assert read_json(out / "args.json")["model_kwargs"] == {}


@pytest.mark.parametrize(
    "args, words, code, message",
    [
        ({"template": "fx_ovis2_5"}, [], 1, "args.json: template: expected a backbone whose prompts come from a chat"),
        ({"template": "qwen2_5_vl"}, [], 1, "template: expected a model that was trained with a template of this"),
        ({"max_pixels": 50176}, [], 1, "args.json: max_pixels: expected MAX_PIXELS in the environment of the training"),
        ({"template": None}, [], 1, "names it"),
        ({}, ["--license", "Apache 2"], 2, "expected a name such as apache-2.0, mit or other, found 'Apache 2'"),
        ({}, ["--vllm-args", "[1]"], 2, "--vllm-args: expected a JSON object, found '[1]'"),
        ({}, ["--name", "my model"], 2, "--name: expected letters, digits, '_', '.' and '-', as the hub takes them"),
        ({}, ["--system", "7B"], 2, "--system: expected --run with the run that it is a system of"),
        ({}, ["--run", "{place}"], 1, "expected a folder written by `fakexplain score --out`"),
        ({}, ["--run", "{place}/run"], 1, "--system: expected one of ours, NPR, because the run has several"),
        ({}, ["--image", "{place}/no.png"], 1, "expected an image file, found no file"),
        ({}, ["--out", "{place}/trained"], 2, "holds an input"),
    ],
)
def test_what_is_refused(args, words, code, message, tmp_path):
    checkpoint = write_checkpoint(tmp_path / "trained" / "checkpoint-1", **args)
    if "{place}/run" in words:
        write_forty(tmp_path, tmp_path / "run")
    words = [word.format(place=tmp_path) for word in words]
    before = sorted(tmp_path.rglob("*"))
    done = fakexplain("publish", checkpoint, "--out", tmp_path / "out", *LICENCE, *words, COLUMNS="400")
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_no_checkpoint_and_a_missing_licence(checkpoint, tmp_path):
    done = fakexplain("publish", tmp_path, "--out", tmp_path / "out", *LICENCE)
    assert (done.returncode, done.stderr) == (
        1,
        f"error: {tmp_path}: expected a checkpoint with the args.json that ms-swift writes, found nothing\n",
    )
    done = fakexplain("publish", tmp_path / "none", "--out", tmp_path / "out", *LICENCE)
    assert done.stderr == f"error: {tmp_path}/none: expected the folder of a checkpoint, found no such folder\n"
    done = fakexplain("publish", checkpoint, "--out", tmp_path / "out", COLUMNS="200", NO_COLOR="1", TERM="dumb")
    assert done.returncode == 2 and "Missing option '--license'" in done.stderr


def test_a_mismatch_shows_both_texts_and_publishes_nothing(checkpoint, tmp_path, monkeypatch):
    said = {"ms-swift": "<verdict>fake</verdict>", "transformers": "<verdict>real</verdict>"}
    monkeypatch.setattr(Check, "libraries", lambda self: tuple(said))
    monkeypatch.setattr(Check, "ask", lambda self, library: said[library])
    done = fakexplain("publish", checkpoint, "--out", tmp_path / "out", *LICENCE)
    assert done.returncode == 1
    assert done.stderr.startswith("ms-swift:\n<verdict>fake</verdict>\ntransformers:\n<verdict>real</verdict>\nerror: ")
    assert "expected the same answer from ms-swift and transformers, found different ones" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["trained"]


def test_an_image_of_the_users_is_the_one_that_is_asked_about(checkpoint, tmp_path, monkeypatch):
    Image.new("RGB", (30, 30)).save(tmp_path / "mine.png")
    asked = []
    monkeypatch.setattr(Check, "libraries", lambda self: ("ms-swift",))
    monkeypatch.setattr(Check, "ask", lambda self, library: asked.append(self.image) or "x")
    options = ("--out", tmp_path / "out", *LICENCE)
    assert fakexplain("publish", checkpoint, *options, "--image", tmp_path / "mine.png").returncode == 0
    done = fakexplain("publish", checkpoint, *options, "--force")
    assert done.returncode == 0, done.stderr
    assert "vLLM was not tried, because it is not installed" in done.stdout
    assert (asked[0], asked[1].name) == (tmp_path / "mine.png", "check.png")


@pytest.mark.e2e
def test_an_interrupt_leaves_nothing(checkpoint, tmp_path):
    """While ms-swift answers: it is a process of its own, which ends too."""
    command = [*COMMAND, "publish", checkpoint, "--out", tmp_path / "out", *LICENCE]
    with subprocess.Popen(
        list(map(str, command)), preexec_fn=heed_interrupts, stderr=subprocess.PIPE, text=True
    ) as run:
        while run.poll() is None and not list(tmp_path.glob(".out.*.partial/*/check.jsonl")):
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=20)
    assert (run.returncode, errors) == (130, "error: interrupted; no partial output was left behind\n")
    assert [path.name for path in tmp_path.iterdir()] == ["trained"]
    assert json.loads((checkpoint / "args.json").read_text())
