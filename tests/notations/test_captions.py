"""Captions: quick tests decide as the patterns do that they spare."""

from __future__ import annotations

from itertools import product

import pytest

from swift_plugins.fakexplain.notations.captions import clean_words, is_rejected

STATES = ("normal", "fine", "ok", "okay", "correct", "as expected")
REJECTED = [
    *(f"The ear {verb} {much}{state}." for verb, much, state in product(("looks", "is"), ("", "quite "), STATES)),
    *("No visible flaws here", "no anomalies", "There is nothing wrong", "Nothing odd", "A false alarm"),
    *("It is not really a flaw", "It isn't an issue", "It is only a shadow", "It was just the blur"),
    *("It is merely a reflection", "没有问题", "无异常", "手部正常"),
]


@pytest.mark.parametrize("caption", REJECTED)
def test_rejected(caption):
    assert is_rejected(caption)


@pytest.mark.parametrize("caption", ["Another odd shadow", "The note looks smeared", "手部不正常", "无异常，但多一指"])
def test_not_rejected(caption):
    assert not is_rejected(caption)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("左手有六根手指。", "左手有六根手指。"),
        ("Six fingers。，", "Six fingers。"),
        ("café wall ; ", "café wall"),
        ("手指 左上角：", "手指"),
        ("手指 左上角", "手指"),
        ("手\ue000指", "手指"),
        ("描述：手指", "手指"),
        ("“手指”", "手指"),
        ("手指 &amp; 手", "手指 & 手"),
        ("手\ud800指", "手?指"),
        ("}  Wall of one room  {", "Wall of one room"),
        ("] hand of six [", "hand of six"),
        ("hand from (", "hand"),
        ("{hand} of six", "hand} of six"),
    ],
)
def test_words_of_a_caption(text, words):
    assert clean_words(text) == words
