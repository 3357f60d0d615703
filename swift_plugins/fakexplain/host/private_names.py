"""Names that this package uses of ms-swift though ms-swift does not promise them, and whether they are still there.

Private here is a name that begins with an underscore, one that comes from a module inside a subpackage of `swift`, and
an attribute that ms-swift gives its trainers without documenting it. Each release may rename any of them. A method that
is overridden here would then silently not be called, so its absence has to be looked for. Names are looked up in
ms-swift's source, because importing some of its modules changes others or needs what not every installation has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple


class PrivateName(NamedTuple):
    """A private name of ms-swift.

    Attributes:
        module: the module that defines it.
        name: the name in the module; `Class.name` for a method or an attribute of its instances.
        purpose: what it is used for here.
    """

    module: str
    name: str
    purpose: str


_TEMPLATE = "swift.template.base"
_TRAINER = "swift.rlhf_trainers.grpo_trainer"

PRIVATE_NAMES = (
    PrivateName(_TEMPLATE, "Template._init_placeholder_tokens", "takes token ids from the tokenizer"),
    PrivateName(_TEMPLATE, "Template._swift_prepare_inputs", "leaves answers as they are"),
    PrivateName(_TEMPLATE, "Template._encode_truncated", "encodes in one thread at a time where a tokenizer changes"),
    PrivateName(_TEMPLATE, "Template._jinja_encode", "refuses --template_backend jinja"),
    PrivateName(_TEMPLATE, "Template._get_enable_thinking", "keeps thoughts out of the prompt"),
    PrivateName(_TEMPLATE, "Template._get_model", "counts the features of an image for Ovis2.5"),
    PrivateName(_TEMPLATE, "Template._encode_context_list", "sets a completion apart from the prompt"),
    PrivateName(
        _TEMPLATE, "Template._data_collator", "puts the ids of a completion back, and counts the places of images"
    ),
    PrivateName(_TEMPLATE, "Template._post_encode", "embeds a completion as text"),
    PrivateName(_TEMPLATE, "Template._get_enable_thinking", "lets a model answer without a thought of its own"),
    PrivateName(_TEMPLATE, "Template._jinja_encode", "refuses the model's own chat template"),
    PrivateName(_TEMPLATE, "Template._get_model", "counts the features of an image of Ovis"),
    PrivateName(_TRAINER, "GRPOTrainer.reward_funcs", "finds fx_iou among the rewards"),
    PrivateName(_TRAINER, "GRPOTrainer.reward_weights", "sets omega_G(t)"),
    PrivateName(_TRAINER, "GRPOTrainer.reward_func_names", "names the rewards in the log"),
    PrivateName(_TRAINER, "GRPOTrainer._metrics", "logs omega_G(t) and measures of completions"),
    PrivateName("swift.metrics.base", "EvalMetrics", "registers fx for evaluations of SFT"),
    PrivateName("swift.pipelines.infer.infer", "SwiftInfer", "answers for `fakexplain detect`"),
    PrivateName("swift.rl_core.data", "GRPOSample", "checks that gold answers score 1"),
    PrivateName("swift.rl_core.grpo_algorithm", "compute_rewards_per_func", "checks that gold answers score 1"),
    PrivateName("swift.megatron.callbacks", "megatron_callbacks_map", "registers fx_omega_g for Megatron"),
    PrivateName("swift.megatron.callbacks.base", "MegatronCallback", "registers fx_omega_g for Megatron"),
)


def gone_names(names: Iterable[PrivateName] = PRIVATE_NAMES) -> Iterator[PrivateName]:
    """Those of the names that the installed ms-swift does not define."""
    for each in names:
        *classes, name = each.name.split(".")
        nodes: list[ast.AST] = [*_source(each.module)]
        for cls in classes:
            nodes = [
                node for top in nodes for node in ast.walk(top) if isinstance(node, ast.ClassDef) and node.name == cls
            ]
        if not any(_defines(node, name) for top in nodes for node in ast.walk(top)):
            yield each


@cache
def _source(module: str) -> tuple[ast.Module, ...]:
    """The parsed source of a module of ms-swift; nothing if there is no such module."""
    spec = find_spec("swift")
    if spec is None or spec.origin is None:
        return ()
    path = Path(spec.origin).parent.joinpath(*module.split(".")[1:])
    files = (path.with_suffix(".py"), path / "__init__.py")
    return tuple(ast.parse(file.read_text(encoding="utf-8")) for file in files if file.is_file())


def _defines(node: ast.AST, name: str) -> bool:
    """Whether a node defines, imports or assigns a name, on its own or as an attribute."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name == name
    if isinstance(node, ast.alias):
        return name == (node.asname or node.name)
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
        return name == (node.id if isinstance(node, ast.Name) else node.attr)
    return False
