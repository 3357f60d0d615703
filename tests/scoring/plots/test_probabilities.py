"""The figures of P(fake): which systems are drawn, and where."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from swift_plugins.fakexplain.scoring.metrics.ranking import Ranking, auroc
from swift_plugins.fakexplain.scoring.metrics.reliability import reliability_bins
from swift_plugins.fakexplain.scoring.plots import probabilities
from swift_plugins.fakexplain.scoring.plots.probabilities import LabelledScores, draw_reliability, draw_roc

RNG = np.random.default_rng(0)
FAKE = RNG.random(300) < 0.5
P = np.clip(RNG.normal(np.where(FAKE, 0.7, 0.4), 0.2), 0, 1)
ONE_SIDED = LabelledScores(np.full(3, True), np.array([0.1, 0.5, 0.9]))
UNKNOWN = LabelledScores(np.array([True, False]), np.array([np.nan, np.nan]))


def label(svg: str | None) -> str:
    assert svg is not None
    return ElementTree.fromstring(svg).attrib["aria-label"]


def test_the_curve_has_the_area_of_auroc():
    x, y = Ranking(FAKE, P).roc() or ((), ())
    assert np.trapezoid(y, x) == pytest.approx(auroc(FAKE, P)) if hasattr(np, "trapezoid") else True
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert Ranking([True], [0.5]).roc() is None


def test_roc_names_every_system_with_both_labels():
    systems = {"7B": LabelledScores(FAKE, P, 0.8), "NPR": LabelledScores(FAKE, 1 - P), "one": ONE_SIDED}
    assert (
        label(draw_roc(systems))
        == f"ROC curves of P(fake): 7B, AUROC {auroc(FAKE, P):.3f}; NPR, AUROC {auroc(FAKE, 1 - P):.3f}."
    )
    assert draw_roc({"one": ONE_SIDED}) is None and draw_roc({}) is None


def test_an_image_without_p_fake_counts_against_the_system():
    scores = LabelledScores(np.array([True, False, True]), np.array([0.9, np.nan, np.nan]), 0.5)
    assert label(draw_roc({"7B": scores})) == "ROC curves of P(fake): 7B, AUROC 0.000."


def test_reliability_leaves_out_what_is_unknown():
    some = LabelledScores(np.append(FAKE, True), np.append(P, np.nan))
    assert label(draw_reliability({"7B": some, "none": UNKNOWN})) == label(
        draw_reliability({"7B": LabelledScores(FAKE, P)})
    )
    assert draw_reliability({"none": UNKNOWN}) is None
    assert "one, calibration error" in label(draw_reliability({"one": ONE_SIDED}))


def test_many_images_make_no_larger_figure():
    n = 50_000
    fake = RNG.random(n) < 0.5
    many = draw_roc({"7B": LabelledScores(fake, RNG.random(n))})
    assert many is not None and len(many) < 120_000


@pytest.mark.parametrize("images", [40, 3000, 100_000, 1_000_000])
def test_labels_of_low_rates_do_not_touch(monkeypatch: pytest.MonkeyPatch, images: int):
    found = []

    def measure(figure: Figure, _: str) -> None:
        figure.canvas.draw()
        axes = figure.axes[1]
        boxes = [each.get_window_extent() for each in axes.get_xticklabels()]
        found.extend(box for box in boxes if axes.bbox.x0 <= (box.x0 + box.x1) / 2 <= axes.bbox.x1)

    monkeypatch.setattr(probabilities, "note", measure)  # the last that is drawn
    draw_roc({"7B": LabelledScores(np.arange(images) % 2 == 0, RNG.random(images))})
    found.sort(key=lambda box: box.x0)
    assert len(found) >= 2 and all(left.x1 < right.x0 for left, right in pairwise(found))


def test_bins_hold_every_image():
    bins = reliability_bins(FAKE, P)
    assert sum(each.images for each in bins) == 300 and sum(each.fake for each in bins) == FAKE.sum()
    assert [each.mean for each in bins] == sorted(each.mean for each in bins)
    for each in bins:
        low, high = each.interval()
        assert low <= each.share <= high
