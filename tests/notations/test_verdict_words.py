"""What ends the reading of a verdict early ends only what would state none."""

from __future__ import annotations

import random

import pytest

from swift_plugins.fakexplain.notations import verdict_words
from swift_plugins.fakexplain.notations.verdict_words import read_words
from swift_plugins.fakexplain.notations.vocabulary import ALONE, PARTS, STRANGE, SYMBOLS, TOKEN


def test_no_token_holds_a_strange_character():
    tokens = [*SYMBOLS, *filter(TOKEN.fullmatch, map(chr, range(0x3100)))]
    assert [token for token in tokens if STRANGE.search(token)] == []


@pytest.mark.parametrize(
    "words", ["taken by a person", "made by humans", "captured with a camera", "human", "original"]
)
def test_real_without_a_word_for_it(words):
    assert read_words(words) == "real"


def test_words_are_read_as_without_a_test_of_their_parts(monkeypatch):
    rng = random.Random(0)
    others = (
        "taken",
        "person",
        "camera",
        "computer",
        "machine",
        "option",
        "p(fake)",
        "un",
        "n'est pas",
        "hand",
        "isFake",
    )
    words = [word for word in (*SYMBOLS, *ALONE, *others) if word.isascii()]
    texts = [rng.choice((" ", ": ", ". ")).join(rng.choices(words, k=rng.randint(1, 4))) for _ in range(2000)]
    texts += map(str.upper, texts[:200])
    quick = list(map(read_words.__wrapped__, texts))
    monkeypatch.setattr(
        verdict_words, "PARTS", {word.lower() for text in texts for word in verdict_words._WORD.findall(text)}
    )
    assert quick == list(map(read_words.__wrapped__, texts))
    assert len(set(quick)) == 3 and not {"the", "is", "image"} & PARTS
