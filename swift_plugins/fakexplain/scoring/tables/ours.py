"""Tables that the paper does not have: every figure of each system, over folds, between systems, along a training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...answer import PROBLEMS
from ...tags import TAG_WORDS
from ..metrics.definitions import COMPARED, LABELS, MEANINGS, short_labels
from ..systems import Result, checkpoints, systems_of, without_checkpoints
from .published import ACC, IOU
from .render import Cell, Column, Figure, Row, Table

if TYPE_CHECKING:
    from ..run import Run


def bounded(result: Result, figure: str) -> Figure:
    """A figure of a result or of a group of images, with its interval where one was asked for."""
    low, high = result["intervals"].get(figure) or (None, None)
    return Figure(result[figure], low, high)


def interval_notes(runs: Iterable[Run]) -> list[str]:
    """How the intervals came about, in a sentence for each way."""
    settings = [run.settings.get("bootstrap", {}) for run in runs]
    return list(
        dict.fromkeys(
            f"Intervals: {100 * each['level']:g} % bootstrap over images, {each['resamples']} resamples."
            for each in settings
            if each.get("resamples")
        )
    )


def summaries(runs: Sequence[Run]) -> list[Table]:
    """A row a system: its verdicts, its boxes, its words, and the form of its answers."""
    systems = without_checkpoints(systems_of(runs))
    detection = _figures_table("detection", "Verdicts", short_labels("detection"), systems, runs)
    localisation = _figures_table("localisation", "Boxes", short_labels("localisation"), systems, runs)
    explanation = _figures_table("explanation", "Captions and tags", short_labels("explanation"), systems, runs)
    return [table for table in (detection, localisation, explanation, _form(systems)) if table]


def _figures_table(
    name: str, title: str, figures: dict[str, str], systems: dict[str, Result], runs: Sequence[Run]
) -> Table | None:
    """Columns and rows that have a figure."""
    known = {
        figure: words for figure, words in figures.items() if any(each[figure] is not None for each in systems.values())
    }
    rows = [
        Row(name, [result["n"], *(bounded(result, figure) for figure in known)])
        for name, result in systems.items()
        if any(result[figure] is not None for figure in known)
    ]
    columns = [Column("Images"), *map(Column, known.values())]
    return Table(name, title, columns, rows, [*_meanings(known), *interval_notes(runs)], "System") if rows else None


def _meanings(figures: dict[str, str]) -> list[str]:
    meanings = "; ".join(f"{words}: {MEANINGS[figure]}" for figure, words in figures.items())
    return [meanings + "."] if meanings else []


def _form(systems: dict[str, Result]) -> Table | None:
    known = {
        figure: words
        for figure, words in short_labels("form").items()
        if any(each[figure] is not None for each in systems.values())
    }
    codes = [code for code in PROBLEMS if any(each["problems"].get(code) for each in systems.values())]
    columns = [Column(name) for name in ("Images", "No answer", "No verdict", *known.values())]
    columns += [Column(code, "Answers with") for code in codes]
    rows = []
    for name, result in systems.items():
        counts: list[Cell] = [result["n"], result["n"] - result["answered"], result["unreadable"]]
        problems = [result["problems"].get(code) for code in codes]
        rows.append(Row(name, [*counts, *(bounded(result, figure) for figure in known), *problems]))
    notes = [*_meanings(known), *(f"{code}: {PROBLEMS[code]}." for code in codes)]
    return Table("form", "Form of the answers", columns, rows, notes, "System") if rows else None


def tag_scores(runs: Sequence[Run]) -> Table | None:
    """How well each tag is found among fake images."""
    asked = ("precision", "recall")
    systems = {
        name: result
        for name, result in without_checkpoints(systems_of(runs)).items()
        if any(each[figure] is not None for each in result["tags"].values() for figure in asked)
    }
    columns = [Column(words, name) for name in systems for words in ("Precision", "Recall", "Predicted", "Annotated")]
    rows = [
        Row(
            words.capitalize(),
            [result["tags"][tag][key] for result in systems.values() for key in (*asked, "predicted", "gold")],
        )
        for tag, words in TAG_WORDS.items()
    ]
    cells: list[Cell] = []
    for result in systems.values():
        counts = [sum(each[key] for each in result["tags"].values()) for key in ("predicted", "gold")]
        cells += [bounded(result, "tag_precision"), bounded(result, "tag_recall"), *counts]
    rows.append(Row("All tags", cells, summary=True))
    note = "Of fake images; all tags: counts of the six summed up."
    return Table("tags", "Tags predicted", columns, rows, [note], "Tag") if systems else None


def folds(runs: Sequence[Run]) -> Table | None:
    """Headline figures of each fold, and their mean and standard deviation (four folds in §5.2)."""
    systems = {name: each for name, each in without_checkpoints(systems_of(runs)).items() if each["over_folds"]}
    there = sorted({fold for result in systems.values() for fold in result["folds"]}, key=int)
    rows = [
        Row(
            _words(figure),
            [
                *(result["folds"][fold][figure] if fold in result["folds"] else None for fold in there),
                result["over_folds"][figure]["mean"],
                result["over_folds"][figure]["std"],
            ],
            group=name,
        )
        for name, result in systems.items()
        for figure in COMPARED
        if result["over_folds"][figure]["mean"] is not None
    ]
    columns = [*(Column(f"Fold {fold}") for fold in there), Column("Mean"), Column("Std.")]
    note = "Std.: standard deviation of the folds; they share training images, so it is no standard error of the mean."
    return Table("folds", "Cross-validation", columns, rows, [note], "Figure") if rows else None


def comparisons(runs: Sequence[Run]) -> Table | None:
    """How far each system is ahead of each one named before it, on the same images."""
    rows = [
        Row(
            _words(figure),
            [Figure(each["difference"], *(each["interval"] or (None, None))), each["p"]],
            group=f"{comparison['a']} against {comparison['b']}",
        )
        for comparison in _pairs(runs)
        for figure, each in comparison["figures"].items()
        if each["difference"] is not None
    ]
    columns = [Column("Difference", signed=True), Column("p")]
    notes = ["First minus second; p: two-sided, of no difference, from the same resamples.", *interval_notes(runs)]
    return Table("comparisons", "Differences between systems", columns, rows, notes, "Figure") if rows else None


def mcnemar(runs: Sequence[Run]) -> Table | None:
    """Whether two systems are right about equally many images."""
    rows = [
        Row(f"{each['a']}, {each['b']}", [each["mcnemar"][key] for key in ("only_a", "only_b", "p")])
        for each in _pairs(runs)
    ]
    columns = [Column("Only the first"), Column("Only the second"), Column("p")]
    notes = ["Images of which one system's verdict alone is right; p: exact, two-sided."]
    return Table("mcnemar", "McNemar's test", columns, rows, notes, "Systems") if rows else None


def _pairs(runs: Sequence[Run]) -> list[Result]:
    """Comparisons of systems that are in the other tables; of checkpoints there would be too many to read."""
    names = without_checkpoints(systems_of(runs))
    return [each for run in runs for each in run.comparisons if each["a"] in names and each["b"] in names]


def along_training(runs: Sequence[Run]) -> Table | None:
    """The points of Fig. 4: accuracy and IoU of each checkpoint."""
    systems = systems_of(runs)
    rows = [
        Row(f"Step {step}", [bounded(systems[name], "accuracy"), bounded(systems[name], "iou")], group=training)
        for training, steps in checkpoints(systems).items()
        for step, name in steps.items()
    ]
    columns = [Column(ACC), Column(IOU)]
    return Table("training", "Checkpoints", columns, rows, interval_notes(runs), "Checkpoint") if rows else None


def _words(figure: str) -> str:
    """With a capital letter, unless the first word has capitals of its own."""
    words = LABELS[figure]
    return words[0].upper() + words[1:]
