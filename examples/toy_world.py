"""The toy world: photographs, and photographs with flaws drawn into them, as one annotations file.

A real image is a random crop of a photograph that ships inside scikit-image or scikit-learn, mirrored at random,
with slightly shifted colours. A fake image is such a crop with one to four flaws of one kind drawn into it (each with
its box, caption and tags) or with a flaw of the whole image (tags, no region; §3.2). Each kind stands for a generator.
Fold 0 is cut from photographs that no other fold uses, so a test on it is a test on unseen photographs.

Images are 120x120 pixels. Qwen2.5-VL resizes them to 112x112, so boxes in pixels are not boxes in its frame.
The same command gives the same bytes.

    python -m examples.toy_world --out toy --train 8000 --test 400
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from examples.toy_flaws import KINDS, SIZE, Box, Kind, Pixels
from swift_plugins.fakexplain.annotation import Annotation, Region, write_annotations
from swift_plugins.fakexplain.parallel import map_ordered

FOLDS: tuple[tuple[str, ...], ...] = (
    ("china.jpg", "chelsea.png", "camera.png", "coffee.png"),
    ("astronaut.png", "grass.png", "retina.jpg", "coins.png", "text.png"),
    ("rocket.jpg", "brick.png", "ihc.png", "moon.png", "page.png"),
    ("flower.jpg", "motorcycle_left.png", "gravel.png", "hubble_deep_field.jpg"),
)
"""Photographs of each fold: scikit-learn's china and flower, the rest scikit-image's."""

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
    """A random square of the photograph, mirrored at random, with slightly shifted colours."""
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
    """The image with flaws of one kind, and their regions; None if the flaws would not show."""
    strength = 1 - 0.75 * difficulty
    if not kind.captions:
        whole = Box(0, 0, SIZE, SIZE)
        changed = _blend(image, whole, kind.draw(rng, image, whole), strength)
        return (changed, ()) if _is_visible(image, changed, whole, strength) else None
    count = int(rng.choice((1, 2, 3, 4), p=(0.5, 0.25, 0.15, 0.1)))
    boxes: list[Box] = []
    flawed = image
    for _ in range(40):
        box = _random_box(rng, count, difficulty)
        if any(_are_close(box, other) for other in boxes):
            continue
        changed = _blend(flawed, box, kind.draw(rng, image, box), strength)
        if not _is_visible(flawed, changed, box, strength):
            continue
        flawed = changed
        boxes.append(box)
        if len(boxes) == count:
            return flawed, tuple(Region(box.floats, str(rng.choice(kind.captions))) for box in boxes)
    return None


def _random_box(rng: np.random.Generator, count: int, difficulty: float) -> Box:
    """A random box with sides of about a third of the image, less for many flaws or hard ones.

    Easy boxes lie on a grid of 15 pixels, which the model sees as its patches of 14. Hard ones lie anywhere.
    """
    step = 1 + round(14 * (1 - difficulty))
    low, high = ((44, 80), (36, 66), (30, 48), (30, 46))[count - 1]
    shrink = 1 - 0.45 * difficulty
    width, height = (max(round(side * shrink / step), 1) * step for side in rng.integers(low, high, 2))
    x, y = (int(rng.integers(0, (SIZE - side) // step + 1)) * step for side in (width, height))
    return Box(x, y, x + width, y + height)


def _is_visible(before: Pixels, after: Pixels, box: Box, strength: float) -> bool:
    return np.abs(after - before)[box.slices].mean() >= 30 * strength


def _are_close(a: Box, b: Box, gap: int = 4) -> bool:
    return a.x1 < b.x2 + gap and b.x1 < a.x2 + gap and a.y1 < b.y2 + gap and b.y1 < a.y2 + gap


def _blend(image: Pixels, box: Box, patch: Pixels, strength: float) -> Pixels:
    blended = image.copy()
    blended[box.slices] += strength * (patch - blended[box.slices])
    return blended


# -- the world ---------------------------------------------------------------------------------------------------------


def make_world(out: Path, *, train: int, test: int, seed: int = 0, difficulty: float = 0.0) -> Iterator[Annotation]:
    """Draw the images into `out`/images and yield their records.

    Half of the images are real. Fakes take the kinds in turn.

    Args:
        out: folder to write to.
        train: number of images in folds 1 to 3.
        test: number of images in fold 0, cut from photographs of its own.
        seed: seed of everything; the same seed gives the same bytes.
        difficulty: from 0 (obvious flaws) to 1 (small and faint flaws).
    """
    (out / "images").mkdir(parents=True, exist_ok=True)

    def draw(image: tuple[int, int, Kind | None]) -> Annotation:
        return make_record(out, *image, seed, difficulty)

    return map_ordered(draw, chain(_plan(seed, 0, train), _plan(seed, 1, test)))


def _plan(seed: int, part: int, count: int) -> Iterator[tuple[int, int, Kind | None]]:
    """Part, number and kind (None for a real image) of each image, in an order that the number does not reveal."""
    order = np.random.default_rng((seed, part)).permutation(count)
    for number, turn in enumerate(map(int, order)):
        yield part, number, KINDS[turn // 2 % len(KINDS)] if turn % 2 else None


def make_record(out: Path, part: int, number: int, kind: Kind | None, seed: int, difficulty: float) -> Annotation:
    """Draw one image, save it and return its record; crops on which flaws would not show are discarded."""
    folds = {name: fold for fold, names in enumerate(FOLDS) for name in names}
    names = [name for name, fold in folds.items() if (fold == 0) == bool(part)]
    rng = np.random.default_rng((seed, part, number))
    result = None
    while result is None:
        name = str(rng.choice(names))
        image = real_image(rng, name)
        result = (image, ()) if kind is None else fake_image(rng, image, kind, difficulty)
    pixels, regions = result
    id = f"{'test' if part else 'train'}-{number:05d}"
    path = Path("images", f"{id}.png")
    Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8)).save(out / path, compress_level=1)
    return Annotation(
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
        fold=folds[name],
    )


def main() -> None:
    """Parse the command line and draw the world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write annotations.jsonl and images/ to")
    parser.add_argument("--train", type=int, default=8000, help="images for training (default %(default)s)")
    parser.add_argument("--test", type=int, default=400, help="images of unseen photographs (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default 0")
    parser.add_argument(
        "--difficulty", type=float, default=0.0, help="from 0 (obvious flaws) to 1 (small and faint flaws); default 0"
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
