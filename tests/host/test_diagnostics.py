"""`fx_diagnostics` between the rewards and the trainer's log; that a real trainer calls it so is tested end to end."""

from collections import defaultdict
from types import SimpleNamespace

import pytest
import torch
from swift.callbacks import callbacks_map
from swift.rewards import orms

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.answer import render_answer
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.host.callbacks import register_callbacks
from swift_plugins.fakexplain.host.diagnostics import DiagnosticsCallback
from swift_plugins.fakexplain.host.rewards import register_rewards
from swift_plugins.fakexplain.rows import to_row
from tests.answers import answer

register_rewards()
ARGS = SimpleNamespace(template="fx_qwen2_5_vl")


def trainer_of(*names: str) -> SimpleNamespace:
    """What the callback reads of a trainer, in a run of one process."""
    return SimpleNamespace(
        reward_funcs=[orms[name](args=ARGS) for name in names],
        reward_func_names=[orms[name].__name__ for name in names],
        reward_weights=torch.tensor([0.5, 2.0, 1.0][: len(names)]),
        accelerator=SimpleNamespace(device="cpu", reduce=lambda sums: sums),
        model=torch.nn.Identity(),
        _metrics={"train": defaultdict(list), "eval": defaultdict(list)},
    )


def started(trainer: SimpleNamespace) -> DiagnosticsCallback:
    callback = DiagnosticsCallback(None, trainer)
    callback.on_train_begin(ARGS, None, None)
    return callback


@pytest.fixture
def fake_and_real(annotations_file):
    """The gold answer and the gold of a fake and of a real image."""
    records = {record.label: record for record in read_annotations(annotations_file)}
    rule = frame_rule("fx_qwen2_5_vl")
    pairs = [(records[label], rule.frame(records[label].image_wh)) for label in ("fake", "real")]
    return [(render_answer(record, frame=frame), to_row(record)["solution"]) for record, frame in pairs]


def score(trainer: SimpleNamespace, *texts_and_golds: tuple[str, str]) -> list[list[float]]:
    texts, golds = zip(*texts_and_golds, strict=True)
    return [reward(list(texts), solution=list(golds)) for reward in trainer.reward_funcs]


def logged(trainer: SimpleNamespace, mode: str = "train") -> dict[str, float]:
    return {name: sum(values) / len(values) for name, values in trainer._metrics[mode].items()}


def log(callback: DiagnosticsCallback, trainer: SimpleNamespace, mode: str = "train") -> None:
    """As the host's `log`: first its callbacks' on_log, then its own metrics are cleared."""
    trainer.model.train(mode == "train")
    callback.on_log(ARGS, None, None)
    trainer._metrics[mode].clear()


@pytest.mark.parametrize("names", [("fx_iou", "fx_label", "fx_format"), ("fx_format",)])
def test_each_completion_is_measured_once_whatever_the_rewards(fake_and_real, names):
    trainer = trainer_of(*names)
    callback = started(trainer)
    (right, fake), (_, real) = fake_and_real
    score(trainer, (right, fake), ("", fake), ("", real), (answer(verdict="real"), real))
    callback.on_step_end(ARGS, None, None)
    once = {"fx/accuracy_fake": 0.5, "fx/accuracy_real": 0.5, "fx/iou": 0.5, "fx/no_box": 0.5, "fx/unreadable": 0.5}
    assert logged(trainer).items() >= {**once, "fx/boxes": 1, "fx/overlap": 0}.items()


def test_means_are_over_all_steps_since_the_last_log(fake_and_real):
    trainer = trainer_of("fx_label")
    callback = started(trainer)
    (right, fake), (_, real) = fake_and_real
    score(trainer, (right, fake))
    callback.on_step_end(ARGS, None, None)
    score(trainer, ("", fake), ("", fake), ("", fake), ("", real))
    callback.on_step_end(ARGS, None, None)
    callback.on_step_end(ARGS, None, None)  # a step that uses completions of an earlier one
    assert logged(trainer)["fx/accuracy_fake"] == 1 / 4  # not the mean of 1 and 0
    log(callback, trainer)
    callback.on_step_end(ARGS, None, None)
    assert logged(trainer) == {}
    score(trainer, (right, fake))
    callback.on_step_end(ARGS, None, None)
    assert logged(trainer)["fx/accuracy_fake"] == 1


def test_an_evaluation_is_kept_apart(fake_and_real):
    trainer = trainer_of("fx_label")
    callback = started(trainer)
    (right, fake), _ = fake_and_real
    score(trainer, (right, fake))
    callback.on_step_end(ARGS, None, None)
    for text in (right, "", ""):
        score(trainer, (text, fake))
        callback.on_prediction_step(ARGS, None, None)
    assert logged(trainer, "eval")["fx/iou"] == pytest.approx(1 / 3)
    log(callback, trainer, "eval")
    score(trainer, ("", fake))
    callback.on_step_end(ARGS, None, None)
    assert logged(trainer)["fx/iou"] == 1 / 2


def test_sums_of_other_processes_count(fake_and_real):
    trainer = trainer_of("fx_label")
    callback = started(trainer)
    (right, fake), _ = fake_and_real
    other = trainer_of("fx_label")
    there = started(other)
    score(other, ("", fake), ("", fake))
    trainer.accelerator.reduce = lambda sums: sums + torch.tensor(there.scored.sums)
    score(trainer, (right, fake))
    callback.on_step_end(ARGS, None, None)
    assert logged(trainer)["fx/accuracy_fake"] == pytest.approx(1 / 3)


def test_weighted_rewards_have_the_weight_of_their_step():
    trainer = trainer_of("fx_iou", "fx_label")
    callback = started(trainer)
    train = trainer._metrics["train"]
    train["frac_reward_zero_std"] += [0.25]
    train["rewards/FxIoU/mean"] += [0.5]
    callback.on_step_end(ARGS, None, None)
    trainer.reward_weights[0] = 1.0
    train["frac_reward_zero_std"] += [0.75]
    train["rewards/FxIoU/mean"] += [0.5]
    callback.on_step_end(ARGS, None, None)
    callback.on_step_end(ARGS, None, None)
    assert train["fx/weighted/FxIoU"] == [0.25, 0.5] and train["fx/no_variance"] == [0.25, 0.75]
    assert "fx/weighted/FxLabel" not in train  # its rewards were all None: no empty list, whose mean the host takes


def test_without_it_nothing_listens():
    assert orms["fx_iou"](args=ARGS).observe is None
    trainer = trainer_of("fx_iou", "fx_label")
    started(trainer)
    assert [reward.observe is None for reward in trainer.reward_funcs] == [False, True]


def test_a_run_without_a_reward_of_this_plugin():
    trainer = trainer_of("fx_label")
    trainer.reward_funcs = [len]
    with pytest.raises(ValueError, match="fx_diagnostics measures the completions that a reward function of"):
        started(trainer)


def test_it_is_registered():
    register_callbacks()
    assert callbacks_map["fx_diagnostics"] is DiagnosticsCallback
