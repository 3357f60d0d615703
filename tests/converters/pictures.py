"""Images as cameras store them, and image paths that a source must not have."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from tests.conftest import record

OUTSIDE = ("/a", "..", "a/../../b", "..\\a", "C:\\a", "c:a", "http://x/a", "", ".", "a\0b")
"""Paths that lead out of the folder they are relative to, or nowhere."""

BOX = (48, 12, 90, 66)  # in an image of 160x80, off its middle, inside what a centre crop keeps


def picture(path, wh=(40, 20), turn=None, kind=None):
    """Write an image with a red left half, as stored by a camera; `turn` is its EXIF orientation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", wh, "blue")
    image.paste("red", (0, 0, wh[0] // 2, wh[1]))
    exif = Image.Exif()
    if turn:
        exif[0x0112] = turn
    image.save(path, kind, exif=exif)
    return path


def scene(seed: int, side: int = 256) -> Image.Image:
    """A picture with structure at every scale: patches of random colours, smoothed."""
    rng = np.random.default_rng(seed)
    whole = np.zeros((side, side, 3))
    for cells in (3, 6, 12, 24):
        patch = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        whole += np.asarray(patch.resize((side, side), Image.Resampling.BICUBIC), float) / 4
    return Image.fromarray(whole.astype(np.uint8))


def drawn(path: Path, turn: int = 1, wh=(160, 80), box=BOX, **changes) -> dict:
    """An image with a red rectangle, as a camera stores it, and its record."""
    image = Image.new("RGB", wh, "blue")
    image.paste("red", box)
    exif = Image.Exif()
    exif[0x0112] = turn
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, exif=exif)
    region = {"bbox": list(map(float, box)), "caption": "Red rectangle."}
    fields = {"id": path.stem, "image": path.name, "width": wh[0], "height": wh[1], "regions": [region]}
    return record(0, **(fields | changes))


def photo(wh=(64, 48), mode="RGB"):
    """An image with detail in every channel."""
    values = np.random.default_rng(0).integers(0, 256, (wh[1], wh[0], 3), np.uint8)
    return Image.fromarray(values).filter(ImageFilter.GaussianBlur(2)).convert(mode)
