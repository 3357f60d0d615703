"""The answer: what a model writes of an image, rendered from an annotation and read back.

There is one grammar, and two ways to read. The exact reading, here, takes nothing but what `render_answer` writes
(with numbers for its placeholders); a text it takes has no problems. Every other text goes to the tolerant reading of
`notations`. Both fill the same fields; `strict` decides only whether a deviation that could be read counts as a
problem.

A completion is data, whatever it is: reading never raises and takes time linear in the text. The first `LONGEST`
characters of a text are read and, where it is not exact, `MOST` regions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from .annotation import NO_FLAW, Annotation, Region, check_caption, reading_order
from .errors import DataError
from .mentions import Mention
from .notations import INTEGER_BOX, LONGEST, MOST, read_notations
from .tags import TAG_WORDS
from .variants import variant_named

PROBLEMS = {
    "no_verdict": "no verdict that can be read",
    "conflicting_verdicts": "verdicts that contradict each other; none is taken",
    "bare_verdict": "the whole text is a verdict, outside its block; read",
    "real_with_flaws": "the verdict is real, and regions or tags are named",
    "bad_box": "a box that is not four finite numbers; left out",
    "inverted_box": "a box with x2 <= x1 or y2 <= y1; left out",
    "unknown_tag": "a tag that is none of the six; left out",
    "unclosed": "a part that begins and does not end; read",
    "too_long": f"more than {LONGEST} characters or, where not exact, {MOST} regions; the rest is left out",
    # from here on, what has been read in full and only keeps an answer from being exact
    "wording": "a verdict, tag or box in another known way of writing",
    "extra_text": "text outside the parts of an answer",
    "layout": "parts missing, repeated, out of order, or not those of the variant; lines or blanks that differ",
}
"""Code -> what it means. The last three are named by the strict reading alone."""

_HARMLESS = {"wording", "extra_text", "layout"}


@dataclass(frozen=True)
class Answer:
    """What could be read of a text.

    Attributes:
        verdict: 'fake', 'real', or None where there is none or several that differ.
        regions: in the text's order; `bbox` in the model frame, neither clipped nor rounded (None where the answer
            gives captions alone), `caption` '' where it gives none.
        tags: canonical names, each once.
        problems: codes of `PROBLEMS`, in its order.
        states_regions: the text says where flaws are, or gives a verdict and says that there are none, be it by a
            finished think block that names none. Without it, empty `regions` mean that nothing was said.
    """

    verdict: str | None = None
    regions: tuple[Mention, ...] = ()
    tags: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    states_regions: bool = False


class _Frame(Protocol):
    def target_xyxy(self, xyxy_px: Sequence[float], /) -> tuple[int, int, int, int]: ...


def target_regions(annotation: Annotation) -> tuple[Region, ...]:
    """An annotation's regions in the order an answer names them: reading order of their boxes in original pixels."""
    return tuple(reading_order(annotation.regions))


def render_answer(annotation: Annotation, variant: str = "full", frame: _Frame | None = None) -> str:
    """The answer that an annotation asks for.

    Args:
        annotation: what is to be said.
        variant: what of it: one of `VARIANTS`.
        frame: gives a box its integers in the model frame; without it each box is ms-swift's placeholder `<bbox>`.

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
    asked = variant_named(variant)
    verdict = f"<verdict>{annotation.label}</verdict>"
    if not asked.regions:
        return verdict
    lines = []
    for bbox, caption in target_regions(annotation):
        box = "<bbox>"
        if frame is not None and asked.boxes:
            box = "[{}, {}, {}, {}]".format(*frame.target_xyxy(bbox))
        lines.append(" ".join([box] * asked.boxes + [caption] * asked.captions))
    parts = ["<think>", *(lines or [NO_FLAW]), "</think>"]
    if asked.tags:
        parts.append(f"<tag>{', '.join(TAG_WORDS[tag] for tag in annotation.tags) or 'none'}</tag>")
    return "\n".join([*parts, verdict])


def parse_answer(text: str, strict: bool = False, variant: str | None = None) -> Answer:
    """The answer in a text, whatever the text.

    Args:
        text: a completion; blanks around it are passed over, for models end with a newline or not.
        strict: `problems` is empty if and only if the text is exactly an answer of the variant. Otherwise it holds only
            what was lost, doubtful or contradictory, and the codes that name mere deviations are left out.
        variant: the variant asked for; None stands for any.

    Returns:
        The answer; all fields but `problems` are the same, strict or not. An exact answer has at least one region line
        or says that there is none; boxes of four integers with x1 < x2 and y1 < y2; captions that a record could hold;
        each tag once; no region or tag beside the verdict real. The order of its regions is free.

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
    if len(text) <= LONGEST:
        if answer := _read_exact(text, variant):
            return answer
        if variant is not None and (answer := _read_exact(text, None)):
            return replace(answer, problems=("layout",)) if strict else answer
    verdict, regions, tags, states_regions, found = read_notations(text, variant)
    problems = (found or {"layout"}) if strict else found - _HARMLESS
    return Answer(verdict, regions, tags, tuple(code for code in PROBLEMS if code in problems), states_regions)


# The exact reading ---------------------------------------------------------------------------------------------------

_LINES = {
    "full": re.compile(rf"^{INTEGER_BOX} (.+)$", re.MULTILINE),
    "no_caption": re.compile(rf"^{INTEGER_BOX}()$", re.MULTILINE),
}
_LINES["no_tags"] = _LINES["full"]
_TAG_OF_WORDS = {words: tag for tag, words in TAG_WORDS.items()}
_VERDICT_OF_TAIL = {f"{verdict}</verdict>": verdict for verdict in ("fake", "real")}


def _read_exact(text: str, variant: str | None) -> Answer | None:
    head, opened, tail = text.rpartition("<verdict>")
    verdict = _VERDICT_OF_TAIL.get(tail)
    if verdict is None or not opened:
        return None
    if not head:
        return Answer(verdict) if variant in (None, "label_only") else None
    if not head.startswith("<think>\n"):
        return None
    body, closed, rest = head[8:].partition("\n</think>\n")
    if not closed:
        return None
    tags: tuple[str, ...] | None = ()
    variants = ["no_tags"]
    if rest:
        variants = ["full", "no_caption", "no_bbox"]
        tags = _exact_tags(rest)
    if variant is not None:
        variants = [variant] if variant in variants else []
    regions = next((read for read in (_exact_regions(body, v) for v in variants) if read is not None), None)
    if regions is None or tags is None or (verdict == "real" and (regions or tags)):
        return None
    return Answer(verdict, regions, tags, (), True)


def _exact_tags(block: str) -> tuple[str, ...] | None:
    if not (block.startswith("<tag>") and block.endswith("</tag>\n")):
        return None
    words = block[5:-7]
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


def _are_captions(captions: list[str]) -> bool:
    """Whether `check_caption` lets each of them be as it is.

    Most of the check is done once for all: no markup reaches over or into ` >`, and no line break hides at the end of a
    caption that has no blank there.
    """
    try:
        check_caption("x" + " >".join(captions))
    except DataError:
        return False
    for caption in captions:
        if not caption or caption[0] == "[" or caption == NO_FLAW or caption.strip() != caption:
            return False
    return True
