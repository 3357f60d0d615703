"""Quality control as files: figures, tables, the page, and the records of those who stay and of those who go."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation, relocate, to_record
from swift_plugins.fakexplain.csv_files import save_csv
from swift_plugins.fakexplain.jsonl import to_json

from .agreement import IOU_IN_PAPER, REJECT, TAGS_IN_PAPER, Agreement
from .qc import QualityControl
from .qc_page import Pair, render_page

FILES = ("accepted.jsonl", "rejected.jsonl", "annotators.csv", "pairs.csv", "lint.csv", "qc.json", "qc.html")


def figures_of(
    control: QualityControl,
    pairs: Mapping[tuple[str, str], Agreement],
    verdicts: Mapping[str, str],
    *,
    reference: bool,
    min_iou: float,
    min_tags: float,
    lint: Mapping[str, int] | None,
) -> dict[str, Any]:
    """All figures, for qc.json and the page.

    Args:
        control: it has taken all records.
        pairs: its pairs of annotators.
        verdicts: annotator -> verdict.
        reference: whether there was one; what it alone measures is None without it.
        min_iou, min_tags: what the verdicts were found by.
        lint: warnings by rule, or None where captions were not looked at.
    """
    between = Agreement()
    for agreement in pairs.values():
        between += agreement
    return {
        "records": control.records,
        "images": control.images,
        "unnamed": control.unnamed,
        "references": control.references if reference else None,
        "references_not_met": control.references_not_met if reference else None,
        "min_iou": min_iou,
        "min_tags": min_tags,
        "overall": control.overall().as_dict() if reference else None,
        "accepted": control.overall(verdicts).as_dict() if reference else None,
        "paper": {"mean_iou": IOU_IN_PAPER, "tag_agreement": TAGS_IN_PAPER},
        "between": None if control.unnamed else between.as_dict(),
        "annotators": [
            {"annotator": name, "verdict": verdicts[name], "records": each.records}
            | each.against.as_dict()
            | {"warnings": None if lint is None else each.warnings}
            for name, each in sorted(control.annotators.items())
        ],
        "lint": None if lint is None else dict(sorted(lint.items())),
    }


def save_figures(
    figures: Mapping[str, Any], pairs: Mapping[tuple[str, str], Agreement], worst: Iterable[Pair], folder: Path
) -> None:
    """Write qc.json, annotators.csv, pairs.csv and qc.html into a folder."""
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    (folder / "qc.json").write_text(text + "\n", encoding="utf-8")
    measured = list(Agreement().as_dict())
    names = ("annotator", "verdict", "records", *measured, "warnings")
    save_csv(folder / "annotators.csv", names, ([each[name] for name in names] for each in figures["annotators"]))
    rows = [{"annotator": one, "other": other} | each.as_dict() for (one, other), each in pairs.items()]
    save_csv(folder / "pairs.csv", ("annotator", "other", *measured), (tuple(row.values()) for row in rows))
    (folder / "qc.html").write_text(render_page(figures, rows, worst), encoding="utf-8")


def save_records(
    records: Iterable[Annotation], verdicts: Mapping[str, str], folder: Path, out: Path
) -> tuple[int, int]:
    """Write accepted.jsonl and rejected.jsonl.

    Args:
        records: all that were taken.
        verdicts: annotator -> verdict; a record without an annotator is accepted.
        folder: where to write.
        out: where the files will lie; image paths are relative to it.

    Returns:
        How many records each file has; one without any is empty.
    """
    counts = [0, 0]
    with open(folder / "accepted.jsonl", "wb") as accepted, open(folder / "rejected.jsonl", "wb") as rejected:
        for record in records:
            goes = verdicts.get(record.annotator or "") == REJECT
            (rejected if goes else accepted).write(to_json(to_record(relocate(record, out))) + b"\n")
            counts[goes] += 1
    return counts[0], counts[1]
