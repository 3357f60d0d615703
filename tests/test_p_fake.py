"""P(fake) from the log probabilities that `swift infer` writes."""

from __future__ import annotations

import json
from math import exp, inf, log, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.p_fake import p_fake

ASSETS = Path(__file__).parent / "assets" / "swift-infer"
HEAD = "<think>\nNo visible flaw.\n</think>\n<tag>none</tag>\n"


def token(text: str, p: float = 1.0, top: dict[str, float] | None = None) -> dict[str, Any]:
    """A token as ms-swift writes it; `top` lists the likeliest tokens in its place."""
    own = {"token": text, "logprob": log(p), "bytes": list(text.encode())}
    if top is None:
        return own
    return own | {"top_logprobs": [{"token": each, "logprob": log(q), "bytes": []} for each, q in top.items()]}


def written(*tokens: str | dict[str, Any]) -> dict[str, Any]:
    return {"content": [token(each) if isinstance(each, str) else each for each in tokens]}


@pytest.mark.parametrize(
    ("name", "line", "fake", "real"),  # log probabilities, as they stand in the files
    [
        ("transformers.jsonl", 1, -1.9258447885513306, -0.4884687662124634),
        ("transformers.jsonl", 2, -1.1178464889526367, -1.0615234375),
        ("vllm.jsonl", 1, -1.9258440732955933, -0.4884689748287201),
        ("vllm.jsonl", 2, -1.1178470849990845, -1.0615230798721313),
        ("sampled.jsonl", 1, -0.35509565472602844, -3.793555498123169),  # half a character stands before the verdict
        ("sampled.jsonl", 2, -2.0061542987823486, -0.5178974270820618),  # drawn at temperature 1.5 and unlikelier
        ("sampled.jsonl", 3, -1.8134384155273438, -0.7239523530006409),  # <verdict>not be </verdict> stands after it
        ("without-top.jsonl", 1, log(1 - exp(-0.4884689748287201)), -0.4884689748287201),
        ("without-top.jsonl", 2, log(1 - exp(-1.0615230798721313)), -1.0615230798721313),
        ("sampled.jsonl", 4, None, None),
    ],
)
def test_answers_of_swift_infer(name: str, line: int, fake: float | None, real: float | None):
    record = json.loads((ASSETS / name).read_text().splitlines()[line - 1])
    found = p_fake(record["logprobs"], record["response"])
    if fake is None or real is None:
        assert found is None
    else:
        assert found == pytest.approx(1 / (1 + exp(real - fake)), abs=1e-9)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        # both verdicts are among the likeliest: 0.6 / (0.6 + 0.2)
        (["<verdict>", token("fake", 0.6, {"fake": 0.6, "real": 0.2, "so": 0.1}), "</verdict>"], 0.75),
        (["<verdict>", token("f", 0.6, {"f": 0.6, "re": 0.2}), "ake", "</verdict>"], 0.75),
        (["<", "verdict", token(">f", 0.6, {">f": 0.6, ">r": 0.2}), "ake", "</", "verdict", ">"], 0.75),
        (["<verdict", token(">fake</", 0.6, {">fake</": 0.6, ">real</": 0.2}), "verdict>"], 0.75),
        ([token("<verdict>fake</verdict>", 0.6, {"<verdict>fake</verdict>": 0.6, "<verdict>real": 0.2})], 0.75),
        (["<verdict>", token(" fake", 0.6, {" fake": 0.6, "real": 0.1, "\nreal": 0.1})], 0.75),
        # any case, any beginning of the word: (0.3 + 0.3) / (0.6 + 0.2)
        (["<verdict>", token("Fake", 0.3, {"Fake": 0.3, "fa": 0.3, "REAL": 0.1, "r": 0.1})], 0.75),
        # another word with the same beginning; and a token that does not repeat the text before the word
        (["<verdict>", token("fake", 0.6, {"fake": 0.6, "real": 0.2, "faked": 0.1, "really": 0.1})], 0.75),
        (["<verdict", token(">fake", 0.6, {">fake": 0.6, ">real": 0.2, "fake": 0.1, ">": 0.1})], 0.75),
        (["<verdict>", token("fake", 0.6, {"fake": 0.6, "real": 0.2, "": 0.1, " ": 0.05, "</verdict>": 0.05})], 0.75),
        # the drawn token is not among the likeliest: 0.1 / (0.1 + 0.3)
        (["<verdict>", token("fake", 0.1, {"so": 0.6, "real": 0.3})], 0.25),
        # only one verdict is seen; the other gets what is left: 0.6 / (0.6 + 1 - 0.6 - 0.2)
        (["<verdict>", token("fake", 0.6, {"fake": 0.6, "so": 0.2})], 0.75),
        (["<verdict>", token("fake", 0.75)], 0.75),
        (["<verdict>", token("real", 0.25)], 0.75),
        (["<verdict>", token("fake", 0.75) | {"top_logprobs": None}], 0.75),
        (["<verdict>", token("fake", 1.0, {"fake": 1.0})], 1.0),
        (["<verdict>", token("fake", 1.0, {"fake": 1.0}) | {"logprob": 0.001}], 1.0),  # rounding of half precision
        # the last block decides; the words before it do not matter
        (["<verdict>", token("fake", 0.1), "</verdict>", "<verdict>", token("fake", 0.75), "</verdict>"], 0.75),
        (["A fake hand, <verdict>", token("fake", 0.75)], 0.75),
        (["<verdict>This image is", token(" fake", 0.75), ".</verdict>"], 0.75),
        # a bare verdict, as base models give
        ([token("Fake", 0.75), "."], 0.75),
        (["The image is", token(" real", 0.25), "."], 0.75),
    ],
)
def test_hand_worked(tokens: list[str | dict], expected: float):
    logprobs = written(*tokens, "<|im_end|>")
    text = "".join(each["token"] for each in logprobs["content"][:-1])
    assert p_fake(logprobs, text) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        *("", "fa", "<verdict>", "<verdict></verdict>", "<verdict>fa", "No idea."),
        "<verdict>fake</verdict><verdict>real</verdict>",
        *("<verdict>AI-generated</verdict>", "<verdict>not real</verdict>", "<verdict>fake or real</verdict>"),
        "It is AI-generated. Nothing in it is what it seems, and all of it looks fake.",  # not the verdict's word
    ],
)
def test_no_verdict_or_one_in_other_words(text: str):
    assert p_fake(written(*text), text) is None


def test_no_logprobs():
    assert p_fake(None, "<verdict>fake</verdict>") is None


def test_probabilities_that_no_float_holds():
    tiny = token("fake", 1.0, {"so": 1.0}) | {"logprob": -inf}
    assert p_fake(written("<verdict>", tiny), "<verdict>fake") is None
    assert (
        p_fake(written("<verdict>", tiny | {"top_logprobs": [{"token": "real", "logprob": -3.0}]}), "<verdict>fake")
        == 0
    )


FAKE = "<verdict>fake</verdict>"


@pytest.mark.parametrize(
    ("logprobs", "message"),
    [
        ([], "logprobs: expected an object with the list `content`, found []"),
        ({"content": None}, "logprobs: expected an object with the list `content`, found {'content': None}"),
        (
            written("<verdict>real"),
            "logprobs: expected the tokens of an answer with the verdict fake, found '<verdict>",
        ),
        ({"content": []}, "logprobs: expected the tokens of an answer with the verdict fake, found ''"),
        ({"content": ["fake"]}, "logprobs.content[0]: expected an object with token and logprob, found 'fake'"),
        ({"content": [{"logprob": 0.0}]}, "logprobs.content[0].token: expected the text of a token, found nothing"),
        ({"content": [{"token": 7}]}, "logprobs.content[0].token: expected the text of a token, found 7"),
        ({"content": [{"token": FAKE}]}, "logprobs.content[0].logprob: expected a number of at most 0, found nothing"),
        *(
            (
                written(token(FAKE) | {"logprob": bad}),
                f"logprobs.content[0].logprob: expected a number of at most 0, found {bad!r}",
            )
            for bad in (nan, 0.6, inf, "-1", None, True, False)
        ),
        (
            written(token(FAKE) | {"top_logprobs": 5}),
            "logprobs.content[0].top_logprobs: expected a list of {token, logprob}",
        ),
        (
            written(token(FAKE) | {"top_logprobs": [5]}),
            "logprobs.content[0].top_logprobs[0]: expected an object with token",
        ),
        (
            written("", token(FAKE) | {"top_logprobs": [{"token": "a", "logprob": 0}, {"token": "real"}]}),
            "logprobs.content[1].top_logprobs[1].logprob: expected a number of at most 0, found nothing",
        ),
    ],
)
def test_malformed_logprobs_are_reported(logprobs: object, message: str):
    with pytest.raises(ValueError) as error:
        p_fake(logprobs, FAKE)
    assert str(error.value).startswith(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["fake", FAKE]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "token", "logprob", "top_logprobs"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([FAKE, "real", "none"]) | st.text(max_size=30))
def test_any_input(logprobs: object, text: str):
    try:
        found = p_fake(logprobs, text)
    except DataError:
        return
    assert found is None or 0 <= found <= 1


@st.composite
def cut(draw: st.DrawFn, text: str) -> list[str]:
    """A text as tokens, cut anywhere."""
    places = sorted(draw(st.sets(st.integers(1, len(text) - 1))))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@given(
    st.data(),
    st.sampled_from(["fake", "real", "Fake", "REAL"]),
    st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
    st.booleans(),
)
def test_any_tokenizer_gives_the_ratio(data: st.DataObject, word: str, weights: list[float], shortened: bool):
    """Any tokenization gives the ratio; the rival of the deciding token spells the other word in its place."""
    text = f"{HEAD}<verdict>{word}</verdict>"
    tokens = data.draw(cut(text))
    start, at = text.index(word), 0
    content = []
    own, rival, other, end = (weight / sum(weights) for weight in weights)
    for each in tokens:
        if at <= start < at + len(each):
            lead, rest = each[: start - at], each[start - at :]
            opposite = ("real" if word.lower() == "fake" else "fake") + rest[4:]
            opposite = lead + opposite[: 1 if shortened else len(rest)]
            # tokens for neither verdict: another word, an end
            top = {each: own, opposite: rival, lead + "maybe": other, "<|im_end|>": end}
            content.append(token(each, own, top))
        else:
            content.append(token(each, 0.5, {each: 0.5, "real": 0.3, "fake": 0.1}))
        at += len(each)
    of_word = own / (own + rival)
    expected = of_word if word.lower() == "fake" else 1 - of_word
    assert p_fake({"content": content}, text) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(st.sampled_from(["fake", "real"]), st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.integers(1, 4))
def test_fewer_alternatives_never_overstate_the_verdict(word: str, weights: list[float], shown: int):
    """With fewer alternatives, P of the given verdict is at most its value with all of them."""
    names = [word, "real" if word == "fake" else "fake", "maybe", "so"]
    p = dict(zip(names, (weight / sum(weights) for weight in weights), strict=True))
    likeliest = dict(sorted(p.items(), key=lambda item: -item[1])[:shown])
    known, whole = (
        p_fake(written("<verdict>", token(word, p[word], top)), f"<verdict>{word}") for top in (likeliest, p)
    )
    assert known is not None and whole is not None
    assert known <= whole + 1e-9 if word == "fake" else known >= whole - 1e-9


PARTS = (
    "<verdict>",
    "</verdict>",
    "<VERDICT>",
    "fake",
    "real",
    "not ",
    "AI",
    "<tag>",
    "</tag>",
    "<think>",
    "\n",
    " ",
    ".",
)


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_the_verdict_is_that_of_the_answer(text: str):
    """P(fake) is known exactly if the answer states fake or real, and belongs to that verdict."""
    verdict, found = parse_answer(text).verdict, p_fake(written(*(token(each, 0.75) for each in text)), text)
    if verdict is None or verdict not in text.lower():
        assert found is None
    elif found is not None:
        assert found == pytest.approx(0.75 if verdict == "fake" else 0.25)
