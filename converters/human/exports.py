"""Exports of Label Studio from pages of our own: their annotations, and the words that a control holds.

`fakexplain convert label-studio` reads annotated images; here are the answers to other questions, such as whether to
keep an image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_values import require
from swift_plugins.fakexplain.paths import check_is_file

from ..drafts.json_files import load_items
from ..formats.label_studio_results import annotator_of


class Annotated(NamedTuple):
    """One annotation of one task.

    Attributes:
        at: path to it in the file.
        data: the task's data.
        results: what the annotator chose and wrote.
        annotator: a number or an e-mail address as text; empty if the export names none.
    """

    at: str
    data: dict[str, Any]
    results: list[dict[str, Any]]
    annotator: str


def load_tasks(path: Path, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tasks of a JSON file, each with the path to it.

    Args:
        path: the file.
        what: its content in words, for errors.

    Raises:
        FileNotFoundError: no such file.
        DataError: not a JSON list of tasks with `data`, or an empty one.
    """
    check_is_file(path, what)
    at = ""
    for at, task in load_items(path):
        try:
            require(task, "data", dict, "the data of a task", at)
        except DataError as error:
            raise error.at(str(path), 0) from None
        assert isinstance(task, dict)
        yield at, task
    if not at:
        raise DataError(what, Unquoted("no task")).at(str(path), 0)


def read_annotated(path: Path) -> Iterator[Annotated]:
    """Yield the annotations of an export; cancelled ones are skipped, and so are tasks without any.

    Raises:
        FileNotFoundError: no such file.
        DataError: not the full JSON export.
    """
    for at, task in load_tasks(path, "an export of Label Studio (JSON, not JSON-MIN)"):
        try:
            annotations = require(task, "annotations", list, "a list of annotations", at)
            for index, annotation in enumerate(annotations):
                place = f"{at}.annotations[{index}]"
                results = require(annotation, "result", list, "a list of results", place)
                if not annotation.get("was_cancelled"):
                    yield Annotated(place, task["data"], results, annotator_of(annotation, place))
        except DataError as error:
            raise error.at(str(path), 0) from None


def texts_of(results: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Name of a control -> its choices, or its texts.

    >>> texts_of([{"from_name": "decision", "type": "choices", "value": {"choices": ["keep"]}}])
    {'decision': ['keep']}
    """
    found: dict[str, list[str]] = {}
    for index, result in enumerate(results):
        name = require(result, "from_name", str, "the name of a control", f"result[{index}]")
        value = require(result, "value", dict, "a value", f"result[{index}]")
        words = value.get("choices", value.get("text", []))
        found.setdefault(name, []).extend([words] if isinstance(words, str) else map(str, words))
    return found
