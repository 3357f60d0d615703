"""`--eval_metric fx` on what ms-swift's trainer hands over: serialised texts, padded, in the order of the rows."""

from types import SimpleNamespace

import pytest
from swift.dataset import RowPreprocessor
from swift.metrics import eval_metrics_map
from swift.utils import Serializer
from torch.nn.utils.rnn import pad_sequence
from transformers import EvalPrediction

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.answer import render_answer
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.host.dataset import load_rows
from swift_plugins.fakexplain.host.metrics import FxMetrics, register_metrics
from swift_plugins.fakexplain.rows import Subset
from tests.answers import answer

register_metrics()


def arguments(**changes) -> SimpleNamespace:
    options = {"template": "fx_qwen2_5_vl", "predict_with_generate": True, "metric_for_best_model": "iou"}
    return SimpleNamespace(**(options | changes))


def metric(rows=None, keep_columns: bool = True, **options) -> FxMetrics:
    template = SimpleNamespace(remove_unused_columns=not keep_columns)
    return eval_metrics_map["fx"](arguments(**options), SimpleNamespace(eval_dataset=rows, template=template))


def serialised(texts):
    return pad_sequence([Serializer.to_tensor(text) for text in texts], batch_first=True, padding_value=0).numpy()


def compute(rows, texts, labels=None) -> dict[str, float]:
    labels = labels or [row["messages"][-1]["content"] for row in rows]
    return metric(rows).compute_metrics(EvalPrediction(serialised(texts), serialised(labels)))


def rows_and_gold(annotations_file, variant: str = "full"):
    """Eight fake and eight real images in turn, and their gold answers."""
    rule = frame_rule("fx_qwen2_5_vl")
    gold = [render_answer(each, variant, rule.frame(each.image_wh)) for each in read_annotations(annotations_file)]
    return load_rows(annotations_file, Subset(variant=variant), RowPreprocessor()), gold


def test_gold_answers_are_worth_one(annotations_file):
    assert compute(*rows_and_gold(annotations_file)) == {"accuracy": 1, "format": 1, "iou": 1}


def test_means_by_hand(annotations_file):
    rows, texts = rows_and_gold(annotations_file)
    texts[0] = answer()  # right, without boxes: IoU 0
    texts[2] = ""  # IoU 0
    texts[3] = "It is real."  # right on a real image, but inexact
    assert compute(rows, texts) == {"accuracy": 15 / 16, "format": 14 / 16, "iou": 6 / 8}


@pytest.mark.parametrize("variant", ["no_bbox", "label_only"])
def test_a_variant_without_boxes_has_no_iou(annotations_file, variant):
    assert compute(*rows_and_gold(annotations_file, variant)) == {"accuracy": 1, "format": 1}


def test_rows_that_fill_up_the_last_batch_do_not_count(annotations_file):
    rows, texts = rows_and_gold(annotations_file)
    labels = [row["messages"][-1]["content"] for row in rows]
    assert compute(rows, [*texts, "", ""], [*labels, *labels[:2]])["accuracy"] == 1
    with pytest.raises(ValueError, match="expected a prediction for each of 16 rows, found 15"):
        compute(rows, texts[:15], labels[:15])


def test_another_order_is_an_error(annotations_file):
    rows, texts = rows_and_gold(annotations_file)
    labels = [row["messages"][-1]["content"] for row in rows]
    with pytest.raises(ValueError, match="in the order of the rows; the label of row 1 is .*fake.*found .*real"):
        compute(rows, texts, [labels[1], labels[0], *labels[2:]])


def test_rows_without_gold(annotations_file):
    rows, texts = rows_and_gold(annotations_file)
    with pytest.raises(ValueError, match="the evaluation set has no column `solution`"):
        compute(rows.remove_columns("solution"), texts)
    broken = rows.map(lambda row, index: row | {"solution": "{}" if index == 3 else row["solution"]}, with_indices=True)
    with pytest.raises(ValueError, match="column `solution`: expected a JSON string.*KeyError: 'label'"):
        compute(broken, texts)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"predict_with_generate": False}, "pass --predict_with_generate true"),
        (
            {"keep_columns": False},
            "which ms-swift drops by default; pass --remove_unused_columns false",
        ),
        ({"metric_for_best_model": "rouge-l"}, "expected one of accuracy, iou, format, found 'rouge-l'"),
        ({"metric_for_best_model": None}, "expected one of accuracy, iou, format, found 'None'"),
    ],
)
def test_options_that_it_needs(options, message):
    with pytest.raises(ValueError, match=message):
        metric(**options)


def test_the_model_is_not_called_with_the_rows_columns():
    made = metric(metric_for_best_model="eval_accuracy")
    assert made.trainer.template.remove_unused_columns is True
