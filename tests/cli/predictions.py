"""What a model wrote about the shared annotations."""

from __future__ import annotations

import json
from pathlib import Path

RIGHT = (
    "<think>\n[9, 5, 47, 42] Sign.\n[56, 47, 93, 75] Hand.\n</think>\n"
    "<tag>structure/attribute error</tag>\n<verdict>fake</verdict>"
)


def answer(path: Path, response: str) -> str:
    return json.dumps({"response": response, "images": [{"bytes": None, "path": str(path)}]}) + "\n"
