"""Sets of pixels: the pixels of a colour in an image, and the pixels of an outline."""

from __future__ import annotations

from PIL import Image


def spots(image: Image.Image, colour: tuple[int, int, int]) -> set[tuple[int, int]]:
    """Pixels of exactly one colour."""
    width, height = image.size
    pixels = image.load()
    return {(x, y) for x in range(width) for y in range(height) if pixels[x, y] == colour}


def outline(x1: int, y1: int, x2: int, y2: int) -> set[tuple[int, int]]:
    """The outermost pixels of a box whose last pixels are x2, y2."""
    return {(x, y) for x in range(x1, x2 + 1) for y in range(y1, y2 + 1) if x in (x1, x2) or y in (y1, y2)}
