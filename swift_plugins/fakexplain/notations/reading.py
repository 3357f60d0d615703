"""Everything that can be read in a text that is no exact answer.

Everything readable is read, and a code of `answer.PROBLEMS` names each unreadable part. Only texts that are not exact
answers, or are too long, come here.

A completion is data: reading never raises and takes time linear in the text. Each pattern of this package can match a
text in only one way, has no quantifier inside a quantifier over the same characters, and cannot start again inside the
text of a failed attempt. An answer has a few hundred characters; the first `MAX_CHARACTERS` of a text are read, and
`MAX_REGIONS` regions.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..annotation import NO_FLAW
from ..mentions import Mention
from .limits import MAX_CHARACTERS
from .regions import read_captions, read_regions
from .tag_blocks import read_tags
from .verdicts import read_verdict, strip_places

_FIELD = re.compile(r"<(tag|verdict)>([^<]*)(</\1>)?", re.IGNORECASE)


class Reading(NamedTuple):
    """The readable parts of a text: the fields of an `Answer`, with its problems in no order."""

    verdict: str | None
    regions: tuple[Mention, ...]
    tags: tuple[str, ...]
    states_regions: bool
    problems: set[str]


def read_notations(text: str, variant: str | None = None, y_first: bool = False) -> Reading:
    """Read everything readable in a text.

    Args:
        text: any text.
        variant: lines without a box count as regions if it is 'no_bbox', or if it is None and the verdict is not real.
        y_first: numbers in plain brackets are y1, x1, y2, x2.

    >>> reading = read_notations("<ref>Bent rail</ref><box>[[1, 2, 5, 6]]</box> <verdict>AI-generated</verdict>")
    >>> reading.verdict, reading.regions
    ('fake', (Mention(bbox=(1.0, 2.0, 5.0, 6.0), caption='Bent rail'),))
    """
    problems: set[str] = set()
    if len(text) > MAX_CHARACTERS:
        problems.add("too_long")
        text = text[:MAX_CHARACTERS]
    lower = text.lower() if "<" in text else ""
    fields: list[tuple[str, str, str]] = []
    rest = text
    if "<tag>" in lower or "<verdict>" in lower:
        parts = _FIELD.split(text)
        fields, rest = list(zip(parts[1::4], parts[2::4], parts[3::4], strict=True)), "\n".join(parts[::4])
    if any(not end for _, _, end in fields):
        problems.add("unclosed")
    before, think, after, closed = _read_think(rest, problems)
    if before.strip() or after.strip():
        problems.add("extra_text")

    blocks = [words for name, words, _ in fields if name.lower() == "verdict"]
    verdict = read_verdict(text, blocks, f"{before}\n{after}" if closed or before else after or before, problems)
    tags = read_tags([words for name, words, _ in fields if name.lower() == "tag"], problems)
    cut = not text.rstrip().endswith((">", "."))
    regions = _read_regions(before, think, after, cut, y_first, problems)
    if not regions and (variant == "no_bbox" or (variant is None and verdict != "real")):
        regions = read_captions(think, problems)
    if verdict == "real" and (regions or tags):
        problems.add("real_with_flaws")
    states_regions = bool(regions) or (verdict is not None and (closed or NO_FLAW in rest))
    return Reading(verdict, tuple(regions), tags, states_regions, problems)


_THINK = re.compile(r"<think>", re.IGNORECASE)
_THINK_END = re.compile(r"</think>", re.IGNORECASE)


def _read_think(text: str, problems: set[str]) -> tuple[str, str, str, bool]:
    """Text before, in and after the think block, and whether the block is closed.

    The block spans from the first opening tag to the last closing tag; the opening tag may be part of the prompt.
    """
    if "<" not in text or "think>" not in text.lower():
        return text, "", "", False
    opening, closing = _THINK.search(text), [None, *_THINK_END.finditer(text)][-1]
    if opening and (closing is None or closing.start() < opening.start()):
        problems.add("unclosed")
        return text[: opening.start()], text[opening.end() :], "", False
    if closing is None:
        return text, "", "", False
    before, start = (text[: opening.start()], opening.end()) if opening else ("", 0)
    return before, text[start : closing.start()], text[closing.end() :], True


def _read_regions(before: str, think: str, after: str, cut: bool, y_first: bool, problems: set[str]) -> list[Mention]:
    """The regions of a text; those after a think block replace the drafts in it."""
    after = strip_places(after)
    if after.strip():
        of_after: set[str] = set()
        regions = read_regions(after, of_after, cut, y_first)
        if regions:
            if read_regions(f"{before}\n{think}", set(), False, y_first):
                problems.add("draft_boxes")
            problems |= of_after
            return regions
    return read_regions(f"{strip_places(before)}\n{think}\n{after}", problems, cut, y_first)
