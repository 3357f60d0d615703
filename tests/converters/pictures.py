"""Images as cameras store them, and image paths that a source must not have."""

import numpy as np
from PIL import Image

OUTSIDE = ("/a", "..", "a/../../b", "..\\a", "C:\\a", "c:a", "http://x/a", "", ".", "a\0b")
"""Paths that lead out of the folder they are relative to, or nowhere."""


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
