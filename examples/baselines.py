"""What the trained baselines share: exported images as tensors, the training loop, the table of P(fake), the options.

Images are scaled to squares and held in memory, three bytes per pixel: 260 MB for 6,000 images of 120x120.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, binary_cross_entropy_with_logits, interpolate
from tqdm import tqdm

from swift_plugins.fakexplain.annotation import LABELS
from swift_plugins.fakexplain.csv_files import read_csv, save_csv
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.images import open_image
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.paths import check_is_folder


class Baseline(nn.Module):
    """A model of images.

    It takes (n, 3, side, side) floats from -1 to 1, and returns logits of P(fake), (n,), and of masks, (n, h, w) or
    None; masks may be smaller than the images.
    """


class Row(NamedTuple):
    """A row of the labels.csv of `fakexplain export --to masks`.

    Attributes:
        image: path of the image in the folder of images.
        mask: path of its mask in the exported folder.
        label: fake or real.
    """

    image: str
    mask: str
    label: str


def read_rows(folder: Path) -> list[Row]:
    """Read the labels.csv of a folder that `fakexplain export --to masks` wrote.

    Raises:
        FileNotFoundError: no such folder, or no labels.csv in it.
        DataError: not such a table, or one without rows.
    """
    check_is_folder(folder, "a folder that `fakexplain export --to masks` wrote")
    path = folder / "labels.csv"
    table = read_csv(path, "the table that `fakexplain export --to masks` writes", "image")
    line, names = next(table)
    if tuple(names) != Row._fields:
        raise DataError(f"the columns {', '.join(Row._fields)}", Unquoted(", ".join(names))).at(str(path), line)
    rows = []
    for line, cells in table:
        row = Row(*cells)
        if row.label not in LABELS:
            raise DataError(" or ".join(LABELS), row.label, field="label").at(str(path), line)
        if (mask := PurePosixPath(row.mask)).is_absolute() or ".." in mask.parts:
            raise DataError("a path inside the folder", row.mask, field="mask").at(str(path), line)
        rows.append(row)
    return rows


def read_pixels(paths: Sequence[Path], side: int, mode: str = "RGB") -> torch.Tensor:
    """Read images, scaled to squares.

    Args:
        paths: at least one.
        side: pixels of the square.
        mode: RGB, or L for masks, which are not smoothed.

    Returns:
        (n, 3, side, side) uint8, or (n, side, side) for masks.

    Raises:
        DataError: no image, or an unreadable one.
    """
    resample = Image.Resampling.NEAREST if mode == "L" else Image.Resampling.BILINEAR

    def read(path: Path) -> np.ndarray:
        try:
            with open_image(path, path.name, decode=True) as image:
                return np.asarray(image.convert(mode).resize((side, side), resample))
        except DataError as error:
            raise error.at(str(path), 0) from None

    pixels = np.empty((len(paths), side, side, *((3,) if mode == "RGB" else ())), np.uint8)
    bar = tqdm(map_ordered(read, paths), desc="read", total=len(paths), unit="image", disable=None)
    for index, each in enumerate(bar):
        pixels[index] = each
    return torch.from_numpy(np.moveaxis(pixels, 3, 1) if mode == "RGB" else pixels)


def train(
    model: Baseline, images: torch.Tensor, labels: Sequence[str], masks: torch.Tensor | None, args: argparse.Namespace
) -> list[float]:
    """Train by AdamW with one cycle of the learning rate; images are mirrored and recoloured at random.

    The loss is the cross entropy of the verdicts plus, with masks, twice that of the masks at the model's resolution.

    Args:
        model: trained in place.
        images, masks: as `read_pixels` returns them; masks may be None.
        labels: fake or real.
        args: epochs, batch, learning_rate, seed and device, as `parse_options` returns them.

    Returns:
        The loss of each step.

    Raises:
        ValueError: the labels are all the same.
    """
    if len(set(labels)) < 2:
        raise ValueError(f"{args.train}: expected real and fake images, found {labels[0]} ones only")
    fake = torch.tensor([label == "fake" for label in labels], dtype=torch.float32)
    chance = torch.Generator().manual_seed(args.seed)
    optimizer = torch.optim.AdamW(model.parameters(), args.learning_rate, weight_decay=0.05)
    steps = args.epochs * -(-len(images) // args.batch)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.learning_rate, total_steps=steps, pct_start=0.1)
    losses: list[float] = []
    model.to(args.device).train()
    with tqdm(total=steps, desc="train", unit="step", disable=None) as bar:
        for _ in range(args.epochs):
            for chosen in torch.randperm(len(images), generator=chance).split(args.batch):
                pixels = _recolour(images[chosen], chance).to(args.device)
                targets = None if masks is None else (masks[chosen] > 127).float().to(args.device)
                if torch.rand((), generator=chance) < 0.5:
                    pixels, targets = pixels.flip(-1), None if targets is None else targets.flip(-1)
                verdicts, found = model(pixels)
                loss = binary_cross_entropy_with_logits(verdicts, fake[chosen].to(args.device))
                if targets is not None:
                    loss = loss + 2 * binary_cross_entropy_with_logits(
                        found, adaptive_avg_pool2d(targets, found.shape[1:])
                    )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                cycle.step()
                losses.append(loss.item())
                bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
                bar.update()
    return losses


def _recolour(images: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Pixels from about -1 to 1, each colour of each image brighter or darker by chance."""
    gain, shift = torch.rand(2, len(images), 3, 1, 1, generator=chance) - 0.5
    return _scale_colours(images) * (1 + 0.4 * gain) + 0.2 * shift


def _scale_colours(images: torch.Tensor) -> torch.Tensor:
    return images.float() / 127.5 - 1


def _scale(masks: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return interpolate(masks[:, None], size=tuple(size), mode="bilinear")[:, 0]


@torch.no_grad()
def answer(
    model: Baseline, images: torch.Tensor, args: argparse.Namespace
) -> tuple[list[float], list[torch.Tensor] | None]:
    """P(fake) of each image, and the logits of its mask, (h, w), where the model makes masks."""
    model.to(args.device).eval()
    p_fake: list[float] = []
    masks: list[torch.Tensor] = []
    for pixels in images.split(args.batch):
        verdicts, found = model(_scale_colours(pixels).to(args.device))
        p_fake += verdicts.double().sigmoid().tolist()  # in single precision the surest ones would all be 1
        masks += [] if found is None else found.cpu()
    return p_fake, masks or None


def mask_image(logits: torch.Tensor, image: Path) -> Image.Image:
    """The mask of an image in its own size: 255 where the model finds a flaw, 0 elsewhere."""
    with open_image(image, image.name) as opened:
        width, height = opened.size
    return Image.fromarray((_scale(logits[None], (height, width))[0] > 0).numpy().astype(np.uint8) * 255)


def save_p_fake(path: Path, rows: Sequence[Row], p_fake: Sequence[float]) -> None:
    """Write the columns image and p_fake, which `fakexplain score` reads; above 0.5 an image is fake."""
    save_csv(path, ("image", "p_fake"), zip((row.image for row in rows), p_fake, strict=True))


# -- the command line --------------------------------------------------------------------------------------------------


def parse_options(description: str | None, *, train: str, out: str, epochs: int) -> argparse.Namespace:
    """Parse the options of a baseline.

    Args:
        description: of the command.
        train, out: help of --train and --out.
        epochs: their default.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help=train)
    test = (
        "folder whose labels.csv lists the images to answer, from `fakexplain export --to masks`; labels are not read"
    )
    parser.add_argument("--test", type=Path, required=True, help=test)
    parser.add_argument("--images", type=Path, required=True, help="folder that paths of images are relative to")
    parser.add_argument("--out", type=Path, required=True, help=out)
    parser.add_argument("--epochs", type=int, default=epochs, help="default %(default)s")
    parser.add_argument("--batch", type=int, default=16, help="images per step (default %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="default %(default)s")
    parser.add_argument("--side", type=int, default=120, help="pixels of the scaled images (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default 0")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="default: the GPU")
    args = parser.parse_args()
    if args.side < 32:  # the networks halve it five times
        parser.error(f"--side: expected at least 32, found {args.side}")
    for name in ("epochs", "batch", "learning_rate"):
        if not getattr(args, name) > 0:
            parser.error(f"--{name.replace('_', '-')}: expected a number above 0, found {getattr(args, name)}")
    torch.manual_seed(args.seed)
    return args


def run(work: Callable[[], None]) -> None:
    """Do the work; errors of data and files end the command with a line, not a traceback."""
    try:
        work()
    except (ValueError, OSError) as error:
        sys.exit(str(error))
