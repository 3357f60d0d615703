"""A detection as lines for people."""

from __future__ import annotations

from ..answer import PROBLEMS
from ..errors import on_one_line
from ..percentages import percent
from ..tags import TAG_WORDS
from .detection import Detection


def in_words(detection: Detection) -> str:
    """The verdict of an image in one line, then a line for each region, for the tags and for each problem."""
    known = [f"P(fake) {percent(detection.p_fake)}"] if detection.p_fake is not None else []
    if detection.agreement is not None:
        known.append(f"{percent(detection.agreement)} of {detection.samples} answers agree")
    known.append(f"{detection.seconds:.2f} s")
    lines = [f"{on_one_line(detection.id)}: {detection.verdict} ({', '.join(known)})"]
    confidences = detection.confidences or (None,) * len(detection.regions)
    for region, confidence in zip(detection.regions, confidences, strict=True):
        box = ", ".join(f"{value:.0f}" for value in region.bbox)
        sure = "" if confidence is None else f" ({percent(confidence)})"
        lines.append(f"  [{box}] {on_one_line(region.caption)}{sure}")
    if detection.tags:
        lines.append(f"  tags: {', '.join(TAG_WORDS[tag] for tag in detection.tags)}")
    lines += [f"  problem: {PROBLEMS[code]}" for code in detection.problems]
    return "\n".join(lines)
