"""Answers of a system, and the record each belongs to.

An answer belongs to the record whose image is the same file on disk, symbolic links followed. Nothing less will do: two
folders hold images of one name, and a name can be a part of another. Predictions are kept in memory, annotations
stream past them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from ...annotation import Annotation
from ...errors import DataError
from ...images import image_key
from ...jsonl import read_lines
from .p_fake import p_fake


class Prediction(NamedTuple):
    """One answer.

    Attributes:
        image: real path of the image it is about.
        text: the completion, as generated.
        file, line: where it was read.
        p_fake: probability of the verdict fake, where log probabilities were written; see `verdict_probability`.
    """

    image: str
    text: str
    file: str = ""
    line: int = 0
    p_fake: float | None = None


def read_predictions(path: str | Path) -> Iterator[Prediction]:
    """Answers of a file that `swift infer` wrote, one at a time.

    Args:
        path: JSON Lines with `response`, `images` (or `image`, a path) and, for P(fake), `logprobs`; other fields are
            not read. A relative image path is relative to the working directory, as it was to `swift infer`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a line that is not such an answer, or no line at all; says where.
    """
    path = Path(path)
    empty = True
    for number, line in read_lines(path, "predictions (JSON Lines of `swift infer`)"):
        empty = False
        try:
            record = json.loads(line.strip())
        except json.JSONDecodeError as error:
            found = f"{error.msg.removesuffix(' at')} at column {error.colno}"
            raise _error(path, number, "one JSON object of `swift infer`", found) from None
        except (ValueError, RecursionError) as error:
            raise _error(path, number, "one JSON object of `swift infer`", error) from None
        if not isinstance(record, dict):
            raise _error(path, number, "one JSON object of `swift infer`", _shown(record))
        if not isinstance(text := record.get("response"), str):
            found = _shown(text) if "response" in record else "no such field"
            raise _error(path, number, "response: the text of an answer", found)
        try:
            probability = p_fake(record.get("logprobs"), text)
        except DataError as error:
            raise error.at(str(path), number) from None
        yield Prediction(_image(record, path, number), text, str(path), number, probability)
    if empty:
        raise ValueError(f"{path}: expected at least one prediction, found an empty file")


def _image(record: dict, path: Path, line: int) -> str:
    images = [record["image"]] if "image" in record else record.get("images")
    if isinstance(images, list) and len(images) == 1:
        image = images[0].get("path") if isinstance(images[0], dict) else images[0]
        if isinstance(image, str) and image:
            return image_key(image)
    raise _error(
        path,
        line,
        "images: the path of one image",
        _shown(images) if {"images", "image"} & record.keys() else "no such field",
    )


def _error(path: Path, line: int, expected: str, found: object) -> ValueError:
    return ValueError(f"{path}:{line}: expected {expected}, found {found}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


class Said(Protocol):
    """What any system said of one image, and where that was read."""

    @property
    def image(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...


S = TypeVar("S", bound=Said)


def by_image(predictions: Iterable[S]) -> dict[str, S]:
    """Predictions by the real path of their image; reads them to the end.

    Raises:
        ValueError: an image has two of them.
    """
    found: dict[str, S] = {}
    for prediction in predictions:
        first = found.setdefault(prediction.image, prediction)
        if first is not prediction:
            raise ValueError(
                f"{place(prediction)}: expected one answer an image, found a second about {prediction.image} (the "
                f"first is in {place(first)}; `swift infer` appends to a file that exists, and `#n` beyond a dataset's "
                f"size repeats rows)"
            )
    return found


def place(said: Said) -> str:
    """Where it was read: file, and line where lines mean anything."""
    return f"{said.file}:{said.line}" if said.line else said.file


def join_all(
    annotations: Iterable[Annotation], systems: Mapping[str, Mapping[str, S]], what: str = "the records"
) -> Iterator[tuple[Annotation, dict[str, S | None]]]:
    """Every record with what each system said about its image, or None where it said nothing; in the records' order.

    Args:
        annotations: streamed.
        systems: name -> predictions by image.
        what: what an error calls the records.

    Raises:
        ValueError: an answered image has two records, or (known at the end) a prediction is about an image that no
            record has.
    """
    owners: dict[str, str] = {}
    image = ""
    for annotation in annotations:
        image = image_key(annotation.path)
        said = {name: predictions.get(image) for name, predictions in systems.items()}
        if any(each is not None for each in said.values()):
            here = f"{annotation.file}:{annotation.line}"
            if image in owners:
                raise ValueError(f"{here}: expected one record an image, found {image} in {owners[image]} too")
            owners[image] = here
        yield annotation, said
    for predictions in systems.values():
        strangers = [each for name, each in predictions.items() if name not in owners]
        if strangers:
            first = strangers[0]
            raise ValueError(
                f"{place(first)}: expected the image of a record, found {first.image}, which none of {what} "
                f"has{f' (nor those of {len(strangers) - 1} further answers)' if strangers[1:] else ''}; "
                f"{f'the last record has {image}' if image else 'there are no records'}"
            )


def join(
    annotations: Iterable[Annotation], predictions: Iterable[Prediction]
) -> Iterator[tuple[Annotation, str | None]]:
    """Every record with the answer about its image, or None where there is none; in the records' order.

    Args:
        annotations: streamed.
        predictions: read to the end before the first pair.

    Raises:
        ValueError: an image has two answers, and as `join_all`.
    """
    for annotation, said in join_all(annotations, {"": by_image(predictions)}):
        answer = said[""]
        yield annotation, answer.text if answer else None
