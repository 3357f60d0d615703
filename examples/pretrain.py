"""Teach a tiny Qwen2.5-VL to name drawn shapes and to box them.

This made `examples/tiny_backbone`, in 200 s on one H200; two CPU cores would take hours. The folder stands for a
release: a model that sees and points, and knows nothing of flaws. Every step draws new images.

    python -m examples.pretrain --out toy/backbone
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLVisionAttention, apply_rotary_pos_emb_vision

from examples import shapes
from examples.tiny_model import make_model
from examples.toy_flaws import KINDS
from swift_plugins.fakexplain.boxes import union_iou

PATCH, GRID = 14, shapes.SIDE // 14


class Rows:
    """Prompts and answers as tensors; every prompt is the same, so rows differ in image and answer alone."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, device: torch.device) -> None:
        image = f"<|vision_start|>{'<|image_pad|>' * (GRID // 2) ** 2}<|vision_end|>"
        prompt = f"<|im_start|>user\n{image}{shapes.QUESTION}<|im_end|>\n<|im_start|>assistant\n"
        self.tokenizer, self.device = tokenizer, device
        self.prompt = tokenizer(prompt, return_tensors="pt")["input_ids"].to(device)

    def inputs(self, images: torch.Tensor, answers: list[str] | None = None) -> dict[str, torch.Tensor]:
        """Arguments of the model: prompts alone, or prompts, answers and labels."""
        count = len(images)
        ids = self.prompt.expand(count, -1)
        if answers is not None:
            texts = [f"{answer}<|im_end|>\n" for answer in answers]
            tokens = self.tokenizer(texts, padding=True, padding_side="right", return_tensors="pt")
            ids = torch.cat((ids, tokens["input_ids"].to(self.device)), dim=1)
        inputs = {
            "input_ids": ids,
            "attention_mask": (ids != self.tokenizer.pad_token_id).long(),
            "pixel_values": patches(images),
            # as frames of one video, which the vision encoder reads as it reads images, without a loop over them
            "image_grid_thw": torch.tensor([[count, GRID, GRID]], device=self.device),
            "position_ids": self._positions(ids.shape[1]).expand(-1, count, -1),
        }
        if answers is not None:
            labels = ids.masked_fill(inputs["attention_mask"] == 0, -100)
            labels[:, : self.prompt.shape[1]] = -100
            inputs["labels"] = labels
        return inputs

    def _positions(self, length: int) -> torch.Tensor:
        """Qwen2.5-VL's positions of one image and text on both sides: (3, 1, length) of time, height and width."""
        side = GRID // 2
        start = int((self.prompt[0] == self.tokenizer.convert_tokens_to_ids("<|image_pad|>")).nonzero()[0])
        before = torch.arange(start).expand(3, -1)
        cell = torch.arange(side**2)
        image = start + torch.stack((torch.zeros_like(cell), cell // side, cell % side))
        after = torch.arange(length - start - side**2).expand(3, -1) + start + side
        return torch.cat((before, image, after), dim=1)[:, None].to(self.device)


def patches(images: torch.Tensor) -> torch.Tensor:
    """What Qwen2VLImageProcessor makes of images of 112 pixels: (images x 64, 3 x 14 x 14), a token's four in a row."""
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073], device=images.device)[:, None, None]
    spread = torch.tensor([0.26862954, 0.26130258, 0.27577711], device=images.device)[:, None, None]
    tiles = ((images - mean) / spread).reshape(-1, 3, GRID // 2, 2, PATCH, GRID // 2, 2, PATCH)
    return tiles.permute(0, 2, 5, 3, 6, 1, 4, 7).reshape(-1, 3 * PATCH**2)


def attend_at_once(model: Qwen2_5_VLForConditionalGeneration) -> None:
    """Let the vision encoder attend in all images of a batch at once; transformers' own takes one after the other."""
    for block in model.model.visual.blocks:
        block.attn.forward = partial(_attend, block.attn)


def _attend(
    layer: Qwen2_5_VLVisionAttention,
    hidden_states: torch.Tensor,
    position_embeddings: tuple[torch.Tensor, torch.Tensor],
    **_: object,
) -> torch.Tensor:
    length = hidden_states.shape[0]
    query, key, value = layer.qkv(hidden_states).reshape(length, 3, layer.num_heads, -1).unbind(1)
    query, key = apply_rotary_pos_emb_vision(query, key, *position_embeddings)
    heads = (part.reshape(-1, GRID**2, layer.num_heads, layer.head_dim).transpose(1, 2) for part in (query, key, value))
    mixed = torch.nn.functional.scaled_dot_product_attention(*heads)
    return layer.proj(mixed.transpose(1, 2).reshape(length, -1))


def train(model: Qwen2_5_VLForConditionalGeneration, rows: Rows, args: argparse.Namespace) -> None:
    """AdamW with a cosine; new images in every step, so nothing is seen twice."""
    named = list(model.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [weights for _, weights in named if weights.ndim > 1], "weight_decay": 0.1},
            {"params": [weights for _, weights in named if weights.ndim <= 1], "weight_decay": 0.0},
        ],
        args.learning_rate,
        betas=(0.9, 0.99),
        fused=True,
    )
    warmup = max(1, args.steps // 20)
    generator = torch.Generator(rows.device).manual_seed(args.seed)
    start, losses = time.monotonic(), []
    model.train()
    for step in range(args.steps):
        cosine = 0.5 + 0.5 * math.cos(math.pi * step / args.steps)
        for group in optimizer.param_groups:
            group["lr"] = args.learning_rate * min((step + 1) / warmup, cosine)
        drawn = shapes.draw(args.batch, generator)
        loss = model(**rows.inputs(drawn.images, drawn.answers())).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
        if (step + 1) % args.report == 0:
            recent = torch.stack(losses[-args.report :]).mean().item()
            print(f"step {step + 1}: loss {recent:.4f}, {time.monotonic() - start:.0f} s", flush=True)


@torch.no_grad()
def evaluate(model: Qwen2_5_VLForConditionalGeneration, rows: Rows, count: int) -> tuple[float, float]:
    """Mean union IoU of greedy answers to images that no step has drawn, and the share of shapes that they name."""
    model.eval()
    drawn = shapes.draw(count, torch.Generator(rows.device).manual_seed(2**40))
    prompts = rows.prompt.expand(count, -1)
    tokens = model.generate(
        input_ids=prompts,
        attention_mask=torch.ones_like(prompts),
        mm_token_type_ids=(prompts == model.config.image_token_id).int(),
        pixel_values=patches(drawn.images),
        image_grid_thw=torch.tensor([[1, GRID, GRID]] * count, device=rows.device),
        max_new_tokens=64,
        do_sample=False,
    )
    texts = rows.tokenizer.batch_decode(tokens[:, prompts.shape[1] :], skip_special_tokens=True)
    ious, named, names = [], 0, 0
    for text, answer in zip(texts, drawn.answers(), strict=True):
        if answer != f"{shapes.NOTHING}\n":
            ious.append(union_iou(list(_boxes(text)), list(_boxes(answer))))
        wanted, given = (Counter(line.rpartition("] ")[2] for line in lines.splitlines()) for lines in (answer, text))
        names += wanted.total()
        named += (wanted & given).total()
    return sum(ious) / len(ious), named / names


def _boxes(text: str) -> Iterator[list[float]]:
    for line in text.splitlines():
        numbers = line.partition("]")[0].removeprefix("[").split(", ")
        if len(numbers) == 4 and all(number.isdigit() for number in numbers):
            yield [float(number) for number in numbers]


def main() -> None:
    """Parse the command line, train, test and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--steps", type=int, default=1800, help="default %(default)s")
    parser.add_argument("--batch", type=int, default=512, help="images per step (default %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="default %(default)s")
    parser.add_argument("--report", type=int, default=100, help="steps between two lines (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default 0")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="default: the GPU")
    args = parser.parse_args()
    # the captions of the toy world too: what is one token is cheap to train later
    captions = [caption for kind in KINDS for caption in kind.captions]
    make_model(args.out, captions + shapes.sentences(), args.seed)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(args.out)
    torch.set_float32_matmul_precision("high")
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(args.out, dtype=torch.float32).to(args.device)
    attend_at_once(model)
    rows = Rows(tokenizer, torch.device(args.device))
    train(model, rows, args)
    model.to(torch.bfloat16).float()  # what the file holds is what is tested
    iou, named = evaluate(model, rows, min(512, 4 * args.batch))
    print(f"on new images: IoU {iou:.3f}, shapes named {named:.3f}")
    model.to(torch.bfloat16).save_pretrained(args.out)


if __name__ == "__main__":
    sys.exit(main())
