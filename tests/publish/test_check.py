"""The programs of the self-check: what they started ends with them, and a failure says why."""

import contextlib
import sys
import time
from pathlib import Path

import psutil
import pytest

from swift_plugins.fakexplain.publish.check import Check, MismatchError, run_program


def test_a_program_gets_the_folder_and_the_variables(tmp_path):
    command = ["sh", "-c", 'echo "$PWD $MAX_PIXELS"']
    assert run_program(command, tmp_path, {"MAX_PIXELS": "784"}) == f"{tmp_path} 784\n"


def test_what_it_prints_is_not_changed(tmp_path):
    command = [sys.executable, "-c", "print('a\\r\\n\\xa0\\ufffd b\\r')"]
    assert run_program(command, tmp_path, {"LC_ALL": "C"}) == "a\r\n\xa0\ufffd b\r\n"


def test_a_failure_says_the_last_words(tmp_path):
    with pytest.raises(ValueError, match="exit code 3: two / three / four"):
        run_program(["sh", "-c", "printf 'one\\ntwo\\n\\nthree\\nfour\\n' >&2; exit 3"], tmp_path, {})


def test_what_a_program_started_ends_with_it(tmp_path):
    start = time.monotonic()
    with pytest.raises(ValueError, match="expected an end within 1 s"):
        run_program(["sh", "-c", "sleep 60 & echo $! > started; wait"], tmp_path, {}, seconds=1)
    assert time.monotonic() - start < 20
    process = int((tmp_path / "started").read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(process).status() != psutil.STATUS_ZOMBIE:  # a killed process ends a moment later
            assert time.monotonic() - start < 20
            time.sleep(0.01)


def test_the_first_answer_that_differs_ends_the_check(monkeypatch):
    said = {"ms-swift": "a", "transformers": "a", "vLLM": "b"}
    asked = []
    monkeypatch.setattr(Check, "libraries", lambda self: tuple(said))
    monkeypatch.setattr(Check, "ask", lambda self, library: asked.append(library) or said[library])
    check = Check(Path(), Path(), Path("a.png"), 1, {}, None, {})
    with pytest.raises(MismatchError, match="a.png: expected the same answer from ms-swift and vLLM") as caught:
        list(check.answers())
    assert caught.value.answers == {"ms-swift": "a", "vLLM": "b"}
    said["vLLM"] = "a\ufffd"
    assert [library for library, _ in check.answers()] == ["ms-swift", "transformers", "vLLM"]
    del asked[3:]
    said["transformers"] = "c"
    with pytest.raises(MismatchError):
        list(check.answers())
    assert asked == ["ms-swift", "transformers", "vLLM", "ms-swift", "transformers"]
