"""Metrics against scikit-learn, sacrebleu and rouge-score, on random images and at the edges."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
import sacrebleu
import sklearn.metrics as sk
from rouge_score.rouge_scorer import RougeScorer

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.scoring.metrics.aggregate import WeightedMetrics
from swift_plugins.fakexplain.scoring.metrics.columns import Collector, Columns
from swift_plugins.fakexplain.scoring.metrics.definitions import METRIC_NAMES
from swift_plugins.fakexplain.scoring.metrics.image import Scored
from swift_plugins.fakexplain.tags import TAGS

WORDS = ["hand", "rail", "with", "six", "a", "bent", "sky", "fingers,", "3D", "sun."]


def captions(rng: random.Random) -> tuple[str, ...]:
    return tuple(" ".join(rng.choices(WORDS, k=rng.randint(1, 6))) for _ in range(rng.randint(0, 3)))


def image(rng: random.Random, label: str, verdicts: tuple[str | None, ...]) -> tuple[Annotation, Scored]:
    """A record, and random scores."""
    fake = label == "fake"
    gold = captions(rng) if fake else ()
    tags = tuple(tag for tag in TAGS if fake and rng.random() < 0.3)
    regions = tuple(Region((0, 0, 4, 4), caption) for caption in gold)
    answered = rng.random() > 0.1
    scored = Scored(
        label,
        rng.choice(verdicts) if answered else None,
        answered=answered,
        p_fake=rng.choice([0.1, 0.25, 0.25, 0.5, 0.9]),  # ties
        iou=rng.random() if fake else None,
        exact=answered and rng.random() < 0.5,
        tags=tuple(tag for tag in TAGS if answered and rng.random() < 0.3),
        text=(captions(rng) if answered else (), gold) if fake else None,
        matched=tuple((captions(rng)[:1], (rng.choice(WORDS),)) for _ in range(rng.randint(0, 2))) if fake else (),
    )
    return Annotation("a", "a.png", 8, 8, label, regions, tags), scored


def collected(images: list[tuple[Annotation, Scored]]) -> Columns:
    collector = Collector()
    for annotation, scored in images:
        collector.collect(annotation, scored)
    return collector.columns()


def reference(images: list[tuple[Annotation, Scored]]) -> dict[str, float | None]:
    """The same metrics by the libraries, None where they have none."""
    truth = [annotation.label for annotation, _ in images]
    found = [scored.verdict or "nothing" for _, scored in images]
    fakes = [(annotation, scored) for annotation, scored in images if annotation.label == "fake"]
    gold_tags = [[tag in annotation.tags for tag in TAGS] for annotation, _ in fakes]
    pred_tags = [[tag in (scored.tags or ()) for tag in TAGS] for _, scored in fakes]
    texts = [(" ".join(s.text[0]), " ".join(s.text[1])) for _, s in fakes if s.text and s.text[1]]
    pairs = [(" ".join(pred), " ".join(gold)) for _, s in fakes for pred, gold in s.matched]

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    def micro(metric, needed: list[list[bool]]) -> float | None:
        return float(metric(gold_tags, pred_tags, average="micro")) if np.sum(needed) else None

    only = {"labels": ["fake"], "average": "micro"}
    both = len(set(truth)) == 2
    p_fake = [scored.p_fake for _, scored in images]
    is_fake = [label == "fake" for label in truth]
    return {
        "accuracy": float(sk.accuracy_score(truth, found)) if images else None,
        "balanced_accuracy": float(sk.balanced_accuracy_score(truth, found)) if both else None,
        "accuracy_fake": share(sum(t == s == "fake" for t, s in zip(truth, found, strict=True)), truth.count("fake")),
        "accuracy_real": share(sum(t == s == "real" for t, s in zip(truth, found, strict=True)), truth.count("real")),
        "precision": float(sk.precision_score(truth, found, **only)) if "fake" in found else None,
        "recall": float(sk.recall_score(truth, found, **only)) if "fake" in truth else None,
        "f1": float(sk.f1_score(truth, found, **only)) if "fake" in [*truth, *found] else None,
        "false_positive_rate": share(
            sum(t == "real" and s == "fake" for t, s in zip(truth, found, strict=True)), truth.count("real")
        ),
        "auroc": float(sk.roc_auc_score(is_fake, p_fake)) if both else None,
        "average_precision": float(sk.average_precision_score(is_fake, p_fake)) if both else None,
        "iou": share(sum(scored.iou for _, scored in fakes), len(fakes)),
        "bleu2": mean(bleu.sentence_score(pred, [gold]).score / 100 for pred, gold in texts),
        "rouge_l": mean(rouge(pred, gold) for pred, gold in texts if rouge(gold, gold)),
        "bleu2_corpus": corpus(texts),
        "matched_bleu2": mean(bleu.sentence_score(pred, [gold]).score / 100 for pred, gold in pairs),
        "matched_rouge_l": mean(rouge(pred, gold) for pred, gold in pairs),
        "matched_bleu2_corpus": corpus(pairs),
        "tags_exact": float(sk.accuracy_score(gold_tags, pred_tags)) if fakes else None,
        "tag_precision": micro(sk.precision_score, pred_tags) if fakes else None,
        "tag_recall": micro(sk.recall_score, gold_tags) if fakes else None,
        "format_rate": share(sum(scored.exact for _, scored in images), len(images)),
    }


bleu = sacrebleu.BLEU(max_ngram_order=2, effective_order=True)
scorer = RougeScorer(["rougeL"])


def rouge(pred: str, gold: str) -> float:
    return scorer.score(gold, pred)["rougeL"].fmeasure


def corpus(texts: list[tuple[str, str]]) -> float | None:
    if not texts:
        return None
    return sacrebleu.BLEU(max_ngram_order=2).corpus_score([a for a, _ in texts], [[b for _, b in texts]]).score / 100


def mean(values) -> float | None:
    values = list(values)
    return sum(values) / len(values) if values else None


@pytest.mark.parametrize("verdicts", [("fake", "real", None), ("fake",), ("real",), (None,)], ids=str)
@pytest.mark.parametrize("labels", [("fake", "real"), ("fake",), ("real",), ()], ids=str)
def test_metrics_equal_those_of_the_libraries(labels: tuple[str, ...], verdicts: tuple[str | None, ...]):
    rng = random.Random(f"{labels} {verdicts}")
    for size in (1, 2, 60) if labels else (0,):
        images = [image(rng, rng.choice(labels), verdicts) for _ in range(size)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = reference(images)
        metrics = WeightedMetrics(collected(images)).unweighted()
        assert {name: metrics[name] for name in expected} == pytest.approx(expected, abs=1e-9)
        assert list(metrics) == list(METRIC_NAMES)


def test_a_weight_repeats_an_image():
    """A weight has the effect of repeating the image that often; the bootstrap relies on this."""
    rng = random.Random(3)
    images = [image(rng, rng.choice(["fake", "real"]), ("fake", "real", None)) for _ in range(40)]
    weights = [rng.randint(0, 3) for _ in images]
    many = [each for each, weight in zip(images, weights, strict=True) for _ in range(weight)]
    assert WeightedMetrics(collected(images))(weights) == pytest.approx(
        WeightedMetrics(collected(many)).unweighted(), abs=1e-12
    )


def test_batches_of_texts_add_up(monkeypatch: pytest.MonkeyPatch):
    rng = random.Random(4)
    images = [image(rng, "fake", ("fake",)) for _ in range(50)]
    whole = WeightedMetrics(collected(images)).unweighted()
    monkeypatch.setattr("swift_plugins.fakexplain.scoring.metrics.columns.TEXT_BATCH", 7)
    assert WeightedMetrics(collected(images)).unweighted() == whole


def test_unknown_p_fake_gets_the_worst_rank():
    def one(label: str, p_fake: float | None) -> tuple[Annotation, Scored]:
        return Annotation("a", "a.png", 8, 8, label), Scored(label, label, p_fake=p_fake)

    known = [one("fake", 0.9), one("real", 0.1)]
    assert WeightedMetrics(collected(known)).unweighted()["auroc"] == 1.0
    assert WeightedMetrics(collected([*known, one("fake", None)])).unweighted()["auroc"] == 0.5
    assert WeightedMetrics(collected([*known, one("real", None)])).unweighted()["auroc"] == 0.5
    assert WeightedMetrics(collected([one("fake", None), one("real", None)])).unweighted()["auroc"] is None


def test_parts_that_were_not_asked_for_have_no_metric():
    label_only = [(Annotation("a", "a.png", 8, 8, "fake"), Scored("fake", "fake"))]
    metrics = WeightedMetrics(collected(label_only)).unweighted()
    known = {name for name, value in metrics.items() if value is not None}
    assert known == {"accuracy", "accuracy_fake", "precision", "recall", "f1", "boxes_annotated"}


def test_an_image_takes_about_300_bytes():
    import tracemalloc

    rng = random.Random(5)
    images = [image(rng, "fake", ("fake", "real")) for _ in range(100)]
    collector = Collector()
    tracemalloc.start()
    try:
        for _ in range(100):
            for annotation, scored in images:
                collector.collect(annotation, scored)
        collector.columns()
        held, peak = tracemalloc.get_traced_memory()
        assert held < 350 * 10_000
        assert peak < 700 * 10_000  # includes the current batch and the columns
    finally:
        tracemalloc.stop()
