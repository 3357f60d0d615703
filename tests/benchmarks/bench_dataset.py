"""Loading `fakexplained` against ms-swift loading the same rows from a stock JSONL. Run by hand:

python -m tests.benchmarks.bench_dataset [ROWS] [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from swift.dataset import load_dataset

from converters.formats.rows import save_rows
from swift_plugins.fakexplain.annotation import Annotation, Region, read_annotations, write_annotations
from swift_plugins.fakexplain.host.dataset import register_dataset

ROUNDS = 5
LINKS = 50_000
"""To one file; file systems allow some 65,000."""


def annotations(folder: Path, count: int):
    """Half fake with five regions each, half real; PNG images of 512x512."""
    (folder / "images").mkdir()
    picture = Image.effect_noise((512, 512), 60).convert("RGB")
    regions = tuple(
        Region((10.0 * i, 20.0, 10.0 * i + 90.5, 200.0), f"Hand with {i} fingers too many.") for i in range(5)
    )
    for index in range(count):
        image = f"images/{index}.png"
        if index % LINKS == 0:
            picture.save(shared := folder / image)
        else:
            os.link(shared, folder / image)
        fake = index % 2 == 0
        yield Annotation(
            f"{index}",
            image,
            512,
            512,
            "fake" if fake else "real",
            regions * fake,
            ("texture_error",) * fake,
            fold=index % 4,
        )


def seconds(name: str) -> float:
    start = time.perf_counter()
    load_dataset(name, remove_unused_columns=False, load_from_cache_file=False)
    return time.perf_counter() - start


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    register_dataset()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = folder / "annotations.jsonl"
        write_annotations(path, annotations(folder, count))
        os.environ["FAKEXPLAINED"] = str(path)
        ratios = []
        for turn in range(rounds):
            # a file of its own each time: ms-swift would find the last one's rows in its cache
            stock = folder / f"rows-{turn}.jsonl"
            save_rows(read_annotations(path), stock)
            theirs, ours = seconds(str(stock)), seconds("fakexplained")
            ratios.append(ours / theirs)
            print(f"{count} rows: fakexplained {ours:.2f} s, stock JSONL {theirs:.2f} s, ratio {ours / theirs:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f} (target: 1.2)")


if __name__ == "__main__":
    main()
