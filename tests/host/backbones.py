"""Folders of the backbones that have a template here, without weights: enough for a processor and a template."""

from pathlib import Path

from examples.tiny_model import make_reader
from swift_plugins.fakexplain.backbones import BACKBONES as ROWS

BACKBONES = tuple(name for name, row in ROWS.items() if row.proven != "encode")
"""Those whose model is in transformers."""


def folder_name(backbone: str) -> str:
    """Name of the tiny model of a backbone: Qwen3.8 has Qwen3.5's architecture and tokens."""
    return {"qwen3_8": "qwen3_5"}.get(backbone, backbone)


def make_backbone(folder: Path, backbone: str) -> Path:
    """Write config, processor and tokenizer of a backbone, and return the folder."""
    make_reader(folder, [], folder_name(backbone))
    return folder
