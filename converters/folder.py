"""Label folders: `0_real/` and `1_fake/`, `nature/` and `ai/`, or any names; no regions.

Chameleon, GPT-Image-1, FaceForensics++ frames and GenImage come so. The label is that of the innermost folder on an
image's path that has one of the names; so `ai/nature/a.png` is real.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import AnnotationError, Words

from .source import Draft, Piece, image_files

REAL = ("0_real", "real", "nature")
FAKE = ("1_fake", "fake", "ai")


def load_folder(src: Path, *, real: Collection[str] = REAL, fake: Collection[str] = FAKE) -> Iterator[Piece]:
    """Every image below a folder, with the label that the names of its folders give it."""
    if not src.is_dir():
        raise FileNotFoundError(f"{src}: expected a folder of label folders, found no such folder")
    if both := sorted(set(real) & set(fake)):
        raise ValueError(f"expected names of real and of fake folders that differ, found {both[0]!r} in both")
    for path in image_files(src):
        name = path.relative_to(src).as_posix()
        labels = [("real" if part in real else "fake") for part in name.split("/")[:-1] if part in {*real, *fake}]
        yield Piece({"image": name, "label": labels[-1] if labels else None}, str(path))


def from_folder(data: Any) -> list[Draft]:
    """The draft of one image.

    >>> from_folder({"image": "1_fake/a.png", "label": "fake"})[0].label
    'fake'
    """
    if data["label"] is None:
        expected = f"a folder named as real ({', '.join(REAL)}) or fake ({', '.join(FAKE)}); --real, --fake name others"
        raise AnnotationError(expected, Words(f"none on the way to {data['image']}"), field="label")
    return [Draft(data["image"], label=data["label"])]
