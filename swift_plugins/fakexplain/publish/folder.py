"""Write a published folder: weights, processor, chat template, arguments, plugin and card."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..backbones import Backbone
from ..detect.model_settings import ARGS_FILE, ModelSettings, is_adapter, load_args, read_settings
from ..errors import NOTHING, DataError, Unquoted
from ..frames import FrameRule, frame_rule
from ..jsonl import to_indented_json
from ..paths import check_is_folder
from .chat_template import CHAT_TEMPLATE, chat_template, publishable
from .check import SWIFT, run_program
from .checkpoint import limit_pixels, published_args, published_files, remove_paths, sizes_of

CHECK_SIDE = 448  # pixels; whole tokens of 28 and of 32


@dataclass(frozen=True)
class Plan:
    """What is known of a checkpoint before anything is written.

    Attributes:
        checkpoint: its folder.
        adapters: whether it holds LoRA adapters alone.
        args: its `args.json`.
        settings: read from them.
        backbone: the row of its template.
        rule: its frame rule.
        sizes: variables of the environment that decide the size of an image.
        limits: fewest and most pixels of an image after resizing; None if the model's own processor decides.
    """

    checkpoint: Path
    adapters: bool
    args: Mapping[str, Any]
    settings: ModelSettings
    backbone: Backbone
    rule: FrameRule
    sizes: Mapping[str, str]
    limits: tuple[int, int] | None


def plan(checkpoint: Path, env: Mapping[str, str] | None = None) -> Plan:
    """Read a checkpoint, and refuse what cannot be published whole.

    Args:
        checkpoint: a folder that ms-swift's training wrote: a whole model, or LoRA adapters.
        env: variables that were set in the training; by default those of this process.

    Raises:
        FileNotFoundError: no such folder.
        DataError (a ValueError): no `args.json`, weights are missing, or a setting that no file of a model can carry.
    """
    env = os.environ if env is None else env
    check_is_folder(checkpoint, "the folder of a checkpoint")
    if not (checkpoint / ARGS_FILE).is_file():
        raise DataError(f"a checkpoint with the {ARGS_FILE} that ms-swift writes", NOTHING).at(str(checkpoint), 0)
    adapters = is_adapter(checkpoint)
    settings = read_settings(*((None, str(checkpoint)) if adapters else (str(checkpoint), None)))
    args = load_args(checkpoint)
    try:
        backbone = publishable(settings.template or "")
        rule = settings.frame_rule()
        if settings.max_pixels and not rule.norm1000:
            expected = "MAX_PIXELS in the environment of the training, because boxes are pixels of the resized image"
            found = Unquoted(f"--max_pixels {settings.max_pixels}, which scales in a step that no processor knows")
            raise DataError(expected, found, field="max_pixels")
    except DataError as error:
        raise error.at(str(checkpoint / ARGS_FILE), 0) from None
    if not adapters:
        published_files(checkpoint)
    sizes = sizes_of(settings, env)
    limits = None
    if backbone.patch is not None:  # ms-swift resizes the image, by these
        resized = frame_rule(str(settings.template), norm_bbox="none", env=sizes)
        limits = resized.min_tokens * resized.factor**2, resized.max_tokens * resized.factor**2
    return Plan(checkpoint, adapters, args, settings, backbone, rule, sizes, limits)


def merge(found: Plan, base: str, plugin: Path, out: Path) -> None:
    """Merge LoRA adapters with their base, by ms-swift's own export.

    Args:
        found: the plan of the adapters.
        base: folder or name of the base model.
        plugin: the plugin file.
        out: folder to write; must not exist.

    Raises:
        ValueError: the export failed.
    """
    command = [
        *(*SWIFT, "export", "--adapters", str(found.checkpoint.resolve()), "--model", base, "--merge_lora", "true"),
        *("--external_plugins", str(plugin), "--output_dir", str(out.resolve())),
    ]
    run_program(command, out.parent, found.sizes)


def write_folder(found: Plan, files: Iterable[Path], out: Path, packages: Sequence[Path]) -> None:
    """Write all but the card.

    Args:
        found: the plan of the checkpoint.
        files: `published_files` of the checkpoint, which are copied, or of the merged adapters, which are moved.
        out: an empty folder.
        packages: folders of Python packages to copy.
    """
    for path in files:
        if found.adapters:
            path.replace(out / path.name)
        else:
            shutil.copyfile(path, out / path.name)
    remove_paths(out)
    limit_pixels(out, found.limits, found.settings.max_pixels)
    text = chat_template(found.backbone, found.settings.system_prompt)
    (out / CHAT_TEMPLATE).write_text(text, encoding="utf-8")
    args = published_args(found.args, found.settings, found.sizes)
    (out / ARGS_FILE).write_text(to_indented_json(args), encoding="utf-8")
    for package in packages:
        shutil.copytree(package, out / package.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


def draw_check_image(path: Path) -> None:
    """Draw the picture of the self-check: a gradient with shapes, of a size that no frame in pixels resizes."""
    from PIL import Image, ImageDraw

    side = CHECK_SIDE
    bands = [Image.linear_gradient("L").rotate(90 * turn).resize((side, side)) for turn in range(3)]
    image = Image.merge("RGB", bands)
    pen = ImageDraw.Draw(image)
    pen.ellipse((60, 80, 200, 250), fill="#b5533c")
    pen.rectangle((240, 60, 400, 180), fill="#2f5d50")
    for step in range(0, 160, 20):
        pen.line((240 + step, 260, 400 - step, 420), fill="#f2e9d8", width=4)
    image.save(path)
