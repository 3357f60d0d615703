"""One answer as a line of `detections.jsonl`: a record of the image, with the verdict and how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..annotation import Region, check_caption
from ..answer import Answer, parse_answer
from ..completions import Completion
from ..errors import DataError
from ..frames import Frame
from ..operating_point import Decision, OperatingPoint, decide
from ..p_fake import p_fake
from ..paths import path_from
from ..placing import place_regions, problems_in_frame
from .consensus import Choice, consensus
from .inputs import Input

NO_CAPTION = "No caption."
"""The caption of a region whose own a record could not hold: empty, or with markup."""


@dataclass(frozen=True)
class Detection:
    """What a model says of one image.

    Attributes:
        id: of its record, or its path as given.
        path: the file.
        image_wh: width and height upright.
        label: the model's own verdict, fake or real; None where it gives none.
        verdict: fake, real or unsure, as `operating_point.decide` decides.
        p_fake: P(fake) in [0, 1], or None; the mean over several answers.
        regions: flawed regions in pixels of the image upright; none unless the label is fake.
        tags: canonical tags; none unless the label is fake.
        problems: codes of `answer.PROBLEMS`.
        answer: the text.
        seconds: time it took; the sum over several answers.
        samples: number of answers that this one was chosen from.
        agreement: share of them with its verdict; None for one answer.
        confidences: one number per region, as in `consensus.Choice`; empty for one answer.
    """

    id: str
    path: Path
    image_wh: tuple[int, int]
    label: str | None
    verdict: Decision
    p_fake: float | None
    regions: tuple[Region, ...]
    tags: tuple[str, ...]
    problems: tuple[str, ...]
    answer: str
    seconds: float
    samples: int = 1
    agreement: float | None = None
    confidences: tuple[float | None, ...] = ()


def to_detection(
    item: Input,
    frame: Frame,
    completions: Sequence[Completion],
    variant: str = "full",
    operating_point: OperatingPoint | None = None,
) -> Detection:
    """Read the answers about an image; of several, choose the one that agrees most with the others.

    Args:
        item: the image.
        frame: its model frame.
        completions: what the model wrote, at least one; ties go to the first.
        variant: the parts that the answer was asked to hold.
        operating_point: where P(fake) decides; None: the model's own verdict stands.

    Raises:
        DataError (a ValueError): log probabilities that belong to another text.
    """
    answers = [parse_answer(each.text, variant=variant) for each in completions]
    choice = consensus(answers, frame.frame_wh)
    answer, several = answers[choice.chosen], len(answers) > 1
    known = [p for each in completions if (p := p_fake(each.logprobs, each.text)) is not None]
    p = sum(known) / len(known) if known else None
    problems = problems_in_frame(answer, frame)
    regions = _regions(answer, choice, frame) if answer.verdict == "fake" else []
    return Detection(
        id=item.id,
        path=item.path,
        image_wh=frame.image_wh,
        label=answer.verdict,
        verdict=decide(answer.verdict, p, problems, operating_point),
        p_fake=p,
        regions=tuple(region for region, _ in regions),
        tags=answer.tags if answer.verdict == "fake" else (),
        problems=problems,
        answer=completions[choice.chosen].text,
        seconds=sum(each.seconds for each in completions),
        samples=len(answers),
        agreement=choice.agreement if several else None,
        confidences=tuple(confidence for _, confidence in regions) if several else (),
    )


def _regions(answer: Answer, choice: Choice, frame: Frame) -> list[tuple[Region, float | None]]:
    """The regions of an answer that have an area in the image, each with its confidence."""
    return [
        (Region(each.bbox, _caption(each.caption)), confidence)
        for region, confidence in zip(answer.regions, choice.confidences, strict=True)
        for each in place_regions([region], frame)
        if each.bbox
    ]


def _caption(text: str) -> str:
    try:
        return check_caption(text)
    except DataError:
        return NO_CAPTION


def to_line(detection: Detection, folder: Path | None = None) -> dict[str, Any]:
    """The JSON object of a detection.

    Args:
        detection: what the model says.
        folder: the folder of the file it is written to, which `image` is relative to; None: `image` is the path as
            given.
    """
    image = detection.path.as_posix() if folder is None else path_from(folder, detection.path)
    return {
        "id": detection.id,
        "image": image,
        "width": detection.image_wh[0],
        "height": detection.image_wh[1],
        "label": detection.label,
        "regions": [{"bbox": list(region.bbox), "caption": region.caption} for region in detection.regions],
        "tags": list(detection.tags),
        "verdict": detection.verdict,
        "p_fake": detection.p_fake,
        "answer": detection.answer,
        "problems": list(detection.problems),
        "seconds": round(detection.seconds, 3),
        **({} if detection.agreement is None else _agreement(detection)),
    }


def _agreement(detection: Detection) -> dict[str, Any]:
    """The fields that `fakexplain consensus` writes too."""
    return {
        "agreement": detection.agreement,
        "samples": detection.samples,
        "region_confidences": list(detection.confidences),
    }
