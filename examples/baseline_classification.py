"""Classification only (Table 1, NPR to DIRE): a small convolutional network from scratch, which sees labels alone.

It learns the label folders that `fakexplain export --to folders` writes, and answers with P(fake). The images to answer
come from a labels.csv: in a label folder, an image no longer has the path by which `fakexplain score` knows it.

    python -m examples.baseline_classification --train folders/train --test masks/test --images data --out cnn.csv
    fakexplain score CNN=cnn.csv --annotations data/annotations.jsonl
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from converters.formats.label_folders import load_label_folders
from examples.baselines import Baseline, answer, parse_options, read_pixels, read_rows, run, save_p_fake, train
from swift_plugins.fakexplain.atomic import atomic_file
from swift_plugins.fakexplain.errors import DataError, Unquoted

WIDTHS = (16, 32, 64, 128)


class Classifier(Baseline):
    """Four blocks of convolution, normalisation and pooling, and a linear layer on the mean and maximum of the last."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for index, (before, after) in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False)):
            convolution = nn.Conv2d(before, after, 3, stride=1 if index else 2, padding=1, bias=False)
            blocks += [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*blocks)
        self.verdict = nn.Linear(2 * WIDTHS[-1], 1)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, None]:
        """See `Baseline`."""
        features = self.features(images)
        return self.verdict(torch.cat((features.mean((2, 3)), features.amax((2, 3))), dim=1))[:, 0], None


def read_folders(folder: Path) -> tuple[list[Path], list[str]]:
    """Paths and labels of the images in label folders.

    Raises:
        FileNotFoundError: no such folder.
        DataError: an image outside label folders, or no image.
    """
    expected = "images in 0_real and 1_fake, from `fakexplain export --to folders`"
    paths, labels = [], []
    for piece in load_label_folders(folder):
        if piece.data["label"] is None:
            raise DataError(expected, Unquoted("an image in neither")).at(piece.file, 0)
        paths.append(Path(piece.file))
        labels.append(piece.data["label"])
    if not paths:
        raise DataError(expected, Unquoted("none")).at(str(folder), 0)
    return paths, labels


def main() -> None:
    """Parse the command line, train, and write the labels."""
    args = parse_options(
        __doc__,
        train="folder that `fakexplain export --to folders` wrote",
        out="CSV file to write, with P(fake)",
        epochs=4,
    )

    def work() -> None:
        paths, labels = read_folders(args.train)
        asked = read_rows(args.test)
        model = Classifier()
        train(model, read_pixels(paths, args.side), labels, None, args)
        p_fake, _ = answer(model, read_pixels([args.images / row.image for row in asked], args.side), args)
        with atomic_file(args.out) as path:
            save_p_fake(path, asked, p_fake)
        print(f"{args.out}: {len(asked)} labels")

    run(work)


if __name__ == "__main__":
    main()
