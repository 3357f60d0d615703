"""Several answers about each image: group them, and write one of them with what the others say about it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...jsonl import read_lines
from .answers import AnswerPrediction, decode_answer_line, is_detection, read_predictions


def group_by_image(paths: Sequence[Path]) -> dict[str, list[AnswerPrediction]]:
    """Read the answers of files and group them by image, in the order of the files and their lines.

    Raises:
        FileNotFoundError, ValueError: as `read_predictions`.
    """
    found: dict[str, list[AnswerPrediction]] = {}
    for path in paths:
        for prediction in read_predictions(path):
            found.setdefault(prediction.image, []).append(prediction)
    return found


def read_chosen_lines(
    paths: Sequence[Path], chosen: Mapping[tuple[str, int], Mapping[str, Any]], folder: Path
) -> Iterator[dict[str, Any]]:
    """Yield the chosen lines of files of answers, as they are but for some fields.

    Args:
        paths: files of `read_predictions`.
        chosen: file and line -> fields to set in it.
        folder: folder of the file that the lines are for; a path that is relative to its own file is changed to suit.
    """
    for path in paths:
        for number, raw in read_lines(path, "answers"):
            if (fields := chosen.get((str(path), number))) is not None:
                line = decode_answer_line(raw)
                if is_detection(line) and not Path(line["image"]).is_absolute():
                    line["image"] = Path(os.path.relpath(path.parent / line["image"], folder)).as_posix()
                yield {**line, **fields}


def to_answer_line(line: Mapping[str, Any]) -> bytes:
    """JSON of a line, with the NaN and infinite log probabilities that `swift infer` may write."""
    return json.dumps(line, ensure_ascii=False).encode()
