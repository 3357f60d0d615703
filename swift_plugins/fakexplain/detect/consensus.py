"""Choose one of several answers about an image: the one of least expected loss under the product's own metrics.

Answers sampled from a model are draws from its belief about the image, so each of them stands for a possible truth
(minimum Bayes risk; Kumar & Byrne 2004). The verdict comes first, as accuracy does: the one that most answers give.
Regions come second, as IoU does, which covers fake images only: among the answers with that verdict, the one whose
mean union IoU with the others is largest. The chosen answer is one of the given ones, never a mixture of several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import fsum, inf
from typing import NamedTuple

from ..answer import Answer
from ..boxes import Box, are_shares, clip_xyxy, union_area, union_iou


class Choice(NamedTuple):
    """The chosen answer.

    Attributes:
        chosen: its index among the given answers.
        agreement: share of all answers that give its verdict, in (0, 1].
        confidences: one number per region of the chosen answer, in its order: the mean, over all other answers of
            whatever verdict, of the share of the region's area that their boxes cover. None for a region without an
            area in the frame, and if there is no other answer.
    """

    chosen: int
    agreement: float
    confidences: tuple[float | None, ...]


def consensus(answers: Sequence[Answer], frame_wh: tuple[int, int] | None = None) -> Choice:
    """Choose the answer that agrees most with the others.

    An answer without a verdict votes for no verdict, which wins only if no answer has one. Ties go to the answer that
    comes first: put a greedy answer there. Apart from ties, the order does not matter.

    Args:
        answers: at least one, all about one image and in one model frame.
        frame_wh: width and height of the frame; boxes are clipped to it, as the scorer clips them. None keeps them.

    Raises:
        ValueError: no answers.

    >>> from swift_plugins.fakexplain.answer import parse_answer
    >>> texts = ["[0, 0, 4, 8] Rail.<verdict>fake", "<verdict>real", "[0, 0, 8, 8] Rail.<verdict>fake"]
    >>> consensus([*map(parse_answer, texts)])
    Choice(chosen=0, agreement=0.6666666666666666, confidences=(0.5,))
    """
    if not answers:
        raise ValueError("expected at least one answer")
    votes = Counter(answer.verdict for answer in answers)  # in the order of first votes, so max prefers the first
    verdict = max(votes, key=lambda each: votes[each] if each else 0)
    boxes = [_boxes(answer, frame_wh) for answer in answers]
    voters = [index for index, answer in enumerate(answers) if answer.verdict == verdict]
    iou = {(i, j): _iou(answers[i], boxes[i], answers[j], boxes[j]) for i in voters for j in voters if i < j}
    chosen = max(voters, key=lambda i: fsum(iou[min(i, j), max(i, j)] for j in voters if j != i))
    others = [each for index, each in enumerate(boxes) if index != chosen]
    confidences = tuple(_covered(region.bbox, others, frame_wh) for region in answers[chosen].regions)
    return Choice(chosen, votes[verdict] / len(answers), confidences)


def _boxes(answer: Answer, frame_wh: tuple[int, int] | None) -> list[Box]:
    """The boxes of an answer that count: of some area in the frame, and not in shares of the image."""
    boxes = [region.bbox for region in answer.regions if region.bbox]
    return clip_xyxy([box for box in boxes if frame_wh == (1, 1) or not are_shares(box)], frame_wh or (inf, inf))


def _iou(a: Answer, a_boxes: list[Box], b: Answer, b_boxes: list[Box]) -> float:
    """Union IoU, where regions of which none counts are not an empty set; the same for both orders."""
    if a_boxes or b_boxes:
        return union_iou(a_boxes, b_boxes)
    return float(not (a.names_regions or b.names_regions))


def _covered(box: Box | None, others: list[list[Box]], frame_wh: tuple[int, int] | None) -> float | None:
    clipped = clip_xyxy([box] if box else [], frame_wh or (inf, inf))
    if not clipped or not others:
        return None
    x1, y1, x2, y2 = clipped[0]
    area = union_area(clipped)
    inside = ([(max(a, x1), max(b, y1), min(c, x2), min(d, y2)) for a, b, c, d in boxes] for boxes in others)
    return min(1.0, fsum(union_area(each) / area for each in inside) / len(others))
