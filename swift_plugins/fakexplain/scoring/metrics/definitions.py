"""The one table of metrics: names, headings and meanings.

Results, the tables in the terminal and in the report, and the comparisons of systems all derive from `METRICS`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Group = Literal["detection", "localisation", "explanation", "form"]


class Metric(NamedTuple):
    """One metric.

    Attributes:
        name: its key in results and in run.json.
        label: row heading in the terminal and in the report's tables with one row per metric; '' in neither.
        short: column heading in the report's tables with one row per system; '' without a column.
        meaning: what it measures, in half a sentence.
        group: the report's table that holds its column.
        compared: whether it is used to compare systems, and its spread over folds is reported.
        headline: whether the terminal shows its difference between two systems.
    """

    name: str
    label: str
    short: str
    meaning: str
    group: Group
    compared: bool = False
    headline: bool = False


METRICS = (
    Metric("accuracy", "accuracy", "Acc.", "share of images whose verdict matches the label", "detection", True, True),
    Metric(
        "balanced_accuracy",
        "balanced accuracy",
        "Balanced acc.",
        "mean of the accuracies on fake and on real images",
        "detection",
        compared=True,
    ),
    Metric("accuracy_fake", "accuracy on fake", "", "accuracy on fake images", "detection"),
    Metric("accuracy_real", "accuracy on real", "", "accuracy on real images", "detection"),
    Metric("precision", "precision of fake", "Precision", "share of images called fake that are fake", "detection"),
    Metric("recall", "", "Recall", "share of fake images called fake", "detection"),
    Metric(
        "f1", "F1 of fake", "F1", "harmonic mean of precision and recall of the fake class", "detection", True, True
    ),
    Metric("false_positive_rate", "false positive rate", "FPR", "share of real images called fake", "detection", True),
    Metric(
        "unsure", "unsure", "Unsure", "share of images about which the operating point decides nothing", "detection"
    ),
    Metric(
        "accuracy_decided",
        "accuracy on decided",
        "Acc. on decided",
        "accuracy on the images about which it decides",
        "detection",
    ),
    Metric("auroc", "AUROC", "AUROC", "area under the ROC curve of P(fake)", "detection", True, True),
    Metric("average_precision", "average precision", "AP", "average precision of P(fake)", "detection", True),
    Metric("iou", "IoU", "IoU", "mean union IoU over fake images", "localisation", True, True),
    Metric(
        "box_precision",
        "box precision at 0.5",
        "Box precision",
        "share of predicted boxes matched at IoU 0.5",
        "localisation",
    ),
    Metric(
        "box_recall", "box recall at 0.5", "Box recall", "share of annotated boxes matched at IoU 0.5", "localisation"
    ),
    Metric("box_f1", "box F1 at 0.5", "Box F1", "harmonic mean of box precision and recall", "localisation", True),
    Metric("box_iou_matched", "IoU of matched boxes", "Matched IoU", "mean IoU of matched boxes", "localisation"),
    Metric(
        "box_iou_gold", "", "Annotated IoU", "mean IoU over annotated boxes, 0 for each without a match", "localisation"
    ),
    Metric("bleu2", "BLEU-2", "BLEU-2", "BLEU-2 of captions, mean over fake images with captions", "explanation", True),
    Metric(
        "rouge_l",
        "ROUGE-L",
        "ROUGE-L",
        "ROUGE-L of captions, mean over fake images with captions",
        "explanation",
        compared=True,
        headline=True,
    ),
    Metric("bleu2_corpus", "", "BLEU-2, corpus", "BLEU-2 of captions, counts summed over images", "explanation"),
    Metric(
        "matched_bleu2",
        "BLEU-2, matched",
        "Matched BLEU-2",
        "BLEU-2 of captions of matched regions, mean over regions",
        "explanation",
    ),
    Metric(
        "matched_rouge_l",
        "ROUGE-L, matched",
        "Matched ROUGE-L",
        "ROUGE-L of captions of matched regions, mean over regions",
        "explanation",
    ),
    Metric(
        "matched_bleu2_corpus",
        "",
        "Matched BLEU-2, corpus",
        "BLEU-2 of captions of matched regions, counts summed",
        "explanation",
    ),
    Metric(
        "tags_exact",
        "exact tags",
        "Exact tags",
        "share of fake images with exactly the annotated tags",
        "explanation",
        compared=True,
    ),
    Metric("tag_precision", "tag precision", "", "share of predicted tags that are annotated", "explanation"),
    Metric("tag_recall", "tag recall", "", "share of annotated tags that are predicted", "explanation"),
    Metric(
        "format_rate", "exact format", "Exact format", "share of answers that follow the format exactly", "form", True
    ),
    Metric(
        "boxes_per_answer", "boxes per answer", "Boxes", "mean number of boxes per answer about a fake image", "form"
    ),
    Metric(
        "boxes_annotated", "annotated boxes", "Annotated boxes", "mean number of annotated boxes per fake image", "form"
    ),
    Metric(
        "box_area", "area per box", "Box area", "mean area of the boxes in an answer, as a share of the image", "form"
    ),
    Metric(
        "box_overlap",
        "overlap of boxes",
        "Box overlap",
        "share of the summed area of the boxes in an answer that is covered more than once",
        "form",
    ),
)
"""Every metric, in the order of a result. All except the numbers of boxes are in [0, 1].

`unsure` and `accuracy_decided` are None without an operating point.
"""

METRIC_NAMES = tuple(metric.name for metric in METRICS)
COMPARED = tuple(metric.name for metric in METRICS if metric.compared)
"""Metrics used to compare systems."""
HEADLINES = tuple(metric.name for metric in METRICS if metric.headline)
"""Metrics whose differences the terminal shows."""
METRIC_LABELS = {metric.name: metric.label for metric in METRICS if metric.label}
MEANINGS = {metric.name: metric.meaning for metric in METRICS}


def short_labels(group: Group) -> dict[str, str]:
    """Name -> column heading of the metrics of one group that have a column.

    >>> list(short_labels("form").values())
    ['Exact format', 'Boxes', 'Annotated boxes', 'Box area', 'Box overlap']
    """
    return {metric.name: metric.short for metric in METRICS if metric.group == group and metric.short}
