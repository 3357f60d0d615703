"""Forty records with a system's answer to each, made by hand so that every metric can be worked out on paper.

Images are 512x512, and 504x504 in the frame of Qwen2.5-VL. All boxes lie on a grid of 8x8 cells, 64 pixels or 63 units
wide, so nothing is rounded. Letters name kinds of fake images: A and B are found, C is called real; see KINDS.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

RAIL, SKY = "Bent rail.", "Sky with two suns."
CORNER, OTHER = (0, 0, 4, 4), (4, 4, 8, 8)  # in cells; each covers a quarter of the image
WORDS = {"structure_attribute_error": "structure/attribute error"}


class Kind(NamedTuple):
    """Fake images of one kind: their number, annotation, prediction (None: no answer), and P(fake)."""

    count: int
    gold: list[tuple[tuple[int, ...], str]]
    tags: list[str]
    prediction: list[tuple[tuple[int, ...], str]] | str | None
    predicted_tags: str = "none"
    verdict: str = "fake"
    p_fake: float | None = None


ONE, TWO = [(CORNER, RAIL)], [(CORNER, RAIL), (OTHER, SKY)]
HALVES = [((0, 0, 2, 4), RAIL), ((2, 0, 4, 4), RAIL)]
KINDS = {
    "A": Kind(5, ONE, ["texture_error"], ONE, "texture error", p_fake=0.9),  # all right
    "AA": Kind(5, TWO, ["texture_error"], TWO, "texture error", p_fake=0.9),  # all right, two regions
    "B": Kind(  # left half of the region, no full stop, one tag of two
        4,
        ONE,
        ["structure_attribute_error", "texture_error"],
        [((0, 0, 2, 4), "Bent rail")],
        "texture error",
        p_fake=0.8,
    ),
    "C": Kind(3, ONE, ["artistic_style"], [], verdict="real", p_fake=0.3),  # called real
    "D": Kind(1, ONE, ["texture_error"], "<think>\n[0, 0, 252, 252] Bent rail."),  # cut off before its verdict
    "E": Kind(1, ONE, ["texture_error"], None),  # no answer
    "F": Kind(2, ONE, ["perspective_error"], HALVES, "perspective error, texture error", p_fake=0.7),  # in two pieces
    "G": Kind(1, [], ["other_anomaly"], [], "other anomaly", p_fake=0.6),  # nothing to mark, and nothing marked
    "H": Kind(1, ONE, ["unknown_object"], [(CORNER, "")], "artistic style", p_fake=0.9),  # no caption, wrong tag
    "I": Kind(
        1, ONE, ["texture_error"], [(OTHER, SKY)], "shiny", p_fake=0.55
    ),  # box in the wrong place, and an unknown tag
}
FAKES = [name for name, kind in KINDS.items() for _ in range(kind.count)]  # 24
GENERATORS = ["FLUX.1-dev"] * 8 + ["BigGAN"] * 6 + ["DiT"] * 4 + ["VAR"] * 4 + [None] * 2
REALS = [("real", 0.1)] * 8 + [("real", 0.3)] * 4 + [("fake", 0.6)] * 3 + [None]  # 16: 12 right, 3 wrong, 1 unanswered


def write_answer(prediction: list[tuple[tuple[int, ...], str]] | str, tags: str, verdict: str) -> str:
    """Write an answer in the grammar, with boxes in the model frame."""
    if isinstance(prediction, str):
        return prediction
    lines = [f"[{', '.join(str(63 * v) for v in box)}] {caption}".rstrip() for box, caption in prediction]
    think = "\n".join(lines or ["No visible flaw."])
    return f"<think>\n{think}\n</think>\n<tag>{tags}</tag>\n<verdict>{verdict}</verdict>"


def add_p_fake(text: str, verdict: str, p_fake: float | None) -> dict[str, Any]:
    """Add P(fake) to an answer, as the log probability of the verdict's own token."""
    if p_fake is None:
        return {"response": text, "logprobs": None}
    before, after = text.rsplit(verdict, 1)
    p = p_fake if verdict == "fake" else 1 - p_fake
    tokens = [(before, 0.0), (verdict, math.log(p)), (after, 0.0)]
    return {"response": text, "logprobs": {"content": [{"token": t, "logprob": p} for t, p in tokens]}}


def records() -> list[dict[str, Any]]:
    """The annotations; every fourth record is in the same fold."""
    made = []
    for name, generator in zip(FAKES, GENERATORS, strict=True):
        kind = KINDS[name]
        regions = [{"bbox": [64 * v for v in box], "caption": caption} for box, caption in kind.gold]
        made.append(
            {"label": "fake", "regions": regions, "tags": kind.tags} | ({"generator": generator} if generator else {})
        )
    made += [{"label": "real", "regions": [], "tags": []} for _ in REALS]
    return [
        {"id": f"{index:02d}", "image": f"images/{index:02d}.png", "width": 512, "height": 512, "fold": index % 4}
        | each
        for index, each in enumerate(made)
    ]


def answers(images: Path) -> list[dict[str, Any]]:
    """Lines as `swift infer` writes them; two images have no answer."""
    fields_of: list[dict[str, Any] | None] = []
    for name in FAKES:
        kind = KINDS[name]
        text = None if kind.prediction is None else write_answer(kind.prediction, kind.predicted_tags, kind.verdict)
        fields_of.append(None if text is None else add_p_fake(text, kind.verdict, kind.p_fake))
    for each in REALS:
        boxes = ONE if each and each[0] == "fake" else []
        fields_of.append(add_p_fake(write_answer(boxes, "none", each[0]), *each) if each else None)
    return [
        fields | {"images": [{"bytes": None, "path": str(images / f"{index:02d}.png")}]}
        for index, fields in enumerate(fields_of)
        if fields
    ]


def write(folder: Path, changes: dict[int, dict[str, Any]] | None = None) -> tuple[Path, Path]:
    """Write annotations.jsonl and answers.jsonl into a folder; `changes` replaces fields of answers, by index."""
    lines = answers(folder / "images")
    for line in lines:
        line |= (changes or {}).get(int(Path(line["images"][0]["path"]).stem), {})
    paths = folder / "annotations.jsonl", folder / "answers.jsonl"
    for path, rows in zip(paths, (records(), lines), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return paths
