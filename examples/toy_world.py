"""The toy world: photographs, and photographs with flaws drawn into them, as one annotations file.

A real image is a random crop of a photograph, mirrored at random, with slightly shifted colours. A fake image is such
a crop with one to four flaws of one kind drawn into it (each with its box, caption and tags) or with a flaw of the
whole image (tags, no region; §3.2). Each kind stands for a generator. Fold 0 is cut from photographs that no other fold
uses, so a test on it is a test on unseen photographs. Kinds of flaw that are held out of training make an
out-of-distribution set. Photographs are those inside scikit-image and scikit-learn, or a folder's.

Images are 120x120 pixels. Qwen2.5-VL resizes them to 112x112, so boxes in pixels are not boxes in its frame.
The same command gives the same bytes.

    python -m examples.toy_world --out toy --train 8000 --test 400
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from examples.toy_flaws import KINDS, SIZE, Box, Kind, Pixels
from examples.toy_photos import LEAST_SIDE, Photo, photos_in, shipped_photos
from swift_plugins.fakexplain.annotation import Annotation, Region, write_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.parallel import map_ordered

# -- one image ---------------------------------------------------------------------------------------------------------


def real_image(rng: np.random.Generator, photo: Image.Image) -> Pixels:
    """A random square of the photograph, mirrored at random, with slightly shifted colours."""
    side = int(rng.integers(LEAST_SIDE, min(photo.size) + 1))
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


class World(NamedTuple):
    """What the images of a world have in common.

    Attributes:
        out: folder to write to.
        photos: what images are cut from.
        held_out: generators of the kinds of flaw that only out-of-distribution images have.
        seed: seed of everything; the same seed gives the same bytes.
        difficulty: from 0 (obvious flaws) to 1 (small and faint flaws).
    """

    out: Path
    photos: Sequence[Photo]
    held_out: Collection[str] = ()
    seed: int = 0
    difficulty: float = 0.0


PARTS = ("train", "test", "ood")
"""Images of the photographs of folds 1 to 3; of fold 0; of fold 0 with the kinds of flaw held out."""


def make_images(world: World, part: str, count: int) -> Iterator[Annotation]:
    """Draw the images of one of `PARTS` into `world.out`/images and yield their records.

    Half of the images are real. Fakes take the kinds in turn.
    """
    (world.out / "images").mkdir(parents=True, exist_ok=True)
    photos = [photo for photo in world.photos if (photo.fold == 0) == (part != "train")]
    kinds = [kind for kind in KINDS if (kind.generator in world.held_out) == (part == "ood")]
    # in an order that the number of an image does not reveal
    order = np.random.default_rng((world.seed, PARTS.index(part))).permutation(count)
    turns = ((number, kinds[turn // 2 % len(kinds)] if turn % 2 else None) for number, turn in enumerate(order))
    return map_ordered(lambda each: _make_image(world, part, photos, *each), turns)


def _make_image(world: World, part: str, photos: Sequence[Photo], number: int, kind: Kind | None) -> Annotation:
    """Draw one image, save it and return its record; crops on which flaws would not show are discarded."""
    rng = np.random.default_rng((world.seed, PARTS.index(part), number))
    result = None
    while result is None:
        photo = photos[int(rng.choice(len(photos)))]
        image = real_image(rng, photo.image)
        result = (image, ()) if kind is None else fake_image(rng, image, kind, world.difficulty)
    pixels, regions = result
    id = f"{part}-{number:05d}"
    path = Path("images", f"{id}.png")
    Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8)).save(world.out / path, compress_level=1)
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
        class_name=photo.name,
        fold=photo.fold,
    )


def main() -> None:
    """Parse the command line and draw the world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write annotations.jsonl and images/ to")
    parser.add_argument("--train", type=int, default=8000, help="images for training (default %(default)s)")
    parser.add_argument("--test", type=int, default=400, help="images of unseen photographs (default %(default)s)")
    parser.add_argument(
        "--ood", type=int, default=0, help="images of unseen photographs with flaws of --held-out, in ood.jsonl"
    )
    parser.add_argument(
        "--held-out",
        nargs="+",
        default=(),
        choices=[kind.generator for kind in KINDS],
        metavar="KIND",
        help="kinds of flaw that --train and --test do without: %(choices)s",
    )
    parser.add_argument(
        "--photos", type=Path, help="folder of photographs to cut images from; default: those of scikit-image"
    )
    parser.add_argument("--seed", type=int, default=0, help="default 0")
    parser.add_argument(
        "--difficulty", type=float, default=0.0, help="from 0 (obvious flaws) to 1 (small and faint flaws); default 0"
    )
    args = parser.parse_args()
    if min(args.train, args.test, args.ood) < 0 or args.train + args.test == 0:
        parser.error("--train, --test, --ood: expected numbers of images, the first two not both 0")
    if not 0 <= args.difficulty <= 1:
        parser.error(f"--difficulty: expected 0 to 1, found {args.difficulty}")
    if args.ood and not args.held_out:
        parser.error("--ood: expected --held-out KIND...")
    if set(args.held_out) == {kind.generator for kind in KINDS}:
        parser.error("--held-out: expected some kinds, found all")
    try:
        photos = photos_in(args.photos) if args.photos else shipped_photos()
    except DataError as error:
        parser.error(str(error))
    world = World(args.out, photos, args.held_out, args.seed, args.difficulty)
    files = {"annotations.jsonl": {"train": args.train, "test": args.test}}
    if args.ood:
        files["ood.jsonl"] = {"ood": args.ood}
    for name, counts in files.items():
        images = chain.from_iterable(make_images(world, part, count) for part, count in counts.items())
        bar = tqdm(images, total=sum(counts.values()), unit="image", disable=not sys.stderr.isatty())
        print(f"{args.out / name}: {write_annotations(args.out / name, bar)} images")


if __name__ == "__main__":
    main()
