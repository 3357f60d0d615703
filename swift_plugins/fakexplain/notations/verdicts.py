"""Where the verdict of a text is: its verdict block or, without one, the places where other systems put it.

    <answer>fake</answer>, <conclusion>fake</conclusion>      BusterX, Veritas, Ivy-Fake, So-Fake-R1, TrueSight
    \\boxed{fake}, <|begin_of_box|>fake<|end_of_box|>          reasoning models, GLM-4.xV
    Verdict: fake                                             Qwen, Gemini and others, as a line
    {"verdict": "fake"}, {"is_fake": true}                    detectors and models asked for JSON
    This is a fake image. The hand …                          FakeVLM, SIDA, FakeShield: the first sentence

What stands in such a place is read by `verdict_words`, which understands it in full or not at all.
"""

from __future__ import annotations

import re
from itertools import islice

from .languages import CONCLUDING, CONTRASTING, HEADINGS
from .verdict_words import MAX_VERDICT, read_words

_PLACE = re.compile(
    r"<(answer|conclusion|final_answer|result|prediction|classification|judge?ment)>([^<]*)"
    r"|\\boxed\s*(\{(?=[^{}]{0,80}\}|[^{}]{0,80}\{[^{}]{0,80}\})(?:[^{}]|\{[^{}]{0,80}\}){0,80}\})"
    r"|<\|begin_of_box\|>([^<]*)<\|end_of_box\|>",
    re.IGNORECASE,
)
_PLACE_START = re.compile(  # a search from one character
    r"<(?:answer>|conclusion>|final_answer>|result>|prediction>|classification>|judg|\|begin_of_box\|>)"
)
_HEADING_WORDS = (
    *("verdict", "answer", "conclusion", "classification", "prediction", "judg", "decision", "assessment", "label"),
    *("authenticity", "result", "结论", "判断", "判定", "答案", "结果"),
    *HEADINGS,
)
_END, _MAX_PLACES = 4000, 32
_FEW_LINES = 512  # in so few, a search for headings is faster than one for their words
_FIRST_LETTERS = "".join(sorted({word[0] for word in ("final", "overall", "my", "最", *_HEADING_WORDS)}))
_HEADING = re.compile(
    rf"\n(?=([ \t*#>_•\d.)-]{{0,12}}))\1(?=[{_FIRST_LETTERS}])(?:(?:final|overall|my)[ _])?"
    r"(?:verdict|answer|conclusion|classification|prediction|judge?ment|decision|assessment|authenticity|result|label"
    rf"|最终结论|结论|判断|判定|答案|结果|{'|'.join(HEADINGS)})"
    r"[ \t*_\"]{0,6}(?:[:：]|\n)[ \t*_\"]{0,6}([^\n]{1,400})",
    re.IGNORECASE,
)
_OBJECT = re.compile(r"\{[^{}]*\}?")
_REGION_KEY = re.compile(r"box|point|coord|x_?(?:1|min)", re.IGNORECASE)
_PAIR = re.compile(
    r"[\"'](?=[ac-w])"  # no key of a side or box
    r"(?:(?P<name>(?:final_|overall_)?(?:verdict|label|class|prediction|classification|conclusion|answer|result))"
    r"|(?P<asks>(?:is_?)?(?:fake|real|ai|ai_?generated|generated|synthetic|authentic|deepfake|manipulated|tampered)"
    r"(?:_(?:prob|probability|score))?|(?:p|prob|probability|score)_(?:fake|real|ai)))[\"']\s*:\s*"
    r"(?:\"([^\"]{0,80})\"|'([^']{0,80})'|([\w.%]{1,20}))",
    re.IGNORECASE,
)
_TOKENS = re.compile(r"<\|[a-z_]{1,20}\|>|\[(?:CLS|SEG|END|OBJ)\]|</?[a-z_]{1,20}>|```\w{0,10}", re.IGNORECASE)
_DATA = "[]{}|\"'"
"""First characters of lines that hold no prose."""
_SENTENCE_END = re.compile(r"[.!?](?=[\s\"*)]|$)|[。！？\n]")
_REASON = re.compile(
    r",?\s+(?:because|since|due to|given|as evidenced by|based on)\b|,\s+(?:as|with|showing)\b", re.IGNORECASE
)
_OTHER_VERDICT = re.compile(
    r"\b(?:but|however|although|though|not|real|fake|authentic|genuine|generated|synthetic)\b|n't", re.IGNORECASE
)
_LEAD = re.compile(
    r"\A\s*based on (?:the |my |this )?(?:above |visual |provided )?(?:analysis|evidence|observations?|image),\s*",
    re.IGNORECASE,
)
_CONCLUDING = re.compile(
    r"\s*(?:therefore|thus|hence|so|overall|in conclusion|in summary|to conclude|因此|所以|综上"
    rf"|{'|'.join(CONCLUDING)})[,，、]?\s*",
    re.IGNORECASE,
)
_CONTRASTING = re.compile(
    rf"\s*(?:{'|'.join(sorted(CONTRASTING, key=len, reverse=True))})(?:[,，、]|\b)\s*", re.IGNORECASE
)


def read_verdict(text: str, blocks: list[str], final: str, problems: set[str]) -> str | None:
    """The verdict of a text, 'fake' or 'real'; None if there is none, or several differ.

    Args:
        text: the text.
        blocks: the text in each verdict block; if there is one, no other place counts.
        final: the text after the reasoning, for a verdict in a sentence.
        problems: gets a code for a verdict that is missing, in another place, or contradicted.
    """
    if blocks:
        return _agreed({words: read_words(words.strip()) for words in blocks}, problems)
    if bare := read_words(text.strip()):
        problems.add("bare_verdict")
        return bare
    places = _read_places(text)
    if any(places.values()):
        problems.add("bare_verdict")
        return _agreed({words: verdict for words, verdict in places.items() if verdict}, problems)
    sentences = _read_sentences(final)
    if sentences:
        problems.add("sentence_verdict")
    return _agreed(sentences, problems)


def _agreed(found: dict[str, str | None], problems: set[str]) -> str | None:
    verdicts = set(found.values()) - {None}
    if len(verdicts) == 1:
        if not verdicts.issuperset(found):
            problems.add("wording")
        return verdicts.pop()
    problems.discard("bare_verdict")
    problems.discard("sentence_verdict")
    problems.add("conflicting_verdicts" if verdicts else "no_verdict")
    return None


def _read_places(text: str) -> dict[str, str | None]:
    """Words in the places for a verdict, at either end of a text -> what they state."""
    if len(text) > 2 * _END:
        text = f"{text[:_END]}\n{text[-_END:]}"
    found: dict[str, str | None] = {}
    few_lines = text.count("\n") < _FEW_LINES
    if _may_have_places(text):
        for match in islice(_PLACE.finditer(text), _MAX_PLACES):
            words = _held(match)
            found[words] = read_words(words)
    if few_lines or any(map(text.lower().__contains__, _HEADING_WORDS)):
        for match in islice(_HEADING.finditer(f"\n{text}"), _MAX_PLACES):
            words = match.group(2).strip()
            found[words] = read_words(words) or _first_sentence(words)
    if "{" in text and ('"' in text or "'" in text):
        for match in islice(_OBJECT.finditer(text), _MAX_PLACES):
            found |= _read_object(match.group())
    return found


def _may_have_places(text: str) -> bool:
    """Whether `_PLACE` may match in a text; a cheap test."""
    if "<" not in text and "\\" not in text:
        return False
    lower = text.lower()
    return _PLACE_START.search(lower) is not None or ("}" in text and "\\boxed" in lower)


def _read_object(text: str) -> dict[str, str | None]:
    """Words of an object -> what they state; the label of an object that holds a region is not a verdict."""
    of_region = _REGION_KEY.search(text) is not None
    if not of_region and len(text) <= MAX_VERDICT and (verdict := read_words(text)):
        return {text: verdict}
    found = {}
    for match in _PAIR.finditer(text):
        name, asks = match.group("name"), match.group("asks")
        if of_region and not (asks or "verdict" in name.lower()):
            continue
        value = next((group for group in match.group(3, 4, 5) if group is not None), "")
        words = value if name else f"{asks}: {value}"
        found[words] = read_words(words)
    return found


def strip_places(text: str) -> str:
    """The text without the elements that hold only a verdict."""
    if not _may_have_places(text):
        return text
    if len(text) > 3 * _END:  # as `_read_places` reads only its ends
        middle = len(text) - _END
        return strip_places(text[:_END]) + text[_END:middle] + strip_places(text[middle:])
    return _PLACE.sub(_without_verdict, text, _MAX_PLACES)


def _without_verdict(match: re.Match[str]) -> str:
    return "\n" if read_words(_held(match)) else match.group()


def _held(match: re.Match[str]) -> str:
    """What stands in a place: the last group of a match of `_PLACE`."""
    return match[match.lastindex or 0].strip()


# Sentences -----------------------------------------------------------------------------------------------------------


def _read_sentences(text: str) -> dict[str, str | None]:
    """The verdict of the first sentence, and of one that concludes."""
    found: dict[str, str | None] = {}
    lines = [line for line in text[:_END].split("\n") if line.strip()]
    prose = next(filter(None, map(_prose, lines)), "")
    if not prose:
        return found
    first = prose[: 4 * MAX_VERDICT]
    if verdict := _first_sentence(_LEAD.sub("", first, count=1)):
        found[first] = verdict
        for each in _SENTENCE_END.split(first)[1:]:
            words = each.strip()
            said = read_words(words)
            if not said and (contrast := _CONTRASTING.match(words)):
                said = read_words(words[contrast.end() :])
            if said:
                found[each] = said
    last = next(filter(None, map(_prose, reversed(lines[1:]))), prose)[-2 * MAX_VERDICT :].strip()
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(last[:-1]))]
    sentence = last[starts[-1] :]
    if (concluding := _CONCLUDING.match(sentence)) and (verdict := _first_sentence(sentence[concluding.end() :])):
        found[sentence] = verdict
    return found


def _prose(line: str) -> str:
    """A line without tokens; empty if it holds no words, or begins as data."""
    if line.lstrip()[:1] in _DATA and not _TOKENS.match(line.lstrip()):
        return ""
    words = _TOKENS.sub(" ", line) if "<" in line or "[" in line or "```" in line else line
    return "" if words.lstrip()[:1] in _DATA else words


def _first_sentence(text: str) -> str | None:
    """The verdict of the first sentence of a text, without the reasons it gives."""
    text = text[: 2 * MAX_VERDICT].strip()
    end = _SENTENCE_END.search(text)
    sentence = text[: end.end()] if end else text
    if verdict := read_words(sentence):
        return verdict
    reason = _REASON.search(sentence)
    if reason and not _OTHER_VERDICT.search(sentence, reason.end()):
        return read_words(sentence[: reason.start()])
    return None
