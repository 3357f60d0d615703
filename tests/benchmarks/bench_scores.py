"""`fakexplain score` and `report` on many predictions: seconds of one core and memory. Run by hand:

python -m tests.benchmarks.bench_scores [PREDICTIONS]
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_data import measure

WORDS = (
    "hand", "finger", "sky", "rail", "shadow", "texture", "edge", "blurred", "bent", "missing", "extra", "six",
    "wrong", "letters", "illegible", "window", "wall", "of", "a", "the", "with", "without", "that", "into",
    "merges", "repeats", "pattern", "fur", "eye", "leg", "wheel", "reflection", "depth", "field", "contour",
)  # fmt: skip


def caption(rng: random.Random) -> str:
    return f"{' '.join(rng.choices(WORDS, k=rng.randint(5, 14))).capitalize()}."


def box(rng: random.Random, side: int) -> list[int]:
    x, y = rng.randint(0, side - 60), rng.randint(0, side - 60)
    return [x, y, x + rng.randint(20, 60), y + rng.randint(20, 60)]


def write(folder: Path, count: int) -> None:
    """Half fake, five and a half regions each on average (§3.2), answers of as many; every tenth verdict is wrong."""
    rng = random.Random(0)
    with open(folder / "a.jsonl", "w") as annotations, open(folder / "p.jsonl", "w") as answers:
        for index in range(count):
            fake = index % 2 == 0
            regions = [{"bbox": box(rng, 512), "caption": caption(rng)} for _ in range(rng.randint(1, 10) * fake)]
            record = {
                "id": f"{index:07}", "image": f"images/{index}.png", "width": 512, "height": 512, "fold": index % 4,
                "label": "fake" if fake else "real", "regions": regions, "tags": ["texture_error"] * fake,
                "generator": f"generator {index // 2 % 27}" if fake else "camera",
            }  # fmt: skip
            verdict = "fake" if fake != (rng.random() < 0.1) else "real"
            lines = [f"{box(rng, 504)} {caption(rng)}" for _ in range(rng.randint(1, 10))] if verdict == "fake" else []
            think = "\n".join(lines or ["No visible flaw."])
            tag = "texture error" if verdict == "fake" else "none"
            text = f"<think>\n{think}\n</think>\n<tag>{tag}</tag>\n<verdict>{verdict}</verdict>"
            before, after = text.rsplit(verdict, 1)
            p = math.log(rng.uniform(0.5, 1))
            tokens = [{"token": t, "logprob": v} for t, v in ((before, 0.0), (verdict, p), (after, 0.0))]
            answer = {
                "response": text, "logprobs": {"content": tokens},
                "images": [{"bytes": None, "path": str(folder / "images" / f"{index}.png")}],
            }  # fmt: skip
            annotations.write(json.dumps(record) + "\n")
            answers.write(json.dumps(answer) + "\n")


def main(count: int) -> None:
    """Print a line a way of scoring."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, count)
        for what, args in (
            ("figures alone", ("--resamples", "0")),
            ("with 2,000 resamples", ()),
            ("figures and a run", ("--resamples", "0", "--out", "run")),
        ):
            seconds, mib = measure(folder, count, "score", "p.jsonl", "--annotations", "a.jsonl", *args)
            print(f"{count} predictions, {what}: {seconds:.1f} s, {mib} MiB", flush=True)
        seconds, mib = measure(folder, count, "report", "run", "--out", "report")
        print(f"{count} predictions, report of that run: {seconds:.1f} s, {mib} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
