"""Cost of encoding a row: each fx_ template against the stock one that it extends, in turns in one process.

Run by hand: python -m tests.benchmarks.bench_template   (target: ratio at most 1.05)
"""

import gc
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.backbones import BACKBONES
from swift_plugins.fakexplain.host.templates import register_templates
from swift_plugins.fakexplain.rows import to_row
from tests.host.backbones import ENV, load_template, make_backbone

ROUNDS = 40


def row(folder: Path, side: int, boxes: int) -> dict:
    draw = random.Random(side + boxes)
    path = folder / f"{side}.png"
    Image.radial_gradient("L").resize((side, side)).convert("RGB").save(path)
    regions = []
    for index in range(boxes):
        x, y = draw.uniform(0, side - 40), draw.uniform(0, side - 40)
        regions.append(Region((x, y, x + 30, y + 35), f"Part {index} with a flaw."))
    return to_row(Annotation("a", path.name, side, side, "fake", tuple(regions), ("texture_error",), path=path))


def pair_of(folder: Path, backbone: str) -> dict[str, Any]:
    """The stock template and ours, with the same token ids: with its own constants the stock one would skip work."""
    templates = {name: load_template(folder, backbone, name) for name in (BACKBONES[backbone].host, f"fx_{backbone}")}
    stock, ours = templates.values()
    for name in ("image_token_id", "video_token_id", *(f"{each}_token" for each in BACKBONES[backbone].constants)):
        if hasattr(type(stock), name):
            setattr(stock, name, getattr(ours, name))
    return templates


def measure(templates: dict[str, Any], sample: dict) -> tuple[float, float, float]:
    """Milliseconds of stock and ours, and the median ratio of neighbours in time."""
    seconds: dict[str, list[float]] = {name: [] for name in templates}
    gc.disable()  # as timeit does: collections would fall to the same template each time
    for turn in range(ROUNDS):
        for name in sorted(templates, reverse=turn % 2 == 0):
            start = time.process_time()
            templates[name].encode(sample)
            seconds[name].append(time.process_time() - start)
    gc.enable()
    theirs, mine = seconds.values()
    stock_ms, fx_ms = (statistics.median(each) * 1e3 for each in (theirs, mine))
    return stock_ms, fx_ms, statistics.median(b / a for a, b in zip(theirs, mine, strict=True))


def main() -> None:
    register_templates()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for backbone in BACKBONES:
            os.environ.update(dict.fromkeys(("MIN_PIXELS", "MAX_PIXELS"), ""))
            os.environ.update(ENV.get(backbone, {}))
            (folder / backbone).mkdir()
            templates = pair_of(make_backbone(folder / backbone, backbone), backbone)
            for side, boxes in ((112, 0), (112, 6), (512, 6), (512, 40)):
                stock_ms, fx_ms, ratio = measure(templates, row(folder, side, boxes))
                print(
                    f"{backbone:12} {side}x{side}, {boxes:2} boxes: "
                    f"stock {stock_ms:.2f} ms, fx {fx_ms:.2f} ms, ratio {ratio:.3f}"
                )


if __name__ == "__main__":
    main()
