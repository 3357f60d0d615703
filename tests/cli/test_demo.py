"""`fakexplain app`: what it refuses before it opens a page. The page itself: tests/e2e/test_app.py."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from swift_plugins.fakexplain.detect.server import ServerEngine
from tests.cli.command import fakexplain
from tests.detect.servers import chat, serve

OURS = ("--template", "fx_qwen2_5_vl")
needs_gradio = pytest.mark.skipif(importlib.util.find_spec("gradio") is None, reason="the extra app is not installed")


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_missing_gradio_is_one_line():
    code = (
        "import sys; sys.modules['gradio'] = None; from swift_plugins.fakexplain.cli import main; "
        "sys.argv[:] = ['fakexplain', 'app', '--model', 'm']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: the package gradio is not installed; pip install 'fakexplain-swift[app]'\n"


@needs_gradio
@pytest.mark.parametrize(
    "args, code, message",
    [
        ([], 2, "expected a model, or --url with a server"),
        (["--model", "none/such/folder"], 1, "none/such/folder: expected the folder of model, found no such folder"),
        (["--model", "{tmp}"], 1, "--template: expected the template that the model was trained with"),
        (
            ["--url", "{url}", *OURS, "--port", "{taken}"],
            2,
            "cannot listen on 127.0.0.1:{taken}: Address already in use",
        ),
        (
            ["--url", "{url}", *OURS, "--host", "192.0.2.1"],
            2,
            "cannot listen on 192.0.2.1:7860: Cannot assign requested",
        ),
        (["--url", "{url}", *OURS, "--host", "no.such.invalid"], 2, "cannot listen on no.such.invalid:7860: "),
        (["--url", "{url}", *OURS, "--examples", "{tmp}/none.jsonl"], 1, "none.jsonl: expected an annotations file"),
        (
            ["--url", "{url}", *OURS, "--operating-point", "{tmp}/none.json"],
            1,
            "none.json: expected an operating point",
        ),
    ],
)
def test_what_is_refused(args, code, message, taken, tmp_path: Path):
    with serve(lambda handler: handler.send_json(chat())) as (url, _):
        words = [each.format(tmp=tmp_path, taken=taken, url=url) for each in args]
        done = fakexplain("app", *words, COLUMNS="400")
    assert done.returncode == code, done.stderr
    assert message.format(taken=taken) in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@needs_gradio
def test_a_server_that_is_not_there_is_one_line(taken, monkeypatch):
    monkeypatch.setitem(ServerEngine.__init__.__kwdefaults__, "start_seconds", 0.0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        done = fakexplain("app", "--url", url, *OURS, "--timeout", 1)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {url}: expected a server, found none")
    assert done.stderr.count("\n") == 1
