"""Folders of the backbones that have a template here, without weights: enough for a processor and a template."""

from pathlib import Path

from examples.tiny_model import make_reader
from swift_plugins.fakexplain.frames import TEMPLATES

BACKBONES = tuple(name.removeprefix("fx_") for name in TEMPLATES)


def make_backbone(folder: Path, backbone: str) -> Path:
    """Write config, processor and tokenizer of a backbone, and return the folder."""
    make_reader(folder, [], backbone)
    return folder
