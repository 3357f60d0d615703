"""Predictions and images that several tests of commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.annotation import read_annotations
from tests.cli.predictions import RIGHT, answer


@pytest.fixture
def predictions(annotations_file: Path, tmp_path: Path) -> Path:
    """What a model wrote that is right of the fakes, and says nothing of the real ones. 120x90 is 112x84 to it."""
    path = tmp_path / "out.jsonl"
    records = read_annotations(annotations_file)
    path.write_text("".join(answer(each.path, RIGHT if each.label == "fake" else "Who knows.") for each in records))
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "abcdef":
        Image.effect_noise((120, 90), 60).convert("RGB").save(folder / f"{name}.png")
    return folder
