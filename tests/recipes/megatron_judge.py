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
from pathlib import Path
from types import ModuleType
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


def callback(plugin: str) -> list[float]:
    """Weights of `fx_iou` that the registered callback sets in four steps; ms-swift's own registry and rewards."""
    from swift.megatron.callbacks import MegatronCallback, megatron_callbacks_map
    from swift.rlhf_trainers.utils import make_reward_weights, resolve_reward_funcs
    from swift.utils import import_external_file

    import_external_file(plugin)
    chosen = megatron_callbacks_map["fx_omega_g"]
    assert issubclass(chosen, MegatronCallback)

    class Trainer:
        """What MegatronGRPOTrainer gives a callback, without the model, which needs a GPU."""

        args = type("Args", (), {"train_iters": 4})()
        state = type("State", (), {"iteration": 0})()
        _metrics: dict[str, dict[str, list[float]]] = {"train": {}}  # noqa: RUF012

    trainer: Any = Trainer()
    names = ["fx_label", "fx_iou", "fx_format"]
    trainer.reward_funcs, _ = resolve_reward_funcs(names, args=trainer.args)
    trainer.reward_weights = make_reward_weights([1.0, 0.5, 1.0], 3, torch.device("cpu"))
    running = chosen(trainer)
    running.on_train_begin()
    weights = []
    for step in range(4):
        trainer.state.iteration = step
        running.on_step_begin()
        weights.append(trainer.reward_weights[1].item())
    assert trainer.reward_weights[[0, 2]].tolist() == [1, 1]
    assert trainer._metrics["train"]["omega_G"] == weights[-1:]
    return weights


if __name__ == "__main__":
    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "1")
    if importlib.util.find_spec("transformer_engine") is None:
        fill_in_transformer_engine()
    from swift.megatron.arguments import MegatronRLHFArguments, MegatronSftArguments

    from tests.recipes.judge import judge

    _, plugin, target = sys.argv
    verdicts = judge(json.load(sys.stdin), {"sft": MegatronSftArguments, "rlhf": MegatronRLHFArguments})
    Path(target).write_text(json.dumps({"verdicts": verdicts, "weights": callback(plugin)}))
