"""Captions: which of the words around the boxes of an answer belong to which box, freed of foreign markup."""

from __future__ import annotations

import re
from functools import lru_cache

from .formatting import strip_markdown
from .limits import CLOSE, MARKS, MAX_REGIONS, OPEN
from .verdict_words import read_words

_LABELS = (  # the first letters end most searches
    r"(?=[bclrpaw坐位边区])(?:bounding[ _]box(?:es)?|b?box(?:es)?|coordinates?|coords|location|region|position"
    r"|area|where|place|坐标|位置|边界框|区域)"
)
_FIELDS = (
    r"(?=[fipeadrclontw缺描原说问物对名异解标])"
    r"(?:flaws?|issues?|problems?|errors?|anomal(?:y|ies)|artifacts?|defects?|descriptions?|desc|reasons?|reasoning"
    r"|explanations?|captions?|labels?|objects?|names?|details?|observations?|evidence|analysis|notes?|what|why|title"
    r"|缺陷|描述|原因|说明|问题|物体|对象|名称|异常|解释|标签)"
)
_PLACE_BEFORE = re.compile(r"(?:^| )\(?(?:from|at|(?:top|upper)[ -]left(?: corner)?|左上角?) ?[:：=(]*$", re.IGNORECASE)
_PLACE_ENDS = ("from", "at", "left", "corner", "上", "角")
_NUMBERED = re.compile(rf"\W*(?:{_LABELS}|{_FIELDS})\s*\d{{1,3}}\W*", re.IGNORECASE)
_ONLY_LABEL = re.compile(rf"(?:{_LABELS})\s*\d{{0,3}}\W*", re.IGNORECASE)
_LABEL_BEFORE = re.compile(rf"\b(?:{_LABELS}) ?\d{{0,3}}[\"'* ]{{0,4}}[:：=] ?$", re.IGNORECASE)
_FIELD_BEFORE = re.compile(
    rf"[\s\-*•>|]*(?:\*\*|\")?(?:{_FIELDS})\s*\d{{0,3}}(?:\*\*|\")?\s*[:：=](?:\*\*)?\s*", re.IGNORECASE
)
_OTHER_FIELD = re.compile(
    r"[\s\-*•>|\"]*(?=[cspti置])(?:confidence|severity|score|probability|type|id|置信度)\b", re.IGNORECASE
)
_HEADER = re.compile(r"\s*(?:\d{1,3}\s*[.)、]|#{1,6}\s|(?:[-*•]\s*)?\*\*)")
_JOINING = re.compile(r"[\s,，;；]*(?:and\b|及|和|与|以及|还有)\s*")
_BULLET = re.compile(r"[\s\-–—*•#,，;；:：|>\[\]{}]*(?:\d{1,3}[.)、](?:\s|(?=\D))|)(?:\$ |)[\s\-–—*•,，;；:：|>]*")
_LETTER, _DIGIT = re.compile(r"\w"), re.compile(r"\d")
_PLAIN = re.compile(
    r"[-*#>,; \[\]{}]*(?:\d{1,3}[.)] |)([a-z][^|:=<*_~`&\[]*[\w.!?](?<!at)(?<!from)(?<!left)(?<!corner))[ ,;*(\[{]*",
    re.ASCII | re.IGNORECASE,
)
"""ASCII words on one line that need no cleaning but at their ends, as nearly all captions."""
_PLAIN_EAST = re.compile(
    rf"([^\W\d_][^|:：=<*_~`&\[\\\ud800-\udfff{MARKS}]*[\w.!?。！？](?<!at)(?<!from)(?<!left)(?<!corner)(?<![上角]))"
    r"[ ,;，；]*",
    re.IGNORECASE,
)
"""The same for words that are not ASCII."""
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`", "「": "」"}
_LOOSE, _CLOSERS = " ,，;；:：*|`([{（–—", {"]": "[", "}": "{", ")": "(", "）": "（"}
_MAX_LINES, _LONGEST_LABEL = 8, 60
MAX_CAPTION = 2000
"""Characters beside a box, on either side, that are read as its words."""


def assign_words(
    gaps: list[str], tail: str, problems: set[str] | None = None, counts: list[bool] | None = None
) -> list[str]:
    """The caption of each box, from the text around the boxes.

    Words belong to a box on their own line. Of several boxes on one line, a semicolon ends the words of the box before
    it; without one, words follow their box if the line begins with a box, else they precede it. A line that holds only
    a box and a word for it ("Box:") takes the lines of its list item. So do several boxes that all stand alone on their
    lines, if lines of words and of boxes alternate.

    Args:
        gaps: N texts, one before each box.
        tail: text after the last box.
        problems: gets a code where words may belong to a box without words.
        counts: which boxes are valid; the others need no caption.

    Returns:
        N captions, '' for a box without words.

    >>> assign_words(["", " Clock. ", " Hand. "], " Sign."), assign_words(["Clock. ", " Hand. "], "")
    (['Clock.', 'Hand.', 'Sign.'], ['Clock.', 'Hand.'])
    >>> assign_words(["1. Clock\\n  Box: ", "\\n  Flaw: no hands\\n2. Hand\\n  Box: "], "\\n  Flaw: six fingers")
    ['Clock no hands', 'Hand six fingers']
    """
    before, after = [], []
    box_first = True
    for index, gap in enumerate(gaps):
        of_previous, of_next = "", gap
        if "\n" in gap:
            of_previous, of_next = gap.partition("\n")[0], gap.rpartition("\n")[2]
        elif index and (";" in gap or "；" in gap):
            of_previous, _, of_next = gap.replace("；", ";").rpartition(";")
        elif index and box_first:
            of_previous, of_next = gap, ""
        elif index:
            joining = _JOINING.match(gap)
            of_next = gap[joining.end() :] if joining else gap
        if not index or "\n" in gap:
            box_first = not clean_words(of_next)
        after.append(of_previous)
        before.append(of_next)
    before = [words[-MAX_CAPTION:] for words in before]
    after = [words[:MAX_CAPTION] for words in (*after[1:], tail[: MAX_CAPTION + 1].partition("\n")[0])]
    pairs = list(zip(before, after, strict=False))
    if counts is not None and not all(counts):
        pairs = [pair if valid else ("", "") for pair, valid in zip(pairs, counts, strict=True)]
    cleaned = [(clean_words(one), clean_words(two)) for one, two in pairs]
    captions = [clean_words(f"{one} {two}") if one and two else one or two for one, two in cleaned]
    labelled = [
        not words
        and len(one) < _LONGEST_LABEL
        and (first := _LETTER.search(one)) is not None
        and _ONLY_LABEL.fullmatch(one, first.start()) is not None
        for (one, _), (_, words) in zip(pairs, cleaned, strict=True)
    ]
    certain = True
    if any(labelled):
        own_lines, certain = _lines_of_items([*gaps, tail])
        captions = [
            lines if own else caption for lines, own, caption in zip(own_lines, labelled, captions, strict=True)
        ]
    elif len(captions) > 1 and not any(captions) and (counts is None or all(counts)):
        own_lines, certain = _lines_of_items([*gaps, tail])
        captions = own_lines if certain and all(own_lines) else captions
    if problems is not None and "too_long" not in problems:
        valid = counts or [True] * len(captions)
        wordless = any(counted and not caption for caption, counted in zip(captions, valid, strict=True))
        if not certain or (wordless and _has_loose_words([*gaps, tail])):
            problems.add("loose_words")
    return captions


def _has_loose_words(gaps: list[str]) -> bool:
    """Whether a line without a box holds words that may be a caption: no heading of a list, and no verdict."""
    first, *between, last = (gap.split("\n") for gap in gaps)
    lines = [*first[:-1], *(line for lines in between for line in lines[1:-1]), *last[1:]]
    return any(
        words and not line.rstrip().endswith((":", "：")) and not read_words(words)
        for line in lines[-MAX_REGIONS:]
        for words in [clean_words(line)]
    )


def _lines_of_items(gaps: list[str]) -> tuple[list[str], bool]:
    """The words of the list item that each of the boxes stands in, without the box's own line.

    Args:
        gaps: the texts before, between and after the boxes.

    Returns:
        The words, and whether it is certain to which item each line belongs.
    """
    first, *parts, last = (gap.split("\n") for gap in gaps)
    between = [lines[1:-1] for lines in parts]
    cuts = [_last_header(lines) for lines in between]
    rest = last[1:]
    end = next((index for index, line in enumerate(rest) if not line.strip() or _HEADER.match(line)), len(rest))
    before = first[:-1][-_MAX_LINES:]
    header_first, certain = _begins_with_header(before, between, cuts, rest[:end])
    lines: list[list[str]] = [[]]
    if header_first:
        cut = _last_header(before)
        lines[0] = before[-1 if cut is None else cut :]
    for gap, cut in zip(between, cuts, strict=True):
        cut = len(gap) - header_first if cut is None else cut
        lines[-1] += gap[:cut][:_MAX_LINES]
        lines.append(gap[cut:])
    lines[-1] += rest[: min(end, _MAX_LINES)]
    words = [
        clean_words(" ".join(filter(None, (clean_words(line) for line in item if not _skips(line))))) for item in lines
    ]
    return words, certain


def _begins_with_header(
    before: list[str], between: list[list[str]], cuts: list[int | None], after: list[str]
) -> tuple[bool, bool]:
    """Whether items of a list begin with a line of words before their box, and whether that is certain.

    Args:
        before: lines before the first box.
        between: lines between two boxes, of each pair.
        cuts: `_last_header` of each.
        after: lines of the last item after its box.
    """
    if not before or not before[-1].strip():
        return False, True
    if _HEADER.match(before[-1]):
        return True, True
    if not between:
        return not (after and before[-1].rstrip().endswith((":", "："))), True
    if None not in cuts:
        headed = {any(map(str.strip, lines[cut:])) for lines, cut in zip(between, cuts, strict=True)}
        return True in headed, len(headed) == 1
    counts = {*map(len, between)}
    if counts == {len(after)}:
        return False, True  # the line before the first box introduces the list
    return True, counts == {len(after) + 1}


def _skips(line: str) -> bool:
    """Whether a line of an item says nothing about the flaw: a number of the item, or a field of another kind."""
    return bool(
        _OTHER_FIELD.match(line) or (len(line) < _LONGEST_LABEL and _DIGIT.search(line) and _NUMBERED.fullmatch(line))
    )


def _last_header(lines: list[str]) -> int | None:
    """The index of the last header of an item or, without one, of the last empty line."""
    for index in reversed(range(len(lines))):
        if _HEADER.match(lines[index]):
            return index
    return next((index for index in reversed(range(len(lines))) if not lines[index].strip()), None)


@lru_cache(maxsize=1024)
def clean_words(text: str) -> str:
    """Text as a caption that UTF-8 can write: one line, without bullets, field names and markup; '' if none is left."""
    words = " ".join(text.replace("**", "").split())
    if not words:
        return ""
    if plain := (_PLAIN if words.isascii() else _PLAIN_EAST).fullmatch(words):
        return plain.group(1)
    words = " ".join(strip_markdown(words).split())
    if "|" in words:
        cells = words.split("|")
        words = " ".join(" ".join(cell for cell in cells if not cell.strip().isdigit()).split()) if cells[2:] else words
    head, end = words[:-_LONGEST_LABEL], words[-_LONGEST_LABEL:]
    if end.rstrip(" ")[-1:] in (":", "：", "="):
        end = _LABEL_BEFORE.sub("", end)
    if end.rstrip(" :：=(").lower().endswith(_PLACE_ENDS):
        end = _PLACE_BEFORE.sub("", end)
    words = head + end
    may_have_field = ":" in words or "：" in words or "=" in words
    for pattern in (_FIELD_BEFORE, _BULLET, _FIELD_BEFORE) if may_have_field else (_BULLET,):
        words = words[match.end() :] if (match := pattern.match(words)) else words
    words = words.strip("| ")
    for _ in range(_MAX_LINES):  # brackets that close nothing
        words = words.removesuffix(" $").removesuffix(" -").rstrip(_LOOSE)
        if not words or words[-1] not in _CLOSERS or words.count(_CLOSERS[words[-1]]) >= words.count(words[-1]):
            break
        words = words[:-1]
    if len(words) > 2 and _QUOTES.get(words[0]) == words[-1] and words[0] not in words[1:-1]:
        words = words[1:-1].strip()
    if not _LETTER.search(words):
        return ""
    if words.isascii():
        return words
    return words.replace(OPEN, "").replace(CLOSE, "").encode(errors="replace").decode()


_REJECTION = re.compile(
    r"\bno (?:visible |obvious |clear |apparent |real |other )?"
    r"(?:flaws?|issues?|errors?|anomal(?:y|ies)|artifacts?|problems?|defects?|inconsistenc(?:y|ies))\b"
    r"|\bnothing (?:is )?(?:wrong|unusual|odd|suspicious|strange)\b"
    r"|\b(?:looks?|appears?|seems?|is|are) (?:perfectly |quite |all )?(?:normal|fine|ok|okay|correct|as expected)\b"
    r"|\b(?:not|isn't) (?:really )?(?:a|an) (?:flaw|error|anomaly|artifact|issue|problem|defect)\b"
    r"|\b(?:is|are|was) (?:only|just|merely) (?:a|an|the) (?:shadow|reflection|blur)\b|\bfalse alarm\b"
    r"|没有(?:问题|异常|缺陷|瑕疵)|无(?:异常|缺陷|问题)|正常",
    re.IGNORECASE,
)
_CONTRAST = re.compile(r"\b(?:but|however|although|though|yet|except|while)\b|但|却|不正常", re.IGNORECASE)


_REJECTION_WORDS = (
    *("no ", "not ", "nothing", "normal", "n't", " fine", " ok", " correct", "as expected"),
    *(" only ", " just ", " merely ", "false alarm"),
)
_REJECTED_WORDS = (
    *("flaw", "issue", "error", "anomal", "artifact", "problem", "defect", "inconsisten", "wrong", "unusual", "odd"),
    *("suspicious", "strange", "normal", "fine", "ok", "correct", "expected", "shadow", "reflection", "blur", "alarm"),
)
_CHINESE_REJECTION_WORDS = ("没有", "无", "正常")


@lru_cache(maxsize=1024)
def is_rejected(caption: str) -> bool:
    """Whether a caption says that nothing is wrong with its region.

    >>> is_rejected("The ear looks fine."), is_rejected("The ear looks fine, but it has two lobes.")
    (True, False)
    """
    return may_be_rejected(caption) and bool(_REJECTION.search(caption)) and not _CONTRAST.search(caption)


def may_be_rejected(text: str) -> bool:
    """Whether one of a text's captions may be rejected; a cheap test for all of them."""
    contains = text.lower().__contains__
    return (any(map(contains, _REJECTION_WORDS)) and any(map(contains, _REJECTED_WORDS))) or (
        not text.isascii() and any(map(contains, _CHINESE_REJECTION_WORDS))
    )
