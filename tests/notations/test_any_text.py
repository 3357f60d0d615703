"""Any text gives an answer, in bounded time."""

from __future__ import annotations

import gc
import math
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.annotation import NO_FLAW
from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.notations.limits import MAX_CHARACTERS, MAX_REGIONS
from swift_plugins.fakexplain.tags import TAGS
from swift_plugins.fakexplain.variants import VARIANTS
from tests.answers import CLOCK, FRAGMENTS, FULL, HAND, REAL, swap

STATES_REGIONS = [
    (FULL, True),
    (REAL, True),
    ("<verdict>real</verdict>", False),
    ("", False),
    ("garbage", False),
    ("<think>\nThe light is", False),  # cut short before it states anything
    ("<think>\nA harbour at noon.\n</think>\n<verdict>real</verdict>", True),
    ("A harbour at noon.\n</think>\n<verdict>real</verdict>", True),  # the prompt opened the block
    ("<think>ness 4 harbour</think> 77", False),  # an end of thinking, and no verdict: nothing is stated
    (f"{NO_FLAW} <verdict>real</verdict>", True),
    (f"{NO_FLAW} {NO_FLAW} or", False),  # an echo of the prompt
    ("(1,2),(3,4)", True),
]


@pytest.mark.parametrize(("text", "states_regions"), STATES_REGIONS)
def test_whether_the_text_states_regions(text, states_regions):
    assert parse_answer(text, variant="full").states_regions is states_regions


def test_reasoning_of_a_real_verdict_is_no_region():
    text = "<think>\nThe hand looks fine.\n</think>\n<verdict>real</verdict>"
    assert parse_answer(text).regions == ()
    assert parse_answer(text, variant="full").problems == ()
    assert parse_answer(text, variant="no_bbox").problems == ("real_with_flaws",)


@pytest.mark.parametrize("end", range(len(FULL)))
def test_a_truncated_answer_keeps_what_came_before(end):
    text = FULL[:end]
    answer = parse_answer(text)
    boxes = [region.bbox for region in answer.regions if region.bbox]
    assert boxes == [box for box, mark in ((CLOCK, "60]"), (HAND, "300]")) if mark in text]
    assert answer.verdict == ("fake" if "<verdict>fake" in text else None)
    assert answer.problems


mixtures = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=30).map("".join)


def check(text: str) -> None:
    """What holds of the answer in any text."""
    for variant in (None, *VARIANTS):
        strict, tolerant = parse_answer(text, True, variant), parse_answer(text, False, variant)
        assert strict.verdict in ("fake", "real", None)
        assert set(strict.tags) <= set(TAGS)
        assert len(set(strict.tags)) == len(strict.tags)
        for bbox, caption in strict.regions:
            caption.encode()
            assert caption == caption.strip()
            assert len(caption.splitlines()) <= 1
            if bbox is None:
                assert caption
            else:
                assert len(bbox) == 4
                assert all(isinstance(v, float) and math.isfinite(v) for v in bbox)
                assert bbox[0] < bbox[2]
                assert bbox[1] < bbox[3]
        assert set(tolerant.problems) == set(strict.problems) - {"wording", "extra_text", "layout"}
        assert (strict.verdict, strict.regions, strict.tags) == (tolerant.verdict, tolerant.regions, tolerant.tags)
        assert ("no_verdict" in strict.problems or "conflicting_verdicts" in strict.problems) == (
            strict.verdict is None
        )
        assert strict.states_regions or not strict.regions


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(st.characters(), max_size=200), mixtures))
def test_any_text_gives_an_answer(text):
    check(text)


NASTY = {
    "lone surrogates": "<think>\n[1, 2, 3, 4] \ud800\udfff\n</think>\n<tag>\ud800</tag>\n<verdict>\udc00fake</verdict>",
    "a surrogate escaped in JSON": '[{"bbox_2d": [1, 2, 3, 4], "label": "\\ud800 \\u0000"}]',
    "a broken escape in JSON": '[{"bbox_2d": [1, 2, 3, 4], "label": "\\u12 \\x"}]',
    "null bytes": FULL.replace(" ", "\x00"),
    "right to left": "\u202e" + FULL + "\u202c\u200f",
    "zero width": "\u200b".join(FULL),
    "5000 digits": swap("90", "9" * 5000),
    "1e308 and beyond": "[-1e308, -1e308, 1e308, 1e308] a [1e309, 1, 2, 3] b [1e-400, 0, 1e-5, 1] c",
    "not numbers": "[nan, NaN, inf, -Infinity] [infinity, 1, 2, 3] [0x1, 1, 2, 3] [1__2, 1, 2, 3] [., -, +, e]",
    "Unicode digits": "[١, ٢, ٣, ٤] a [①, ②, ③, ④] b [½, 1, 2, 3] c",
    "100,000 open brackets": "[" * 100_000,
    "nested JSON": '{"bbox_2d":' * 5000,
    "form feeds": FULL.replace("\n", "\f"),
    "combining": "e\u0301" * 500 + FULL,
    "capital I with dot": FULL.replace("i", "İ"),
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_nasty_text_gives_an_answer(text):
    check(text)


def test_too_long_a_text_is_read_in_part():
    late = "<think>\n" + "x" * MAX_CHARACTERS + "\n</think>\n<verdict>fake</verdict>"
    assert parse_answer(late).problems == ("no_verdict", "unclosed", "too_long")
    many = "[1,2,3,4]\n" * (MAX_REGIONS + 1)
    assert len(parse_answer(many).regions) == MAX_REGIONS
    assert parse_answer(many).problems == ("no_verdict", "too_long")
    assert "too_long" not in parse_answer("[1,2,3,4]\n" * MAX_REGIONS).problems
    for item in ("<loc0001><loc0002><loc0003><loc0004>", "<1><2><3><4>", "- box: [1,2,3,4]\n  text: a\n\n\n\n"):
        assert "too_long" not in parse_answer(item * 9).problems
        assert "too_long" in parse_answer(item * (MAX_REGIONS + 1)).problems
    assert "too_long" in parse_answer("<think>" + "a\n" * (MAX_REGIONS + 1)).problems


FORMS = [
    *(
        "[1, 2, 3, 4] a\n",
        "a (1, 2, 3, 4)\n",
        "(1, 2) to (3, 4): a\n",
        "［1，2，3，4］a\n",
        "[[1,2],[3,4]] a\n",
        "1,2,3,4] a\n",
    ),
    *("<box>1 2 3 4</box> a\n", "<ref>a</ref><box>1 2 3 4</box>\n", "a <bbox>1 2 3 4</bbox>\n", "box: 1, 2, 3, 4 a\n"),
    *("<loc0001><loc0002><loc0003><loc0004> a ; ", "<p>a</p> {<1><2><3><4>} ", "<|box_start|>(1,2),(3,4)<|box_end|>\n"),
    *('{"bbox_2d": [1, 2, 3, 4], "label": "a"},\n', '{"x1": 1, "y1": 2, "x2": 3, "y2": 4, "label": "a"},\n'),
    *('{"a b": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}}\n', "f(bbox=(1, 2, 3, 4), caption='a')\n"),
    *("- bbox: [1, 2, 3, 4]\n  caption: a\n", "- caption: a\n  bbox:\n  - 1\n  - 2\n  - 3\n  - 4\n", "1, 2, 3, 4: a\n"),
    *("[[region]]\nbbox = [1, 2, 3, 4]\ncaption = 'a'\n", '<region x1="1" y1="2" x2="3" y2="4">a</region>\n'),
    *("<box><x1>1</x1><y1>2</y1><x2>3</x2><y2>4</y2></box>\n", "x1: 1, y1: 2, x2: 3, y2: 4 a\n"),
    *("left: 1, top: 2, right: 3, bottom: 4 a\n", "| a | [1, 2, 3, 4] |\n", "1. **a**\n   - Box: [1, 2, 3, 4]\n"),
]


@pytest.mark.parametrize("shell", ["{}", "<think>\n{}\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"])
@pytest.mark.parametrize("form", FORMS)
def test_regions_beyond_what_is_read_are_named(form, shell):
    few, many = (parse_answer(shell.replace("{}", form * number)) for number in (3, MAX_REGIONS + 1))
    assert len(few.regions) == 3 and not {"too_long", "doubtful_box"} & {*few.problems}
    assert len(many.regions) <= MAX_REGIONS and {"too_long", "doubtful_box"} & {*many.problems}


UNITS = [
    *("<think>", "</think>", "<verdict>", "<verdict>fake", "<tag>", "<tag>texture error", "[1,", "[", "(", "(1,2),"),
    *("{", "<|box_start|>(", '{"bbox_2d": [', '"bbox_2d":', '"label": "', "```json", "<ref>", "<|", "<", "\n", " "),
    *("1", "- 1. ", "[1, 2, 3, 4] a\n", "[1,2,3,4]", "(1,2) ", '{"bbox":[1,2,3,4],"label":"x"}', "a\n", "<\n"),
    *("[x]\n", "texture error ", "\\", '{"bbox": "label": "', "[1 ", "(1,2)" + " " * 60, "<think>\n", "\ud800"),
    *("[nan,nan,nan,nan]", "<x1>1</x1>", "- box: [1, 2, 3, 4]\n  caption: x\n", "f(bbox=(1, 2, 3, 4), caption='x') "),
    *("[a](#b) *a* `b` ", "Box: [1, 2, 3, 4]\na\n", '{"a b": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}} '),
]
SHELLS = [
    ("", ""),
    ("<think>\n", "\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"),
    ("<tag>", "</tag>"),
    ('{"bbox": [1, 2, 3, 4], "label": "', ""),
    ("[", ""),
    ("(1, 2)", "x"),
]


def seconds(text: str, limit: float) -> float:
    """Processor time of the worse of the two ways to read; the best of a few tries, for the machine may be busy."""
    best = math.inf
    gc.disable()  # as timeit does
    for _ in range(8):
        times = []
        for strict in (True, False):
            start = time.thread_time()
            parse_answer(text, strict=strict, variant="full")
            times.append(time.thread_time() - start)
        best = min(best, max(times))
        if best < limit:
            break
    gc.enable()
    return best


@pytest.mark.parametrize("shell", SHELLS, ids=[repr(a) for a, _ in SHELLS])
@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_time_is_linear(unit, shell):
    def text(size):
        return shell[0] + unit * (size // len(unit)) + shell[1]

    # twice what it takes on a machine at its usual pace
    assert seconds(text(1_000_000), 0.1) < 0.1
    assert seconds(text(16 * 1024), 0.015) < 0.015
    # Within what is read: ten times the text in at most thirty times the time (a quadratic reader takes a hundred).
    tenth = max(seconds(text(9_000), 0), 1e-4)
    assert seconds(text(90_000), 30 * tenth) < 30 * tenth
