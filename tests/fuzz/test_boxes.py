"""Union IoU against rational arithmetic."""

from fractions import Fraction

import pytest

from swift_plugins.fakexplain import boxes as module
from swift_plugins.fakexplain.boxes import union_iou
from tests.test_boxes import COORDINATES, draw_case, exact_areas, exact_iou

pytestmark = pytest.mark.fuzz


def test_union_iou_is_rational_arithmetic(fuzz, monkeypatch):
    def check(rng):
        pred, gold = draw_case(rng, rng.choice(list(COORDINATES)), most=rng.choice((3, 3, 3, 12)))
        expected = exact_iou([box for box in pred if exact_areas([box])[1]], gold)
        for few in (10**9, -1):
            monkeypatch.setattr(module, "FEW", few)
            assert abs(Fraction(union_iou(pred, gold)) - expected) < 1e-9, (few, pred, gold)

    fuzz(check)
