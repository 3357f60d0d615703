"""The data commands on many records: records a second, and whether memory grows with the file. Run by hand:

python -m tests.benchmarks.bench_data [RECORDS]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

CODE = """
import resource, sys
from swift_plugins.fakexplain.cli import main
sys.argv[0] = 'fakexplain'
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def records(count: int, image: str = "images/shared.png") -> Iterator[dict]:
    """Half fake with five regions each, of 28 generators and 1,000 classes; `{}` in the image's name is its number."""
    regions = [
        {"bbox": [10.0 * i, 20.0, 10.0 * i + 90.5, 200.0], "caption": f"Hand with {i} fingers too many."}
        for i in range(5)
    ]
    for index in range(count):
        fake = index % 2 == 0
        yield {
            "id": f"{index:07}",
            "image": image.format(index),
            "width": 512,
            "height": 512,
            "label": "fake" if fake else "real",
            "regions": regions * fake,
            "tags": ["texture_error"] * fake,
            "generator": f"generator {index % 28}" if fake else "camera",
            "class_name": f"class {index % 1000}",
            "annotator": f"a{index % 23:02}",
            "fold": index % 4,
        }


def measure(folder: Path, count: int, *args: str) -> tuple[float, int]:
    """Seconds and MiB at the highest."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", CODE, *args], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - start, int(done.stderr.splitlines()[-1])


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as temporary:
        sizes = (1_000, count // 10, count)
        for size in sizes:
            folder = Path(temporary, str(size))
            (folder / "images").mkdir(parents=True)
            Image.effect_noise((512, 512), 60).convert("RGB").save(folder / "images" / "shared.png")
            for name, image in (("annotations", "images/{}.png"), ("shared", "images/shared.png")):
                with open(folder / f"{name}.jsonl", "w") as file:
                    file.writelines(json.dumps(record) + "\n" for record in records(size, image))
        os.environ["PYTHONPATH"] = str(Path.cwd())
        print(f"{'':28} {'seconds':>8} {'records/s':>10}   MiB at " + ", ".join(f"{size:,}" for size in sizes))
        for name, args in {
            "validate, no images": ("validate", "annotations.jsonl", "--no-images"),
            "split": ("split", "annotations.jsonl", "-o", "folds.jsonl", "--reassign"),
            "split by class": ("split", "annotations.jsonl", "-o", "f.jsonl", "--reassign", "--group-by", "class_name"),
            "export rows, no images": ("export", "annotations.jsonl", "-o", "rows.jsonl", "--no-check"),
            "export rows": ("export", "shared.jsonl", "-o", "checked.jsonl"),
            "export coco": ("export", "shared.jsonl", "-o", "coco.json", "--to", "coco"),
            "convert coco": ("convert", "coco", "coco.json", "--label", "real", "-o", "back.jsonl"),
            "stats": ("stats", "annotations.jsonl"),
            "qc": ("qc", "annotations.jsonl", "-o", "qc", "--reference", "annotations.jsonl", "--worst", "0"),
        }.items():
            took, highest = zip(*(measure(Path(temporary, str(size)), size, *args) for size in sizes), strict=True)
            start, _ = took[0], None
            rate = (count - sizes[0]) / (took[-1] - start)
            print(f"{name:28} {took[-1]:8.1f} {rate:10,.0f}   " + ", ".join(map(str, highest)), flush=True)


if __name__ == "__main__":
    main()
