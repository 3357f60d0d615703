"""ms-swift's verdict on commands: a program, because construction changes the process and importing takes 20 s.

Reads [{argv, env, build}] on standard input and writes [error or ''] to a file, with a fork for each.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import sys
from typing import Any

import swift.utils.utils as host
from swift.arguments import (
    DeployArguments,
    ExportArguments,
    InferArguments,
    RLHFArguments,
    RolloutArguments,
    SftArguments,
)
from swift.utils import parse_args
from transformers import HfArgumentParser

CLASSES: dict[str, Any] = {
    "sft": SftArguments,
    "rlhf": RLHFArguments,
    "infer": InferArguments,
    "deploy": DeployArguments,
    "export": ExportArguments,
    "rollout": RolloutArguments,
}


def refusal(argv: list[str], env: dict[str, str], build: bool, classes: dict[str, Any]) -> str:
    """Why ms-swift refuses a command; '' where it accepts."""
    with socket.create_server(("127.0.0.1", 0)) as free:  # other runs on this machine may hold the default port
        os.environ.update({"MASTER_PORT": str(free.getsockname()[1]), **env})
    words = io.StringIO()
    try:
        with contextlib.redirect_stderr(words):
            if build:
                rest = parse_args(classes[argv[0]], argv[1:])[1]
            else:
                with host._patch_get_type_hints():
                    rest = HfArgumentParser([classes[argv[0]]]).parse_known_args(argv[1:])[1]
        return "unknown arguments: " + " ".join(rest) if rest else ""
    except SystemExit:
        return words.getvalue()[-500:] or "exit"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def judge(cases: list[dict[str, Any]], classes: dict[str, Any]) -> list[str]:
    """The verdict on each command."""
    answers = []
    for case in cases:
        read, write = os.pipe()
        if os.fork() == 0:
            os.write(write, refusal(**case, classes=classes).encode()[:60000])
            os._exit(0)
        os.close(write)
        with open(read, "rb") as pipe:
            answers.append(pipe.read().decode(errors="replace"))
        os.wait()
    return answers


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(judge(json.load(sys.stdin), CLASSES), file)
