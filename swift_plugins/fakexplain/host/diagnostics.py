"""`--callbacks fx_diagnostics`: measures of the completions that GRPO scores, logged under `fx/`.

A callback sees no completion and a reward function no trainer. So the callback listens to one of the run's `fx_`
rewards, which hands it every completion with its gold, and adds the measures to the trainer's own log. It reads and
counts, and changes nothing: a run with it has the losses of the run without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from swift.callbacks import TrainerCallback

from ..diagnostics import Means, measure_completion
from ..rewards import Gold
from .rewards import FxReward, find_rule

_NOT_LOGGED = ("accuracy", "format")  # these are the rewards fx_label and fx_format


class DiagnosticsCallback(TrainerCallback):
    """`--callbacks fx_diagnostics` for `swift rlhf --rlhf_type grpo`."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        rewards = [func for func in getattr(self.trainer, "reward_funcs", []) if isinstance(func, FxReward)]
        if not rewards:
            raise ValueError(
                "fx_diagnostics measures the completions that a reward function of this plugin scores; "
                "pass --reward_funcs fx_iou fx_label fx_format, or one of them, or leave the callback out"
            )
        self.rule = find_rule(args, "fx_diagnostics")
        self.scored = Means()  # by this process, since the last step or batch of an evaluation
        self.logged = {"train": Means(), "eval": Means()}  # of all processes, since the last log
        rewards[0].observe = self.observe

    def observe(self, completions: Sequence[str], golds: Sequence[Gold]) -> None:
        """Measure a batch that this process scores."""
        self.scored.add(
            measure_completion(text, gold, self.rule) for text, gold in zip(completions, golds, strict=True)
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._write("train")

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._write("eval")

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.logged["train" if self.trainer.model.training else "eval"] = Means()  # as the trainer clears its own

    def _write(self, mode: str) -> None:
        """Write the means since the last log of the mode into the trainer's log."""
        trainer, means = self.trainer, self.logged[mode]
        sums = trainer.accelerator.reduce(torch.tensor(self.scored.sums, device=trainer.accelerator.device))
        self.scored = Means()
        means.sums = [total + more for total, more in zip(means.sums, sums.tolist(), strict=True)]
        log = trainer._metrics[mode]
        log.update({f"fx/{name}": [mean] for name, mean in means.values().items() if name not in _NOT_LOGGED})
        if without := log.get("frac_reward_zero_std"):
            log["fx/no_variance"] = [*without]
        for name, weight in zip(trainer.reward_func_names, trainer.reward_weights.tolist(), strict=True):
            if means_of_batches := log.get(f"rewards/{name}/mean"):
                # a weight that changes from step to step is that of the batches since the last call
                weighted = log[f"fx/weighted/{name}"]
                weighted += [weight * mean for mean in means_of_batches[len(weighted) :]]
