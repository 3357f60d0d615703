"""One answer as a line of `detections.jsonl`: a record of the image, with the verdict and how it came about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..annotation import Region, check_caption
from ..answer import parse_answer
from ..completions import Completion
from ..errors import DataError
from ..frames import Frame
from ..p_fake import p_fake
from ..paths import path_from
from ..placing import place_regions, problems_in_frame
from .inputs import Input

UNSURE = "unsure"
NO_CAPTION = "No caption."
"""The caption of a region whose own a record could not hold: empty, or with markup."""

Decide = Callable[[str | None, float | None, Sequence[str]], str]
"""What turns a model's own verdict, P(fake) and the problems of its answer into fake, real or unsure."""


def own_verdict(label: str | None, p: float | None, problems: Sequence[str]) -> str:
    """The model's own verdict, and unsure where it gives none."""
    return label or UNSURE


@dataclass(frozen=True)
class Detection:
    """What a model says of one image.

    Attributes:
        id: of its record, or its path as given.
        path: the file.
        image_wh: width and height upright.
        label: the model's own verdict, fake or real; None where it gives none.
        verdict: fake, real or unsure.
        p_fake: P(fake) in [0, 1], or None.
        regions: flawed regions in pixels of the image upright; none unless the label is fake.
        tags: canonical tags; none unless the label is fake.
        problems: codes of `answer.PROBLEMS`.
        answer: the text.
        seconds: time it took.
    """

    id: str
    path: Path
    image_wh: tuple[int, int]
    label: str | None
    verdict: str
    p_fake: float | None
    regions: tuple[Region, ...]
    tags: tuple[str, ...]
    problems: tuple[str, ...]
    answer: str
    seconds: float


def to_detection(
    item: Input, frame: Frame, completion: Completion, variant: str = "full", decide: Decide = own_verdict
) -> Detection:
    """Read an answer.

    Args:
        item: the image.
        frame: its model frame.
        completion: what the model wrote.
        variant: the parts that the answer was asked to hold.
        decide: gives the verdict.

    Raises:
        DataError (a ValueError): log probabilities that belong to another text.
    """
    answer = parse_answer(completion.text, variant=variant)
    p = p_fake(completion.logprobs, completion.text)
    problems = problems_in_frame(answer, frame)
    fake = answer.verdict == "fake"
    placed = place_regions(answer.regions, frame) if fake else ()
    return Detection(
        id=item.id,
        path=item.path,
        image_wh=frame.image_wh,
        label=answer.verdict,
        verdict=decide(answer.verdict, p, problems),
        p_fake=p,
        regions=tuple(Region(each.bbox, _caption(each.caption)) for each in placed if each.bbox),
        tags=answer.tags if fake else (),
        problems=problems,
        answer=completion.text,
        seconds=completion.seconds,
    )


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
    }
