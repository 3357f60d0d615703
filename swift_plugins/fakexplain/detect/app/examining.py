"""Images that a visitor of the page brings, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import NamedTuple

from ...annotation import Annotation, read_annotations
from ...errors import DataError
from ...images import check_image
from ..detection import Detection
from ..engine import Engine
from ..inputs import Input
from ..run import Examination, detect_all


class Examined(NamedTuple):
    """What became of one image.

    Attributes:
        name: what a visitor calls it.
        path: the file.
        detection: what the model says; None if there is no answer.
        error: why there is none.
    """

    name: str
    path: Path
    detection: Detection | None
    error: str = ""


def examine(
    items: Sequence[Input],
    engine: Engine,
    how: Examination,
    batch_size: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Examined]:
    """Examine images, in order; where the engine stops answering, the rest have no answer.

    Args:
        items: the images; `id` is what a visitor calls one.
        engine: answers them.
        how: how they are prepared, and answers read.
        batch_size: images per batch.
        on_progress: called after each batch with the number of images done, and of all.
    """
    found: dict[Path, Detection] = {}
    errors: dict[str, DataError] = {}

    def keep(error: DataError) -> None:
        errors[error.file] = error

    stopped = ""
    try:
        for batch in detect_all(items, lambda: engine, how, batch_size=batch_size, on_error=keep):
            found |= {detection.path: detection for detection, _ in batch}
            on_progress(len(found) + len(errors), len(items))
    except ValueError as failure:
        stopped = f"The model gives no answer: {failure}"
    results = []
    for item in items:
        detection, error = found.get(item.path), errors.get(str(item.path))
        why = "" if detection else _in_words(error, item) if error else stopped
        results.append(Examined(item.id, item.path, detection, why))
    return results


def _in_words(error: DataError, item: Input) -> str:
    """An error without the path of the file, which says nothing to a visitor."""
    found = str(error.found).replace(str(item.path), item.id).removeprefix(f"{item.id}: ")
    return f"Not {error.expected}: {found}"


PER_LABEL = 6


def read_examples(annotations: Path, fold: int | None = None) -> list[Annotation]:
    """The first records of each label, fake and real in turns, with readable images.

    Args:
        annotations: an annotations file.
        fold: the only fold to take them from; None for all records.

    Raises:
        FileNotFoundError: no such file.
        DataError: a bad record, or an image that cannot be read.
    """
    sides = [list(islice(_labelled(annotations, label, fold), PER_LABEL)) for label in ("fake", "real")]
    chosen = [record for turn in zip_longest(*sides) for record in turn if record]
    for record in chosen:
        check_image(record, decode=True)
    return chosen


def _labelled(annotations: Path, label: str, fold: int | None) -> Iterator[Annotation]:
    for record in read_annotations(annotations):
        if record.label == label and fold in (None, record.fold):
            yield record


def quickstart_world(model: str | None) -> Path | None:
    """The annotations file of the quickstart that trained a model; None if no quickstart did."""
    path = Path(model or "").resolve().parent.parent / "world" / "annotations.jsonl"
    return path if model and path.is_file() else None
