"""A run: what systems said of one data set, scored; a folder that `report` reads.

`run.json` holds the figures, `images.jsonl` each image's record with what every system said of it. The latter is an
annotations file like any other, with one field more, `answers`; its boxes are in pixels of the original images.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..annotation import Annotation, relocate, to_record
from ..atomic import atomic_folder
from ..errors import NOTHING, DataError, Unquoted
from ..jsonl import decode_line, to_json
from .metrics.image import Scored
from .predictions.answers import Prediction
from .score import Answers, OnImage, Said

FILES = ("run.json", "images.jsonl")
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "dataset": str,
    "subset": str,
    "variant": str,
    "perturbation": (str, type(None)),
    "annotations": str,
    "records": int,
    "settings": dict,
    "systems": dict,
    "comparisons": list,
}


@dataclass(frozen=True)
class Run:
    """A run that was read.

    Attributes:
        folder: where it lies.
        dataset: name of the data set.
        subset: which records, as `rows.parse_subset` names them.
        variant: what answers were asked to hold.
        perturbation: what was done to the images, as `fakexplain perturb` names it; None where nothing was.
        annotations: the annotations file, as it was given.
        records: how many.
        settings: what figures depend on.
        systems: name -> its result (`results.result`).
        comparisons: `results.compare` of pairs of systems, each with their names, `a` and `b`.
    """

    folder: Path
    dataset: str
    subset: str
    variant: str
    perturbation: str | None
    annotations: str
    records: int
    settings: dict[str, Any]
    systems: dict[str, dict[str, Any]]
    comparisons: list[dict[str, Any]]


def load_run(folder: str | Path) -> Run:
    """A run that `fakexplain score --out` wrote.

    Raises:
        FileNotFoundError: no such folder, or not all of its files.
        DataError (a ValueError): run.json is not what `score` writes.
    """
    folder = Path(folder)
    for name in FILES:
        if not (folder / name).is_file():
            found = f"no {name} in it" if folder.is_dir() else "no such folder"
            raise FileNotFoundError(f"{folder}: expected a folder of `fakexplain score --out`, found {found}")
    path = folder / FILES[0]
    try:
        value = decode_line(path.read_bytes())
        if not isinstance(value, dict):
            raise DataError("a JSON object", value)
        for name, kind in _FIELDS.items():
            if name not in value:
                raise DataError("a field of a run", Unquoted("nothing"), field=name)
            if not isinstance(value[name], kind) or isinstance(value[name], bool):
                raise DataError("a field of a run", value[name], field=name)
        for name, system in value["systems"].items():
            if not isinstance(system, dict) or "accuracy" not in system:
                raise DataError("the result of a system", system, field=f"systems.{name}")
    except DataError as error:
        raise error.at(str(path), 0) from None
    return Run(folder, **{name: value[name] for name in _FIELDS})


Answered = dict[str, "dict[str, Any] | None"]
"""System -> what it said of an image, as a line of images.jsonl holds it; None where it said nothing."""
_ANSWER = {"verdict", "p_fake", "iou", "regions", "tags", "problems"}


def answers_of(record: Annotation) -> dict[str, Any]:
    """What systems said of an image of images.jsonl, as it stands there.

    Raises:
        DataError: the record is of another file.
    """
    answers = record.extra.get("answers", NOTHING)
    if not isinstance(answers, dict):
        error = DataError("what each system said of the image", answers, field="answers")
        raise error.at(record.file, record.line, record.id)
    return answers


def whole_answers_of(record: Annotation) -> Answered:
    """The same, each of them with all of its fields.

    Raises:
        DataError: one lacks a field, or is no answer.
    """
    answers = answers_of(record)
    for name, answer in answers.items():
        if answer is not None and not (isinstance(answer, dict) and answer.keys() >= _ANSWER):
            error = DataError(f"null, or {', '.join(sorted(_ANSWER))}", answer, field=f"answers.{name}")
            raise error.at(record.file, record.line, record.id)
    return answers


def indented(value: Mapping[str, Any]) -> str:
    """JSON on many lines, a line feed at its end."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def image_line(annotation: Annotation, answers: Answers, folder: Path) -> dict[str, Any]:
    """A line of images.jsonl: the record, its image relative to the folder, with what each system said of it."""
    said = {name: _answer(scored, each) for name, scored, each in answers}
    moved = relocate(annotation, folder)
    return to_record(replace(moved, extra=moved.extra | {"answers": said}))


def _answer(scored: Scored, said: Said | None) -> dict[str, Any] | None:
    if said is None:
        return None
    answer = {
        "verdict": scored.verdict,
        "p_fake": scored.p_fake,
        "iou": scored.iou,
        "regions": [{"bbox": list(bbox) if bbox else None, "caption": caption} for bbox, caption in scored.regions],
        "tags": None if scored.tags is None else list(scored.tags),
        "problems": list(scored.problems),
    }
    if scored.problems and isinstance(said, Prediction):
        answer["text"] = said.text
    return answer


@contextmanager
def writing_run(folder: Path) -> Iterator[tuple[OnImage, Callable[[Mapping[str, Any]], None]]]:
    """A run being written; its folder takes its place whole once the block ends without an error.

    Yields:
        What takes each image (`score_systems` calls it), and what takes the fields of run.json, to be called once.

    Raises:
        ValueError: the folder holds files of another kind.
    """
    with atomic_folder(folder, whole=True) as partial, open(partial / FILES[1], "wb") as file:

        def on_image(annotation: Annotation, answers: Answers) -> None:
            file.write(to_json(image_line(annotation, answers, folder)) + b"\n")

        def finish(fields: Mapping[str, Any]) -> None:
            (partial / FILES[0]).write_text(indented(fields), encoding="utf-8")

        yield on_image, finish
