"""Text metrics against sacrebleu and rouge-score, and by hand."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from importlib.metadata import version
from math import exp, isnan, sqrt

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sacrebleu import BLEU

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.answer import parse_answer, render_answer
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.matching import match_boxes
from swift_plugins.fakexplain.scoring.metrics.text_counts import text_counts
from swift_plugins.fakexplain.scoring.metrics.texts import (
    TEXT_SETTINGS,
    bleu2,
    caption_text,
    matched_texts,
    rouge_l,
)

NOTHING = [0] * 8


def counts_of(pred, gold):
    """Counts of one pair, (8,)."""
    return text_counts([pred], [gold])[0]


@pytest.fixture(scope="module")
def sacrebleu_2():
    from sacrebleu import BLEU

    return {sentence: BLEU(max_ngram_order=2, effective_order=sentence) for sentence in (True, False)}


@pytest.fixture(scope="module")
def rouge_score_l():
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    return lambda pred, gold: scorer.score(gold, pred)["rougeL"].fmeasure


# Words that meet, and characters that every rule of both tokenisers looks at: digits beside points, commas and dashes,
# entities, spaces of all kinds, letters that grow or become ASCII in lower case.
WORDS = "a the rail Rail rail's bent <skipped> &amp; &quot;lens&quot; 3.5 1,000 5-inch T-shirt"
words = st.sampled_from(WORDS.split())
letters = st.text(alphabet="aB5.,-'&;<>!_/\"\u00a0\u3000\x1c\u2019éİ\u212aΣ", max_size=8)
captions = st.lists(words | letters, max_size=12).map(" ".join)
texts = st.lists(captions, max_size=4)


@settings(max_examples=150, deadline=None)
@given(texts, texts)
@example(["..5,.", ",.5"], ["5.", ".5"])
@example([], ["Rail"])
@example(["Rail"], ["Rail"])  # no bigram: effective order
def test_equals_sacrebleu_on_a_pair(sacrebleu_2, pred, gold):
    counts = counts_of(pred, gold)
    expected = sacrebleu_2[True].sentence_score(" ".join(pred), [" ".join(gold)])
    if not expected.ref_len:
        assert counts.tolist() == NOTHING and isnan(bleu2(counts, sentence=True))
        return
    assert counts[:5].tolist() == [*expected.counts, *expected.totals, expected.ref_len]
    assert counts[2] == expected.sys_len
    assert bleu2(counts, sentence=True) == pytest.approx(expected.score / 100, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(texts, texts)
@example(["rail bent the rail the bent rail"], ["the bent rail bent the rail"])
@example(["a é"], ["a \u3000"])  # a wide space is no word of a script without spaces
def test_equals_rouge_score_on_a_pair(rouge_score_l, pred, gold):
    counts = counts_of(pred, gold)
    if " ".join(gold).strip() and not re.search("[a-z0-9]", " ".join(gold).lower()):
        return  # no word that rouge-score knows
    if counts[7]:
        assert rouge_l(counts) == pytest.approx(rouge_score_l(" ".join(pred), " ".join(gold)), abs=1e-9)
    else:
        assert isnan(rouge_l(counts))


CHINESE = ["左手有六根手指。", "钟面上没有数字，指针融化了", "手指 6 根", "The 钟面 is 融化的", "牙齿太多。", "，。"]


@pytest.mark.parametrize("gold", CHINESE[:3])
@pytest.mark.parametrize("pred", CHINESE)
def test_chinese_equals_the_tokeniser_of_sacrebleu_for_it(pred, gold):
    oracle = BLEU(max_ngram_order=2, tokenize="zh", effective_order=True)
    counts = counts_of([pred], [gold])
    expected = oracle.sentence_score(pred, [gold])
    assert bleu2(counts, sentence=True) == pytest.approx(expected.score / 100, abs=1e-9)
    assert 0 <= rouge_l(counts) <= 1


def test_rouge_l_of_a_script_without_spaces_is_over_characters():
    # 左 手 有 六 根 手 指 against 左 手 六 指: the longest common subsequence is the second
    assert rouge_l(counts_of(["左手六指"], ["左手有六根手指。"])) == pytest.approx(2 * 4 / (4 + 7))
    assert rouge_l(counts_of(["มือ"], ["มือซ้าย"])) > 0
    assert bleu2(counts_of(["左手"], ["右手指"]), sentence=True) > 0


def test_equals_both_on_texts_longer_than_a_machine_word(sacrebleu_2, rouge_score_l):
    rng = random.Random(0)
    for length in (63, 64, 65, 200):
        pred, gold = (" ".join(rng.choices("abcdefghij", k=length)) for _ in range(2))
        counts = counts_of([pred], [gold])
        assert bleu2(counts, sentence=True) == pytest.approx(
            sacrebleu_2[True].sentence_score(pred, [gold]).score / 100, abs=1e-9
        )
        assert rouge_l(counts) == pytest.approx(rouge_score_l(pred, gold), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(captions, captions.filter(str.strip), st.integers(0, 3)), min_size=1, max_size=6))
@example([("Rail", "Rail", 1)])  # one token and no bigram: 0 without effective order
@example([("Rail bent.", "bent Rail", 2)])  # no bigram shared: smoothed
def test_sums_equal_sacrebleu_of_the_corpus_in_any_weighting(sacrebleu_2, corpus):
    pairs = [(pred, gold) for pred, gold, weight in corpus for _ in range(weight)]
    pairs = [(pred, gold) for pred, gold in pairs if counts_of([], [gold]).any()]  # '<skipped>' is no token
    sums = [weight for *_, weight in corpus] @ text_counts([[pred] for pred, *_ in corpus], [[g] for _, g, _ in corpus])
    if not pairs:
        assert isnan(bleu2(sums))
        return
    pred, gold = map(list, zip(*pairs, strict=True))
    assert bleu2(sums) == pytest.approx(sacrebleu_2[False].corpus_score(pred, [gold]).score / 100, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, texts), max_size=8))
def test_counts_do_not_depend_on_the_other_pairs(pairs):
    pred, gold = [pred for pred, _ in pairs], [gold for _, gold in pairs]
    assert text_counts(pred, gold).tolist() == [counts_of(*pair).tolist() for pair in pairs]


def test_counts_of_more_pairs_than_are_counted_at_once():
    rng = random.Random(0)
    pred, gold = (
        [[" ".join(rng.choices("abcdefgh", k=rng.choice((0, 5, 90, 700))))] for _ in range(200)] for _ in range(2)
    )
    assert text_counts(pred, gold).tolist() == [counts_of(*pair).tolist() for pair in zip(pred, gold, strict=True)]


def test_different_numbers_of_texts_raise():
    with pytest.raises(ValueError, match="found 1 and 2"):
        text_counts([["Rail"]], [["Rail"], ["Sky"]])


def test_counts_and_scores_by_hand():
    pred = ["Rail is bent.", "Rail"]  # Rail is bent . Rail
    gold = ["Rail bent.", "Sky is green, green."]  # Rail bent . Sky is green , green .
    counts = counts_of(pred, gold)
    # unigrams: Rail (once, because the gold text has only one), is, bent, . ; bigrams: `bent .` alone
    # words: rail is bent rail | rail bent sky is green green; longest: rail bent, or rail is
    assert counts.tolist() == [4, 1, 5, 4, 9, 2, 4, 6]
    assert bleu2(counts, sentence=True) == pytest.approx(exp(1 - 9 / 5) * sqrt(4 / 5 * 1 / 4))
    assert rouge_l(counts) == pytest.approx(2 * 2 / (4 + 6))
    # with a pair whose bigrams are none: p1 (4 + 1) / (5 + 1), p2 1 / 4, BP exp(1 - 11 / 6)
    sums = counts + counts_of(["Rail"], ["Rail bent"])
    assert bleu2(sums) == pytest.approx(exp(1 - 11 / 6) * sqrt(5 / 6 * 1 / 4))


EMPTY = [  # prediction, gold text, BLEU-2 and ROUGE-L: with an empty side
    ([], ["Bent rail."], 0, 0),  # silence about an annotated caption is wrong
    ([""], ["Bent rail."], 0, 0),
    (["..."], ["Bent rail"], 0, 0),  # tokens of one metric alone
    ([], [], None, None),  # nothing is annotated: left out, not counted as right
    (["Bent rail."], [], None, None),
    (["Bent rail."], ["", " "], None, None),
    (["弯曲"], ["弯曲"], 1, 1),  # a script without spaces: rouge-score would see no word, and 13a one
    (["Гнутый рельс."], ["Гнутый рельс"], exp(-0) * sqrt(2 / 3 * 1 / 2), 1),  # nor does it in words of other letters
]


@pytest.mark.parametrize("pred, gold, bleu, rouge", EMPTY)
def test_an_empty_side(pred, gold, bleu, rouge):
    counts = counts_of(pred, gold)
    scores = [float(bleu2(counts, sentence=True)), float(rouge_l(counts))]
    assert [None if isnan(score) else score for score in scores] == [bleu, rouge]


def test_a_pair_without_a_gold_text_adds_nothing_to_a_sum():
    assert counts_of(["Bent rail."], []).tolist() == NOTHING


def test_a_line_break_counts_as_a_space():
    assert (counts_of(["T-\nshirt\n"], ["T- shirt"]) == counts_of(["T- shirt"], ["T- shirt"])).all()


def test_scores_keep_the_shape_of_the_images_and_resamples():
    counts = text_counts([["Bent rail."], []], [["Bent rail."], ["Sky."]])
    weights = np.array([[1, 1], [2, 0], [0, 2]])
    assert bleu2(counts, sentence=True).tolist() == rouge_l(counts).tolist() == [1, 0]
    assert bleu2(weights @ counts).shape == (3,)
    assert bleu2(weights @ counts)[1:].tolist() == [1, 0]
    assert bleu2(text_counts([], [])).shape == rouge_l(text_counts([], [])).shape == (0,)


REGIONS = (
    Region((60, 50, 100, 80), "Hand with 6 fingers."),
    Region((10, 5, 50, 45), "Sign, illegible."),
)
FAKE = Annotation("a", "a.png", 512, 512, "fake", REGIONS, ("texture_error",))


def test_a_text_is_the_captions_and_a_gold_answer_scores_1():
    frame = frame_rule("fx_qwen2_5_vl", env={}).frame((512, 512))
    expected = ("Sign, illegible.", "Hand with 6 fingers.")  # reading order; the 6 is a word, a coordinate is not
    assert caption_text(FAKE) == expected
    for variant in ("full", "no_bbox", "no_tags"):
        answer = parse_answer(render_answer(FAKE, variant, frame), variant=variant)
        assert caption_text(answer) == expected
        counts = counts_of(caption_text(answer), caption_text(FAKE))
        assert bleu2(counts, sentence=True) == bleu2(counts) == rouge_l(counts) == 1


@pytest.mark.parametrize("variant", ["no_caption", "label_only"])
def test_an_answer_without_captions_has_no_text(variant):
    frame = frame_rule("fx_qwen2_5_vl", env={}).frame((512, 512))
    assert caption_text(parse_answer(render_answer(FAKE, variant, frame), variant=variant)) == ()
    assert caption_text(Annotation("a", "a.png", 8, 8, "real")) == ()


def test_texts_of_matched_regions():
    pred = [Region((200, 200, 220, 220), "Far."), Region((10, 5, 50, 40), "Sign."), Region((60, 50, 90, 80), "")]
    matches = match_boxes([region.bbox for region in pred], [region.bbox for region in REGIONS])
    assert matched_texts(pred, REGIONS, matches) == [
        (("Sign.",), ("Sign, illegible.",)),
        ((), ("Hand with 6 fingers.",)),
    ]


def test_settings_are_json_values():
    assert json.loads(json.dumps(TEXT_SETTINGS)) == TEXT_SETTINGS
    assert TEXT_SETTINGS["bleu2"]["library"] == f"sacrebleu {version('sacrebleu')}"
    assert TEXT_SETTINGS["rouge_l"]["library"] == f"equal to rouge-score {version('rouge-score')}"


def test_settings_are_those_of_sacrebleu(sacrebleu_2):
    sacrebleu_2[False].corpus_score(["a b"], [["a b"]])
    signature = dict(part.split(":") for part in sacrebleu_2[False].get_signature().format().split("|"))
    settings = TEXT_SETTINGS["bleu2"]
    assert (signature["tok"], signature["smooth"], signature["eff"]) == (
        settings["tokeniser"],
        settings["smoothing"],
        "no",
    )
    assert signature["case"] == "mixed" and not settings["lowercase"]


def test_importing_takes_no_heavy_library():
    code = (
        "import sys\n"
        "from swift_plugins.fakexplain.scoring.metrics import keywords, text_counts, texts\n"
        "print(sorted({'sacrebleu', 'rouge_score', 'nltk', 'scipy', 'torch'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
