"""Keywords by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugins.fakexplain.scoring.metrics.keywords import STOP_WORDS, Keyword, caption_keywords, keywords

GOLD = ["Blurry contours of the hand.", "Contour, blurry", "Texture of fur is missing.", "Depth of field is wrong."]
PRED = ["Texture textures texture", "Blurry texture."]


def test_ranked_by_both_shares_then_by_name():
    # texture 1/4 + 2/2, once per caption, even if it occurs twice; blurry 2/4 + 1/2; contour 2/4; the rest 1/4
    assert keywords(GOLD, PRED, top=5) == [
        Keyword("texture", 0.25, 1.0),
        Keyword("blurry", 0.5, 0.5),
        Keyword("contour", 0.5, 0.0),
        Keyword("depth", 0.25, 0.0),
        Keyword("field", 0.25, 0.0),
    ]


def test_phrases():
    assert caption_keywords("The depth of field, wrong of hand", 3) == {"depth of field", "wrong of hand"}
    assert caption_keywords("Depth, of field", 3) == set()  # not over a comma
    assert caption_keywords("field of the", 3) == set()  # nor with a stop word at its end
    assert caption_keywords("Blurry edges of hands", 2) == {"blurry edge"}


@pytest.mark.parametrize(
    "word, folded",
    [
        ("textures", "texture"),
        ("edges", "edge"),
        ("bodies", "body"),
        ("ties", "tie"),  # too short for -y
        ("glasses", "glass"),
        ("branches", "branch"),
        ("brushes", "brush"),
        ("boxes", "box"),
        ("hand's", "hand"),
        ("dog’s", "dog"),
        ("glass", "glass"),
        ("cactus", "cactus"),
        ("axis", "axis"),
        ("lens", "lens"),
        ("gas", "gas"),
        ("T-shirts", "t-shirt"),
        ("étoiles", "étoile"),
    ],
)
def test_plurals_are_folded(word, folded):
    assert caption_keywords(f"{word} 12 6th") == {folded, "th"}


def test_numbers_and_signs_are_not_keywords():
    assert caption_keywords("[1, 2, 3, 4] 100% -- 'of' the ... <b>") == {"b"}
    assert caption_keywords("") == caption_keywords(" ".join(STOP_WORDS)) == set()


def test_a_side_without_captions_has_shares_of_0():
    assert keywords([], []) == []
    assert keywords([], ["Rail"]) == [Keyword("rail", 0.0, 1.0)]


def test_captions_are_read_as_a_stream():
    assert keywords(iter(GOLD), iter(PRED)) == keywords(GOLD, PRED)


captions = st.lists(st.lists(st.sampled_from(["hand", "hands", "the", "fur", "glass", "of", "wet"])).map(" ".join))


@given(captions, captions, st.integers(1, 3))
def test_order_does_not_matter_and_shares_are_in_range(gold, pred, words):
    ranked = keywords(gold, pred, words, top=100)
    assert ranked == keywords(gold[::-1], pred[::-1], words, top=100)
    assert all(0 <= keyword.gold <= 1 and 0 <= keyword.pred <= 1 for keyword in ranked)
    assert all(keyword.gold + keyword.pred > 0 for keyword in ranked)
    assert keywords(gold, pred, words, top=2) == ranked[:2]
