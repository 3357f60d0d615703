"""FakeClue of FakeVLM: a JSON list of conversations about whole images; no regions.

Its label is 1 for real and 0 for fake. The answers of `gpt` in the conversation are kept as `explanation`. Image paths
are relative to the folder of the split (`test/` for `data_json/test.json`), which `--images` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import LABELS
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.json_values import require

from ..drafts.attributes import is_empty
from ..drafts.draft import Draft, Piece, only_file
from ..drafts.fields import kept_fields, own_id, own_tags, size, whole
from ..drafts.json_files import load_items

_TAKEN = ("image", "label", "cate", "conversations", "id", "tags", "width", "height")


def load_fakeclue(src: Path) -> Iterator[Piece]:
    """Items of a JSON list; in a folder, of its only JSON file."""
    path = only_file(src, "*.json")
    for at, item in load_items(path):
        yield Piece(item, str(path), at=at)


def from_fakeclue(data: Any) -> list[Draft]:
    """The draft of one item; its category is the class, and its other fields are kept.

    >>> talk = [{"from": "human", "value": "Real?"}, {"from": "gpt", "value": "This is a real image."}]
    >>> (draft,) = from_fakeclue({"image": "doc/real/a.png", "label": 1, "cate": "doc", "conversations": talk})
    >>> draft.label, draft.fields
    ('real', {'class_name': 'doc', 'explanation': 'This is a real image.'})
    """
    image = require(data, "image", str, "the image's path")
    label = _label(data.get("label"))
    category = require(data, "cate", str, "a category")
    answers = []
    for index, turn in enumerate(require(data, "conversations", list, "a list of messages {from, value}")):
        at = f"conversations[{index}]"
        speaker = require(turn, "from", str, "human or gpt", at)
        text = require(turn, "value", str, "a text", at)
        if speaker == "gpt":
            answers.append(text)
    if not answers:
        raise DataError("a message with from: gpt", Unquoted("none"), field="conversations")
    return [
        Draft(
            image,
            tags=own_tags(data),
            label=label,
            unlabelled=DataError("1 for real or 0 for fake", data.get("label", NOTHING), field="label"),
            id=own_id(data),
            wh=size(data, "width", "height"),
            fields=kept_fields(data, _TAKEN, {"class_name": category, "explanation": "\n".join(answers)}),
        )
    ]


def _label(value: object) -> str | None:
    """'fake' or 'real'; None if there is no label."""
    if is_empty(value):
        return None
    if isinstance(value, str) and value.strip().lower() in LABELS:
        return value.strip().lower()
    number = whole(value)
    if number not in (0, 1):
        raise DataError("1 for real or 0 for fake", value, field="label")
    return "real" if number else "fake"
