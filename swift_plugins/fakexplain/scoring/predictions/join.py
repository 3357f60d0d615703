"""Match predictions to the records they belong to.

A prediction belongs to the record whose image is the same file on disk, symbolic links followed. Names are not enough:
two folders can hold images of the same name, and one name can be part of another. Predictions are kept in memory,
annotations are streamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from ...annotation import Annotation
from ...images import image_key
from .answers import AnswerPrediction


class Prediction(Protocol):
    """A prediction of any kind about one image.

    Attributes:
        image: real path of the image.
        file, line: where the prediction was read; line 0 if the file has no meaningful lines.
    """

    @property
    def image(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...


P = TypeVar("P", bound=Prediction)


def index_by_image(predictions: Iterable[P]) -> dict[str, P]:
    """Index predictions by the real path of their image; read all of them.

    Raises:
        ValueError: an image has two predictions.
    """
    found: dict[str, P] = {}
    for prediction in predictions:
        first = found.setdefault(prediction.image, prediction)
        if first is not prediction:
            raise ValueError(
                f"{_place(prediction)}: expected one answer per image, found a second about {prediction.image} (the "
                f"first is in {_place(first)}; `swift infer` appends to an existing file, and `#n` beyond a dataset's "
                f"size repeats rows)"
            )
    return found


def _place(prediction: Prediction) -> str:
    """File, and line if the file has meaningful lines."""
    return f"{prediction.file}:{prediction.line}" if prediction.line else prediction.file


def join_all(
    annotations: Iterable[Annotation], systems: Mapping[str, Mapping[str, P]], what: str = "the records"
) -> Iterator[tuple[Annotation, dict[str, P | None]]]:
    """Yield each record with every system's prediction about its image, in the order of the records.

    Args:
        annotations: streamed.
        systems: name -> predictions by image.
        what: name of the records in error messages.

    Yields:
        The record, and name -> prediction, None if the system has none.

    Raises:
        ValueError: two records share an image that has a prediction, or a prediction is about an image without a record
            (known at the end).
    """
    owners: dict[str, str] = {}
    image = ""
    for annotation in annotations:
        image = image_key(annotation.path)
        found = {name: predictions.get(image) for name, predictions in systems.items()}
        if any(prediction is not None for prediction in found.values()):
            place = f"{annotation.file}:{annotation.line}"
            if image in owners:
                raise ValueError(f"{place}: expected one record per image, found {image} in {owners[image]} too")
            owners[image] = place
        yield annotation, found
    for predictions in systems.values():
        strangers = [prediction for image, prediction in predictions.items() if image not in owners]
        if strangers:
            first = strangers[0]
            raise ValueError(
                f"{_place(first)}: expected the image of a record, found {first.image}, which none of {what} "
                f"has{f' (nor the images of {len(strangers) - 1} other answers)' if strangers[1:] else ''}; "
                f"{f'the last record has {image}' if image else 'there are no records'}"
            )


def join(
    annotations: Iterable[Annotation], predictions: Iterable[AnswerPrediction]
) -> Iterator[tuple[Annotation, str | None]]:
    """Yield each record with the answer about its image, or None without one, in the order of the records.

    Args:
        annotations: streamed.
        predictions: read to the end before the first pair.

    Raises:
        ValueError: an image has two answers, and as `join_all`.
    """
    for annotation, found in join_all(annotations, {"": index_by_image(predictions)}):
        answer = found[""]
        yield annotation, answer.text if answer else None
