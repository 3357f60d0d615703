"""Runs on disk: one of any images, whose answers a test chooses, and one of the forty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.scoring.metrics.definitions import METRIC_NAMES
from swift_plugins.fakexplain.scoring.predictions.answers import read_predictions
from swift_plugins.fakexplain.scoring.predictions.labels import BaselinePrediction
from swift_plugins.fakexplain.scoring.results import Resampling
from swift_plugins.fakexplain.scoring.run import Run, load_run, run_writer
from swift_plugins.fakexplain.scoring.score import build_system, score_systems
from swift_plugins.fakexplain.tags import TAGS
from tests.scoring import forty

HAND = {"bbox": [60.0, 50.5, 100.0, 80.0], "caption": "Hand with six fingers."}
SIGN = {"bbox": [10.0, 5.0, 50.0, 45.0], "caption": "Sign with illegible letters."}
FIELDS: dict[str, Any] = {
    "dataset": "forty",
    "subset": "all",
    "variant": "full",
    "perturbation": None,
    "annotations": "annotations.jsonl",
    "records": 40,
    "settings": {},
}


def answer(verdict: str | None, iou: float | None = None, p_fake: float | None = None, **changes) -> dict:
    empty = {"regions": [], "tags": [], "problems": []}
    return {"verdict": verdict, "iou": iou, "p_fake": p_fake, **empty, **changes}


def line(id: str, label: str = "fake", answers: dict | None = None, **changes) -> dict:
    """A line of images.jsonl about a 120x90 image."""
    fake = label == "fake"
    return {
        "id": id,
        "image": "grey.png",
        "width": 120,
        "height": 90,
        "label": label,
        "regions": [HAND, SIGN] if fake else [],
        "tags": ["texture_error"] if fake else [],
        "answers": answers if answers is not None else {"7B": answer(label, 0.5 if fake else None)},
    } | changes


def result(n: int, accuracy: float | None = 0.5, **changes) -> dict[str, Any]:
    """The result of a system of which only the number of images and the accuracy are known."""
    counts = ("answered", "fake", "real", "unreadable", "exact", "fake_without_regions")
    empty = ("intervals", "confusion", "problems", "generators", "families", "folds", "over_folds")
    tag = dict.fromkeys(("precision", "recall", "accuracy_with", "accuracy_without")) | {"gold": 0, "predicted": 0}
    return {
        **dict.fromkeys(METRIC_NAMES),
        **dict.fromkeys(counts, 0),
        **{name: {} for name in empty},
        "tags": dict.fromkeys(TAGS, tag),
        "real_images": None,
        "missing": [],
        "n": n,
        "accuracy": accuracy,
        **changes,
    }


def write_run(folder: Path, lines: list[dict], systems: tuple[str, ...] = ("7B",), **changes) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (120, 90), "grey").save(folder / "grey.png")
    (folder / "images.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    fields = {
        "dataset": "Main",
        "subset": "",
        "variant": "full",
        "perturbation": None,
        "annotations": "annotations.jsonl",
        "records": len(lines),
        "settings": {},
        "systems": {name: result(len(lines)) for name in systems},
        "comparisons": [],
    }
    (folder / "run.json").write_text(json.dumps(fields | changes), encoding="utf-8")
    return load_run(folder)


def write_forty(folder: Path, out: Path) -> None:
    """A run of the forty: answers, and a baseline that calls the first image fake and has no output for the others."""
    annotations, answers = forty.write(folder)
    first = BaselinePrediction(str(folder.resolve() / "images/00.png"), "fake", 0.5, ((0, 0, 256, 256),))
    systems = {"ours": build_system(read_predictions(answers)), "NPR": build_system([first])}
    rule = frame_rule("fx_qwen2_5_vl", env={})
    with run_writer(out) as (on_image, finish):
        results, comparisons = score_systems(
            read_annotations(annotations), systems, rule, resampling=Resampling(0), on_image=on_image
        )
        finish(Run(out, **FIELDS, systems=results, comparisons=comparisons))
