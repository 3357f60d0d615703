"""From the answers about an image to one detection."""

from math import log
from pathlib import Path

import pytest

from swift_plugins.fakexplain.completions import Completion
from swift_plugins.fakexplain.detect.detection import to_detection, to_line
from swift_plugins.fakexplain.detect.inputs import Input
from swift_plugins.fakexplain.detect.terminal import in_words
from swift_plugins.fakexplain.frames import Frame
from swift_plugins.fakexplain.operating_point import OperatingPoint

ITEM = Input("a", Path("a.png"))
FRAME = Frame((100, 100), (200, 200))
POINT = OperatingPoint(0.95, (0.5, 0.95), 0.01, 0.02, 300, 2, 1.0, "runs/main", "7B")


def says(verdict: str, p: float, *boxes: list[int]) -> Completion:
    """An answer with this verdict, whose token has the probability p, and with boxes of 0 to 100."""
    lines = ["<think>", *(f"{box} Bent rail." for box in boxes), "</think>", "<tag>none</tag>", "<verdict>"]
    tokens = [("\n".join(lines), 1.0), (verdict, p), ("</verdict>", 1.0)]
    text = "".join(token for token, _ in tokens)
    return Completion(text, {"content": [{"token": token, "logprob": log(q)} for token, q in tokens]}, 0.5)


def test_one_answer_has_no_agreement():
    found = to_detection(ITEM, FRAME, [says("fake", 0.9, [0, 0, 50, 50])])
    assert (found.label, found.verdict, found.samples, found.agreement, found.confidences) == (
        "fake",
        "fake",
        1,
        None,
        (),
    )
    assert found.p_fake == pytest.approx(0.9)
    assert not {"agreement", "samples", "region_confidences"} & to_line(found).keys()


def test_of_several_answers_the_one_that_most_agree_with():
    answers = [
        says("real", 0.6),
        says("fake", 0.9, [0, 0, 50, 50], [80, 80, 90, 90]),
        says("fake", 0.8, [0, 0, 50, 100]),
    ]
    found = to_detection(ITEM, FRAME, answers)
    assert found.answer == answers[1].text  # of two that agree equally, the first
    assert (found.label, found.samples, found.seconds) == ("fake", 3, 1.5)
    assert found.p_fake == pytest.approx((0.4 + 0.9 + 0.8) / 3)
    line = to_line(found)
    assert [region["bbox"] for region in line["regions"]] == [[0, 0, 100, 100], [160, 160, 180, 180]]
    # the real answer covers neither, the other fake one covers the first
    assert (line["agreement"], line["samples"], line["region_confidences"]) == (pytest.approx(2 / 3), 3, [0.5, 0])
    assert in_words(found).splitlines() == [
        "a: fake (P(fake) 70.0 %, 66.7 % of 3 answers agree, 1.50 s)",
        "  [0, 0, 100, 100] Bent rail. (50.0 %)",
        "  [160, 160, 180, 180] Bent rail. (0.0 %)",
    ]


def test_a_region_without_an_area_in_the_image_takes_its_confidence_with_it():
    answers = [says("fake", 0.9, [150, 150, 190, 190], [0, 0, 50, 50]), says("fake", 0.9, [0, 0, 50, 50])]
    found = to_detection(ITEM, FRAME, [answers[0], answers[0], answers[1]])
    assert len(found.regions) == len(found.confidences) == 1
    assert found.confidences == (1.0,)


@pytest.mark.parametrize(
    ("verdict", "p", "decision"),
    [
        ("fake", 0.97, "fake"),
        ("fake", 0.9, "unsure"),
        ("fake", 0.4, "real"),
        ("real", 0.99, "real"),
        ("real", 0.3, "unsure"),
    ],
)
def test_an_operating_point_decides_by_p_fake_and_leaves_the_label(verdict, p, decision):
    found = to_detection(ITEM, FRAME, [says(verdict, p)], operating_point=POINT)
    assert (found.label, found.verdict) == (verdict, decision)


def test_an_answer_that_calls_an_image_real_and_names_a_flaw_is_unsure():
    found = to_detection(ITEM, FRAME, [says("real", 0.9, [0, 0, 50, 50])])
    assert (found.label, found.verdict, found.regions) == ("real", "unsure", ())
