"""The gold of every toy record and variant: through ms-swift's template, its own call of the rewards, and back."""

import pytest
import torch
from swift.model import get_processor
from swift.rewards import orms
from swift.rl_core.data import GRPOSample
from swift.rl_core.grpo_algorithm import compute_rewards_per_func
from swift.template import get_template
from swift.utils.utils import import_external_file

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.frames import set_active_rule
from swift_plugins.fakexplain.rows import to_row
from swift_plugins.fakexplain.variants import VARIANTS
from tests.e2e.conftest import PLUGIN

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def template(quickstart):
    import_external_file(str(PLUGIN))
    processor = get_processor(str(quickstart.out / "base"), model_type="qwen2_5_vl")
    yield get_template(processor, template_type="fx_qwen2_5_vl")
    set_active_rule(None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_target_text_scores_one(quickstart, template, variant):
    template.set_mode("train")
    rewards = [orms[name]() for name in ("fx_iou", "fx_label", "fx_format")]
    samples = []
    for record in read_annotations(quickstart.annotations):
        row = to_row(record, variant)
        labels = [token for token in template.encode(row)["labels"] if token >= 0]
        row["messages"][-1]["content"] = template.tokenizer.decode(labels, skip_special_tokens=True)
        samples.append(GRPOSample.from_row(row))
    scores = compute_rewards_per_func(samples, rewards, [None] * 3, torch.device("cpu"))
    assert len(scores) == 184
    assert scores[:, 1:].eq(1).all()
    assert scores[:, 0].isnan().all() if variant in ("no_bbox", "label_only") else scores[:, 0].eq(1).all()
