"""One image and what the model says of it, as HTML. Every text of the model, and every name, is escaped."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...answer import PROBLEMS
from ...boxes import union_area
from ...operating_point import CONTRADICTION, OperatingPoint
from ...page_templates import load_template
from ...percentages import percent
from ...pictures.data_uri import to_jpeg_data_uri
from ...pictures.overlay import to_letter
from ...tags import TAG_WORDS
from ..detection import Detection

VERDICT_HEADLINES = {
    "fake": "Fake: this image looks AI-generated",
    "real": "Real: this image does not look AI-generated",
    "unsure": "Unsure: the model gives no clear answer",
}
_LIKELIHOODS = (
    (0.01, "almost certainly real"),
    (0.1, "very likely real"),
    (0.4, "more likely real than fake"),
    (0.6, "about as likely fake as real"),
    (0.9, "more likely fake than real"),
    (0.99, "very likely fake"),
    (1.0, "almost certainly fake"),
)


def likelihood(p_fake: float) -> str:
    """A probability that an image is fake in words.

    >>> likelihood(0.95), likelihood(0.5), likelihood(0.001)
    ('very likely fake', 'about as likely fake as real', 'almost certainly real')
    """
    return next(words for most, words in _LIKELIHOODS if p_fake <= most)


def reasons(detection: Detection, point: OperatingPoint | None) -> list[str]:
    """Sentences on how the verdict came about: P(fake), why it is unsure, and what the model's own verdict is."""
    p, sentences = detection.p_fake, []
    if p is None:
        sentences.append("P(fake) is not known: the model gives no probability for its verdict.")
    elif point is None:
        sentences.append(f"P(fake) is {percent(p)}: {likelihood(p)}, as the model itself estimates.")
    else:
        calibrated = point.calibrated(p)
        sentences.append(f"P(fake) is {percent(p)}, calibrated {percent(calibrated)}: {likelihood(calibrated)}.")
    own = f"The model's own verdict is {detection.label}."
    if detection.label is None:
        sentences.append("Its answer holds no verdict that can be read, so nothing is decided.")
    elif detection.verdict == "unsure" and CONTRADICTION in detection.problems:
        sentences.append("Its answer says real but names flaws: it contradicts itself.")
    elif detection.verdict == "unsure" and point is not None:
        low, high = map(percent, point.band)
        why = "Without it nothing is decided." if p is None else f"From {low} to {high}, nothing is decided."
        sentences.append(f"{why} {own}")
    elif detection.label != detection.verdict:
        sentences.append(own)
    if detection.agreement is not None:
        sentences.append(f"{percent(detection.agreement)} of {detection.samples} answers agree with this verdict.")
    return sentences


def render_card(name: str, detection: Detection, shown: Any, point: OperatingPoint | None, truth: str | None) -> str:
    """The HTML of a detection.

    Args:
        name: what the visitor calls the image.
        detection: what the model says.
        shown: the image upright, scaled (`PIL.Image.Image`).
        point: the operating point that decided, or None.
        truth: the label of the image in its data set, if it has one.
    """
    width, height = detection.image_wh
    confidences = detection.confidences or (None,) * len(detection.regions)
    regions = [
        {
            "index": index,
            "mark": to_letter(index),
            "caption": region.caption,
            "sure": confidence,
            "area": union_area([region.bbox]),
            "place": [100 * value / side for value, side in zip(region.bbox, (width, height) * 2, strict=True)],
        }
        for index, (region, confidence) in enumerate(zip(detection.regions, confidences, strict=True))
    ]
    return _template().render(
        name=name,
        detection=detection,
        headline=VERDICT_HEADLINES[detection.verdict],
        reasons=reasons(detection, point),
        truth=truth,
        picture=to_jpeg_data_uri(shown),
        regions=regions,
        tags=[TAG_WORDS[tag] for tag in detection.tags],
        problems=[PROBLEMS[code] for code in detection.problems],
    )


def sorry(words: str) -> str:
    """The HTML of words that stand where an answer would."""
    return str(Markup('<p class="fx-card fx-sorry" role="alert">{}</p>').format(words))


@lru_cache(maxsize=1)
def _template() -> Any:
    return load_template(Path(__file__).with_name("card.html"), {"percent": percent})
