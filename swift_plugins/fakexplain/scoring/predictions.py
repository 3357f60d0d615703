"""What `swift infer` wrote, and the record each answer belongs to.

An answer belongs to the record whose image is the same file on disk, symbolic links followed. Nothing less will do: two
folders hold images of one name, and a name can be a part of another. Predictions are kept in memory, annotations
stream past them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..annotation import Annotation


class Prediction(NamedTuple):
    """One answer.

    Attributes:
        image: real path of the image it is about.
        text: the completion, as generated.
        file, line: where it was read.
    """

    image: str
    text: str
    file: str = ""
    line: int = 0


def read_predictions(path: str | Path) -> Iterator[Prediction]:
    """Answers of a file that `swift infer` wrote, one at a time.

    Args:
        path: JSON Lines with `response` and `images`; other fields are not read. A relative image path is relative to
            the working directory, as it was to `swift infer`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a line that is not such an answer, or no line at all; says where.
    """
    path = Path(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"{path}: expected predictions (JSON Lines of `swift infer`), found {found}")
    empty = True
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            raw = raw.strip()
            if not raw:
                continue
            empty = False
            try:
                record = json.loads(raw)
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
            yield Prediction(_image(record, path, number), text, str(path), number)
    if empty:
        raise ValueError(f"{path}: expected at least one prediction, found an empty file")


def _image(record: dict, path: Path, line: int) -> str:
    images = record.get("images")
    if isinstance(images, list) and len(images) == 1:
        image = images[0].get("path") if isinstance(images[0], dict) else images[0]
        if isinstance(image, str) and image:
            return os.path.realpath(image)
    raise _error(path, line, "images: the path of one image", _shown(images) if "images" in record else "no such field")


def _error(path: Path, line: int, expected: str, found: object) -> ValueError:
    return ValueError(f"{path}:{line}: expected {expected}, found {found}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def join(
    annotations: Iterable[Annotation], predictions: Iterable[Prediction]
) -> Iterator[tuple[Annotation, str | None]]:
    """Every record with the answer about its image, or None where there is none; in the records' order.

    Args:
        annotations: streamed.
        predictions: read to the end before the first pair.

    Raises:
        ValueError: an image has two answers or two records, or (known at the end) an answer is about an image that no
            record has.
    """
    texts: dict[str, Prediction] = {}
    for prediction in predictions:
        first = texts.setdefault(prediction.image, prediction)
        if first is not prediction:
            raise ValueError(
                f"{prediction.file}:{prediction.line}: expected one answer an image, found a second about "
                f"{prediction.image} (the first is in {first.file}:{first.line}; `swift infer` appends to a file that "
                f"exists, and `#n` beyond a dataset's size repeats rows)"
            )
    owners: dict[str, str] = {}
    image = ""
    for annotation in annotations:
        image = os.path.realpath(annotation.path)
        found = texts.get(image)
        if found is not None:
            place = f"{annotation.file}:{annotation.line}"
            if image in owners:
                raise ValueError(f"{place}: expected one record an image, found {image} in {owners[image]} too")
            owners[image] = place
        yield annotation, found.text if found else None
    if strangers := [prediction for name, prediction in texts.items() if name not in owners]:
        first = strangers[0]
        raise ValueError(
            f"{first.file}:{first.line}: expected the image of a record, found {first.image}, which none of the "
            f"records has{f' (nor those of {len(strangers) - 1} further answers)' if strangers[1:] else ''}; "
            f"{f'the last record has {image}' if image else 'there are no records'}"
        )
