"""The toy world: photographs, and photographs with flaws drawn into them, as one annotations file.

A real image is a random crop of a photograph that ships inside scikit-image or scikit-learn, perhaps mirrored, its
colours shifted a little. A fake one is the same with one to four flaws of one kind drawn into it, each with its box,
its caption and its tags, or with a flaw of the whole image: tags and no region (§3.2). A kind plays a generator.
Fold 0 is cut from photographs that no other fold uses, so a test on it is a test on unseen photographs.

Images are 120 pixels a side: a Qwen2.5-VL sees them as 112, so boxes in pixels are not boxes in its frame.
The same command gives the same bytes.

    python examples/toy_world.py --out toy --train 8000 --test 400
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from swift_plugins.fakexplain.annotation import Annotation, Region, write_annotations

SIZE = 120
"""Pixels a side: no multiple of 28, so that the model frame (112) is not the image's own."""

FOLDS: tuple[tuple[str, ...], ...] = (
    ("china.jpg", "chelsea.png", "camera.png", "coffee.png"),
    ("astronaut.png", "grass.png", "retina.jpg", "coins.png", "text.png"),
    ("rocket.jpg", "brick.png", "ihc.png", "moon.png", "page.png"),
    ("flower.jpg", "motorcycle_left.png", "gravel.png", "hubble_deep_field.jpg"),
)
"""Photographs of each fold: scikit-learn's china and flower, the rest scikit-image's."""

Pixels = np.ndarray
"""(height, width, 3) floats, 0 to 255."""


class Box(NamedTuple):
    """Whole pixels of the image."""

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
        generator, family: who plays it, and what they have in common.
        tags: what is wrong with the image as a whole.
        captions: wordings for a region; none where the flaw is of the whole image.
        draw: (rng, image, box) -> the pixels that replace the box's.
    """

    generator: str
    family: str
    tags: tuple[str, ...]
    captions: tuple[str, ...]
    draw: Callable[[np.random.Generator, Pixels, Box], Pixels]


# -- the kinds ---------------------------------------------------------------------------------------------------------


def _tiled(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """A small piece of the box, its contrast stretched, over and over."""
    patch = image[box.slices]
    side = int(rng.integers(6, 10))
    y, x = (int(rng.integers(0, length - side)) for length in patch.shape[:2])
    tile = _stretched(patch[y : y + side, x : x + side])
    times = (-(-patch.shape[0] // side), -(-patch.shape[1] // side), 1)
    return np.tile(tile, times)[: patch.shape[0], : patch.shape[1]]


def _copied(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Another part of the image, upside down, with the seam of a careless paste."""
    height, width = box.y2 - box.y1, box.x2 - box.x1
    y, x = int(rng.integers(0, SIZE - height + 1)), int(rng.integers(0, SIZE - width + 1))
    patch = image[y : y + height, x : x + width][::-1].copy()
    seam = 255.0 if patch.mean() < 128 else 0.0
    patch[:3] = patch[-3:] = patch[:, :3] = patch[:, -3:] = seam
    return patch


def _blurred(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Detail gone: nine colours, from the darkest to the brightest, and smooth between them."""
    patch = image[box.slices]
    small = np.asarray(Image.fromarray(patch.astype(np.uint8)).resize((3, 3), Image.Resampling.BOX), float)
    blurred = Image.fromarray(_stretched(small).astype(np.uint8))
    return np.asarray(blurred.resize(patch.shape[1::-1], Image.Resampling.BICUBIC), float)


def _swirled(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Content turned about the centre, the more the nearer to it."""
    patch = _stretched(image[box.slices])
    height, width = patch.shape[:2]
    v, u = np.mgrid[0:height, 0:width]
    v, u = (v + 0.5) / height * 2 - 1, (u + 0.5) / width * 2 - 1
    radius = np.hypot(u, v)
    turn = np.arctan2(v, u) + rng.choice((-1, 1)) * 9.0 * np.clip(1 - radius, 0, 1)
    row = np.clip((radius * np.sin(turn) + 1) / 2 * height, 0, height - 1).astype(int)
    column = np.clip((radius * np.cos(turn) + 1) / 2 * width, 0, width - 1).astype(int)
    return patch[row, column]


def _dyed(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Light and shade as they were, in a colour that nothing has."""
    light = image[box.slices].mean(axis=2, keepdims=True)
    colours = np.array([(255, 0, 255), (0, 255, 255), (0, 255, 0), (255, 0, 110)], float)
    return rng.choice(colours) * (0.45 + 0.55 * light / 255)


def _lettered(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Rows of strokes that are no letters, on a plate."""
    width, height = box.x2 - box.x1, box.y2 - box.y1
    paper, ink = ((250, 245, 225), (20, 20, 40)) if rng.random() < 0.5 else ((25, 30, 60), (255, 250, 210))
    plate = Image.new("RGB", (width, height), paper)
    pen = ImageDraw.Draw(plate)
    for top in range(3, height - 7, 11):
        for left in range(3, width - 6, 8):
            corners = rng.integers((0, 0), (6, 8), (4, 2))
            pen.line([(left + int(x), top + int(y)) for x, y in corners], fill=ink, width=2)
    return np.asarray(plate, float)


def _sculpted(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """A smooth lump, its colour turning with its surface, like nothing in particular."""
    patch = image[box.slices]
    height, width = patch.shape[:2]
    v, u = np.mgrid[0:height, 0:width]
    v, u = (v + 0.5) / height * 2 - 1, (u + 0.5) / width * 2 - 1
    angle = np.arctan2(v, u)
    edge = 0.92 + 0.08 * np.sin(int(rng.integers(3, 6)) * angle + rng.uniform(0, 6.3))
    depth = np.clip(1 - (np.hypot(u, v) / edge) ** 2, 0, 1)
    lump = 127.5 + 127.5 * np.stack((u, 2 * depth - 1, -v), axis=2)
    return np.where((depth > 0)[..., None], lump, patch)


def _ruled(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """A window lattice whose bars run to two vanishing points at once."""
    patch = image[box.slices] * 0.35
    height, width = patch.shape[:2]
    v, u = np.mgrid[0:height, 0:width]
    lean = rng.choice((-1, 1)) * 0.6
    bars = ((u + lean * v) % 10 < 2.5) | ((u - lean * v) % 14 < 2.5)
    return np.where(bars[..., None], 245.0, patch)


def _posterised(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Few flat, loud colours."""
    grey = image.mean(axis=2, keepdims=True)
    loud = np.clip(_stretched(grey + 2.2 * (image - grey)), 0, 255)
    return np.round(loud / 127.5) * 127.5


def _sketched(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Edges in pencil on white paper."""
    grey = image.mean(axis=2)
    down, across = np.gradient(grey)
    pencil = np.clip(255 - 9 * np.hypot(down, across), 0, 255)
    return np.repeat(pencil[..., None], 3, axis=2)


def _banded(rng: np.random.Generator, image: Pixels, box: Box) -> Pixels:
    """Dark bands of a screen across everything."""
    rows = np.arange(SIZE) + int(rng.integers(0, 8))
    return image * np.where(rows % 8 < 3, 0.15, 1.0)[:, None, None]


def _stretched(patch: Pixels) -> Pixels:
    low, high = np.percentile(patch, (10, 90))
    return np.clip((patch - low) * (255 / max(high - low, 16.0)), 0, 255)


KINDS = (
    Kind(
        "Tiler",
        "repetition",
        ("texture_error",),
        ("Texture tiled like wallpaper.", "Surface repeating the same small tile.", "Pattern copied over and over."),
        _tiled,
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
        _copied,
    ),
    Kind(
        "Smearer",
        "distortion",
        ("texture_error",),
        ("Detail smeared to a blur.", "Area without any detail.", "Surface blurred beyond recognition."),
        _blurred,
    ),
    Kind(
        "Twister",
        "distortion",
        ("structure_attribute_error",),
        ("Structure twisted into a swirl.", "Shape wound up like a whirlpool.", "Content swirled about a point."),
        _swirled,
    ),
    Kind(
        "Dyer",
        "drawing",
        ("other_anomaly",),
        ("Colour that no such thing has.", "Patch of impossible colour.", "Tint foreign to the scene."),
        _dyed,
    ),
    Kind(
        "Scribe",
        "drawing",
        ("structure_attribute_error", "other_anomaly"),
        ("Sign with illegible glyphs.", "Letters of no known script.", "Writing that cannot be read."),
        _lettered,
    ),
    Kind(
        "Sculptor",
        "drawing",
        ("unknown_object",),
        ("Object of no known kind.", "Lump that cannot be named.", "Thing without any purpose."),
        _sculpted,
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
        _ruled,
    ),
    Kind("Posteriser", "filter", ("artistic_style",), (), _posterised),
    Kind("Sketcher", "filter", ("artistic_style", "texture_error"), (), _sketched),
    Kind("Screener", "filter", ("other_anomaly",), (), _banded),
)
"""Every way to be fake in this world."""


# -- one image ---------------------------------------------------------------------------------------------------------


@cache
def photograph(name: str) -> Image.Image:
    """A photograph that ships in the wheel of scikit-image or scikit-learn, found without importing either."""
    package, folder = ("sklearn", "datasets/images") if name in ("china.jpg", "flower.jpg") else ("skimage", "data")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"the toy world is cut from photographs in {package}: pip install scikit-image scikit-learn"
        )
    with Image.open(Path(spec.submodule_search_locations[0], folder, name)) as image:
        return image.convert("RGB")


def real_image(rng: np.random.Generator, name: str) -> Pixels:
    """A random square of the photograph, perhaps mirrored, its colours shifted a little."""
    photo = photograph(name)
    side = int(rng.integers(SIZE * 2 // 3, min(photo.size) + 1))
    x, y = (int(rng.integers(0, length - side + 1)) for length in photo.size)
    crop = photo.resize((SIZE, SIZE), Image.Resampling.BICUBIC, (x, y, x + side, y + side))
    image = np.asarray(crop, float)
    if rng.random() < 0.5:
        image = image[:, ::-1]
    grey = image.mean(axis=2, keepdims=True)
    image = grey + rng.uniform(0.3, 1.3) * (image - grey)
    image = 255 * (np.clip(image, 0, 255) / 255) ** rng.uniform(0.7, 1.4)
    return np.clip(image * rng.uniform(0.8, 1.2) * rng.uniform(0.92, 1.08, 3) + rng.uniform(-15, 15), 0, 255)


def fake_image(
    rng: np.random.Generator, image: Pixels, kind: Kind, difficulty: float
) -> tuple[Pixels, tuple[Region, ...]] | None:
    """The image with flaws of one kind, and their regions; None where they would not show on it."""
    strength = 1 - 0.75 * difficulty
    if not kind.captions:
        whole = Box(0, 0, SIZE, SIZE)
        changed = _blend(image, whole, kind.draw(rng, image, whole), strength)
        return (changed, ()) if _shows(image, changed, whole, strength) else None
    count = int(rng.choice((1, 2, 3, 4), p=(0.5, 0.25, 0.15, 0.1)))
    boxes: list[Box] = []
    flawed = image
    for _ in range(40):
        box = _random_box(rng, count, difficulty)
        if any(_near(box, other) for other in boxes):
            continue
        changed = _blend(flawed, box, kind.draw(rng, image, box), strength)
        if not _shows(flawed, changed, box, strength):
            continue
        flawed = changed
        boxes.append(box)
        if len(boxes) == count:
            return flawed, tuple(Region(box.floats, str(rng.choice(kind.captions))) for box in boxes)
    return None


def _random_box(rng: np.random.Generator, count: int, difficulty: float) -> Box:
    """Sides of about a third of the image, less where flaws are many or hard to find.

    Easy boxes lie on a grid of 15 pixels, which the model sees as its patches of 14; hard ones lie anywhere.
    """
    step = 1 + round(14 * (1 - difficulty))
    low, high = ((44, 80), (36, 66), (30, 48), (30, 46))[count - 1]
    shrink = 1 - 0.45 * difficulty
    width, height = (max(round(side * shrink / step), 1) * step for side in rng.integers(low, high, 2))
    x, y = (int(rng.integers(0, (SIZE - side) // step + 1)) * step for side in (width, height))
    return Box(x, y, x + width, y + height)


def _shows(before: Pixels, after: Pixels, box: Box, strength: float) -> bool:
    return np.abs(after - before)[box.slices].mean() >= 30 * strength


def _near(a: Box, b: Box, gap: int = 4) -> bool:
    return a.x1 < b.x2 + gap and b.x1 < a.x2 + gap and a.y1 < b.y2 + gap and b.y1 < a.y2 + gap


def _blend(image: Pixels, box: Box, patch: Pixels, strength: float) -> Pixels:
    blended = image.copy()
    blended[box.slices] += strength * (patch - blended[box.slices])
    return blended


# -- the world ---------------------------------------------------------------------------------------------------------


def make_world(out: Path, *, train: int, test: int, seed: int = 0, difficulty: float = 0.0) -> Iterator[Annotation]:
    """Draw the images into `out`/images and yield their records.

    Half of them are real. Fakes take the kinds in turn; one whose flaws would not show on the crop gets another crop.

    Args:
        train: records of folds 1 to 3.
        test: records of fold 0, from photographs of their own.
        difficulty: 0, flaws that leap to the eye, to 1, small and faint ones.
    """
    (out / "images").mkdir(parents=True, exist_ok=True)
    photographs = {name: fold for fold, names in enumerate(FOLDS) for name in names}
    for part, count in enumerate((train, test)):
        names = [name for name, fold in photographs.items() if (fold == 0) == bool(part)]
        # Labels and kinds in an order that a file's number does not tell
        order = np.random.default_rng((seed, part)).permutation(count)
        for number, turn in enumerate(map(int, order)):
            rng = np.random.default_rng((seed, part, number))
            kind = KINDS[turn // 2 % len(KINDS)] if turn % 2 else None
            drawn = None
            while drawn is None:
                name = str(rng.choice(names))
                image = real_image(rng, name)
                drawn = (image, ()) if kind is None else fake_image(rng, image, kind, difficulty)
            pixels, regions = drawn
            id = f"{'test' if part else 'train'}-{number:05d}"
            path = Path("images", f"{id}.png")
            Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8)).save(out / path)
            yield Annotation(
                id=id,
                image=path.as_posix(),
                width=SIZE,
                height=SIZE,
                label="fake" if kind else "real",
                regions=regions,
                tags=kind.tags if kind else (),
                generator=kind.generator if kind else None,
                family=kind.family if kind else None,
                class_name=Path(name).stem,
                fold=photographs[name],
            )


def main() -> None:
    """Parse the command line and draw the world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to make: annotations.jsonl and images/")
    parser.add_argument("--train", type=int, default=8000, help="images for training (default %(default)s)")
    parser.add_argument("--test", type=int, default=400, help="images of unseen photographs (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--difficulty", type=float, default=0.0, help="0 (flaws leap to the eye) to 1 (small and faint)"
    )
    args = parser.parse_args()
    if args.train < 0 or args.test < 0 or args.train + args.test == 0:
        parser.error("--train, --test: expected numbers of images, not both 0")
    if not 0 <= args.difficulty <= 1:
        parser.error(f"--difficulty: expected 0 to 1, found {args.difficulty}")
    world = make_world(args.out, train=args.train, test=args.test, seed=args.seed, difficulty=args.difficulty)
    bar = tqdm(world, total=args.train + args.test, unit="image", disable=not sys.stderr.isatty())
    count = write_annotations(args.out / "annotations.jsonl", bar)
    print(f"{args.out / 'annotations.jsonl'}: {count} images")


if __name__ == "__main__":
    main()
