"""An answer's regions in original pixels, and the problems of boxes that do not fit the model frame."""

from __future__ import annotations

from collections.abc import Iterable

from .answer import Answer, sort_problems
from .boxes import Box, are_shares, clip_xyxy
from .frames import Frame
from .mentions import Mention

_BEYOND = 0.05  # share of the frame


def place_regions(regions: Iterable[Mention], frame: Frame) -> tuple[Mention, ...]:
    """Map an answer's regions to original pixels, clipped to the image.

    A region whose box is left without area is dropped, and so is one whose box is in shares of the image, unless these
    are the frame.

    >>> place_regions([Mention((250, 250, 500, 1200), "Sign.")], Frame((1000, 1000), (640, 480)))
    (Mention(bbox=(160.0, 120.0, 320.0, 480.0), caption='Sign.'),)
    """
    kept = []
    for region in regions:
        if region.bbox is None:
            kept.append(region)
        elif _is_of(region.bbox, frame) and (clipped := clip_xyxy([frame.to_pixels(region.bbox)], frame.image_wh)):
            kept.append(Mention(clipped[0], region.caption))
    return tuple(kept)


def _is_of(bbox: Box, frame: Frame) -> bool:
    return frame.frame_wh == (1, 1) or not are_shares(bbox)


def problems_in_frame(answer: Answer, frame: Frame) -> tuple[str, ...]:
    """Codes of the answer, and of boxes that cannot be of the frame."""
    problems = set(answer.problems)
    if frame.frame_wh == (1, 1):
        problems.discard("shares")
    width, height = frame.frame_wh
    for bbox, _ in answer.regions:
        if bbox and _is_of(bbox, frame):
            x1, y1, x2, y2 = bbox
            if not clip_xyxy([bbox], frame.frame_wh):
                problems.add("outside_frame")
            elif min(x1 / width, y1 / height) < -_BEYOND or max(x2 / width, y2 / height) > 1 + _BEYOND:
                problems.add("beyond_frame")
    return sort_problems(problems)
