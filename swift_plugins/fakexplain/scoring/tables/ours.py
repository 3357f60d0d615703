"""Tables that the paper does not have: all metrics per system, folds, comparisons of systems, and checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...answer import PROBLEMS
from ...tags import TAG_WORDS
from ..metrics.definitions import COMPARED, MEANINGS, METRIC_LABELS, short_labels
from ..systems import Result, checkpoints, systems_of, without_checkpoints
from .published import ACC, IOU
from .table import Cell, Column, Estimate, Row, Table

if TYPE_CHECKING:
    from ..run import Run


def estimate(result: Result, metric: str) -> Estimate:
    """Get a metric of a result or of a group of images, with its interval if one was computed."""
    low, high = result["intervals"].get(metric) or (None, None)
    return Estimate(result[metric], low, high)


def interval_notes(runs: Iterable[Run]) -> list[str]:
    """State how the intervals were computed: one sentence per setting among the runs."""
    settings = [run.settings.get("bootstrap", {}) for run in runs]
    return list(
        dict.fromkeys(
            f"Intervals: {100 * each['level']:g} % bootstrap over images, {each['resamples']} resamples."
            for each in settings
            if each.get("resamples")
        )
    )


def summaries(runs: Sequence[Run]) -> list[Table]:
    """Build tables with one row per system: verdicts, boxes, captions and tags, and format of the answers."""
    systems = without_checkpoints(systems_of(runs))
    detection = _metrics_table("detection", "Verdicts", short_labels("detection"), systems, runs)
    localisation = _metrics_table("localisation", "Boxes", short_labels("localisation"), systems, runs)
    explanation = _metrics_table("explanation", "Captions and tags", short_labels("explanation"), systems, runs)
    return [table for table in (detection, localisation, explanation, _form(systems)) if table]


def _metrics_table(
    name: str, title: str, labels: dict[str, str], systems: dict[str, Result], runs: Sequence[Run]
) -> Table | None:
    """Build a table with a row per system and a column per metric, without rows and columns that have no value."""
    known = _known(labels, systems)
    rows = [
        Row(name, [result["n"], *(estimate(result, metric) for metric in known)])
        for name, result in systems.items()
        if any(result[metric] is not None for metric in known)
    ]
    columns = [Column("Images"), *map(Column, known.values())]
    return Table(name, title, columns, rows, [*_meanings(known), *interval_notes(runs)], "System") if rows else None


def _known(labels: dict[str, str], systems: dict[str, Result]) -> dict[str, str]:
    """The metrics that at least one system has."""
    return {
        metric: label for metric, label in labels.items() if any(each[metric] is not None for each in systems.values())
    }


def _meanings(labels: dict[str, str]) -> list[str]:
    meanings = "; ".join(f"{label}: {MEANINGS[metric]}" for metric, label in labels.items())
    return [meanings + "."] if meanings else []


def _form(systems: dict[str, Result]) -> Table | None:
    known = _known(short_labels("form"), systems)
    codes = [code for code in PROBLEMS if any(each["problems"].get(code) for each in systems.values())]
    columns = [Column(name) for name in ("Images", "No answer", "No verdict", *known.values())]
    columns += [Column(code, "Answers with") for code in codes]
    rows = []
    for name, result in systems.items():
        counts: list[Cell] = [result["n"], result["n"] - result["answered"], result["unreadable"]]
        problems = [result["problems"].get(code) for code in codes]
        rows.append(Row(name, [*counts, *(estimate(result, metric) for metric in known), *problems]))
    notes = [*_meanings(known), *(f"{code}: {PROBLEMS[code]}." for code in codes)]
    return Table("form", "Format of the answers", columns, rows, notes, "System") if rows else None


def tag_scores(runs: Sequence[Run]) -> Table | None:
    """Build the table of precision and recall per tag on fake images."""
    shares = ("precision", "recall")
    systems = {
        name: result
        for name, result in without_checkpoints(systems_of(runs)).items()
        if any(each[share] is not None for each in result["tags"].values() for share in shares)
    }
    columns = [Column(words, name) for name in systems for words in ("Precision", "Recall", "Predicted", "Annotated")]
    rows = [
        Row(
            words.capitalize(),
            [result["tags"][tag][key] for result in systems.values() for key in (*shares, "predicted", "gold")],
        )
        for tag, words in TAG_WORDS.items()
    ]
    cells: list[Cell] = []
    for result in systems.values():
        counts = [sum(each[key] for each in result["tags"].values()) for key in ("predicted", "gold")]
        cells += [estimate(result, "tag_precision"), estimate(result, "tag_recall"), *counts]
    rows.append(Row("All tags", cells, summary=True))
    note = "Fake images only. All tags: computed from the summed counts of the six tags."
    return Table("tags", "Predicted tags", columns, rows, [note], "Tag") if systems else None


def folds(runs: Sequence[Run]) -> Table | None:
    """Build the table of the compared metrics per fold, with mean and standard deviation (four folds in §5.2)."""
    systems = {name: each for name, each in without_checkpoints(systems_of(runs)).items() if each["over_folds"]}
    all_folds = sorted({fold for result in systems.values() for fold in result["folds"]}, key=int)
    rows = [
        Row(
            _capitalised(METRIC_LABELS[metric]),
            [
                *(result["folds"][fold][metric] if fold in result["folds"] else None for fold in all_folds),
                result["over_folds"][metric]["mean"],
                result["over_folds"][metric]["std"],
            ],
            group=name,
        )
        for name, result in systems.items()
        for metric in COMPARED
        if result["over_folds"][metric]["mean"] is not None
    ]
    columns = [*(Column(f"Fold {fold}") for fold in all_folds), Column("Mean"), Column("Std.")]
    note = "Std.: standard deviation over folds. It is not a standard error of the mean: folds share training images."
    return Table("folds", "Cross-validation", columns, rows, [note], "Metric") if rows else None


def comparisons(runs: Sequence[Run]) -> Table | None:
    """Build the table of differences of each system from those named before it, on the same images."""
    rows = [
        Row(
            _capitalised(METRIC_LABELS[metric]),
            [Estimate(each["difference"], *(each["interval"] or (None, None))), each["p"]],
            group=f"{comparison['a']} against {comparison['b']}",
        )
        for comparison in _pairs(runs)
        for metric, each in comparison["figures"].items()
        if each["difference"] is not None
    ]
    columns = [Column("Difference", signed=True), Column("p")]
    note = "Difference: first system minus second. p: two-sided test of no difference, from the same resamples."
    title, notes = "Differences between systems", [note, *interval_notes(runs)]
    return Table("comparisons", title, columns, rows, notes, "Metric") if rows else None


def mcnemar(runs: Sequence[Run]) -> Table | None:
    """Build the table of McNemar's test: whether two systems are right on equally many images."""
    rows = [
        Row(f"{each['a']}, {each['b']}", [each["mcnemar"][key] for key in ("only_a", "only_b", "p")])
        for each in _pairs(runs)
    ]
    columns = [Column("Only first right"), Column("Only second right"), Column("p")]
    notes = ["Counts of images that only one of the two systems gets right. p: exact, two-sided."]
    return Table("mcnemar", "McNemar's test", columns, rows, notes, "Systems") if rows else None


def _pairs(runs: Sequence[Run]) -> list[Result]:
    """Comparisons of the systems in the other tables, without checkpoints, which would be too many to read."""
    names = without_checkpoints(systems_of(runs))
    return [each for run in runs for each in run.comparisons if each["a"] in names and each["b"] in names]


def along_training(runs: Sequence[Run]) -> Table | None:
    """Build the table of checkpoints, the points of Fig. 4: accuracy and IoU."""
    systems = systems_of(runs)
    rows = [
        Row(f"Step {step}", [estimate(systems[name], "accuracy"), estimate(systems[name], "iou")], group=training)
        for training, steps in checkpoints(systems).items()
        for step, name in steps.items()
    ]
    columns = [Column(ACC), Column(IOU)]
    return Table("training", "Checkpoints", columns, rows, interval_notes(runs), "Checkpoint") if rows else None


def _capitalised(label: str) -> str:
    """Capitalise the first letter only; unlike `str.capitalize`, keep the others."""
    return label[0].upper() + label[1:]
