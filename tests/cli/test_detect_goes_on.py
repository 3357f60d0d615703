"""`fakexplain detect` started again: after a server died, after an interrupt, and with other settings."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, fakexplain
from tests.cli.detections import FAKE, LOGPROBS, OURS, lines_of, says
from tests.conftest import heed_interrupts
from tests.detect.servers import chat, serve

pytestmark = pytest.mark.e2e


def dies_after(count: int):
    def answer(handler):
        if len(handler.requests) > count:
            handler.send_text(b"worker died", status=500)
        else:
            handler.send_json(chat(FAKE, LOGPROBS))

    return answer


def test_a_server_that_dies_leaves_a_run_that_goes_on(photos, tmp_path):
    out = tmp_path / "out"
    with serve(dies_after(3)) as (url, _):
        port = int(url.split(":")[2].removesuffix("/v1"))
        options = ("detect", photos, "--url", url, *OURS, "--out", out, "--batch-size", 1)
        done = fakexplain(*options)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: {url}/chat/completions: expected status 200, found 500: worker died (3 answers are kept in {out}; "
        "the same command goes on)"
    ]
    before = (out / "detections.jsonl").read_bytes()
    assert before.count(b"\n") == 3
    with serve(says(FAKE, LOGPROBS), port=port) as (_, requests):
        done = fakexplain(*options)
        assert done.returncode == 0, done.stderr
        assert len(requests) == 3
        again = fakexplain(*options)
        assert (again.returncode, len(requests)) == (0, 3)
    assert "3 images were answered before" in done.stdout
    after = (out / "detections.jsonl").read_bytes()
    assert after.startswith(before)
    assert [Path(line["id"]).name for line in lines_of(out)] == [f"{name}.png" for name in "abcdef"]


def test_other_settings_are_refused_and_force_starts_over(photos, tmp_path):
    out = tmp_path / "out"
    with serve(says(FAKE)) as (url, requests):
        options = ("detect", photos, "--url", url, *OURS, "--out", out)
        assert fakexplain(*options).returncode == 0
        done = fakexplain(*options, "--max-tokens", 5)
        assert done.returncode == 1
        assert "max_tokens: expected 5, as this run has it (--force starts over), found 1024" in done.stderr
        done = fakexplain(*options, "--max-tokens", 5, "--force")
        assert done.returncode == 0, done.stderr
    assert len(lines_of(out)) == 6 and len(requests) == 12


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_keeps_what_is_finished(sign, photos, tmp_path):
    out = tmp_path / "out"

    def slow(handler):
        time.sleep(0.2 if len(handler.requests) < 3 else 20)
        handler.send_json(chat(FAKE))

    with serve(slow) as (url, _):
        args = ["detect", photos, "--url", url, *OURS, "--out", out, "--batch-size", 1]
        with subprocess.Popen(
            [*COMMAND, *map(str, args)], preexec_fn=heed_interrupts, stderr=subprocess.PIPE, text=True
        ) as run:
            lines = out / "detections.jsonl"
            while run.poll() is None and not (lines.exists() and lines.read_bytes().count(b"\n") == 2):
                time.sleep(0.02)
            time.sleep(0.3)
            run.send_signal(sign)
            _, errors = run.communicate(timeout=20)
    if sign == signal.SIGINT:
        assert (run.returncode, errors) == (
            130,
            f"error: interrupted; finished answers are kept in {out}; the same command goes on\n",
        )
    assert len(lines_of(out)) == 2
