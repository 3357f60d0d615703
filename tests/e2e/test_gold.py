"""The gold of every toy record and variant scores 1, through ms-swift's template and its own call of the rewards."""

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.frames import set_active_rule
from swift_plugins.fakexplain.host.preflight import check_gold
from swift_plugins.fakexplain.variants import VARIANTS
from tests.e2e.conftest import BACKBONE, PLUGIN

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def no_template_announced():
    yield
    set_active_rule(None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_target_text_scores_one(quickstart, variant):
    findings = check_gold(
        list(read_annotations(quickstart.annotations)),
        plugin=PLUGIN,
        template="fx_qwen2_5_vl",
        model=str(BACKBONE),
        model_type="qwen2_5_vl",
        variant=variant,
        sample=0,
    )
    states = {finding.what: (finding.state, finding.found) for finding in findings}
    one = ("ok", "gold scores 1.0 on 184 of 184 records")
    no_boxes = ("ok", f"not scored: {variant} has no boxes")
    assert states["fx_iou"] == (no_boxes if variant in ("no_bbox", "label_only") else one)
    assert states["fx_label"] == states["fx_format"] == one
