"""Systems and records in, results out: one pass over the records for all systems at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..annotation import Annotation
from ..frames import FrameRule
from .metrics.image import Asked, Scored, score_baseline, score_image, score_nothing
from .predictions.answers import Prediction, by_image, join_all
from .predictions.labels import BaselinePrediction
from .results import Origins, Resampling, Tally, results

Said = Prediction | BaselinePrediction
RESAMPLING = Resampling()
Answers = list[tuple[str, Scored, Said | None]]
"""Each system's name, its scores of an image, and what it said of it."""
OnImage = Callable[[Annotation, Answers], None]


@dataclass(frozen=True)
class System:
    """What a system said of every image.

    Attributes:
        said: by the image's real path.
        asked: what a baseline is asked for; None for a system that writes answers.
    """

    said: Mapping[str, Said]
    asked: Asked | None = None

    def score(self, annotation: Annotation, said: Said | None, rule: FrameRule, variant: str) -> Scored:
        """Scores of one image."""
        if isinstance(said, Prediction):
            return score_image(annotation, said.text, rule, variant, said.p_fake)
        return (
            score_nothing(annotation, variant) if self.asked is None else score_baseline(annotation, said, self.asked)
        )


def system_of(predictions: Iterable[Said], mask_threshold: int | None = None) -> System:
    """A system from its predictions, read to the end.

    A baseline is asked of every image for what it gives of any: boxes, masks.

    Raises:
        ValueError: an image has two predictions.
    """
    said = by_image(predictions)
    baseline = [each for each in said.values() if isinstance(each, BaselinePrediction)]
    if not baseline:
        return System(said)
    boxes, masks = any(each.boxes is not None for each in baseline), any(each.mask is not None for each in baseline)
    return System(said, Asked(boxes, masks, mask_threshold))


def score_systems(
    annotations: Iterable[Annotation],
    systems: Mapping[str, System],
    rule: FrameRule,
    variant: str = "full",
    *,
    resampling: Resampling = RESAMPLING,
    what: str = "the records",
    on_image: OnImage | None = None,
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Results of systems, and what parts each of them from those before it.

    Args:
        annotations: the records, streamed; each counts for every system, answered or not.
        systems: by name.
        rule: frame rule of the run that wrote the answers.
        variant: what answers were asked to hold.
        resampling: of the bootstrap.
        what: what an error calls the records.
        on_image: called with each record and what was said of it.

    Returns:
        Name -> result, and comparisons.

    Raises:
        ValueError: no such variant, a prediction about an unknown image, two records of an image, a mask that cannot
            be read.
    """
    tallies = {name: Tally() for name in systems}
    origins = Origins()
    for annotation, said in join_all(annotations, {name: system.said for name, system in systems.items()}, what):
        origins.add(annotation)
        scores = [(name, system.score(annotation, said[name], rule, variant)) for name, system in systems.items()]
        for name, scored in scores:
            tallies[name].add(annotation, scored)
        if on_image:
            on_image(annotation, [(name, scored, said[name]) for name, scored in scores])
    return results(tallies, origins, resampling)
