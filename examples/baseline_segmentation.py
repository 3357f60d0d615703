"""Segmentation and classification (Table 1, SegFormer): a small SegFormer from scratch, with a verdict on its features.

It learns the masks and labels that `fakexplain export --to masks` writes, and answers with masks and P(fake).

    python -m examples.baseline_segmentation --train masks/train --test masks/test --images data --out segformer
    fakexplain score SegFormer=segformer/masks SegFormer=segformer/labels.csv --annotations data/annotations.jsonl
"""

from __future__ import annotations

import torch
from torch import nn
from tqdm import tqdm
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from examples.baselines import (
    Baseline,
    answer,
    mask_image,
    parse_options,
    read_pixels,
    read_rows,
    run,
    save_p_fake,
    train,
)
from swift_plugins.fakexplain.atomic import atomic_folder


class Segmenter(Baseline):
    """A SegFormer with one class, and a linear layer that gives the verdict.

    The verdict sees the mean and the maximum of the features of every stage: a flaw may cover a few of their cells
    alone, and the first stages learn sooner from a verdict that sees them.
    """

    def __init__(self) -> None:
        super().__init__()
        config = SegformerConfig(
            num_labels=1,
            depths=[1, 1, 1, 1],
            hidden_sizes=[16, 32, 64, 128],
            num_attention_heads=[1, 2, 4, 8],
            mlp_ratios=[2, 2, 2, 2],
            decoder_hidden_size=32,
            initializer_range=0.1,  # the default, 0.02, is small for layers as narrow as these
            drop_path_rate=0.0,
            classifier_dropout_prob=0.0,
        )
        self.segformer = SegformerForSemanticSegmentation(config)
        self.verdict = nn.Linear(2 * sum(config.hidden_sizes), 1)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Baseline`; masks have a quarter of the images' side."""
        output = self.segformer(images, output_hidden_states=True)
        pooled = [pool((2, 3)) for stage in output.hidden_states for pool in (stage.mean, stage.amax)]
        return self.verdict(torch.cat(pooled, dim=1))[:, 0], output.logits[:, 0]


def main() -> None:
    """Parse the command line, train, and write masks and labels."""
    args = parse_options(
        __doc__,
        train="folder that `fakexplain export --to masks` wrote",
        out="folder to write: masks/, and labels.csv with P(fake)",
        epochs=3,
    )

    def work() -> None:
        rows, asked = read_rows(args.train), read_rows(args.test)
        images = read_pixels([args.images / row.image for row in rows], args.side)
        masks = read_pixels([args.train / row.mask for row in rows], args.side, "L")
        model = Segmenter()
        train(model, images, [row.label for row in rows], masks, args)
        tests = [args.images / row.image for row in asked]
        p_fake, found = answer(model, read_pixels(tests, args.side), args)
        with atomic_folder(args.out, whole=True) as folder:
            for row, image, logits in zip(tqdm(asked, desc="write", disable=None), tests, found or (), strict=True):
                path = folder / "masks" / row.mask
                path.parent.mkdir(parents=True, exist_ok=True)
                mask_image(logits, image).save(path)
            save_p_fake(folder / "labels.csv", asked, p_fake)
        print(f"{args.out}: {len(asked)} masks, and labels.csv")

    run(work)


if __name__ == "__main__":
    main()
