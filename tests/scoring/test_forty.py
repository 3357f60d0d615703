"""Every metric of forty predictions, worked out by hand in comments, and the effect of changing one answer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.answer import PROBLEMS
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.scoring.metrics.definitions import METRIC_NAMES
from swift_plugins.fakexplain.scoring.predictions.answers import read_predictions
from swift_plugins.fakexplain.scoring.results import Resampling
from swift_plugins.fakexplain.scoring.score import build_system, score_systems
from tests.scoring import forty

E = math.exp(-0.5)  # BLEU's brevity penalty of B: two tokens against three, exp(1 - 3/2); both precisions are 1

METRICS_BY_HAND = {
    # right: A 10 (AA among them), B 4, F 2, G, H, I of 24 fakes: 19; 12 of 16 reals
    "accuracy": 31 / 40,
    "balanced_accuracy": (19 / 24 + 12 / 16) / 2,
    "accuracy_fake": 19 / 24,
    "accuracy_real": 12 / 16,
    # called fake: 19 fakes and 3 reals; not called so: 5 fakes (C 3, D, E)
    "precision": 19 / 22,
    "recall": 19 / 24,
    "f1": 2 * 19 / (2 * 19 + 3 + 5),
    "false_positive_rate": 3 / 16,
    # no operating point
    "unsure": None,
    "accuracy_decided": None,
    # P(fake) of fakes: 0.9 x 11, 0.8 x 4, 0.7 x 2, 0.6, 0.55, 0.3 x 3, and D, E below all
    # of reals: one above all (no answer), 0.6 x 3, 0.3 x 4, 0.1 x 8
    # 17 fakes of 0.7 and more each beat 15 reals; G beats 12 and ties with 3; I beats 12; C beats 8 and ties with 4
    "auroc": (17 * 15 + 13.5 + 12 + 3 * 10) / (24 * 16),
    # fakes that come in at each threshold, times the precision there
    "average_precision": (11 * 11 / 12 + 4 * 15 / 16 + 2 * 17 / 18 + 18 / 22 + 19 / 23 + 3 * 22 / 30 + 2 * 24 / 40)
    / 24,
    # A 10 x 1, B 4 x 1/2, C 0, D 1, E 0, F 2 x 1 (its pieces cover the region), G 1 (both empty), H 1, I 0
    "iou": 17 / 24,
    # at 0.5: A 5 + 5 x 2, B 4 (exactly 0.5), D 1, F 2 (one piece each, exactly 0.5), H 1: 23 hits
    # predicted: A 15, B 4, D 1, F 4, H 1, I 1: 26; annotated: A 15, B 4, C 3, D, E, F 2, H, I: 28
    "box_precision": 23 / 26,
    "box_recall": 23 / 28,
    "box_f1": 2 * 23 / (26 + 28),
    # IoU of the 23 matches: A 15, B 4 x 1/2, D 1, F 2 x 1/2, H 1: 20
    "box_iou_matched": 20 / 23,
    "box_iou_gold": 20 / 28,
    # 23 fakes have captions (not G). 1 each: A 10, D. B: exp(-1/2). F repeats itself: 3 of 6 tokens, 2 of 5 pairs.
    # I shares its full stop: 1 of 5 tokens, no pair of 4, which counts as half a one. C, E, H have no captions: 0
    "bleu2": (11 + 4 * E + 2 * math.sqrt(3 / 6 * 2 / 5) + math.sqrt(1 / 5 * 0.5 / 4)) / 23,
    # words alone: A 10, D, B 4 are 1; F: two words of four in two, 2 · 2 / (4 + 2); I, C, E, H: 0
    "rouge_l": (15 + 2 * (2 * 2 / 6)) / 23,
    # tokens: A 5 x 3 + 5 x 8, B 4 x 2, D 3, F 2 x 6, I 5: 83 predicted, 73 of them annotated (A 55, B 8, D 3, F 6, I 1)
    # pairs: A 5 x 2 + 5 x 7, B 4, D 2, F 2 x 5, I 4: 65 predicted, 55 of them annotated (A 45, B 4, D 2, F 4)
    # annotated tokens: A 15 + 40, B 12, C 9, D 3, E 3, F 6, H 3, I 3: 94
    "bleu2_corpus": math.exp(1 - 94 / 83) * math.sqrt(73 / 83 * 55 / 65),
    # 23 matches: A 15, D, F 2 are 1; B exp(-1/2); H has no caption: 0
    "matched_bleu2": (18 + 4 * E) / 23,
    "matched_rouge_l": 22 / 23,
    # all predicted tokens are annotated: A 5 x 3 + 5 x (3 + 5), B 8, D 3, F 6: 72 tokens; annotated: 72 + B 4 + H 3
    "matched_bleu2_corpus": math.exp(1 - 79 / 72),
    # A 10, G 1
    "tags_exact": 11 / 24,
    # predicted: A 10, B 4, F 2 x 2, G 1, H 1: 20, of which A 10, B 4, F 2, G 1 are annotated
    # annotated: A 10, B 4 x 2, C 3, D, E, F 2, G, H, I: 28
    "tag_precision": 17 / 20,
    "tag_recall": 17 / 28,
    # not exact: D, H, I, and the two without an answer
    "format_rate": 35 / 40,
    # 23 answers about fakes
    "boxes_per_answer": 26 / 23,
    "boxes_annotated": 28 / 24,
    # 19 answers have boxes. A quarter of the image: A 10, D, H, I; an eighth: B 4, F 2
    "box_area": (13 / 4 + 6 / 8) / 19,
    "box_overlap": 0.0,
}
REST_BY_HAND = {
    "n": 40,
    "answered": 38,
    "fake": 24,
    "real": 16,
    "unreadable": 1,
    "confusion": {
        "fake": {"fake": 19, "real": 3, "unsure": 0, "unreadable": 1, "missing": 1},
        "real": {"fake": 3, "real": 12, "unsure": 0, "unreadable": 0, "missing": 1},
    },
    "exact": 35,
    # D has no verdict and does not end; H has no caption; I names an unknown tag
    "problems": dict.fromkeys(PROBLEMS, 0) | {"no_verdict": 1, "unclosed": 1, "layout": 1, "unknown_tag": 1},
    "fake_without_regions": 1,
    "tags": {
        # F: predicted where it is annotated
        "perspective_error": {
            "precision": 1.0, "recall": 1.0, "gold": 2, "predicted": 2,
            "accuracy_with": 2 / 2, "accuracy_without": 17 / 22,
        },
        # annotated in C, predicted in H
        "artistic_style": {
            "precision": 0.0, "recall": 0.0, "gold": 3, "predicted": 1,
            "accuracy_with": 0 / 3, "accuracy_without": 19 / 21,
        },
        "unknown_object": {
            "precision": None, "recall": 0.0, "gold": 1, "predicted": 0,
            "accuracy_with": 1 / 1, "accuracy_without": 18 / 23,
        },
        "structure_attribute_error": {
            "precision": None, "recall": 0.0, "gold": 4, "predicted": 0,
            "accuracy_with": 4 / 4, "accuracy_without": 15 / 20,
        },
        # annotated: A 10, B 4, D, E, I; predicted: A 10, B 4, F 2
        "texture_error": {
            "precision": 14 / 16, "recall": 14 / 17, "gold": 17, "predicted": 16,
            "accuracy_with": 15 / 17, "accuracy_without": 4 / 7,
        },
        "other_anomaly": {
            "precision": 1.0, "recall": 1.0, "gold": 1, "predicted": 1,
            "accuracy_with": 1 / 1, "accuracy_without": 18 / 23,
        },
    },
    # the first 8 fakes are A; then A 2, B 4; C 3, D; E, F 2, G; H and I name none
    "generators": {
        "BigGAN": {"family": "gan", "n": 6, "accuracy": 1.0, "iou": 4 / 6, "intervals": {}},
        "DiT": {"family": "dit", "n": 4, "accuracy": 0.0, "iou": 1 / 4, "intervals": {}},
        "FLUX.1-dev": {"family": "diffusion", "n": 8, "accuracy": 1.0, "iou": 1.0, "intervals": {}},
        "VAR": {"family": "other", "n": 4, "accuracy": 3 / 4, "iou": 3 / 4, "intervals": {}},
    },
    "families": {
        "diffusion": {"n": 8, "accuracy": 1.0, "iou": 1.0, "intervals": {}},
        "dit": {"n": 4, "accuracy": 0.0, "iou": 1 / 4, "intervals": {}},
        "gan": {"n": 6, "accuracy": 1.0, "iou": 4 / 6, "intervals": {}},
        "other": {"n": 4, "accuracy": 3 / 4, "iou": 3 / 4, "intervals": {}},
    },
    "real_images": {"n": 16, "accuracy": 12 / 16, "iou": None, "intervals": {}},
    "intervals": {},
    "missing": ["18", "39"],
}  # fmt: skip
# Every fold has 6 fakes and 4 reals, of which 3 are right. 0: A 3, B, C, F; 1: A 3, B, D, G; 2: A 2, B, C, E, H;
# 3: A 2, B, C, F, I
FOLDS_BY_HAND = {
    "0": {"accuracy": 8 / 10, "iou": (3 + 0.5 + 0 + 1) / 6},
    "1": {"accuracy": 8 / 10, "iou": (3 + 0.5 + 1 + 1) / 6},
    "2": {"accuracy": 7 / 10, "iou": (2 + 0.5 + 0 + 0 + 1) / 6},
    "3": {"accuracy": 8 / 10, "iou": (2 + 0.5 + 0 + 1 + 0) / 6},
}


def scored(folder: Path, changes: dict[int, dict[str, Any]] | None = None, resamples: int = 0) -> dict[str, Any]:
    """The result of the forty, with some answers changed."""
    annotations, answers = forty.write(folder, changes)
    systems = {"ours": build_system(read_predictions(answers))}
    rule = frame_rule("fx_qwen2_5_vl", env={})
    results, _ = score_systems(read_annotations(annotations), systems, rule, resampling=Resampling(resamples))
    return results["ours"]


def test_every_metric_by_hand(tmp_path: Path):
    result = scored(tmp_path)
    assert list(METRICS_BY_HAND) == list(METRIC_NAMES)
    assert {name: result[name] for name in METRIC_NAMES} == pytest.approx(METRICS_BY_HAND, abs=1e-12)
    folds, over = result.pop("folds"), result.pop("over_folds")
    assert {name: value for name, value in result.items() if name not in METRIC_NAMES} == REST_BY_HAND
    assert {fold: {name: each[name] for name in ("accuracy", "iou")} for fold, each in folds.items()} == {
        fold: pytest.approx(each) for fold, each in FOLDS_BY_HAND.items()
    }
    # 0.8, 0.8, 0.7, 0.8: mean 0.775, three deviations of 0.025 and one of 0.075
    assert over["accuracy"] == pytest.approx({"mean": 0.775, "std": math.sqrt((3 * 0.025**2 + 0.075**2) / 3)})
    assert over["iou"]["mean"] == pytest.approx(17 / 24)
    assert folds.keys() == {"0", "1", "2", "3"}


TEXTS = {"bleu2", "rouge_l", "bleu2_corpus", "matched_bleu2", "matched_rouge_l", "matched_bleu2_corpus"}
VERDICTS = {"accuracy", "balanced_accuracy", "precision", "f1", "confusion", "folds", "over_folds"}


def answer(said: Any, tags: str = "texture error", verdict: str = "fake", p_fake: float | None = 0.9) -> dict[str, Any]:
    return forty.add_p_fake(forty.write_answer(said, tags, verdict), verdict, p_fake)


@pytest.mark.parametrize(
    ("number", "change", "moved"),
    [
        (0, answer(forty.ONE), set()),
        (0, answer(forty.ONE, p_fake=0.05), {"auroc", "average_precision", "folds", "over_folds"}),
        (0, answer([(forty.CORNER, "Bent rails.")]), TEXTS | {"folds", "over_folds"}),
        (0, answer(forty.ONE, "none"), {"tags_exact", "tag_precision", "tag_recall", "tags", "folds", "over_folds"}),
        (
            0,
            answer([*forty.TWO[:1], (forty.OTHER, forty.RAIL)]),  # one box too many
            {
                *("iou", "box_precision", "box_f1", "bleu2", "rouge_l", "bleu2_corpus", "boxes_per_answer"),
                *("generators", "families", "folds", "over_folds"),
            },
        ),
        (24, answer([], "none", "fake", 0.1), {*VERDICTS, "accuracy_real", "false_positive_rate", "real_images"}),
        (
            36,  # a real image that was called fake
            answer([], "none", "real", 0.6),
            {*VERDICTS, "accuracy_real", "false_positive_rate", "real_images"},
        ),
        (
            14,  # C, called real
            answer([], "none", "fake", 0.7),
            {
                *(*VERDICTS, "accuracy_fake", "recall", "tags", "generators", "families"),
                *("auroc", "average_precision"),
            },
        ),
        (
            0,
            {"response": answer(forty.ONE)["response"] + "\nSo it is."},
            {"format_rate", "exact", "problems", "folds", "over_folds"},
        ),
    ],
)  # fmt: skip
def test_one_answer_changes_its_metrics_and_no_others(
    tmp_path: Path, number: int, change: dict[str, Any], moved: set[str]
):
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before, after = scored(tmp_path / "before"), scored(tmp_path / "after", {number: change})
    assert {name for name in before if before[name] != after[name]} == moved


def test_intervals_contain_the_metrics(tmp_path: Path):
    result = scored(tmp_path, resamples=200)
    assert result["intervals"].keys() == set(METRIC_NAMES)
    assert {name for name, interval in result["intervals"].items() if interval is None} == {
        "unsure",
        "accuracy_decided",
    }
    for name, interval in result["intervals"].items():
        if name in ("unsure", "accuracy_decided"):  # no operating point
            continue
        assert interval is not None
        assert interval[0] <= result[name] <= interval[1], name
    # 31 of 40, in strata: the sd of a share of 24 fakes is 0.083, of 16 reals 0.108
    low, high = result["intervals"]["accuracy"]
    assert 0.1 < high - low < 0.35
    for group in (*result["generators"].values(), *result["families"].values(), result["real_images"]):
        assert group["intervals"]["accuracy"][0] <= group["accuracy"] <= group["intervals"]["accuracy"][1]
