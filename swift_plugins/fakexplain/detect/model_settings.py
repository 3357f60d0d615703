"""What a model was trained with, from the `args.json` that ms-swift writes beside its weights."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import DataError, Unquoted
from ..frames import FrameRule, frame_rule
from ..jsonl import decode_line
from ..prompts import system_prompt
from ..rows import parse_subset

ARGS_FILE = "args.json"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
SIZE_SETTINGS = frozenset(
    {"IMAGE_MAX_TOKEN_NUM", "IMAGE_MIN_TOKEN_NUM", "MAX_PIXELS", "MIN_PIXELS", "MAX_RATIO", "SPATIAL_MERGE_SIZE"}
)
"""Variables of the environment that decide the size of an image in a model."""


@dataclass(frozen=True)
class ModelSettings:
    """Settings that decide what a model sees and how its boxes are read.

    Attributes:
        template: name of its chat template; None if the folder does not say.
        max_pixels: `--max_pixels` of its training.
        norm_bbox: its `--norm_bbox`.
        system: its own system prompt; None: that of the variant.
        variant: the parts of its answers.
        env: its `--model_kwargs`, as variables of the environment; those that decide the size of an image.
    """

    template: str | None = None
    max_pixels: int | None = None
    norm_bbox: str | None = None
    system: str | None = None
    variant: str = "full"
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def system_prompt(self) -> str:
        """The system prompt of every request."""
        return self.system or system_prompt(self.variant)

    def frame_rule(self) -> FrameRule:
        """The rule of its model frame; a variable of the environment of this process wins over the folder's.

        Raises:
            ValueError: the template's frame is not known, or a setting is not a number.
        """
        template = self.template or ""
        return frame_rule(
            template, max_pixels=self.max_pixels, norm_bbox=self.norm_bbox, env={**self.env, **os.environ}
        )

    def described(self, rule: FrameRule) -> dict[str, Any]:
        """What an answer and its boxes depend on, as JSON."""
        size = {name: value for name, value in asdict(rule).items() if name != "template"}
        return {"template": self.template, "system": self.system_prompt, "variant": self.variant, "frame": size} | {
            "max_pixels": self.max_pixels
        }


def read_settings(
    model: str | None,
    adapters: str | None = None,
    *,
    template: str | None = None,
    max_pixels: int | None = None,
    variant: str | None = None,
) -> ModelSettings:
    """Read a model's settings from its folder, and complete them.

    Args:
        model: its folder, or its name on a hub; None if a server has it.
        adapters: folder of LoRA adapters; their settings count, because they were trained last.
        template, max_pixels, variant: what the user says. A template or a limit of pixels that the folder states too
            must be the same.

    Raises:
        FileNotFoundError: no such folder.
        DataError (a ValueError): adapters without their base model, a damaged `args.json`, or another template or limit
            than the folder's.
        ValueError: nothing says which template the model was trained with.
    """
    for folder, kind in ((model, "model"), (adapters, "adapters")):
        if folder is not None:
            _check_folder(folder, kind)
    if model is not None and is_adapter(Path(model)):
        raise DataError(
            "a whole model (--adapters takes LoRA adapters, --model then their base)",
            Unquoted("LoRA adapters"),
            field="--model",
        ).at(model, 0)
    if adapters is not None and not is_adapter(Path(adapters)):
        raise DataError("LoRA adapters", Unquoted("no adapter_config.json"), field="--adapters").at(adapters, 0)
    found = _read_args(Path(adapters or model or ""), variant)
    for name, stated, told in (("template", found.template, template), ("max-pixels", found.max_pixels, max_pixels)):
        if stated is not None and told is not None and stated != told:
            raise DataError(f"{stated}, as {ARGS_FILE} of the model states", told, field=f"--{name}")
    settings = replace(
        found,
        template=found.template or template,
        max_pixels=found.max_pixels or max_pixels,
        variant=variant or found.variant,
    )
    if settings.template is None:
        where = f"{adapters or model} has no {ARGS_FILE} that names it" if adapters or model else "a server does not"
        raise ValueError(f"--template: expected the template that the model was trained with, because {where}")
    return settings


def base_model(adapters: str) -> str:
    """The model that LoRA adapters were trained on.

    Raises:
        DataError (a ValueError): `args.json` does not name it, or it is not there.
    """
    base = load_args(Path(adapters)).get("model")
    if not isinstance(base, str) or not base:
        raise DataError("the base model as --model", Unquoted("adapters that do not name it")).at(adapters, 0)
    if not (Path(base).is_dir() or _HUB_NAME.fullmatch(base)):
        found = Unquoted(f"adapters of {base}, which is not here")
        raise DataError("the base model as --model", found).at(adapters, 0)
    return base


def _check_folder(name: str, kind: str) -> None:
    path = Path(name)
    if path.is_dir():
        return
    if path.exists():
        raise FileNotFoundError(f"{name}: expected the folder of a model, found a file")
    if kind == "adapters" or not _HUB_NAME.fullmatch(name) or path.parent.is_dir():
        raise FileNotFoundError(f"{name}: expected the folder of {kind}, found no such folder")


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds LoRA adapters without their base."""
    return (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file()


def load_args(folder: Path) -> dict[str, Any]:
    """Read the `args.json` of a model's folder; empty if there is none.

    Raises:
        DataError (a ValueError): it is damaged.
    """
    path = folder / ARGS_FILE
    if not path.is_file():
        return {}
    try:
        args = decode_line(path.read_bytes())
        if not isinstance(args, dict):
            raise DataError("a JSON object of ms-swift's arguments", args)
    except DataError as error:
        raise error.at(str(path), 0) from None
    return args


def _read_args(folder: Path, variant: str | None) -> ModelSettings:
    args = load_args(folder) if str(folder) != "." else {}
    kinds: dict[str, type] = {"template": str, "max_pixels": int, "norm_bbox": str, "system": str}
    values: dict[str, Any] = {}
    for name, kind in kinds.items():
        value = args.get(name)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            words = "a whole number" if kind is int else "a text"
            raise DataError(f"{words}, or null", value, field=name).at(str(folder / ARGS_FILE), 0)
        values[name] = value or None
    kwargs = args.get("model_kwargs")
    env = {str(name).upper(): str(value) for name, value in kwargs.items()} if isinstance(kwargs, dict) else {}
    sizes = {name: value for name, value in env.items() if name in SIZE_SETTINGS}
    return ModelSettings(**values, variant=variant or _trained_variant(args), env=sizes)


def _trained_variant(args: Mapping[str, Any]) -> str:
    """The one variant of the training's subsets of `fakexplained`; full if there is none, or more than one."""
    names = args.get("dataset")
    variants = set()
    for name in names if isinstance(names, list) else ():
        dataset, colon, subsets = str(name).partition("#")[0].partition(":")
        if dataset == "fakexplained" and colon:
            try:
                variants |= {parse_subset(subset).variant for subset in subsets.split("/")}
            except ValueError:
                continue
    return variants.pop() if len(variants) == 1 else "full"
