"""An answer of a server to `detect`, and what `detect` writes, for the tests of the command."""

from __future__ import annotations

import json
from pathlib import Path

from tests.detect.servers import chat

FAKE = (
    "<think>\n[28, 28, 56, 56] Hand with six fingers.\n</think>\n<tag>structure/attribute error</tag>\n"
    "<verdict>fake</verdict>"
)  # 120x90 is 112x84 to the model
LOGPROBS = {
    "content": [
        {"token": FAKE[: FAKE.rindex("fake")], "logprob": 0.0},
        {"token": "fake", "logprob": -0.105360516, "top_logprobs": [{"token": "real", "logprob": -2.302585}]},
        {"token": "</verdict>", "logprob": 0.0},
    ]
}
OURS = ("--template", "fx_qwen2_5_vl")


def says(text: str, logprobs: object = None):
    return lambda handler: handler.send_json(chat(text, logprobs))


def lines_of(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "detections.jsonl").read_text().splitlines()]
