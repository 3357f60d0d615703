"""Read the answers that `swift infer` or `fakexplain detect` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DataError, Unquoted
from ...images import image_key
from ...json_text import check_keys
from ...jsonl import read_lines
from ...p_fake import p_fake

NO_FIELD = Unquoted("no such field")


class AnswerPrediction(NamedTuple):
    """One answer.

    Attributes:
        image: real path of the image it is about.
        text: the completion, as generated.
        file, line: file and line that hold it.
        p_fake: P(fake), if the line has it or log probabilities to compute it from; see `p_fake`.
    """

    image: str
    text: str
    file: str = ""
    line: int = 0
    p_fake: float | None = None


def read_predictions(path: str | Path) -> Iterator[AnswerPrediction]:
    """Read the answers of a file that `swift infer`, `fakexplain detect` or `fakexplain consensus` wrote.

    Args:
        path: JSON Lines with `response`, `images` (or `image`, a path) and, for P(fake), `p_fake` or `logprobs`; other
            fields are ignored. A relative image path is relative to the working directory, as it is for `swift infer`.
            In a line of `fakexplain detect`, a record, the text is `answer`, and `image` is relative to the file.

    Raises:
        FileNotFoundError: no such file.
        DataError (a ValueError): a line is not such an answer; names file and line.
        ValueError: the file is empty.
    """
    path = Path(path)
    empty = True
    for number, line in read_lines(path, "predictions (JSON Lines of `swift infer`)"):
        empty = False
        try:
            yield _prediction(line, str(path), number)
        except DataError as error:
            raise error.at(str(path), number) from None
    if empty:
        raise ValueError(f"{path}: expected at least one prediction, found an empty file")


def _prediction(line: bytes, file: str, number: int) -> AnswerPrediction:
    record = decode_answer_line(line)
    name = "answer" if is_detection(record) else "response"
    text = record.get(name, NO_FIELD)
    if not isinstance(text, str) or text is NO_FIELD:
        raise DataError("the text of an answer", text, field=name)
    folder = Path(file).parent if is_detection(record) else Path()
    return AnswerPrediction(_image(record, folder), text, file, number, _p_fake(record, text))


def is_detection(record: Mapping[str, Any]) -> bool:
    """Whether a line is of `fakexplain detect`."""
    return "answer" in record and "response" not in record


def _p_fake(record: Mapping[str, Any], text: str) -> float | None:
    given = record.get("p_fake")
    if given is None:
        return p_fake(record.get("logprobs"), text)
    if not isinstance(given, (int, float)) or isinstance(given, bool) or not 0 <= given <= 1:
        raise DataError("a number from 0 to 1", given, field="p_fake")
    return given


def decode_answer_line(line: bytes) -> dict[str, Any]:
    """Decode the object of a line; unlike `jsonl.decode_line`, accept NaN and infinite log probabilities.

    Raises:
        DataError: the line is not a JSON object, or has a key twice.
    """
    try:
        record = json.loads(line.strip())
        check_keys(line, record)
    except DataError:
        raise
    except json.JSONDecodeError as error:
        found = Unquoted(f"{error.msg.removesuffix(' at')} at column {error.colno}")
        raise DataError("one JSON object of `swift infer`", found) from None
    except (ValueError, RecursionError) as error:
        raise DataError("one JSON object of `swift infer`", Unquoted(str(error))) from None
    if not isinstance(record, dict):
        raise DataError("one JSON object of `swift infer`", record)
    return record


def _image(record: Mapping[str, Any], folder: Path) -> str:
    images = [record["image"]] if "image" in record else record.get("images", NO_FIELD)
    if isinstance(images, list) and len(images) == 1:
        image = images[0].get("path") if isinstance(images[0], dict) else images[0]
        if isinstance(image, str) and image:
            return image_key(folder / image)
    raise DataError("the path of one image", images, field="images")
