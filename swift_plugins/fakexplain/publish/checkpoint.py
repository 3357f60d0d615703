"""What of a checkpoint is published: its weights and what reads prompts and images, and no path of this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..detect.model_settings import ARGS_FILE, SIZE_SETTINGS, ModelSettings, load_args
from ..errors import NOTHING, DataError, Unquoted
from ..jsonl import decode_line, to_indented_json

PLUGIN = "swift_plugins/fakexplain_plugin.py"
"""Path of the plugin in a published folder; ms-swift reads it relative to the folder that it is started in."""

_FILES = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "merges.txt"),
    *("special_tokens_map.json", "added_tokens.json"),
    *("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json"),
)
_INDEX = "model.safetensors.index.json"
_PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_KEPT_ARGS = ("swift_version", "model_type", "task_type", "torch_dtype", "template", "norm_bbox", "max_pixels")


def published_files(checkpoint: Path) -> list[Path]:
    """The files of a whole model to copy.

    Raises:
        DataError (a ValueError): weights are missing, or not in safetensors.
    """
    files = sorted({path for pattern in _FILES for path in checkpoint.glob(pattern) if path.is_file()})
    names = {path.name for path in files}
    weights = {name for name in names if name.endswith(".safetensors")}
    if _INDEX in names:
        index: Any = _read_object(checkpoint / _INDEX)
        shards = index.get("weight_map")
        if not isinstance(shards, dict):
            raise DataError("the file of each weight", shards, field="weight_map").at(str(checkpoint / _INDEX), 0)
        if absent := sorted(set(map(str, shards.values())) - weights):
            raise DataError(f"the weights of {_INDEX}", Unquoted(f"no {absent[0]}")).at(str(checkpoint), 0)
    for name in ("config.json", *(() if weights else ("model.safetensors",))):
        if name not in names:
            raise DataError("a whole model, with weights in safetensors", Unquoted(f"no {name}")).at(str(checkpoint), 0)
    if not names & {*_PROCESSOR_FILES}:
        raise DataError("a model that reads images", Unquoted(f"no {_PROCESSOR_FILES[0]}")).at(str(checkpoint), 0)
    return files


def published_args(args: Mapping[str, Any], settings: ModelSettings, sizes: Mapping[str, str]) -> dict[str, Any]:
    """The `args.json` of a published folder: what ms-swift and `fakexplain detect` read of it, without paths.

    Args:
        args: those of the checkpoint.
        settings: read from them.
        sizes: the variables of the environment that decide the size of an image.
    """
    kept = {name: args[name] for name in _KEPT_ARGS if args.get(name) is not None}
    return {
        **kept,
        "tuner_type": "full",
        "system": settings.system_prompt,
        "model_kwargs": dict(sizes),
        "dataset": [f"fakexplained:all__{settings.variant}"],
        "external_plugins": [PLUGIN],
    }


def sizes_of(settings: ModelSettings, env: Mapping[str, str]) -> dict[str, str]:
    """The variables that decide the size of an image: the folder's, and those of an environment, which win."""
    return {name: each[name] for each in (settings.env, env) for name in sorted(SIZE_SETTINGS) if name in each}


def base_model_name(args: Mapping[str, Any], depth: int = 8) -> str | None:
    """Name on the hub of the model that a training began with, through the trainings before it; None if not known."""
    model = args.get("model")
    if not isinstance(model, str) or not depth:
        return None
    if (Path(model) / ARGS_FILE).is_file():
        return base_model_name(load_args(Path(model)), depth - 1)
    return model if _HUB_NAME.fullmatch(model) and not Path(model).exists() else None


def limit_pixels(folder: Path, limits: tuple[int, int] | None, max_pixels: int | None) -> None:
    """Write the bounds on an image's pixels into the files of a model's processor.

    Args:
        folder: the published folder.
        limits: fewest and most pixels after resizing; None keeps the processor's own.
        max_pixels: `--max_pixels` of the training, which lowers the upper bound.

    Raises:
        DataError (a ValueError): the processor has no such bounds.
    """
    for name in _PROCESSOR_FILES:
        if (folder / name).is_file():
            config = _read_object(folder / name)
            own = config.get("image_processor", config if name == _PROCESSOR_FILES[1] else None)
            if isinstance(own, dict):
                _limit(own, limits, max_pixels, str(folder / name))
                (folder / name).write_text(to_indented_json(config), encoding="utf-8")


def _limit(own: dict[str, Any], limits: tuple[int, int] | None, max_pixels: int | None, file: str) -> None:
    size = own.get("size")
    if limits is None and max_pixels is None:
        return
    if limits is None and not (isinstance(size, dict) and "longest_edge" in size):
        expected = "a processor with a bound on pixels, because the model was trained with --max_pixels"
        raise DataError(expected, NOTHING if size is None else size, field="size").at(file, 0)
    low, high = limits or (own["size"]["shortest_edge"], own["size"]["longest_edge"])
    if max_pixels is not None:
        frames = own.get("temporal_patch_size", 1) if str(own.get("image_processor_type")).startswith("Glm") else 1
        high = min(high, max_pixels * frames)  # GLM counts an image once for each frame of a patch
    own["size"] = {"shortest_edge": low, "longest_edge": high}
    for older in ("min_pixels", "max_pixels"):
        own.pop(older, None)


def remove_paths(folder: Path) -> None:
    """Remove what the JSON files of a model say of the place they were loaded from, and templates of chats."""
    for path in folder.glob("*config.json"):
        config = _read_object(path)
        kept = {name: value for name, value in config.items() if name not in _PLACES}
        if kept != config:
            path.write_text(to_indented_json(kept), encoding="utf-8")


_PLACES = ("_name_or_path", "name_or_path", "chat_template")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = decode_line(path.read_bytes())
        if not isinstance(value, dict):
            raise DataError("a JSON object", value)
    except DataError as error:
        raise error.at(str(path), 0) from None
    return value
