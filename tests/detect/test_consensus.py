"""The choice among sampled answers, against a search over all of them."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.answer import Answer, parse_answer
from swift_plugins.fakexplain.detect.consensus import consensus
from swift_plugins.fakexplain.mentions import Mention

FRAME = (12, 12)
corners = st.integers(-2, 14)
boxes = st.tuples(corners, corners, corners, corners)
answers = st.builds(
    lambda verdict, regions: Answer(verdict, tuple(Mention(box, "Rail.") for box in regions), states_regions=True),
    st.sampled_from(["fake", "real", None]),
    st.lists(boxes, max_size=3),
)


def fake(*regions: tuple[float, ...] | None) -> Answer:
    return Answer("fake", tuple(Mention(box, "Rail.") for box in regions), states_regions=True)


REAL = Answer("real", states_regions=True)


def cells(answer: Answer) -> frozenset[tuple[int, int]]:
    """The unit squares of the frame that an answer's boxes cover."""
    return frozenset(
        (x, y)
        for x in range(FRAME[0])
        for y in range(FRAME[1])
        if any(x1 <= x < x2 and y1 <= y < y2 for (x1, y1, x2, y2), _ in answer.regions)
    )


def loss(answer: Answer, truth: Answer) -> tuple[int, Fraction]:
    """Wrong verdict, then 1 - IoU where both verdicts are the same."""
    if answer.verdict is None or answer.verdict != truth.verdict:
        return 1, Fraction(0)
    a, b = cells(answer), cells(truth)
    if a | b:
        return 0, 1 - Fraction(len(a & b), len(a | b))
    return 0, Fraction(int(bool(answer.regions or truth.regions)))


@settings(deadline=None)
@given(st.lists(answers, min_size=1, max_size=6).filter(lambda each: any(answer.verdict for answer in each)))
def test_no_other_answer_has_a_smaller_expected_loss(given: list[Answer]):
    """Each answer is a truth of the same probability; the first of the least expected loss is the choice."""
    losses = []
    for answer in given:
        wrong, iou = zip(*(loss(answer, truth) for truth in given), strict=True)
        # the answer as its own truth costs nothing, unless its regions all lie outside
        own = loss(answer, answer)[1]
        losses.append((sum(wrong), sum(iou) - own))
    best = min(losses)
    first = next(index for index, each in enumerate(losses) if each[0] == best[0])
    verdict = given[first].verdict  # of several verdicts with as many votes, that of the first answer
    rivals = [index for index, each in enumerate(losses) if each[0] == best[0] and given[index].verdict == verdict]
    choice = consensus(given, FRAME)
    assert losses[choice.chosen][1] - min(losses[index][1] for index in rivals) < Fraction(1, 10**9)
    assert given[choice.chosen].verdict == verdict
    assert choice.agreement == pytest.approx(1 - best[0] / len(given))


@settings(deadline=None)
@given(st.lists(answers, min_size=2, max_size=6))
def test_confidence_is_the_covered_share_of_the_region(given: list[Answer]):
    choice = consensus(given, FRAME)
    others = [cells(answer) for index, answer in enumerate(given) if index != choice.chosen]
    for region, confidence in zip(given[choice.chosen].regions, choice.confidences, strict=True):
        own = cells(fake(region.bbox))
        if confidence is None:
            assert not own
        else:
            assert confidence == pytest.approx(
                float(sum(Fraction(len(own & each), len(own)) for each in others) / len(others))
            )


@settings(deadline=None)
@given(answers.filter(lambda answer: answer.verdict), st.integers(2, 6))
def test_equal_answers_agree_in_full(answer: Answer, count: int):
    choice = consensus([answer] * count, FRAME)
    assert (choice.chosen, choice.agreement) == (0, 1)
    assert all(each is None or each == pytest.approx(1) for each in choice.confidences)


def test_the_order_matters_for_ties_alone():
    given = [fake((0, 0, 6, 6)), fake((0, 0, 6, 8)), fake((0, 0, 6, 12)), REAL, REAL]
    for order in permutations(range(5)):
        choice = consensus([given[index] for index in order], FRAME)
        assert order[choice.chosen] == 1
        assert (choice.agreement, choice.confidences) == (0.6, (pytest.approx((0.75 + 1) / 4),))


@pytest.mark.parametrize(
    ("given", "index"),
    [
        ([REAL, fake((0, 0, 6, 6))], 0),  # as many votes for either
        ([fake((0, 0, 6, 6)), REAL], 0),
        ([Answer(), REAL, Answer()], 1),  # no verdict never wins against one
        ([Answer(), Answer()], 0),
        ([fake((0, 0, 6, 6)), fake((6, 6, 9, 9)), REAL], 0),  # IoU 0 with each other
        ([fake((20, 20, 30, 30)), fake(), fake()], 1),  # a region outside is not an answer without regions
        ([fake((0.2, 0.2, 0.8, 0.8)), fake((0, 0, 6, 6)), fake((0, 0, 6, 6))], 1),  # shares are no boxes of the frame
    ],
)
def test_ties_and_boxes_that_do_not_count(given: list[Answer], index: int):
    assert consensus(given, FRAME).chosen == index


def test_boxes_are_clipped_to_the_frame():
    given = [fake((0, 0, 12, 6)), fake((0, 0, 24, 6)), fake((0, 0, 24, 6))]
    assert consensus(given, FRAME).confidences == (1,)
    assert consensus(given).chosen == 1


def test_regions_without_boxes_have_no_confidence():
    given = [parse_answer("<think>\nBent rail.\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>")] * 2
    assert consensus(given).confidences == (None,)
    assert consensus([fake((0, 0, 6, 6))]).confidences == (None,)  # no other answer


def test_there_must_be_an_answer():
    with pytest.raises(ValueError, match="expected at least one answer"):
        consensus([])
