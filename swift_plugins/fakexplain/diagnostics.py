"""What one sees while it trains: numbers about completions, beside the rewards that they earned.

A reward says how much a completion is worth, these numbers say why: an IoU reward that rises because the policy paints
the whole image shows in `box_area`, one that rises because it names nothing shows in `no_box`. Each is a mean over the
completions that it applies to, so those of several batches and processes are summed before they are divided.

`host.diagnostics` logs them while GRPO trains, and `host.metrics` those of an evaluation while SFT trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .boxes import fragmentation
from .frames import FrameRule
from .rewards import Gold, answer_of, counted_boxes, iou_reward, label_reward, target_boxes

MEASURES = {
    "accuracy": "share of completions whose verdict is the label",
    "format": "share of completions that are exactly an answer of the row's variant",
    "unreadable": "share of completions without a readable verdict",
    "accuracy_fake": "accuracy on fake images",
    "accuracy_real": "accuracy on real images",
    "iou": "mean union IoU on fake images, without the relaxing constant of the reward",
    "boxes": "mean number of boxes per completion on a fake image",
    "box_area": "mean area of the boxes of a completion on a fake image, as a share of the frame",
    "overlap": "share of the summed area of the boxes of such a completion that is covered more than once",
    "no_box": "share of completions without boxes on images that have annotated boxes",
}
"""Name -> meaning. All but `boxes` are in [0, 1]. The last five are not of variants without boxes, and boxes are those
that count: clipped to the frame, with an area."""


def measure_completion(text: object, gold: Gold, rule: FrameRule) -> dict[str, float]:
    """Measure a completion.

    Args:
        text: the completion; one that is no text is unreadable.
        gold: the gold of its image.
        rule: gives the model frame, in which its boxes are.

    Returns:
        Name -> value, in the order of `MEASURES`; those that do not apply are missing. The mean over completions is
        the measure.
    """
    answer, exact = answer_of(text, gold.variant)
    right = label_reward(text, gold)
    measured = {
        "accuracy": right,
        "format": float(exact),
        "unreadable": float(answer.verdict is None),
        f"accuracy_{gold.label}": right,
    }
    iou = iou_reward(text, gold, rule, eta=1.0) if gold.label == "fake" else None
    if iou is None:
        return measured
    frame_wh, targets = target_boxes(gold, rule)
    boxes, area, overlap = fragmentation(counted_boxes(answer, frame_wh), frame_wh)
    measured |= {"iou": iou, "boxes": float(boxes)}
    if boxes:
        measured |= {"box_area": area, "overlap": overlap}
    if targets:
        measured["no_box"] = float(not boxes)
    return measured


class Means:
    """Means by name, of numbers that arrive a few at a time and from several processes.

    Attributes:
        sums: sum of the values of each name in `MEASURES`, then the number of values of each; may be added to those of
            another process.

    >>> means = Means()
    >>> means.add([{"accuracy": 1.0, "boxes": 2.0}, {"accuracy": 0.0}])
    >>> means.values()
    {'accuracy': 0.5, 'boxes': 2.0}
    """

    def __init__(self) -> None:
        self.sums = [0.0] * (2 * len(MEASURES))

    def add(self, measured: Iterable[Mapping[str, float]]) -> None:
        for values in measured:
            for index, name in enumerate(MEASURES):
                if name in values:
                    self.sums[index] += values[name]
                    self.sums[index + len(MEASURES)] += 1

    def values(self) -> dict[str, float]:
        """Name -> mean, of the names that have values."""
        totals, counts = self.sums[: len(MEASURES)], self.sums[len(MEASURES) :]
        return {name: total / count for name, total, count in zip(MEASURES, totals, counts, strict=True) if count}
