"""Score systems on records, with one pass over the records for all systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..annotation import Annotation
from ..operating_point import OperatingPoint
from .metrics.columns import Collector
from .metrics.image import Outputs, Scored, score_baseline, score_image, score_missing_answer, with_decision
from .predictions.answers import AnswerPrediction
from .predictions.join import index_by_image, join_all
from .predictions.labels import BaselinePrediction
from .predictions.stated_frames import AnswerFrame
from .results import ImageGroups, Resampling, results

DEFAULT_RESAMPLING = Resampling()
ImageScores = list[tuple[str, Scored, AnswerPrediction | BaselinePrediction | None]]
"""Each system's name, its scores of one image, and its prediction."""
OnImage = Callable[[Annotation, ImageScores], None]


class System(Protocol):
    """The predictions of one system, by the real path of the image, and how to score them."""

    @property
    def predictions(self) -> Mapping[str, Any]: ...

    def score(self, annotation: Annotation, prediction: Any, rule: AnswerFrame, variant: str) -> Scored:
        """Score the prediction for one image; None means no prediction."""


@dataclass(frozen=True)
class AnswerSystem:
    """A system that writes answers.

    Attributes:
        predictions: by the real path of the image.
        prose: it writes no captions, and its texts are to be compared with them.
        operating_point: decides in place of its verdicts.
    """

    predictions: Mapping[str, AnswerPrediction]
    prose: bool = False
    operating_point: OperatingPoint | None = None

    def score(
        self, annotation: Annotation, prediction: AnswerPrediction | None, rule: AnswerFrame, variant: str
    ) -> Scored:
        if prediction is None:
            scored = score_missing_answer(annotation, variant)
        else:
            scored = score_image(annotation, prediction.text, rule, variant, prediction.p_fake, self.prose)
        return with_decision(scored, self.operating_point) if self.operating_point else scored


@dataclass(frozen=True)
class BaselineSystem:
    """A method that gives labels, scores, boxes or masks."""

    predictions: Mapping[str, BaselinePrediction]
    outputs: Outputs

    def score(
        self, annotation: Annotation, prediction: BaselinePrediction | None, rule: AnswerFrame, variant: str
    ) -> Scored:
        return score_baseline(annotation, prediction, self.outputs)


def build_system(
    predictions: Iterable[AnswerPrediction | BaselinePrediction],
    mask_threshold: int | None = None,
    prose: bool = False,
    operating_point: OperatingPoint | None = None,
) -> AnswerSystem | BaselineSystem:
    """Build a system from its predictions, all of one kind; reads them to the end.

    A baseline that gives boxes, masks or texts for some image is expected to give them for every image. Without
    predictions, the result is a system without answers.

    Raises:
        ValueError: an image has two predictions.
    """
    found = index_by_image(predictions)
    baseline = {image: each for image, each in found.items() if isinstance(each, BaselinePrediction)}
    if not baseline:
        answers = {image: each for image, each in found.items() if isinstance(each, AnswerPrediction)}
        return AnswerSystem(answers, prose, operating_point)
    boxes = any(each.boxes is not None for each in baseline.values())
    masks = any(each.mask is not None for each in baseline.values())
    texts = any(each.text is not None for each in baseline.values())
    return BaselineSystem(baseline, Outputs(boxes, masks, texts, mask_threshold))


def score_systems(
    annotations: Iterable[Annotation],
    systems: Mapping[str, System],
    rule: AnswerFrame,
    variant: str = "full",
    *,
    frames: Mapping[str, AnswerFrame] = {},
    resampling: Resampling = DEFAULT_RESAMPLING,
    what: str = "the records",
    on_image: OnImage | None = None,
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Score systems, and compare each with those listed before it.

    Args:
        annotations: the records, streamed; each counts for every system, with or without a prediction.
        systems: by name.
        rule: frame rule of the run that wrote the answers.
        variant: the parts that answers should contain.
        frames: name of a system -> the frame of its boxes, if it is not `rule`'s.
        resampling: settings of the bootstrap.
        what: name of the records in error messages.
        on_image: called with each record and every system's scores and prediction.

    Returns:
        Name -> result, and comparisons; see `results.results`.

    Raises:
        ValueError: no such variant, a prediction about an unknown image, two records of one image, an unreadable mask.
    """
    collectors = {name: Collector() for name in systems}
    groups = ImageGroups()
    joined = join_all(annotations, {name: system.predictions for name, system in systems.items()}, what)
    for annotation, predictions in joined:
        groups.add(annotation)
        scores: ImageScores = []
        for name, system in systems.items():
            scored = system.score(annotation, predictions[name], frames.get(name, rule), variant)
            collectors[name].collect(annotation, scored)
            scores.append((name, scored, predictions[name]))
        if on_image:
            on_image(annotation, scores)
    return results({name: collector.columns() for name, collector in collectors.items()}, groups, resampling)
