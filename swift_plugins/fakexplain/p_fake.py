"""P(fake): the model's probability of 'fake' against 'real' at the verdict token.

`swift infer --logprobs true --top_logprobs 20` writes the log probability of each token of an answer and those of the
likeliest tokens in its place, before temperature, top-k and top-p act. The token with the first letter of the
verdict's word decides. Depending on the tokenizer it holds more: `f`, `fake`, `>fake`, ` Fake</`. A token in its place
counts for a verdict if it repeats the text before the word, and its next letters begin the word, in any case:

    P(fake) = p_fake / (p_fake + p_real)        p: sum of the probabilities of the tokens that count for a verdict

Tokens that count for neither verdict (another word, a space) are left out. If the tokens of the other verdict
are all too unlikely to be written, its p is set to the upper bound, 1 minus the written probabilities. So P(fake) errs
towards the other verdict; without `--top_logprobs` it is the probability of the verdict's own token, or 1 minus that.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from .annotation import LABELS
from .answer import parse_answer
from .errors import NOTHING, DataError

_BLOCK = re.compile("<verdict>", re.IGNORECASE)
_IN_BLOCK = {verdict: re.compile(rf"<verdict>[^<]*?({verdict})", re.IGNORECASE) for verdict in LABELS}
_BARE = {verdict: re.compile(rf"\A[^<.!?\n]*?({verdict})", re.IGNORECASE) for verdict in LABELS}
_WORD = re.compile("([a-z]+)(.?)", re.IGNORECASE | re.DOTALL)


def p_fake(logprobs: object, text: str) -> float | None:
    """Compute the probability of the verdict fake, given that the verdict is fake or real.

    Args:
        logprobs: the field of that name of a line of `swift infer`: {"content": [{"token", "logprob", "top_logprobs"
            (a list of {"token", "logprob"}; may be missing)} of each token of the answer]}, or None.
        text: the answer, `response` of that line.

    Returns:
        Number in [0, 1]. None without logprobs, without a readable verdict, and for a verdict in words other than
        fake and real ("AI-generated", "not real"), because no single token begins those.

    Raises:
        DataError (a ValueError): logprobs have another shape, or belong to another answer.

    >>> content = [{"token": "<verdict>", "logprob": 0.0}, {"token": "fake", "logprob": math.log(0.6)}]
    >>> round(p_fake({"content": content}, "<verdict>fake"), 6)
    0.6
    >>> content[1]["top_logprobs"] = [{"token": "re", "logprob": math.log(0.2)}]
    >>> round(p_fake({"content": content}, "<verdict>fake"), 6)
    0.75
    """
    if logprobs is None:
        return None
    opening = _BLOCK.search(text)
    verdict = parse_answer(text[opening.start() :] if opening else text).verdict  # text before it only costs time
    if verdict is None or _start(text, verdict) is None:
        return None
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        raise DataError("an object with the list `content`", logprobs, field="logprobs")
    tokens = [_token(item, f"logprobs.content[{index}]") for index, item in enumerate(content)]
    # a character that tokens split becomes a replacement sign, so positions differ from those in the text
    start = _start("".join(tokens), verdict)
    if start is None:
        raise DataError(f"the tokens of an answer with the verdict {verdict}", "".join(tokens), field="logprobs")
    ends = list(accumulate(map(len, tokens)))
    index = bisect_right(ends, start)
    lead = tokens[index][: start - ends[index]]
    return _share_of_fake(_alternatives(content[index], f"logprobs.content[{index}]"), lead, verdict)


def _start(text: str, verdict: str) -> int | None:
    """Position of the last verdict's word; a text without a verdict block may begin with a sentence that is one."""
    matches = list((_IN_BLOCK if _BLOCK.search(text) else _BARE)[verdict].finditer(text))
    return matches[-1].start(1) if matches else None


def _share_of_fake(alternatives: Iterator[tuple[str, float]], lead: str, verdict: str) -> float | None:
    p: dict[str | None, list[float]] = {"fake": [], "real": [], None: []}
    for token, logprob in alternatives:
        p[_side(token, lead)].append(math.exp(max(logprob, -1e4)))
    if not p[verdict]:
        return None
    rest = max(0.0, 1 - math.fsum(map(math.fsum, p.values())))
    fake, real = (math.fsum(p[label]) if p[label] else rest for label in ("fake", "real"))
    return fake / (fake + real) if fake + real else None


def _side(token: str, lead: str) -> str | None:
    """The verdict that a token counts for, if the token in its place has `lead` before the verdict's word."""
    token, lead = token.lstrip(), lead.strip()
    word = _WORD.match(token[len(lead) :].lstrip())
    if not word or token[: len(lead)].lower() != lead.lower():
        return None
    letters, more = word[1].lower(), word[2]
    return next((label for label in LABELS if letters == label or (not more and label.startswith(letters))), None)


def _alternatives(item: dict[str, Any], at: str) -> Iterator[tuple[str, float]]:
    """Yield the written token and the likeliest tokens in its place, which need not include it."""
    own = item["token"], _logprob(item, at)
    top = item.get("top_logprobs") or []
    if not isinstance(top, list):
        raise DataError("a list of {token, logprob}", top, field=f"{at}.top_logprobs")
    places = [(each, f"{at}.top_logprobs[{index}]") for index, each in enumerate(top)]
    others = [(_token(each, place), _logprob(each, place)) for each, place in places]
    yield from others if own in others else [own, *others]


def _token(item: Any, at: str) -> str:
    if not isinstance(item, dict):
        raise DataError("an object with token and logprob", item, field=at)
    if not isinstance(token := item.get("token"), str):
        raise DataError("the text of a token", token if "token" in item else NOTHING, field=f"{at}.token")
    return token


def _logprob(item: dict[str, Any], at: str) -> float:
    value = item.get("logprob", NOTHING)
    # half precision rounds a certain token to a little above 0
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value <= 0.01:
        raise DataError("a number of at most 0", value, field=f"{at}.logprob")
    return value
