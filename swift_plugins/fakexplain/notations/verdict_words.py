"""The verdict that a few words state, read clause by clause.

A verdict decides everything, so it is read only where every character is understood: words of `vocabulary`, numbers
that say how likely something is, and plain punctuation. A sign (an emoji, a crossed-out word), a letter of another
alphabet, an open question or two clauses that disagree leave it unread. Nothing is guessed: `5% real` is fake, but
`real (5%)` may also be a real image of which the system is not sure, so it is neither.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from .vocabulary import ALONE, MADE_BY_HUMANS, NE_PAS, PARTS, PHRASES, STRANGE, SYMBOLS, TOKEN, UN, UNREAL

MAX_VERDICT = 200
"""Characters of the longest verdict."""

_OTHER = {"fake": "real", "real": "fake"}
_LATEX = re.compile(r"\\(?:boxed|text|textbf|textit|mathrm|mathbf)\b")
_TOKENS = re.compile(r"<\|[a-z_]{1,20}\|>|\[(?:cls|seg|end|obj)\]|</?(?:s|b|strong|i|em|p|verdict|answer|conclusion)>")
_WORD = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UNCHECKED = re.compile(r"\[\s?\]|☐|⬜")
_OPTION = re.compile(
    r"^(?P<key>\s*(?:final )?(?:answer|verdict|choice|label)\s*:)?\s*(?:option|choice)?\s*\(?[a-e]\s*[).:](?=\s)"
)
_P_OF = re.compile(r"\bp\s*\(\s*([a-z -]{1,20})\s*\)")


@lru_cache(maxsize=4096)
def read_words(words: str) -> str | None:
    """The verdict that words state, 'fake' or 'real'; None if they state none, or are not understood to the last.

    >>> [read_words(words) for words in ("AI-generated", "not fake", "Fake: 0%", "real?", "a real hand")]
    ['fake', 'real', 'real', None, None]
    """
    if len(words) > MAX_VERDICT:
        return None
    if words.isascii() and PARTS.isdisjoint(map(str.lower, _WORD.findall(words))):  # as nearly all sentences
        return None
    if _UNCHECKED.search(words):
        return None  # an answer that was not chosen
    text = _without_tokens(words)
    if STRANGE.search(text):
        return None
    text = _normalise(text)
    if verdict := ALONE.get(text.strip(" .*'\"[]")):
        return verdict
    clauses = _clauses(text)
    return None if clauses is None else _combine(clauses)


def _without_tokens(words: str) -> str:
    text = unicodedata.normalize("NFKC", _CAMEL.sub(" ", words)).lower().replace("’", "'")
    return _TOKENS.sub(" ", _LATEX.sub("", text))


def _normalise(text: str) -> str:
    text = _OPTION.sub(r"\g<key>", text)
    text = UNREAL.sub("not ", UN.sub("", NE_PAS.sub(r"pas \1", text)))
    text = MADE_BY_HUMANS.sub("human-made", _P_OF.sub(r"\1 probability", text))
    return PHRASES.sub(r"\g<head>-\g<tail>", text.replace("_", " ")).strip()


# Clauses -------------------------------------------------------------------------------------------------------------


class _Clause(NamedTuple):
    """What a clause says, and the sign after it.

    Attributes:
        verdict: 'fake', 'real', or None.
        bare: 'yes' or 'no' if it says only that; '' otherwise.
        p: its probability, if that is all it says beside words like "confidence".
        end: the sign after it: one of `?:=`, or '' for any other.
    """

    verdict: str | None
    bare: str
    p: float | None
    end: str


def _clauses(text: str) -> list[_Clause] | None:
    """The clauses of a text; None if one is not understood."""
    clauses, symbols, numbers, position, previous = [], [], [], 0, ""
    for match in TOKEN.finditer(text):
        kind, token = match.lastgroup, match.group()
        if match.start() != position:
            return None
        position = match.end()
        if kind in ("east", "word"):
            if (symbol := SYMBOLS.get(token)) is None:
                return None
            symbols.append(symbol)
        elif kind in ("percent", "number"):
            numbers.append(token.replace(" ", ""))
        is_end = kind == "sign" or symbols[-1:] == ["but"]
        if token == "!" and (previous in ("", "sign", "mark") or text[position : position + 1].isalnum()):
            return None  # a negation in code
        if is_end:
            end = token if kind == "sign" and token in "?:=" else ""
            if symbols[-1:] == ["but"]:
                symbols.pop()
            if end == "?" and not symbols and not numbers:
                return None
            if symbols or numbers:
                if (clause := _clause(symbols, numbers, end)) is None:
                    return None
                clauses.append(clause)
            symbols, numbers = [], []
        if kind != "mark" or token.isspace():
            previous = token if token == "!" else kind or ""
    if position != len(text):
        return None
    if symbols or numbers:
        if (clause := _clause(symbols, numbers, "")) is None:
            return None
        clauses.append(clause)
    return clauses


def _clause(symbols: list[str], numbers: list[str], end: str) -> _Clause | None:
    """What a clause says; None if it is not clear."""
    if "whether" in symbols:  # a question without its sign
        symbols, end = [symbol for symbol in symbols if symbol != "whether"], "?"
    known = [symbol for symbol in symbols if symbol != "filler"]
    if "not after" in known:  # of the whole clause, which it must end
        if known.index("not after") < len(known) - 1:
            return None
        known = ["not", *known[:-1]]
    sides = {"fake" if symbol == "edited" else symbol for symbol in known} & {"fake", "real"}
    if len(sides) > 1:  # fine in a question only: "real or fake?"
        return _Clause(None, "", None, end) if end == "?" and not numbers else None
    if len(numbers) > 1:
        return None
    p = _share(numbers[0]) if numbers else None
    if numbers and p is None:
        return None
    if not sides:
        return _without_verdict(known, p, end)
    verdict = _of_one_side(known, sides.pop())
    if p is None or verdict is None:
        return None if verdict is None else _Clause(verdict, "", None, end)
    if any(symbol in ("not", "no") for symbol in known):
        return None
    confident = [symbol for symbol in symbols if symbol == "measure"]
    if confident and p < 0.5:
        return None  # of what, the verdict or the confidence in it?
    return None if p == 0.5 else _Clause(verdict if p > 0.5 else _OTHER[verdict], "", None, end)


def _of_one_side(known: list[str], side: str) -> str | None:
    """The verdict of a clause with words of one side."""
    negations = [index for index, symbol in enumerate(known) if symbol in ("not", "no")]
    first = next(index for index, symbol in enumerate(known) if symbol in ("fake", "real", "edited"))
    if "yes" in known or len(negations) > 1:
        return None
    if side == "real" and "part" in known:
        return None
    if not negations:
        return side
    scope = known[negations[0] + 1 :]
    if negations[0] > first or {*scope} & {"hedge", "whole", "part", "edited", "measure"}:
        return None  # "not clearly real" and "not entirely fake" say little
    return _OTHER[side]


def _without_verdict(known: list[str], p: float | None, end: str) -> _Clause | None:
    """A clause that says yes, no or a number, or nothing."""
    says = {*known} - {"measure", "hedge"}
    if p is not None:
        return None if says else _Clause(None, "", p, end)
    if not says:
        return _Clause(None, "", None, end)
    if len(known) == 1 and known[0] in ("yes", "no"):
        return _Clause(None, known[0], None, end)
    return None


def _share(number: str) -> float | None:
    """A probability; None for any other number, as a count."""
    share = float(number[:-1]) / 100 if number.endswith("%") else float(number)
    return share if 0 <= share <= 1 else None


# Clauses together ----------------------------------------------------------------------------------------------------


def _combine(clauses: list[_Clause]) -> str | None:
    """The verdict on which all clauses agree."""
    found: set[str] = set()
    index = 0
    while index < len(clauses):
        clause = clauses[index]
        after = clauses[index + 1] if index + 1 < len(clauses) else None
        if clause.end == "?":
            if after is None or clause.bare or clause.p is not None:
                return None
            if after.bare:
                if clause.verdict is None:
                    return None
                found.add(clause.verdict if after.bare == "yes" else _OTHER[clause.verdict])
                index += 1
            elif after.verdict is None:
                return None
        elif clause.end and clause.verdict and after and (after.bare or after.p is not None):
            if after.p == 0.5:
                return None
            holds = after.bare == "yes" or (after.p is not None and after.p > 0.5)
            found.add(clause.verdict if holds else _OTHER[clause.verdict])
            index += 1
        elif clause.verdict:
            found.add(clause.verdict)
        elif clause.bare:
            if index or after is None or clause.end:  # "No, it is real." answers a question that is not here
                return None
        elif clause.p is not None and clause.p <= 0.5:
            return None
        index += 1
    return found.pop() if len(found) == 1 else None
