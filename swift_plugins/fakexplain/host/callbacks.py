"""`--callbacks fx_omega_g`: sets the weight omega_G(t) of the IoU reward at the beginning of each step.

ms-swift reads `trainer.reward_weights` when it turns rewards into advantages, on every rank for all ranks' rewards, so
every rank sets the same weight at the beginning of each step. Nothing is saved: a resumed run continues where it was.

At the end of each step it logs `fx/special_tokens` too, the share of the step's completions that hold special tokens.
A callback does this because it alone knows both the trainer, whose log it is, and the template, which has the counts.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from swift.callbacks import TrainerCallback, callbacks_map
from swift.utils import get_env_args

from ..schedule import IOU_REWARD, LOG_NAME, omega_g
from .diagnostics import DiagnosticsCallback
from .sampled_tokens import SampledTokens


class OmegaGSchedule:
    """Sets the weight of `fx_iou` on a trainer that has `reward_funcs` and `reward_weights`.

    Raises:
        ValueError: `fx_iou` is not among the trainer's rewards.
    """

    def __init__(self, trainer: Any):
        names = [getattr(func, "name", None) for func in getattr(trainer, "reward_funcs", [])]
        if IOU_REWARD not in names:
            raise ValueError(
                f"fx_omega_g sets the weight of the reward {IOU_REWARD}, which is not among the reward functions; "
                f"pass --reward_funcs {IOU_REWARD} fx_label fx_format, or leave the callback out"
            )
        self.index = names.index(IOU_REWARD)
        self.start = get_env_args("fx_omega_g_start", float, 0.5)
        self.end = get_env_args("fx_omega_g_end", float, 1.0)

    def set_weight(self, trainer: Any, step: int, max_steps: int) -> None:
        """Set the weight of a step and log it."""
        weight = omega_g(step, max_steps, self.start, self.end)
        trainer.reward_weights[self.index] = weight
        trainer._metrics["train"][LOG_NAME] = [weight]  # the weight now, not its mean since the last log


class OmegaGCallback(TrainerCallback):
    """`--callbacks fx_omega_g` for `swift rlhf --rlhf_type grpo`."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.schedule = OmegaGSchedule(self.trainer)
        omega_g(state.global_step, state.max_steps)  # an unknown length is an error now, not after the first rollout

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.schedule.set_weight(self.trainer, state.global_step, state.max_steps)
        if isinstance(self.trainer.template, SampledTokens):
            self.trainer.template.take_counts()  # an evaluation since the last step has its own completions

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if isinstance(self.trainer.template, SampledTokens):
            counts = torch.tensor(self.trainer.template.take_counts(), device=self.trainer.accelerator.device)
            special, total = self.trainer.accelerator.reduce(counts).tolist()  # of all ranks
            if total:  # none where a step uses completions of an earlier one
                self.trainer._metrics["train"]["fx/special_tokens"].append(special / total)


def _megatron_callback() -> tuple[dict[str, type], type] | None:
    """Megatron's callback registry and its fx_omega_g, in a process that runs ms-swift on Megatron.

    Importing `swift.megatron` patches torch and Megatron; a run that has not imported it is left alone.
    """
    if "swift.megatron" not in sys.modules:
        return None
    try:
        from swift.megatron.callbacks import megatron_callbacks_map
        from swift.megatron.callbacks.base import MegatronCallback
    except ImportError:
        return None

    class MegatronOmegaGCallback(MegatronCallback):
        """`--callbacks fx_omega_g` for `megatron rlhf --rlhf_type grpo`.

        Raises:
            ValueError: the run uses Ray, whose reward weights no callback can reach.
        """

        def __init__(self, trainer: Any):
            super().__init__(trainer)
            if getattr(self.args, "use_ray", False):
                raise ValueError(
                    "fx_omega_g cannot set the weight of the IoU reward under --use_ray: the reward weights live on "
                    "the driver, and callbacks run on the workers; leave out --use_ray or the callback"
                )

        def on_train_begin(self) -> None:
            self.schedule = OmegaGSchedule(self.trainer)
            omega_g(self.state.iteration, self.args.train_iters)

        def on_step_begin(self) -> None:
            self.schedule.set_weight(self.trainer, self.state.iteration, self.args.train_iters)

    return megatron_callbacks_map, MegatronOmegaGCallback


def register_callbacks() -> None:
    """Put the callbacks into ms-swift's registry, and fx_omega_g into Megatron's if that is in use."""
    callbacks_map["fx_omega_g"] = OmegaGCallback
    callbacks_map["fx_diagnostics"] = DiagnosticsCallback
    if megatron := _megatron_callback():
        registry, callback = megatron
        registry["fx_omega_g"] = callback
