"""Examine images one batch at a time, in the same memory for any number of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..completions import Completion
from ..errors import DataError, OnError
from ..frames import FrameRule
from ..operating_point import OperatingPoint
from .detection import Detection, to_detection
from .engine import Engine
from .inputs import Input
from .model_image import ModelImage, load_model_image

LARGEST_BATCH = 64_000_000  # pixels; a batch of larger images holds fewer


@dataclass(frozen=True)
class Examination:
    """How images are prepared, and answers read.

    Attributes:
        rule: frame rule of the model.
        max_pixels: the run's `--max_pixels`.
        variant: the parts of an answer.
        operating_point: where P(fake) decides; None: the model's own verdict stands.
        samples: answers that are sampled per image beside the greedy one.
        temperature: of the samples.
        shown_side: longer side of the pictures, in pixels; None without.
    """

    rule: FrameRule
    max_pixels: int | None = None
    variant: str = "full"
    operating_point: OperatingPoint | None = None
    samples: int = 0
    temperature: float = 0.8
    shown_side: int | None = None

    def described(self) -> dict[str, Any]:
        """What the answers depend on, apart from the model's own settings."""
        point = self.operating_point and {**asdict(self.operating_point), "band": [*self.operating_point.band]}
        return {
            "operating_point": point,
            "samples": self.samples,
            "temperature": self.temperature if self.samples else None,
        }


def detect_all(
    inputs: Iterable[Input],
    start: Callable[[], Engine],
    how: Examination,
    *,
    batch_size: int = 8,
    is_done: Callable[[str], bool] | None = None,
    on_error: OnError,
) -> Iterator[list[tuple[Detection, ModelImage]]]:
    """Yield the detections of each batch, in the order of the inputs.

    Args:
        inputs: the images.
        start: starts what answers them; called once there is an image to answer.
        how: how images are prepared, and answers read.
        batch_size: images per batch.
        is_done: whether an id was answered before; such an image is not even opened.
        on_error: called with the error of each image that cannot be examined, which is skipped.

    Raises:
        ValueError: the engine gives no more answers.
    """
    engine = None
    for batch in _batches(_load(inputs, how, is_done, on_error), batch_size):
        engine = engine or start()
        pixels = [image.pixels for _, image in batch]
        temperatures = [0.0] + [how.temperature] * how.samples
        rounds = [engine.answer(pixels, temperature) for temperature in temperatures]
        detections = []
        for (item, image), *answers in zip(batch, *rounds, strict=True):
            try:
                completions = [_accepted(each) for each in answers]
                found = to_detection(item, image.frame, completions, how.variant, how.operating_point)
                detections.append((found, image))
            except DataError as error:
                on_error(error.at(str(item.path), 0))
        yield detections


def _accepted(answer: Completion | DataError) -> Completion:
    if isinstance(answer, DataError):
        raise answer
    return answer


def _load(
    inputs: Iterable[Input], how: Examination, is_done: Callable[[str], bool] | None, on_error: OnError
) -> Iterator[tuple[Input, ModelImage]]:
    for item in inputs:
        if is_done is None or not is_done(item.id):
            try:
                yield item, load_model_image(item.path, how.rule, how.max_pixels, how.shown_side)
            except DataError as error:
                on_error(error if error.file else error.at(str(item.path), 0))


def _batches(images: Iterable[tuple[Input, ModelImage]], batch_size: int) -> Iterator[list[tuple[Input, ModelImage]]]:
    batch: list[tuple[Input, ModelImage]] = []
    pixels = 0
    for each in images:
        size = each[1].pixels.width * each[1].pixels.height
        if batch and pixels + size > LARGEST_BATCH:
            yield batch
            batch, pixels = [], 0
        batch.append(each)
        pixels += size
        if len(batch) == batch_size:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch
