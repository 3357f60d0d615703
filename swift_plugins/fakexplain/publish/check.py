"""The self-check of a published folder: one image, answered by ms-swift, by plain transformers and by plain vLLM.

Each is a program of its own, started as on another machine: in the published folder, whose own copy of the plugin is
the first on Python's path. So the answers also prove that the folder is complete.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..jsonl import decode_line
from ..prompts import QUESTION
from ..quiet import QUIET
from .checkpoint import PLUGIN

ANSWER_SECONDS = 3600.0
"""How long a program may take, loading included."""

PROGRAMS = {"transformers": "ask_transformers.py", "vLLM": "ask_vllm.py"}
"""Programs of the room `host`, which the card shows, by the library that they ask."""


class MismatchError(ValueError):
    """Two libraries answered the same image differently.

    Attributes:
        answers: library -> its answer.
    """

    def __init__(self, image: Path, answers: Mapping[str, str]):
        self.answers = dict(answers)
        super().__init__(f"{image}: expected the same answer from {' and '.join(answers)}, found different ones")


@dataclass(frozen=True)
class Check:
    """How a folder is checked.

    Attributes:
        folder: the published folder.
        work: a folder for files of the check.
        image: an image file.
        max_tokens: longest answer.
        sizes: variables of the environment that decide the size of an image.
        max_pixels: `--max_pixels` of the training.
        vllm: further arguments of vLLM's `LLM`.
    """

    folder: Path
    work: Path
    image: Path
    max_tokens: int
    sizes: Mapping[str, str]
    max_pixels: int | None
    vllm: Mapping[str, Any]

    def libraries(self) -> tuple[str, ...]:
        """Those that can be asked here; vLLM only where it is installed."""
        return ("ms-swift", "transformers", *(("vLLM",) if importlib.util.find_spec("vllm") else ()))

    def answers(self) -> Iterator[tuple[str, str]]:
        """Yield each library and its answer.

        Raises:
            MismatchError: it is not the first one's.
            ValueError: a program failed.
        """
        first: tuple[str, str] | None = None
        for library in self.libraries():
            answer = self.ask(library).rstrip("\ufffd")  # a character that the longest answer cuts off; vLLM drops it
            if first and answer != first[1]:
                raise MismatchError(self.image, {first[0]: first[1], library: answer})
            first = first or (library, answer)
            yield library, answer

    def ask(self, library: str) -> str:
        """The answer of one library.

        Raises:
            ValueError: its program failed.
        """
        return self._by_swift() if library == "ms-swift" else self._by_program(library)

    def _by_swift(self) -> str:
        rows, found = self.work / "check.jsonl", self.work / "answer.jsonl"
        row = {"messages": [{"role": "user", "content": f"<image>{QUESTION}"}], "images": [str(self.image.resolve())]}
        rows.write_text(json.dumps(row) + "\n", encoding="utf-8")
        arguments = [
            *("infer", "--model", ".", "--val_dataset", str(rows), "--result_path", str(found)),
            *("--max_new_tokens", str(self.max_tokens), "--temperature", "0"),
            *(("--max_pixels", str(self.max_pixels)) if self.max_pixels else ()),
        ]
        self._run("ms-swift", [*SWIFT, *arguments])
        answer: Any = decode_line(found.read_bytes())
        return str(answer["response"])

    def _by_program(self, library: str) -> str:
        program = self.folder / Path(PLUGIN).parent / "fakexplain" / "host" / PROGRAMS[library]
        words = [str(program), ".", str(self.image.resolve()), str(self.max_tokens)]
        if library == "vLLM":
            words.append(json.dumps(dict(self.vllm)))
        return self._run(library, [sys.executable, *words]).removesuffix("\n")

    def _run(self, library: str, command: Sequence[str]) -> str:
        try:
            env = {**self.sizes, "PYTHONPATH": str(self.folder.resolve()), "HF_HUB_OFFLINE": "1"}
            return run_program(command, self.folder, env, ANSWER_SECONDS)
        except ValueError as error:
            raise ValueError(f"the check by {library} failed: {error}") from None


SWIFT = (sys.executable, "-c", "from swift.cli.main import cli_main; cli_main()")
"""The command `swift`, whether or not it is on the path."""


def run_program(command: Sequence[str], folder: Path, env: Mapping[str, str], seconds: float | None = None) -> str:
    """Run a program in a folder, and return what it prints on its standard output; end all that it started.

    Args:
        command: its words.
        folder: the folder to start it in.
        env: variables to add to the environment.
        seconds: how long it may take; None for any time.

    Raises:
        ValueError: it failed, or took too long; with its last words.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in ("NPROC_PER_NODE", "NNODES")}
    with subprocess.Popen(
        list(command),
        cwd=folder,
        env={**inherited, **QUIET, "PYTHONIOENCODING": "utf-8", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            printed, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ValueError(f"expected an end within {seconds:g} s, found none") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        words = [line for line in errors.decode(errors="replace").splitlines() if line.strip()][-3:]
        raise ValueError(f"exit code {process.returncode}: {' / '.join(words)}")
    return printed.decode(errors="replace")  # not as text, where a carriage return would become a line's end
