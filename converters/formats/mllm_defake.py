"""FakeXplain rows as the authors first wrote them for mllm-defake: JSON Lines of conversations with placeholders.

The assistant's text has one line `<ref-object><bbox> text;` per region, then one `<tag>` in prose per tag, then the
verdict, `generated` or `real`. The names and boxes of the regions are in `objects`. A caption is the region's line with
the name in place of the placeholders. Real rows have no objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_values import read_box, require
from swift_plugins.fakexplain.jsonl import read_lines
from swift_plugins.fakexplain.tags import TAG_WORDS, canonical_tag

from ..drafts.draft import Draft, DraftRegion, Piece, one_line, only_file
from ..drafts.fields import kept_fields, own_id, own_tags, size

_TAKEN = ("messages", "images", "objects", "id", "tags", "width", "height")

_LABELS = {"generated": "fake", "real": "real"}

_PHRASES = {
    "perspective_error": r"perspectives?|view(?:ing|ed)? angles?|viewpoints?|vanishing points?",
    "artistic_style": r"artistic|art styles?|(?:oil|ink) paintings?|manga|cartoons?",
    "unknown_object": r"unknown|unrecogni[sz]able|unidentifiable|(?:do|does|did) not exist|non-?existent",
    "structure_attribute_error": r"structur(?:es?|al|ally)|attributes?|common knowledge",
    "texture_error": r"textures?",
    "other_anomaly": r"other (?:\w+ ){0,2}(?:anomal(?:y|ies)|errors?|defects?|flaws?|problems?)",
}
"""Tag -> phrases of prose that mean it, from the definitions in App. A.2."""

_MEANS = {tag: re.compile(rf"\b(?:{phrases})\b", re.IGNORECASE) for tag, phrases in _PHRASES.items()}
_DENIES = re.compile(r"\b(?:no|none|without|free)\b", re.IGNORECASE)  # "no texture errors" means no tag

_LINE_END = re.compile(r"(?<=[;.!?；。！？])[^\S\n]*\n")  # what follows on lines of its own belongs to no region

_ANSWER = re.compile(
    r"\s*<think>(?P<think>.*?)</think>"
    r"(?P<tags>(?:\s*<tag>[^<]*</tag>)*)"
    r"\s*<verdict>(?P<verdict>[^<]*)</verdict>\s*",
    re.DOTALL,
)


def load_mllm_defake(src: Path) -> Iterator[Piece]:
    """Lines of a JSON Lines file; in a folder, of its only one. Empty lines are skipped."""
    path = only_file(src, "*.jsonl")
    for number, line in read_lines(path, "JSON Lines of mllm-defake"):
        yield Piece(line, str(path), line=number)


def from_mllm_defake(data: Any) -> list[Draft]:
    r"""The draft of one line; the row's other fields are kept.

    Text of the thinking that names no region is kept as `explanation`.

    >>> text = "<think>\n<ref-object><bbox> has six fingers;\n</think><tag>Texture errors.</tag>"
    >>> row = {
    ...     "messages": [{"role": "assistant", "content": text + "<verdict>generated</verdict>"}],
    ...     "images": ["a.png"],
    ...     "objects": {"ref": ["Left hand"], "bbox": [[1.5, 2, 8, 9]]},
    ... }
    >>> (draft,) = from_mllm_defake(msgspec.json.encode(row))
    >>> draft.regions[0].box, draft.regions[0].caption, draft.tags, draft.label
    ((1.5, 2, 8, 9), 'Left hand has six fingers', ['texture_error'], 'fake')
    """
    row = _decode(data)
    images = require(row, "images", list, "a list of one image")
    if len(images) != 1 or not isinstance(images[0], str):
        raise DataError("a list of one image", images, field="images")
    answer, at = _answer(row)
    parts = _ANSWER.fullmatch(answer)
    if parts is None:
        raise DataError("<think>…</think>, a <tag> for each tag, <verdict>…</verdict>", answer, field=at)
    verdict = parts["verdict"].strip().lower()
    if verdict not in _LABELS:
        raise DataError("the verdict generated or real", parts["verdict"], field=at)
    names, boxes = _objects(row)
    if verdict == "real" and boxes:
        raise DataError("no object, because the verdict is real", Unquoted(f"{len(boxes)}"), field="objects")
    explanation, captions = _split_think(parts["think"], names, boxes, at)
    return [
        Draft(
            images[0],
            regions=[DraftRegion(box, caption, ordered=True) for box, caption in zip(boxes, captions, strict=True)],
            tags=own_tags(row, [tag_of(prose, at) for prose in re.findall(r"<tag>([^<]*)</tag>", parts["tags"])]),
            label=_LABELS[verdict],
            id=own_id(row),
            wh=size(row, "width", "height"),
            image_at="images[0]",
            fields=kept_fields(row, _TAKEN, {"explanation": explanation} if explanation else {}),
        )
    ]


def _decode(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        try:
            return json.loads(line, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            raise DataError("one JSON object", Unquoted(str(error))) from None


def _split_think(think: str, names: list[str], boxes: list[Box], at: str) -> tuple[str, list[str]]:
    """The text of the thinking that names no region, and the caption of each region."""
    lead, *texts = re.split(r"<ref-object>\s*<bbox>", think)
    if not len(texts) == len(names) == len(boxes):
        found = Unquoted(f"{len(names)} ref and {len(boxes)} bbox")
        raise DataError(f"one ref and one bbox for each <ref-object><bbox>: {len(texts)}", found, field="objects")
    if texts and lead.strip() and not _LINE_END.search(lead):
        raise DataError("<ref-object><bbox> before the first text of <think>", lead.strip(), field=at)
    captions, others = [], [lead]
    for name, text in zip(names, texts, strict=True):
        caption, *rest = _LINE_END.split(text, maxsplit=1)
        captions.append(one_line(name + caption).rstrip("; "))
        others += rest
    return one_line(" ".join(others)), captions


def tag_of(prose: str, at: str = "") -> str:
    """The tag that prose means.

    Args:
        prose: a name of a tag, or a sentence about one.
        at: path to the prose, for the error.

    Raises:
        DataError: it is about no tag or several, or denies one.

    >>> tag_of("The texture of the image is blurry."), tag_of("Structure/attribute error")
    ('texture_error', 'structure_attribute_error')
    """
    prose = one_line(prose)
    if tag := canonical_tag(prose):
        return tag
    meant = [tag for tag, phrases in _MEANS.items() if phrases.search(prose)]
    if len(meant) != 1 or _DENIES.search(prose):
        raise DataError(f"a <tag> that means one of {', '.join(TAG_WORDS.values())}", prose, field=at)
    return meant[0]


def _answer(row: dict[str, Any]) -> tuple[str, str]:
    """The assistant's text and the path to it."""
    answers = []
    for index, message in enumerate(require(row, "messages", list, "a list of messages")):
        at = f"messages[{index}]"
        if require(message, "role", str, "a role", at) == "assistant":
            answers.append((require(message, "content", str, "the assistant's text", at), f"{at}.content"))
    if len(answers) != 1:
        raise DataError("one message of the assistant", Unquoted(str(len(answers))), field="messages")
    return answers[0]


def _objects(row: dict[str, Any]) -> tuple[list[str], list[Box]]:
    """Names and boxes of the row's objects; real rows have none, or empty ones."""
    if row.get("objects") in (None, {}, []):
        return [], []
    objects = require(row, "objects", dict, "an object of ref and bbox")
    if others := sorted(set(objects) - {"ref", "bbox"}):  # ms-swift has keys that change the meaning of a box
        raise DataError("ref and bbox only", others[0], field="objects")
    names = require(objects, "ref", list, "a list of names", "objects")
    boxes = require(objects, "bbox", list, "a list of boxes", "objects")
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise DataError("a name", name, field=f"objects.ref[{index}]")
    return names, [
        read_box(box, "four numbers x1, y1, x2, y2", f"objects.bbox[{index}]") for index, box in enumerate(boxes)
    ]
