"""`fakexplain detect` on the quickstart's checkpoint: every way to ask the model gives the same answers."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.images import image_key
from swift_plugins.fakexplain.prompts import QUESTION
from swift_plugins.fakexplain.scoring.predictions.answers import read_predictions
from tests.cli.command import COMMAND, fakexplain
from tests.e2e.conftest import BIN, PLUGIN, TOKENS, Quickstart, environment, free_port, read_jsonl

pytestmark = pytest.mark.e2e


def detect(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "detect", *map(str, args), "--max-tokens", str(TOKENS)]
    return subprocess.run(command, env=environment(**env), capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def held_out(quickstart: Quickstart, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of the held-out fold, beside the quickstart's own."""
    path = quickstart.annotations.with_name("held_out.jsonl")
    lines = quickstart.annotations.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if json.loads(line)["fold"] == 0))
    return path


@pytest.fixture(scope="module")
def by_transformers(quickstart: Quickstart, held_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("detect") / "out"
    done = detect(held_out, "--model", quickstart.checkpoint("sft"), "--out", out, "--batch-size", 12)
    assert done.returncode == 0, done.stderr
    return out


def test_the_answers_are_those_of_swift_infer(quickstart, held_out, by_transformers):
    lines = by_transformers / "detections.jsonl"
    own = {image_key(lines.parent / each["image"]): each for each in read_jsonl(lines)}
    expected = {each.image: each for each in read_predictions(quickstart.out / "sft.jsonl")}
    assert own.keys() == expected.keys()
    assert len(own) == 24
    assert sum(own[image]["answer"] == expected[image].text for image in own) >= 23
    both = [(own[image]["p_fake"], expected[image].p_fake) for image in own if own[image]["p_fake"] is not None]
    assert all(theirs is not None and abs(ours - theirs) < 0.02 for ours, theirs in both)


def test_the_lines_are_records(by_transformers):
    lines = read_jsonl(by_transformers / "detections.jsonl")
    records = list(read_annotations(by_transformers / "detections.jsonl"))
    assert [each.id for each in records] == [line["id"] for line in lines if line["label"]]
    assert {line["verdict"] for line in lines if not line["label"]} <= {"unsure"}
    pictures = sorted((by_transformers / "pictures").iterdir())
    assert len(pictures) == len(lines) == 24
    assert (by_transformers / "gallery.html").read_text().count("<article") == 24


def agreement(one: Path, other: Path) -> int:
    """Number of images with the same answer and boxes."""
    first, second = ({each["id"]: each for each in read_jsonl(path / "detections.jsonl")} for path in (one, other))
    assert first.keys() == second.keys()
    return sum(
        all(first[id][name] == second[id][name] for name in ("answer", "verdict", "regions", "tags")) for id in first
    )


@contextmanager
def server(command: list[object], port: str, **env: str) -> Iterator[str]:
    """A server in a process of its own; yields its address once it lists its model."""
    url = f"http://127.0.0.1:{port}/v1"
    with subprocess.Popen(
        list(map(str, command)), env=environment(**env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            for _ in range(600):
                assert process.poll() is None, process.stdout.read().decode()[-4000:]
                try:
                    urllib.request.urlopen(f"{url}/models", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield url
        finally:
            for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                each.terminate()
            process.communicate(timeout=60)


@pytest.mark.slow
def test_a_vllm_server_of_a_published_folder_answers_alike(quickstart, held_out, by_transformers, tmp_path):
    """Also a plain client, which sends no system prompt and the image as it is."""
    port, model = free_port(), tmp_path / "published"
    words = ("publish", quickstart.checkpoint("sft"), "--out", model, "--license", "apache-2.0", "--no-check")
    done = fakexplain(*words, MAX_PIXELS="200704")
    assert done.returncode == 0, done.stderr
    lines = read_jsonl(by_transformers / "detections.jsonl")
    command = [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--enforce-eager"),
        *("--max-model-len", 1024, "--dtype", "float32", "--host", "127.0.0.1", "--port", port),
        *("--gpu-memory-utilization", 0.2, "--skip-mm-profiling"),
    ]
    with server(command, port, VLLM_CPU_KVCACHE_SPACE="1") as url:
        done = detect(held_out, "--url", url, "--model", model, "--out", tmp_path / "out", "--no-pictures")
        plain = [ask_plainly(url, str(model), by_transformers / line["image"]) for line in lines[:8]]
    assert done.returncode == 0, done.stderr
    assert agreement(by_transformers, tmp_path / "out") >= 23
    assert sum(text == line["answer"] for text, line in zip(plain, lines, strict=False)) >= 7


def ask_plainly(url: str, model: str, image: Path) -> str:
    """The answer to a chat of one message."""
    picture = {"type": "image_url", "image_url": {"url": file_data_uri(image)}}
    messages = [{"role": "user", "content": [picture, {"type": "text", "text": QUESTION}]}]
    body = {"model": model, "messages": messages, "temperature": 0, "max_tokens": TOKENS}
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)["choices"][0]["message"]["content"]


def file_data_uri(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


@pytest.mark.slow
def test_swift_deploy_answers_alike(quickstart, held_out, by_transformers, tmp_path):
    port, model = free_port(), quickstart.checkpoint("sft")
    command = [
        *(BIN / "swift", "deploy", "--model", model, "--infer_backend", "transformers", "--external_plugins", PLUGIN),
        *("--host", "127.0.0.1", "--port", port, "--max_batch_size", 8),
    ]
    with server(command, port) as url:
        done = detect(held_out, "--url", url, "--model", model, "--out", tmp_path / "out", "--no-pictures")
    assert done.returncode == 0, done.stderr
    assert agreement(by_transformers, tmp_path / "out") >= 23


@pytest.mark.slow
def test_the_vllm_engine_answers_alike(quickstart, held_out, by_transformers, tmp_path):
    more = "--vllm_enforce_eager true --vllm_max_model_len 1024 --vllm_gpu_memory_utilization 0.2"
    done = detect(
        *(held_out, "--model", quickstart.checkpoint("sft"), "--backend", "vllm", "--engine-args", more),
        *("--out", tmp_path / "out", "--no-pictures"),
        VLLM_CPU_KVCACHE_SPACE="1",
    )
    assert done.returncode == 0, done.stderr
    assert agreement(by_transformers, tmp_path / "out") >= 23


@pytest.mark.slow
def test_a_killed_run_goes_on(quickstart, held_out, by_transformers, tmp_path):
    out = tmp_path / "out"
    command = [*COMMAND, "detect", held_out, "--model", quickstart.checkpoint("sft"), "--out", out]
    command += ["--batch-size", 2, "--max-tokens", TOKENS]
    with subprocess.Popen(list(map(str, command)), env=environment(), stderr=subprocess.DEVNULL) as run:
        lines = out / "detections.jsonl"
        while run.poll() is None and not (lines.exists() and lines.read_bytes().count(b"\n") >= 4):
            time.sleep(0.02)
        run.kill()
    before = lines.read_bytes()
    assert 4 <= before.count(b"\n") < 24
    done = detect(held_out, "--model", quickstart.checkpoint("sft"), "--out", out, "--batch-size", 12)
    assert done.returncode == 0, done.stderr
    after = lines.read_bytes()
    assert after.startswith(before[: before.rindex(b"\n") + 1])
    assert agreement(by_transformers, out) >= 23
    assert len(list((out / "pictures").iterdir())) == 24
