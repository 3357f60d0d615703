"""Quality control (§3.3, App. A.2): compare annotators with the reference, and check captions.

Records are read twice: once to compare them, once to write those of accepted and of rejected annotators.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, read_annotations
from swift_plugins.fakexplain.csv_files import save_csv
from swift_plugins.fakexplain.errors import DataError, OnError, raise_error
from swift_plugins.fakexplain.jsonl import decode_unchecked, read_lines

from .agreement import MIN_IOU, MIN_TAGS, Agreement
from .comparisons import Comparisons, Disagreement
from .lint import CaptionWarning, lint
from .personal import words_of_names
from .qc_files import collect_metrics, save_metrics, save_records
from .qc_page import RecordPair

ShowRecords = Callable[[Iterable[Annotation], Path, str], Iterable[Annotation]]
OnWarning = Callable[[Annotation, CaptionWarning], None]


@dataclass(frozen=True)
class QcSettings:
    """Bounds and extent of quality control.

    Attributes:
        min_iou, min_tags: an annotator with a lower mean IoU or tag agreement is rejected.
        worst: number of disagreements to draw.
        lint: whether to check captions.
    """

    min_iou: float = MIN_IOU
    min_tags: float = MIN_TAGS
    worst: int = 40
    lint: bool = True


class QcResult(NamedTuple):
    """Result of quality control.

    Attributes:
        metrics: content of qc.json.
        pairs: two annotators -> their agreement.
        accepted, rejected: numbers of records written.
        records, references: numbers of records and reference records used.
    """

    metrics: dict[str, Any]
    pairs: dict[tuple[str, str], Agreement]
    accepted: int
    rejected: int
    records: int
    references: int


def check_quality(
    annotations: Path,
    reference: Path | None,
    folder: Path,
    out: Path,
    settings: QcSettings,
    *,
    on_error: OnError = raise_error,
    on_reference_error: OnError = raise_error,
    on_warning: OnWarning = lambda record, warning: None,
    progress: ShowRecords = lambda records, path, what: records,
) -> QcResult | None:
    """Compare annotators with a reference and with one another, check captions, and write the files of both.

    Args:
        annotations: annotations file with one record per image and annotator.
        reference: annotations file with the team's own records of some of the images, or None.
        folder: existing folder to write to.
        out: final path of that folder.
        settings: bounds and extent.
        on_error: called with the error of each bad record, which is skipped; by default the first is raised.
        on_reference_error: the same for the reference.
        on_warning: called with each record and warning about its captions.
        progress: called with the records, path and purpose of each reading; passes the records on.

    Returns:
        The result, or None if no record could be used; then nothing is written.

    Raises:
        ValueError: no record is of an image in the reference.
        DataError (a ValueError): a bad record.
    """
    with closing(Comparisons(worst=settings.worst, need_annotator=reference is not None)) as comparisons:
        if reference is not None:
            records = progress(read_annotations(reference, on_error=on_reference_error), reference, "reference")
            for _ in _add_good(comparisons.add_reference, records, on_reference_error):
                pass
        records = progress(read_annotations(annotations, on_error=on_error), annotations, "compare")
        added = _add_good(comparisons.add, records, on_error)
        warnings = None
        if settings.lint:
            names = words_of_names(_annotators_in(annotations))
            warnings = _lint(added, comparisons, names, folder / "lint.csv", on_warning)
        for _ in added:  # without lint, no other code reads them
            pass
        if not comparisons.records:
            return None
        if reference is not None and not comparisons.overall().images:
            raise ValueError(
                f"{annotations}: expected records of images that are also in {reference}, found none; their image "
                "paths must lead to the same files"
            )
        return _write(annotations, reference, comparisons, warnings, folder, out, settings, progress)


def _add_good(
    add: Callable[[Annotation], None], records: Iterable[Annotation], on_error: OnError
) -> Iterator[Annotation]:
    """Add records, and yield each that was not rejected."""
    for record in records:
        try:
            add(record)
        except DataError as error:
            on_error(error)
        else:
            yield record


def _annotators_in(path: Path) -> Iterator[str]:
    """The annotators that a file names; what is wrong with its lines is reported later."""
    for _, raw in read_lines(path, "an annotations file (JSON Lines)"):
        with suppress(DataError):
            record = decode_unchecked(raw) if b'"annotator"' in raw else None
            if isinstance(record, dict) and isinstance(name := record.get("annotator"), str):
                yield name


def _lint(
    records: Iterable[Annotation], comparisons: Comparisons, names: Collection[str], path: Path, on_warning: OnWarning
) -> Counter[str]:
    """Write all warnings about captions and other texts, and count them by rule and by annotator."""
    counts: Counter[str] = Counter()

    def rows() -> Iterator[tuple[Any, ...]]:
        for record in records:
            for warning in lint(record, names):
                counts[warning.rule] += 1
                if record.annotator is not None:
                    comparisons.annotators[record.annotator].warnings += 1
                on_warning(record, warning)
                yield record.file, record.line, record.id, record.annotator, *warning

    save_csv(path, ("file", "line", "id", "annotator", "field", "rule", "text", "caption"), rows())
    return counts


def _write(
    annotations: Path,
    reference: Path | None,
    comparisons: Comparisons,
    warnings: Counter[str] | None,
    folder: Path,
    out: Path,
    settings: QcSettings,
    progress: ShowRecords,
) -> QcResult:
    """Write every file but lint.csv."""
    verdicts = {
        name: each.against.verdict(settings.min_iou, settings.min_tags) for name, each in comparisons.annotators.items()
    }
    pairs = {} if comparisons.unnamed else comparisons.pairs()
    worst = comparisons.worst()
    to_draw: dict[int, Annotation] = {}

    def reread() -> Iterator[Annotation]:
        wanted = {each.line for each in worst}
        for record in progress(read_annotations(annotations, on_error=_ignore), annotations, "write"):
            if comparisons.has_line(record.line):
                if record.line in wanted:
                    to_draw[record.line] = record
                yield record

    accepted, rejected = save_records(reread(), verdicts, folder, out)
    metrics = collect_metrics(
        comparisons,
        pairs,
        verdicts,
        reference=reference is not None,
        min_iou=settings.min_iou,
        min_tags=settings.min_tags,
        lint=warnings,
    )
    save_metrics(metrics, pairs, _with_references(worst, to_draw, reference), folder)
    return QcResult(metrics, pairs, accepted, rejected, comparisons.records, comparisons.references)


def _with_references(
    worst: Sequence[Disagreement], records: dict[int, Annotation], reference: Path | None
) -> Iterator[RecordPair]:
    """The annotator's record and the reference's of each disagreement."""
    if reference is None or not worst:
        return
    wanted = {each.reference_line for each in worst}
    references = {
        record.line: record for record in read_annotations(reference, on_error=_ignore) if record.line in wanted
    }
    for each in worst:
        yield records[each.line], references[each.reference_line]


def _ignore(error: DataError) -> None:
    """Ignore an error: for a second reading, after the first has reported every error."""
