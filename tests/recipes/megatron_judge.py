"""ms-swift's verdict on commands of `megatron`, and its callback registry: a program, run where Megatron is installed.

Transformer Engine has no build for a CPU, and mcore-bridge imports it at once. Where it is missing, empty classes take
the places of its layers: enough to import ms-swift's Megatron, not to build a model. Everything else is the real thing.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import re
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import swift.megatron  # noqa: F401  (imports megatron.core while Transformer Engine is still missing)
import torch
from megatron.core.extensions import transformer_engine as layers


class _Empty(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (torch.nn.Module,), {})


def fill_in_transformer_engine() -> None:
    """Put empty classes where Transformer Engine's would be."""
    for name in ("transformer_engine", "transformer_engine.pytorch"):
        module = _Empty(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        module.__path__ = []
        module.__version__ = "2.11.0"
        sys.modules[name] = module
    names = set(re.findall(r"\bTE[A-Z]\w+", Path(str(layers.__file__)).read_text(encoding="utf-8")))
    for name in names | {"SplitAlongDim", "te_checkpoint"}:
        if getattr(layers, name, None) is None:
            setattr(layers, name, type(name, (torch.nn.Module,), {}))


def run_callback(plugin: str) -> tuple[list[float], str]:
    """The weight of `fx_iou` in each of four steps, as the registered callback sets it, and its error under Ray.

    The trainer is ms-swift's class with its own rewards, weights, log and state, but without the model and the process
    groups, which need a GPU.
    """
    from swift.megatron.callbacks import megatron_callbacks_map
    from swift.megatron.trainers.grpo_trainer import MegatronGRPOTrainer
    from swift.megatron.trainers.utils import TrainerState
    from swift.utils import import_external_file

    from swift_plugins.fakexplain.frames import frame_rule, set_active_rule

    import_external_file(plugin)
    set_active_rule(frame_rule("fx_qwen2_5_vl"))  # which a template does
    trainer: Any = object.__new__(MegatronGRPOTrainer)
    trainer.args = SimpleNamespace(
        reward_funcs=["fx_label", "fx_iou", "fx_format"], reward_weights=[1.0, 0.5, 1.0], train_iters=4
    )
    trainer.state = TrainerState(max_steps=4)
    trainer.device, trainer.use_gym_env = torch.device("cpu"), False
    trainer._metrics = {"train": defaultdict(list)}
    trainer._prepare_rewards()
    trainer.callbacks = [megatron_callbacks_map["fx_omega_g"](trainer)]
    trainer.call_event("on_train_begin")
    weights = []
    for step in range(4):
        trainer.state.iteration = step
        trainer.call_event("on_step_begin")
        weights.append(trainer.reward_weights[1].item())
        assert trainer.reward_weights[[0, 2]].tolist() == [1, 1]
        assert trainer._metrics["train"]["omega_G"] == weights[-1:]
    trainer.args.use_ray = True
    try:
        megatron_callbacks_map["fx_omega_g"](trainer)
    except ValueError as error:
        return weights, str(error)
    return weights, ""


if __name__ == "__main__":
    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "1")
    if importlib.util.find_spec("transformer_engine") is None:
        fill_in_transformer_engine()
    from swift.megatron.arguments import MegatronRLHFArguments, MegatronSftArguments

    from tests.recipes.judge import judge

    _, plugin, target = sys.argv
    verdicts = judge(json.load(sys.stdin), {"sft": MegatronSftArguments, "rlhf": MegatronRLHFArguments})
    weights, under_ray = run_callback(plugin)
    Path(target).write_text(json.dumps({"verdicts": verdicts, "weights": weights, "under_ray": under_ray}))
