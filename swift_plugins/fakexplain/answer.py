"""The answer: the text a model writes about an image, rendered from an annotation and read back.

There is one grammar, and two ways to read. The exact reading, here, accepts only the text that `render_answer` writes
(with numbers for its placeholders); a text it accepts has no problems. Every other text goes to the tolerant reading
of the package `notations`. Both fill the same fields; `strict` only decides whether a readable deviation counts as a
problem.

A completion is data: reading never raises and takes time linear in the text. The first `MAX_CHARACTERS` characters of a
text are read and, if the text is not exact, the first `MAX_REGIONS` regions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from .annotation import NO_FLAW, Annotation, Region, check_caption, reading_order
from .errors import DataError
from .mentions import Mention
from .notations.limits import INTEGER_BOX, MAX_CHARACTERS, MAX_REGIONS
from .notations.reading import read_notations
from .notations.regions import read_regions
from .tags import TAG_WORDS
from .variants import variant_named

PROBLEMS = {
    "no_verdict": "no readable verdict",
    "conflicting_verdicts": "verdicts that contradict each other; none is used",
    "bare_verdict": "a verdict without its block: as the whole text, a line, or in another block; read",
    "sentence_verdict": "a verdict in a sentence of the text, the first or the last; read",
    "real_with_flaws": "the verdict is real, but regions or tags are named",
    "bad_box": "a box that is not four finite numbers, or lacks a bracket; skipped",
    "inverted_box": "a box with x2 <= x1 or y2 <= y1; skipped",
    "outside_frame": "a box that lies outside the frame of the image; skipped",
    "beyond_frame": "a box that reaches beyond the frame of the image by more than a twentieth; clipped",
    "point": "a point where a box belongs; skipped",
    "rejected_box": "a box whose own words say that nothing is wrong there; skipped",
    "draft_boxes": "boxes in a think block that others follow; only the latter are read",
    "doubtful_box": "numbers like those of a box inside a caption or a sentence; left there",
    "loose_words": "words that may belong to a box, but stand apart from it; left out or in doubt",
    "shares": "a box of numbers from 0 to 1: shares of the image, not units of the frame",
    "y_first": "boxes in the order y1 x1 y2 x2, as their notation says; read",
    "unknown_tag": "a tag that is none of the six; skipped",
    "denied_tag": "a tag that the text denies; skipped",
    "unclosed": "a block without its closing tag; read",
    "too_long": f"more than {MAX_CHARACTERS} characters or, if not exact, {MAX_REGIONS} regions; the rest is skipped",
    # the rest is read in full and only keeps an answer from being exact
    "wording": "a verdict, tag or box in another known notation",
    "extra_text": "text outside the blocks of an answer",
    "layout": "blocks missing, repeated, out of order, or not those of the variant; other line breaks or spaces",
}
"""Code -> meaning. Only the strict reading reports the last three."""

_HARMLESS = {"wording", "extra_text", "layout"}
_LOST_REGIONS = {"bad_box", "inverted_box", "point", "draft_boxes"}


@dataclass(frozen=True)
class Answer:
    """The parts of an answer that could be read from a text.

    Attributes:
        verdict: 'fake', 'real', or None if there is none or several differ.
        regions: in the text's order; `bbox` in the model frame, neither clipped nor rounded (None if the answer gives
            only captions), `caption` '' if the answer gives none.
        tags: canonical names, each once.
        problems: codes of `PROBLEMS`, in its order.
        states_regions: the text names flawed regions, or gives a verdict and states that there are none, if only by a
            closed think block that names none. If False, empty `regions` mean that the text does not say.
    """

    verdict: str | None = None
    regions: tuple[Mention, ...] = ()
    tags: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    states_regions: bool = False

    @property
    def names_regions(self) -> bool:
        """Whether the text names a region, if only one that cannot be read; such an answer is not empty."""
        return bool(self.regions) or not _LOST_REGIONS.isdisjoint(self.problems)


class _Frame(Protocol):
    def target_xyxy(self, xyxy_px: Sequence[float], /) -> tuple[int, int, int, int]: ...


def target_regions(annotation: Annotation) -> tuple[Region, ...]:
    """An annotation's regions in the order of the answer: reading order of their boxes in original pixels."""
    return tuple(reading_order(annotation.regions))


def render_answer(annotation: Annotation, variant: str = "full", frame: _Frame | None = None) -> str:
    """Write the answer for an annotation.

    Args:
        annotation: the record.
        variant: one of `VARIANTS`: the parts to write.
        frame: converts a box to integers in the model frame; without it, each box is ms-swift's placeholder `<bbox>`.

    Raises:
        ValueError: no such variant.

    >>> rail = Region((1.0, 2.0, 5.0, 6.0), "Bent rail.")
    >>> print(render_answer(Annotation("a", "a.png", 8, 8, "fake", (rail,), ("texture_error",))))
    <think>
    <bbox> Bent rail.
    </think>
    <tag>texture error</tag>
    <verdict>fake</verdict>
    """
    variant_parts = variant_named(variant)
    verdict = f"<verdict>{annotation.label}</verdict>"
    if not variant_parts.regions:
        return verdict
    lines = []
    for bbox, caption in target_regions(annotation):
        box = "<bbox>"
        if frame is not None and variant_parts.boxes:
            box = "[{}, {}, {}, {}]".format(*frame.target_xyxy(bbox))
        lines.append(" ".join([box] * variant_parts.boxes + [caption] * variant_parts.captions))
    parts = ["<think>", *(lines or [NO_FLAW]), "</think>"]
    if variant_parts.tags:
        parts.append(f"<tag>{', '.join(TAG_WORDS[tag] for tag in annotation.tags) or 'none'}</tag>")
    return "\n".join([*parts, verdict])


def parse_answer(text: str, strict: bool = False, variant: str | None = None, y_first: bool = False) -> Answer:
    """Read the answer in any text.

    Args:
        text: a completion; surrounding whitespace is ignored, because models may or may not end with a newline.
        strict: True reports every deviation: `problems` is empty if and only if the text is exactly an answer of the
            variant. False reports only lost, doubtful or contradictory parts, not mere deviations.
        variant: the variant that was asked for; None accepts any.
        y_first: numbers in plain brackets are y1, x1, y2, x2, as some systems write them; boxes of the answer are
            always x1, y1, x2, y2.

    Returns:
        The answer; only `problems` depends on `strict`. An exact answer has at least one region line or states that
        there is none; boxes of four integers with x1 < x2 and y1 < y2; captions that a record could hold; each tag
        once; no region or tag if the verdict is real. The order of its regions is free.

    Raises:
        ValueError: no such variant. Never for the text.

    >>> parse_answer("<think>\\n[1, 2, 5, 6] Bent rail.\\n</think>\\n<tag>none</tag>\\n<verdict>fake</verdict>").regions
    (Mention(bbox=(1.0, 2.0, 5.0, 6.0), caption='Bent rail.'),)
    >>> parse_answer("<verdict>AI-generated</verdict>", strict=True)
    Answer(verdict='fake', regions=(), tags=(), problems=('wording',), states_regions=False)
    """
    if variant is not None:
        variant_named(variant)
    text = text.strip()
    if not text:
        return Answer(problems=("no_verdict",))
    if blocks := _exact_blocks(text):
        answer = _read_exact(blocks, variant)
        if answer and (strict or variant is not None):
            return _swapped(answer) if y_first else answer
        if answer := answer or _read_exact(blocks, None):
            boxes, problems = _read_captions(answer)
            if variant is None or not boxes:
                codes = {"doubtful_box"} if boxes else {"layout", *problems} if strict else problems - _HARMLESS
                return replace(_swapped(answer) if y_first else answer, problems=sort_problems(codes))
    read = read_notations(text, variant, y_first)
    problems = (read.problems or {"layout"}) if strict else read.problems - _HARMLESS
    return Answer(read.verdict, read.regions, read.tags, sort_problems(problems), read.states_regions)


def _swapped(answer: Answer) -> Answer:
    boxes = [(region, region.bbox) for region in answer.regions]
    regions = [region._replace(bbox=(box[1], box[0], box[3], box[2])) if box else region for region, box in boxes]
    return replace(answer, regions=tuple(regions))


def sort_problems(codes: Collection[str]) -> tuple[str, ...]:
    """Codes in the order of `PROBLEMS`, each once."""
    return tuple(filter(codes.__contains__, PROBLEMS))


# The exact reading ---------------------------------------------------------------------------------------------------

_LINES = {
    "full": re.compile(rf"^{INTEGER_BOX} (.+)$", re.MULTILINE),
    "no_caption": re.compile(rf"^{INTEGER_BOX}()$", re.MULTILINE),
}
_LINES["no_tags"] = _LINES["full"]
_TAG_OF_WORDS = {words: tag for tag, words in TAG_WORDS.items()}
_VERDICT_OF_TAIL = {f"{verdict}</verdict>": verdict for verdict in ("fake", "real")}


class _Blocks(NamedTuple):
    """The text in each block of an answer; None for a block that the variant lacks."""

    think: str | None
    tags: str | None
    verdict: str


def _exact_blocks(text: str) -> _Blocks | None:
    """The blocks of a text with the layout of some variant."""
    head, opened, tail = text.rpartition("<verdict>")
    verdict = _VERDICT_OF_TAIL.get(tail)
    if verdict is None or not opened or len(text) > MAX_CHARACTERS:
        return None
    if not head:
        return _Blocks(None, None, verdict)
    think, closed, rest = head[8:].partition("\n</think>\n")
    if not head.startswith("<think>\n") or not closed:
        return None
    if not rest:
        return _Blocks(think, None, verdict)
    if rest.startswith("<tag>") and rest.endswith("</tag>\n"):
        return _Blocks(think, rest[5:-7], verdict)
    return None


def _read_exact(blocks: _Blocks, variant: str | None) -> Answer | None:
    """The answer in the blocks if it is one of the variant, or of any if that is None."""
    if blocks.think is None:
        return Answer(blocks.verdict) if variant in (None, "label_only") else None
    tags = () if blocks.tags is None else _exact_tags(blocks.tags)
    for candidate in ("no_tags",) if blocks.tags is None else ("full", "no_caption", "no_bbox"):
        if variant in (None, candidate) and (regions := _exact_regions(blocks.think, candidate)) is not None:
            if tags is None or (blocks.verdict == "real" and (regions or tags)):
                return None
            return Answer(blocks.verdict, regions, tags, (), True)
    return None


def _exact_tags(words: str) -> tuple[str, ...] | None:
    if words == "none":
        return ()
    try:
        tags = tuple(map(_TAG_OF_WORDS.__getitem__, words.split(", ")))
    except KeyError:
        return None
    return tags if len(set(tags)) == len(tags) else None


def _exact_regions(body: str, variant: str) -> tuple[Mention, ...] | None:
    if body == NO_FLAW:
        return ()
    if variant == "no_bbox":
        captions = body.split("\n")
        return tuple(Mention(None, caption) for caption in captions) if _are_captions(captions) else None
    rows = _LINES[variant].findall(body)
    if len(rows) != body.count("\n") + 1:
        return None
    regions = []
    for a, b, c, d, caption in rows:
        x1, y1, x2, y2 = bbox = float(a), float(b), float(c), float(d)
        if x1 >= x2 or y1 >= y2:
            return None
        regions.append(Mention(bbox, caption))
    return tuple(regions) if variant == "no_caption" or _are_captions([row[4] for row in rows]) else None


def _read_captions(answer: Answer) -> tuple[bool, set[str]]:
    """Whether lines without a box of their own, as in an answer without boxes, hold one in some notation; and codes."""
    problems: set[str] = set()
    lines = "\n".join(caption for box, caption in answer.regions if box is None)
    return bool(read_regions(lines, problems)), problems


def _are_captions(captions: list[str]) -> bool:
    """Whether a record could hold each of them as it is."""
    try:
        return all(check_caption(caption) == caption for caption in captions)
    except DataError:
        return False
