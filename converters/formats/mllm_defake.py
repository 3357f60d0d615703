"""FakeXplain rows as the authors write them for mllm-defake: conversations with placeholders.

The assistant's text has one line `<ref-object><bbox> text;` per region, then one `<tag>` in prose per tag, then the
verdict, `generated` or `real`. The names and boxes of the regions are in `objects`. A caption is the region's line with
the name in place of the placeholders. Real rows have no objects. Rows for GRPO have no assistant's text: then a caption
is the name alone, and a row without objects is real.

Image paths are relative to a root that the rows do not name. So an image is looked up beside its file of rows and from
the source's folder, and then below that folder by the end of its path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.json_values import read_box, require
from swift_plugins.fakexplain.tags import TAG_WORDS, canonical_tag

from ..drafts.draft import Draft, DraftRegion, Piece, beside, one_line
from ..drafts.fields import kept_fields, own_id, own_tags, size
from ..drafts.json_files import decode_json
from . import BOX_ORDERS
from .mllm_defake_files import MACHINE, SourceRow, load_row_files

_TAKEN = ("messages", "images", "objects", "id", "tags", "width", "height")

_LABELS = {"generated": "fake", "fake": "fake", "real": "real"}

_SAYS_FAKE = re.compile(r"^\s*(?:fake|generated)\s*$|<verdict>\s*(?:fake|generated)\b", re.IGNORECASE)

_OBJECT_KEYS = ("ref", "bbox", "bbox_type", "image_id")

_REAL_FRAME = {"bbox_type": "real"}  # ms-swift's words for boxes in pixels of the original image

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


class _Statement(NamedTuple):
    """What a row says: its label (None if it says none), captions of its boxes, tags, and text about no region."""

    label: str | None
    captions: list[str | DataError]
    tags: list[str]
    explanation: str = ""


def load_mllm_defake(src: Path, *, box_order: str | None = None) -> Iterator[Piece]:
    """Rows of a file, JSON Lines or a JSON list, or of all such files below a folder; see `load_row_files`."""
    return load_row_files(src, box_order)


def from_mllm_defake(data: SourceRow) -> list[Draft]:
    r"""The draft of one row; the row's other fields are kept.

    Text of the thinking that names no region is kept as `explanation`.

    >>> text = "<think>\n<ref-object><bbox> has six fingers;\n</think><tag>Texture errors.</tag>"
    >>> row = {
    ...     "messages": [{"role": "assistant", "content": text + "<verdict>generated</verdict>"}],
    ...     "images": ["a.png"],
    ...     "objects": {"ref": ["Left hand"], "bbox": [[1.5, 2, 8, 9]]},
    ... }
    >>> (draft,) = from_mllm_defake(SourceRow(row))
    >>> draft.regions[0].box, draft.regions[0].caption, draft.tags, draft.label
    ((1.5, 2, 8, 9), 'Left hand has six fingers', ['texture_error'], 'fake')
    """
    row: Any = decode_json(data.content, "one JSON object") if isinstance(data.content, bytes) else data.content
    image, image_at = _image(row)
    answer, at = _answer(row)
    names, boxes, others = _objects(row, data.order)
    said = _unanswered(row, names, boxes, data) if answer is None else _answered(answer, at, names, boxes)
    made = {"explanation": said.explanation} if said.explanation else {}
    fields = kept_fields(row | others, _TAKEN, made)
    if data.generator and said.label == "fake":
        fields = {"generator": data.generator, "annotator": MACHINE} | fields
    path = beside(PurePosixPath(data.folder, "rows"), image) if data.folder else image
    from_root = path != image and not image.startswith("..")
    return [
        Draft(
            path,
            regions=[
                DraftRegion(box, caption, ordered=True) for box, caption in zip(boxes, said.captions, strict=True)
            ],
            tags=own_tags(row, said.tags),
            label=said.label,
            id=own_id(row),
            wh=size(row, "width", "height"),
            image_at=image_at,
            others=(image,) if from_root else (),
            fields=fields,
        )
    ]


def _image(row: Any) -> tuple[str, str]:
    """The path of the row's image, and the path to it in the row."""
    images = require(row, "images", (list, str), "a list of one image")
    if isinstance(images, str):
        return images, "images"
    if len(images) != 1:
        raise DataError("a list of one image", images, field="images")
    if isinstance(images[0], dict):
        return require(images[0], "path", str, "the image's path", "images[0]"), "images[0].path"
    if not isinstance(images[0], str):
        raise DataError("a list of one image", images, field="images")
    return images[0], "images[0]"


def _answered(answer: str, at: str, names: list[str], boxes: list[Box]) -> _Statement:
    """What the assistant's text says."""
    parts = _ANSWER.fullmatch(answer)
    if parts is None:
        raise DataError("<think>…</think>, a <tag> for each tag, <verdict>…</verdict>", answer, field=at)
    label = _LABELS.get(parts["verdict"].strip().lower())
    if label is None:
        raise DataError("the verdict generated or real", parts["verdict"], field=at)
    if label == "real" and boxes:
        raise DataError("no object, because the verdict is real", Unquoted(f"{len(boxes)}"), field="objects")
    explanation, captions = _split_think(parts["think"], names, boxes, at)
    tags = [tag_of(prose, at) for prose in re.findall(r"<tag>([^<]*)</tag>", parts["tags"])]
    return _Statement(label, [*captions], tags, explanation)


def _unanswered(row: dict[str, Any], names: list[str], boxes: list[Box], data: SourceRow) -> _Statement:
    """What a row without an assistant's text says: its objects alone."""
    if len(names) not in (0, len(boxes)):
        raise DataError(f"one ref for each of {len(boxes)} bbox", Unquoted(f"{len(names)}"), field="objects.ref")
    captions: list[str | DataError] = [
        one_line(name) or DataError("a name", name, field=f"objects.ref[{index}]") for index, name in enumerate(names)
    ]
    for index in range(len(captions), len(boxes)):
        captions.append(DataError("a name", NOTHING, field=f"objects.ref[{index}]"))
    if boxes:
        return _Statement("fake", captions, [])
    for name in ("label", "solution"):
        if _SAYS_FAKE.search(str(row.get(name))):
            raise DataError("no word of a fake, because the row has no objects", row[name], field=name)
    return _Statement("real" if data.objects else None, [], [])


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


def _answer(row: dict[str, Any]) -> tuple[str | None, str]:
    """The assistant's text, or None if it has no message; and the path to it."""
    answers = []
    for index, message in enumerate(require(row, "messages", list, "a list of messages")):
        at = f"messages[{index}]"
        if require(message, "role", str, "a role", at) == "assistant":
            answers.append((require(message, "content", str, "the assistant's text", at), f"{at}.content"))
    if len(answers) > 1:
        raise DataError("at most one message of the assistant", Unquoted(str(len(answers))), field="messages")
    return answers[0] if answers else (None, "messages")


def _objects(row: dict[str, Any], order: str) -> tuple[list[str], list[Box], dict[str, Any]]:
    """Names and boxes of the row's objects, and their other keys as fields; real rows have none, or empty ones."""
    if row.get("objects") in (None, {}, []):
        return [], [], {}
    objects = require(row, "objects", dict, "an object of ref and bbox")
    for name in ("bbox_type", "image_id"):  # ms-swift has keys that change the meaning of a box
        if objects.get(name) not in (None, _REAL_FRAME.get(name), [0] * len(objects.get("bbox") or [])):
            raise DataError("boxes in pixels of the one image", objects[name], field=f"objects.{name}")
    names = require(objects, "ref", list, "a list of names", "objects") if objects.get("ref") is not None else []
    boxes = require(objects, "bbox", list, "a list of boxes", "objects")
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise DataError("a name", name, field=f"objects.ref[{index}]")
    numbers = "x1, y1, x2, y2" if order == BOX_ORDERS[0] else "x1, x2, y1, y2"
    read = [read_box(box, f"four numbers {numbers}", f"objects.bbox[{index}]") for index, box in enumerate(boxes)]
    if order != BOX_ORDERS[0]:
        read = [(x1, y1, x2, y2) for x1, x2, y1, y2 in read]
    others = {f"objects_{name}": value for name, value in objects.items() if name not in _OBJECT_KEYS}
    return names, read, others
