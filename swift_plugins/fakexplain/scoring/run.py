"""A run: the scored predictions of systems on one data set, in a folder that `fakexplain report` reads.

`run.json` holds the metrics, `images.jsonl` each image's record with every system's prediction. The latter is an
annotations file with one more field, `answers`; its boxes are in pixels of the original images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol

from ..annotation import Annotation, read_annotations, relocate, to_record
from ..atomic import atomic_folder
from ..errors import NOTHING, DataError, Unquoted
from ..jsonl import decode_line, to_indented_json, to_json
from ..paths import A_FOLDER, NO_FILE, file_kind
from .metrics.definitions import METRIC_NAMES
from .metrics.image import Scored
from .predictions.answers import AnswerPrediction
from .run_types import ComparedSystems, RecordedAnswer, RunFields, SystemResult, check_type
from .score import ImageScores, OnImage

FILES = ("run.json", "images.jsonl")

RecordedAnswers = dict[str, "dict[str, Any] | None"]
"""System -> its prediction for an image, as a line of images.jsonl holds it; None without a prediction."""


class Progress(Protocol):
    """Passes a stream on and shows how far it is: takes the stream, what it is for, its unit, and its length."""

    def __call__(self, items: Iterable[Any], what: str, unit: str, total: int | None = None, /) -> Iterable[Any]: ...


def no_progress(items: Iterable[Any], _what: str, _unit: str, _total: int | None = None, /) -> Iterable[Any]:
    """Pass the stream on and show nothing."""
    return items


@dataclass(frozen=True)
class Run:
    """The contents of run.json.

    Attributes:
        folder: the folder of the run.
        dataset: name of the data set.
        subset: name of the subset of the records, as `rows.parse_subset` reads it.
        variant: the parts that answers should contain.
        perturbation: the change to the images, as `fakexplain perturb` names it; None for unchanged images.
        annotations: path of the annotations file, as given.
        records: number of records.
        settings: all settings that the metrics depend on.
        systems: name -> result (`results.results`).
        comparisons: pairwise comparisons of systems, each with their names `a` and `b` (`results.results`).
        progress: shows how far each reading of images.jsonl is; not in run.json.
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
    progress: Progress = field(default=no_progress, repr=False, compare=False)

    def images(self, what: str) -> Iterator[tuple[Annotation, RecordedAnswers]]:
        """Yield the record of each image with its predictions, one at a time.

        Args:
            what: what they are read for, in a word or two, for the progress bar.

        Raises:
            DataError: a line of images.jsonl is not as `fakexplain score` writes it.
        """
        for record in self.progress(read_annotations(self.folder / FILES[1]), what, "image", self.records):
            yield record, recorded_answers(record)


_FIELDS = tuple(each.name for each in fields(Run) if each.name not in ("folder", "progress"))


def load_run(folder: str | Path, progress: Progress = no_progress) -> Run:
    """Read a run that `fakexplain score --out` wrote.

    Args:
        folder: of the run.
        progress: shows how far each reading of its images is.

    Raises:
        FileNotFoundError: no such folder, or a file is missing from it.
        DataError (a ValueError): run.json is not as `score` writes it.
    """
    folder = Path(folder)
    for name in FILES:
        if not (folder / name).is_file():
            kind = file_kind(folder)
            found = {A_FOLDER: f"no {name} in it", NO_FILE: "no such folder"}.get(kind, kind)
            raise FileNotFoundError(f"{folder}: expected a folder written by `fakexplain score --out`, found {found}")
    path = folder / FILES[0]
    try:
        value: Any = decode_line(path.read_bytes())
        _check_run(value)
    except DataError as error:
        raise error.at(str(path), 0) from None
    return Run(folder, **{name: value[name] for name in _FIELDS}, progress=progress)


def _check_run(value: Any) -> None:
    check_type(value, RunFields)
    for name, system in value["systems"].items():
        check_type(system, SystemResult, f"systems.{name}")
        over = system["over_folds"]
        if over and (absent := [metric for metric in METRIC_NAMES if metric not in over]):
            raise DataError("a value", NOTHING, field=f"systems.{name}.over_folds.{absent[0]}")
    for index, comparison in enumerate(value["comparisons"]):
        check_type(comparison, ComparedSystems, f"comparisons[{index}]")
    if not value["systems"]:
        raise DataError("at least one system", NOTHING, field="systems")


@contextmanager
def run_writer(folder: Path) -> Iterator[tuple[OnImage, Callable[[Run], None]]]:
    """Write a run; its folder appears only if the block ends without an error, and then as a whole.

    Yields:
        A function that takes each image (`score_systems` calls it), and one that takes the run, to be called once.

    Raises:
        ValueError: the folder holds files of another kind.
    """
    with atomic_folder(folder, whole=True) as partial, open(partial / FILES[1], "wb") as file:

        def on_image(annotation: Annotation, scores: ImageScores) -> None:
            try:
                file.write(to_json(_image_line(annotation, scores, folder)) + b"\n")
            except UnicodeEncodeError as error:
                raise _unwritable(error.object, annotation, scores) from None

        def finish(run: Run) -> None:
            contents = {name: getattr(run, name) for name in _FIELDS}
            (partial / FILES[0]).write_text(to_indented_json(contents), encoding="utf-8")

        yield on_image, finish


# Lines of images.jsonl ------------------------------------------------------------------------------------------------


def recorded_answers(record: Annotation) -> RecordedAnswers:
    """Get the predictions of a line of images.jsonl.

    Raises:
        DataError: the record is from another kind of file, or a prediction is not as `fakexplain score` writes it.
    """
    answers = record.extra.get("answers", NOTHING)
    if not isinstance(answers, dict):
        error = DataError("the prediction of each system", answers, field="answers")
        raise error.at_record(record)
    for name, answer in answers.items():
        try:
            if answer is not None:
                _check_answer(answer, record.image_wh, f"answers.{name}")
        except DataError as error:
            raise error.at_record(record) from None
    return answers


def _check_answer(answer: Any, image_wh: tuple[int, int], field: str) -> None:
    check_type(answer, RecordedAnswer, field)
    for index, region in enumerate(answer["regions"]):
        if region["bbox"] is not None:
            x1, y1, x2, y2 = region["bbox"]
            if not (0 <= x1 <= x2 <= image_wh[0] and 0 <= y1 <= y2 <= image_wh[1]):
                raise DataError("a box inside the image", region["bbox"], field=f"{field}.regions[{index}].bbox")


def _image_line(annotation: Annotation, scores: ImageScores, folder: Path) -> dict[str, Any]:
    """Combine the record, its image path relative to the folder, with every system's prediction."""
    answers: RecordedAnswers = {}
    for name, scored, prediction in scores:
        answers[name] = None if prediction is None else _answer(scored)
        if scored.problems and isinstance(prediction, AnswerPrediction):
            answers[name] = _answer(scored) | {"text": prediction.text}
    moved = relocate(annotation, folder)
    return to_record(replace(moved, extra=moved.extra | {"answers": answers}))


def _unwritable(text: str, annotation: Annotation, scores: ImageScores) -> DataError:
    """The error of an answer with half of a surrogate pair, or else of a name or path with one."""
    expected = "text that UTF-8 can write"
    for _, _, prediction in scores:
        if isinstance(prediction, AnswerPrediction):
            try:
                prediction.text.encode()
            except UnicodeEncodeError as error:
                half = Unquoted(f"half of a surrogate pair, \\u{ord(error.object[error.start]):04x}")
                return DataError(expected, half, field="response").at(prediction.file, prediction.line)
    return DataError(expected, text).at_record(annotation)


def _answer(scored: Scored) -> dict[str, Any]:
    return {
        "verdict": scored.verdict,
        "p_fake": scored.p_fake,
        "iou": scored.iou,
        "regions": [{"bbox": list(bbox) if bbox else None, "caption": caption} for bbox, caption in scored.regions],
        "tags": None if scored.tags is None else list(scored.tags),
        "problems": list(scored.problems),
    }
