"""omega_G(t): eq. 2. That it reaches the trainer and the log on every rank is tested end to end."""

from types import SimpleNamespace

import pytest
import torch
from swift.callbacks import callbacks_map
from swift.rewards import orms

from swift_plugins.fakexplain.host.callbacks import OmegaGCallback, OmegaGSchedule, register_callbacks
from swift_plugins.fakexplain.host.rewards import register_rewards
from swift_plugins.fakexplain.schedule import omega_g


@pytest.mark.parametrize(
    ("step", "total", "start", "end", "expected"),
    [
        (0, 10, 0.5, 1.0, 0.5),
        (5, 10, 0.5, 1.0, 0.75),
        (10, 10, 0.5, 1.0, 1.0),
        (3, 4, 1.0, 1.0, 1.0),
        (1, 4, 1.0, 0.0, 0.75),
    ],
)
def test_the_weight_goes_from_start_to_end(step, total, start, end, expected):
    assert omega_g(step, total, start, end) == expected


@pytest.mark.parametrize("total", [0, -1])
def test_a_run_of_unknown_length_is_an_error(total):
    with pytest.raises(ValueError, match="needs to know how many steps the run has, found"):
        omega_g(0, total)


def test_registering_twice_leaves_one():
    register_callbacks()
    register_callbacks()
    assert callbacks_map["fx_omega_g"] is OmegaGCallback


def test_the_weight_set_is_that_of_fx_iou_wherever_it_stands(monkeypatch):
    register_rewards()
    rewards = [orms[name]() for name in ("fx_label", "fx_iou")]
    trainer = SimpleNamespace(reward_funcs=rewards, reward_weights=torch.tensor([3.0, 1.0]), _metrics={"train": {}})
    monkeypatch.setenv("FX_OMEGA_G_START", "0.25")
    OmegaGSchedule(trainer).set_weight(trainer, 1, 4)
    assert trainer.reward_weights.tolist() == [3.0, 0.4375]  # 0.25 + 0.75 / 4
    assert trainer._metrics["train"]["omega_G"] == [0.4375]
    trainer.reward_funcs = rewards[:1]
    message = "fx_omega_g sets the weight of the reward fx_iou, which is not among the reward functions"
    with pytest.raises(ValueError, match=message):
        OmegaGSchedule(trainer)
    with pytest.raises(ValueError, match=message):
        OmegaGCallback(None, trainer).on_train_begin(None, None, None)
