"""Cost of encoding a row: fx_qwen2_5_vl against ms-swift's qwen2_5_vl, in turns in one process.

Run by hand: python -m tests.benchmarks.bench_template   (target: ratio at most 1.05)
"""

import random
import statistics
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image
from swift import get_processor, get_template

from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.host.templates import register_templates
from swift_plugins.fakexplain.rows import to_row
from tests.host.backbones import make_backbone

ROUNDS = 100


def row(folder: Path, side: int, boxes: int) -> dict:
    draw = random.Random(side + boxes)
    path = folder / f"{side}.png"
    Image.radial_gradient("L").resize((side, side)).convert("RGB").save(path)
    regions = []
    for index in range(boxes):
        x, y = draw.uniform(0, side - 40), draw.uniform(0, side - 40)
        regions.append(Region((x, y, x + 30, y + 35), f"Part {index} with a flaw."))
    return to_row(Annotation("a", path.name, side, side, "fake", tuple(regions), ("texture_error",), path=path))


def main() -> None:
    register_templates()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        processor = get_processor(str(make_backbone(folder / "model", "qwen2_5_vl")), model_type="qwen2_5_vl")
        templates = {name: get_template(processor, template_type=name) for name in ("qwen2_5_vl", "fx_qwen2_5_vl")}
        stock, ours = templates.values()
        # the constant is right for Qwen's vocabulary alone; with it the stock template would skip work here
        stock.image_token_id = ours.image_token_id
        for template in templates.values():
            template.set_mode("train")
        for side, boxes in ((112, 0), (112, 6), (512, 6), (1024, 6), (512, 40)):
            sample = row(folder, side, boxes)
            seconds: dict[str, list[float]] = {name: [] for name in templates}
            for turn in range(ROUNDS):
                for name in sorted(templates, reverse=turn % 2 == 0):
                    start = time.process_time()
                    templates[name].encode(sample)
                    seconds[name].append(time.process_time() - start)
            theirs, mine = seconds.values()
            ratio = statistics.median(b / a for a, b in zip(theirs, mine, strict=True))  # of neighbours in time
            stock_ms, fx_ms = (statistics.median(each) * 1e3 for each in (theirs, mine))
            print(f"{side}x{side}, {boxes:2} boxes: stock {stock_ms:.2f} ms, fx {fx_ms:.2f} ms, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
