"""Files of quality control: metrics, tables, the page, and the records of accepted and rejected annotators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation, relocate, to_record
from swift_plugins.fakexplain.csv_files import save_csv
from swift_plugins.fakexplain.jsonl import to_indented_json, to_json

from .agreement import IOU_IN_PAPER, REJECT, TAGS_IN_PAPER, Agreement
from .comparisons import Comparisons
from .qc_page import RecordPair, render_page

QC_FILES = ("accepted.jsonl", "rejected.jsonl", "annotators.csv", "pairs.csv", "lint.csv", "qc.json", "qc.html")


def collect_metrics(
    comparisons: Comparisons,
    pairs: Mapping[tuple[str, str], Agreement],
    verdicts: Mapping[str, str],
    *,
    reference: bool,
    min_iou: float,
    min_tags: float,
    lint: Mapping[str, int] | None,
) -> dict[str, Any]:
    """Collect all metrics, for qc.json and the page.

    Args:
        comparisons: with all records added.
        pairs: its pairs of annotators.
        verdicts: annotator -> verdict.
        reference: whether annotators were compared with a reference; if not, its metrics are None.
        min_iou, min_tags: bounds behind the verdicts.
        lint: rule -> warnings, or None if captions were not checked.
    """
    between = Agreement()
    for agreement in pairs.values():
        between += agreement
    return {
        "records": comparisons.records,
        "images": comparisons.images,
        "unnamed": comparisons.unnamed,
        "references": comparisons.references if reference else None,
        "references_not_met": comparisons.unmatched_references if reference else None,
        "min_iou": min_iou,
        "min_tags": min_tags,
        "overall": comparisons.overall().as_dict() if reference else None,
        "accepted": comparisons.overall(verdicts).as_dict() if reference else None,
        "paper": {"mean_iou": IOU_IN_PAPER, "tag_agreement": TAGS_IN_PAPER},
        "between": None if comparisons.unnamed else between.as_dict(),
        "annotators": [
            {"annotator": name, "verdict": verdicts[name], "records": each.records}
            | each.against.as_dict()
            | {"warnings": None if lint is None else each.warnings}
            for name, each in sorted(comparisons.annotators.items())
        ],
        "lint": None if lint is None else dict(sorted(lint.items())),
    }


def save_metrics(
    metrics: Mapping[str, Any], pairs: Mapping[tuple[str, str], Agreement], worst: Iterable[RecordPair], folder: Path
) -> None:
    """Write qc.json, annotators.csv, pairs.csv and qc.html into a folder."""
    (folder / "qc.json").write_text(to_indented_json(metrics), encoding="utf-8")
    measured = list(Agreement().as_dict())
    names = ("annotator", "verdict", "records", *measured, "warnings")
    save_csv(folder / "annotators.csv", names, ([each[name] for name in names] for each in metrics["annotators"]))
    rows = [{"annotator": one, "other": other} | each.as_dict() for (one, other), each in pairs.items()]
    save_csv(folder / "pairs.csv", ("annotator", "other", *measured), (tuple(row.values()) for row in rows))
    (folder / "qc.html").write_text(render_page(metrics, rows, worst), encoding="utf-8")


def save_records(
    records: Iterable[Annotation], verdicts: Mapping[str, str], folder: Path, out: Path
) -> tuple[int, int]:
    """Write accepted.jsonl and rejected.jsonl.

    Args:
        records: all that were compared.
        verdicts: annotator -> verdict; a record without an annotator is accepted.
        folder: folder to write to.
        out: final folder of the files, to which image paths are relative.

    Returns:
        The number of records in each file; a file without any is empty.
    """
    counts = [0, 0]
    with open(folder / "accepted.jsonl", "wb") as accepted, open(folder / "rejected.jsonl", "wb") as rejected:
        for record in records:
            is_rejected = verdicts.get(record.annotator or "") == REJECT
            (rejected if is_rejected else accepted).write(to_json(to_record(relocate(record, out))) + b"\n")
            counts[is_rejected] += 1
    return counts[0], counts[1]
