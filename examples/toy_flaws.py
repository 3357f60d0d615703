"""Flaws of the toy world: the kinds of fake image, and how to draw each.

Each kind stands for one generator. A local flaw replaces the pixels of a box and comes with captions; a flaw of the
whole image has tags only (§3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

SIZE = 120
"""Side of an image in pixels. It is not a multiple of 28, so the model frame (112) differs from the image."""

Pixels = np.ndarray
"""(height, width, 3) floats, 0 to 255."""


class Box(NamedTuple):
    """A box in whole pixels of the image."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.y1, self.y2), slice(self.x1, self.x2)

    @property
    def floats(self) -> tuple[float, float, float, float]:
        return float(self.x1), float(self.y1), float(self.x2), float(self.y2)


class Kind(NamedTuple):
    """One way to be fake.

    Attributes:
        generator, family: names in the record; kinds of one family work alike.
        tags: tags of the image.
        captions: possible captions of a region; empty if the flaw covers the whole image.
        draw: (rng, image, box) -> new pixels of the box.
    """

    generator: str
    family: str
    tags: tuple[str, ...]
    captions: tuple[str, ...]
    draw: Callable[[np.random.Generator, Pixels, Box], Pixels]


def _tile(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Repeat a small piece of the box, its contrast stretched."""
    patch = image[box.slices]
    side = int(rng.integers(6, 10))
    y, x = (int(rng.integers(0, length - side)) for length in patch.shape[:2])
    tile = _stretch(patch[y : y + side, x : x + side])
    times = (-(-patch.shape[0] // side), -(-patch.shape[1] // side), 1)
    return np.tile(tile, times)[: patch.shape[0], : patch.shape[1]]


def _clone(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Paste another part of the image upside down, with a visible seam."""
    height, width = box.y2 - box.y1, box.x2 - box.x1
    y, x = int(rng.integers(0, SIZE - height + 1)), int(rng.integers(0, SIZE - width + 1))
    patch = image[y : y + height, x : x + width][::-1].copy()
    seam = 255.0 if patch.mean() < 128 else 0.0
    patch[:3] = patch[-3:] = patch[:, :3] = patch[:, -3:] = seam
    return patch


def _blur(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Remove all detail: nine colours, from the darkest to the brightest, and smooth steps between them."""
    patch = image[box.slices]
    small = np.asarray(Image.fromarray(patch.astype(np.uint8)).resize((3, 3), Image.Resampling.BOX), float)
    blurred = Image.fromarray(_stretch(small).astype(np.uint8))
    return np.asarray(blurred.resize(patch.shape[1::-1], Image.Resampling.BICUBIC), float)


def _swirl(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Turn the content about the centre, most of all near it."""
    patch = _stretch(image[box.slices])
    height, width = patch.shape[:2]
    v, u = np.mgrid[0:height, 0:width]
    v, u = (v + 0.5) / height * 2 - 1, (u + 0.5) / width * 2 - 1
    radius = np.hypot(u, v)
    turn = np.arctan2(v, u) + rng.choice((-1, 1)) * 9.0 * np.clip(1 - radius, 0, 1)
    row = np.clip((radius * np.sin(turn) + 1) / 2 * height, 0, height - 1).astype(int)
    column = np.clip((radius * np.cos(turn) + 1) / 2 * width, 0, width - 1).astype(int)
    return patch[row, column]


def _dye(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Keep light and shade, in a colour that no real surface has."""
    light = image[box.slices].mean(axis=2, keepdims=True)
    colours = np.array([(255, 0, 255), (0, 255, 255), (0, 255, 0), (255, 0, 110)], float)
    return rng.choice(colours) * (0.45 + 0.55 * light / 255)


def _write(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Write rows of strokes that are not letters on a plate."""
    width, height = box.x2 - box.x1, box.y2 - box.y1
    paper, ink = ((250, 245, 225), (20, 20, 40)) if rng.random() < 0.5 else ((25, 30, 60), (255, 250, 210))
    plate = Image.new("RGB", (width, height), paper)
    pen = ImageDraw.Draw(plate)
    for top in range(3, height - 7, 11):
        for left in range(3, width - 6, 8):
            corners = rng.integers((0, 0), (6, 8), (4, 2))
            pen.line([(left + int(x), top + int(y)) for x, y in corners], fill=ink, width=2)
    return np.asarray(plate, float)


def _sculpt(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Draw a smooth lump that resembles nothing; its colour follows its surface."""
    patch = image[box.slices]
    height, width = patch.shape[:2]
    v, u = np.mgrid[0:height, 0:width]
    v, u = (v + 0.5) / height * 2 - 1, (u + 0.5) / width * 2 - 1
    angle = np.arctan2(v, u)
    edge = 0.92 + 0.08 * np.sin(int(rng.integers(3, 6)) * angle + rng.uniform(0, 6.3))
    depth = np.clip(1 - (np.hypot(u, v) / edge) ** 2, 0, 1)
    lump = 127.5 + 127.5 * np.stack((u, 2 * depth - 1, -v), axis=2)
    return np.where((depth > 0)[..., None], lump, patch)


def _rule(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Draw a window lattice with bars that run to two vanishing points at once."""
    patch = image[box.slices] * 0.35
    height, width = patch.shape[:2]
    v, u = np.mgrid[0:height, 0:width]
    lean = rng.choice((-1, 1)) * 0.6
    bars = ((u + lean * v) % 10 < 2.5) | ((u - lean * v) % 14 < 2.5)
    return np.where(bars[..., None], 245.0, patch)


def _posterise(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Reduce the image to a few flat, loud colours."""
    grey = image.mean(axis=2, keepdims=True)
    loud = np.clip(_stretch(grey + 2.2 * (image - grey)), 0, 255)
    return np.round(loud / 127.5) * 127.5


def _sketch(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Draw the edges in pencil on white paper."""
    grey = image.mean(axis=2)
    down, across = np.gradient(grey)
    pencil = np.clip(255 - 9 * np.hypot(down, across), 0, 255)
    return np.repeat(pencil[..., None], 3, axis=2)


def _band(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Lay the dark bands of a screen across the image."""
    rows = np.arange(SIZE) + int(rng.integers(0, 8))
    return image * np.where(rows % 8 < 3, 0.15, 1.0)[:, None, None]


def _stretch(patch: Pixels) -> Pixels:
    low, high = np.percentile(patch, (10, 90))
    return np.clip((patch - low) * (255 / max(high - low, 16.0)), 0, 255)


KINDS = (
    Kind(
        "Tiler",
        "repetition",
        ("texture_error",),
        ("Texture tiled like wallpaper.", "Surface repeating the same small tile.", "Pattern copied over and over."),
        _tile,
    ),
    Kind(
        "Cloner",
        "repetition",
        ("structure_attribute_error",),
        (
            "Patch pasted from elsewhere with a hard seam.",
            "Piece of the scene copied upside down.",
            "Fragment cloned and framed by its seam.",
        ),
        _clone,
    ),
    Kind(
        "Smearer",
        "distortion",
        ("texture_error",),
        ("Detail smeared to a blur.", "Area without any detail.", "Surface blurred beyond recognition."),
        _blur,
    ),
    Kind(
        "Twister",
        "distortion",
        ("structure_attribute_error",),
        ("Structure twisted into a swirl.", "Shape wound up like a whirlpool.", "Content swirled about a point."),
        _swirl,
    ),
    Kind(
        "Dyer",
        "drawing",
        ("other_anomaly",),
        ("Colour that no such thing has.", "Patch of impossible colour.", "Tint foreign to the scene."),
        _dye,
    ),
    Kind(
        "Scribe",
        "drawing",
        ("structure_attribute_error", "other_anomaly"),
        ("Sign with illegible glyphs.", "Letters of no known script.", "Writing that cannot be read."),
        _write,
    ),
    Kind(
        "Sculptor",
        "drawing",
        ("unknown_object",),
        ("Object of no known kind.", "Lump that cannot be named.", "Thing without any purpose."),
        _sculpt,
    ),
    Kind(
        "Builder",
        "drawing",
        ("perspective_error",),
        (
            "Lattice with two vanishing points.",
            "Bars leaning against the perspective.",
            "Grid drawn out of perspective.",
        ),
        _rule,
    ),
    Kind("Posteriser", "filter", ("artistic_style",), (), _posterise),
    Kind("Sketcher", "filter", ("artistic_style", "texture_error"), (), _sketch),
    Kind("Screener", "filter", ("other_anomaly",), (), _band),
)
"""Every way to be fake in the toy world."""
