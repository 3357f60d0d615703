"""Groups of completions without a signal, through ms-swift's own arithmetic: the advantages are 0, no log is NaN."""

from math import isfinite

import pytest
import torch
from swift.rewards import orms
from swift.rl_core.advantage import compute_advantages, compute_reward_metrics
from swift.rl_core.data import GRPOSample
from swift.rl_core.grpo_algorithm import compute_rewards_per_func

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.answer import render_answer
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.host.rewards import register_rewards
from swift_plugins.fakexplain.rows import to_row

register_rewards()
RECORD = Annotation("a", "a.png", 504, 504, "fake", (Region((28.0, 28.0, 252.0, 252.0), "Hand with six fingers."),))
NAMES = ["fx_iou", "fx_label", "fx_format"]


class Args:
    template = "fx_qwen2_5_vl"


def rewards_of(names: list[str], variant: str, completions: list[str]) -> torch.Tensor:
    row = to_row(RECORD, variant)
    samples = [
        GRPOSample.from_row(row | {"messages": [*row["messages"][:-1], {"role": "assistant", "content": text}]})
        for text in completions
    ]
    functions = [orms[name](args=Args()) for name in names]
    return compute_rewards_per_func(samples, functions, [None] * len(names), torch.device("cpu"))


GOLD = render_answer(RECORD, frame=frame_rule("fx_qwen2_5_vl").frame(RECORD.image_wh))


@pytest.mark.parametrize("scale", ["group", "batch", "none", "gdpo"])
@pytest.mark.parametrize(
    ("names", "variant", "completions"),
    [
        (["fx_iou"], "no_bbox", ["", "x", "<verdict>fake</verdict>", "<|image_pad|>"]),  # None for each
        (["fx_iou"], "label_only", [GOLD] * 4),
        (NAMES, "no_bbox", [""] * 4),
        (NAMES, "full", [""] * 4),
        (NAMES, "full", [GOLD] * 4),
        (NAMES, "full", ["<|image_pad|>" * 8, "<|im_start|>", "<|video_pad|>", "\ufffd"]),
        (NAMES, "full", [GOLD[:20]] * 4),
    ],
)
def test_groups_without_a_signal(names, variant, completions, scale):
    per_func = rewards_of(names, variant, completions)
    weights = torch.ones(len(names))
    advantages, rewards = compute_advantages(per_func, weights, num_generations=4, scale_rewards=scale)
    assert advantages.tolist() == [0, 0, 0, 0]
    metrics = compute_reward_metrics(rewards, per_func, names, num_generations=4, scale_rewards=scale)
    numbers = [metrics.reward_mean, metrics.reward_std, metrics.frac_reward_zero_std]
    numbers += [*metrics.per_func_mean.values(), *metrics.per_func_std.values()]
    assert all(map(isfinite, numbers))
    if variant != "full":
        assert "fx_iou" not in metrics.per_func_mean


@pytest.mark.parametrize("place", [0, 40, len(GOLD)])
def test_special_tokens_in_an_answer_are_not_of_the_format(place):
    text = GOLD[:place] + "<|image_pad|>" + GOLD[place:]
    assert rewards_of(NAMES, "full", [GOLD]).tolist() == [[1, 1, 1]]
    assert rewards_of(["fx_format"], "full", [text]).tolist() == [[0]]
