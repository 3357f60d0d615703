"""`--eval_metric fx`: accuracy, IoU and format of the answers that an evaluation generates while SFT trains.

ms-swift hands over the generated texts and the labels. A label is the row's own answer with `<bbox>` in place of
numbers, so the gold comes from the rows of the evaluation set, which have the order of the predictions.
"""

from __future__ import annotations

from typing import Any

from swift.metrics import eval_metrics_map
from swift.metrics.base import EvalMetrics
from swift.utils import Serializer

from ..diagnostics import Means, measure_completion
from ..rewards import COLUMN, read_gold
from .rewards import find_rule

NAMES = ("accuracy", "iou", "format")


class FxMetrics(EvalMetrics):
    """`--eval_metric fx` for `swift sft --predict_with_generate true`.

    Raises:
        ValueError: an option that it needs is not set; the message names it.
    """

    def __init__(self, args: Any, trainer: Any):
        super().__init__(args, trainer)
        if not getattr(args, "predict_with_generate", False):
            raise ValueError("--eval_metric fx reads generated answers; pass --predict_with_generate true")
        if trainer.template.remove_unused_columns:
            raise ValueError(
                f"--eval_metric fx reads the column `{COLUMN}`, which ms-swift drops by default; "
                "pass --remove_unused_columns false"
            )
        best = str(args.metric_for_best_model).removeprefix("eval_")
        if best not in NAMES:
            raise ValueError(
                f"--eval_metric fx: --metric_for_best_model: expected one of {', '.join(NAMES)}, found {best!r} "
                "(rouge-l is ms-swift's default)"
            )
        # the rows keep their columns, but the model is not called with them, which generation refuses
        trainer.template.remove_unused_columns = True

    def compute_metrics(self, eval_prediction: Any) -> dict[str, float]:
        """Means over the evaluation set; `iou` is of fake images, and missing where no row asks for boxes.

        Raises:
            ValueError: a row has no gold, or the predictions are not those of the rows, in their order.
        """
        rows = self.trainer.eval_dataset
        if COLUMN not in (rows.column_names or ()):
            raise ValueError(
                f"--eval_metric fx: the evaluation set has no column `{COLUMN}`; evaluate on the dataset "
                "`fakexplained` or on the output of `fakexplain export`"
            )
        rule, means = find_rule(self.args, "--eval_metric fx"), Means()
        texts, labels = map(_texts, (eval_prediction.predictions, eval_prediction.label_ids))
        rows = list(rows.select_columns(["messages", COLUMN]))
        if len(texts) < len(rows):
            raise ValueError(
                f"--eval_metric fx: expected a prediction for each of {len(rows)} rows, found {len(texts)}"
            )
        # several processes fill up the last batch with rows that they have seen before, and these come last
        for number, (text, label, row) in enumerate(zip(texts, labels, rows, strict=False), 1):
            if label != (expected := row["messages"][-1]["content"]):
                raise ValueError(
                    "--eval_metric fx: expected the predictions in the order of the rows; "
                    f"the label of row {number} is {expected!r}, found {label!r}"
                )
            means.add([measure_completion(text, read_gold(row[COLUMN]), rule)])
        return {name: mean for name, mean in means.values().items() if name in NAMES}


def _texts(serialised: Any) -> list[Any]:
    return [Serializer.from_tensor(row) for row in serialised]


def register_metrics() -> None:
    """Put `fx` into ms-swift's registry."""
    registry: dict[str, type[EvalMetrics]] = eval_metrics_map
    registry["fx"] = FxMetrics
