"""What a consensus gains on the toy models: what is kept of a run, the figures, and what scoring/README.md shows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from examples import toy_consensus
from examples.sections import with_section
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.answer import render_answer
from swift_plugins.fakexplain.frames import frame_rule
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file


def test_the_page_shows_what_the_file_holds():
    page = toy_consensus.PAGE.read_text(encoding="utf-8")
    results = json.loads(toy_consensus.FILE.read_text(encoding="utf-8"))
    assert with_section(page, toy_consensus.SECTION, toy_consensus.render(results)) == page


def test_figures_of_resampled_images_are_those_of_the_images_drawn():
    rng = np.random.default_rng(1)
    fake = rng.random(40) < 0.5
    system = {
        "right": (rng.random(40) < 0.8).tolist(),
        "iou": rng.random(int(fake.sum())).tolist(),
        "p_fake": rng.integers(0, 6, 40).tolist(),  # with ties
    }
    of_fake, of_real = (rng.multinomial(n, np.full(n, 1 / n), 5) for n in (int(fake.sum()), int((~fake).sum())))
    found = toy_consensus._metrics(system, fake, of_fake, of_real)
    right, p = np.array(system["right"]), np.array(system["p_fake"])
    for row, drawn_fake, drawn_real in zip(found, of_fake, of_real, strict=True):
        chosen_fake = np.repeat(np.flatnonzero(fake), drawn_fake)
        chosen_real = np.repeat(np.flatnonzero(~fake), drawn_real)
        u = stats.mannwhitneyu(p[chosen_fake], p[chosen_real]).statistic
        expected = [
            right[np.concatenate([chosen_fake, chosen_real])].mean(),
            np.repeat(system["iou"], drawn_fake).mean(),
            u / len(chosen_fake) / len(chosen_real),
        ]
        assert row == pytest.approx(expected)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Scores as the recipe leaves them: the greedy answers are right, and those chosen among 16 say all is real."""
    records = [record(index, label) for index in range(4) for label in ("fake", "real")]
    annotations = write_annotations_file(tmp_path / "data", records)
    rule = frame_rule("fx_qwen2_5_vl")
    real = "<think>\nNo visible flaw.\n</think>\n<tag>none</tag>\n<verdict>real</verdict>"
    lines: dict[str, list[str]] = {}
    for gold in read_annotations(annotations):
        right = render_answer(gold, "full", rule.frame(gold.image_wh))
        for name in ("greedy", *toy_consensus.CHOSEN):
            text = real if name == "consensus-16" else right
            lines.setdefault(name, []).append(json.dumps({"response": text, "images": [str(gold.path)]}) + "\n")
    for name, each in lines.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(each))
    systems = [f"{name}={tmp_path / name}.jsonl" for name in lines]
    for stage in toy_consensus.STAGES:
        run = tmp_path / "out" / f"seed3-{stage}" / "run"
        done = fakexplain("score", *systems, "--annotations", annotations, "--resamples", 0, "--out", run)
        assert done.returncode == 0, done.stderr
    return tmp_path / "out"


def test_what_is_kept_and_shown(out, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["toy_consensus", "keep", str(out), "--file", str(tmp_path / "kept.json")])
    toy_consensus.main()
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert [(each["stage"], each["seed"]) for each in kept] == [("progressive", 3), ("sft", 3)]
    assert kept[0]["fake"] == [1, 0] * 4
    assert kept[0]["systems"]["greedy"]["right"] == [1] * 8
    assert kept[0]["systems"]["consensus-16"]["right"] == [0, 1] * 4
    assert kept[0]["systems"]["consensus-16"]["iou"] == [0.0] * 4
    rows = toy_consensus.render(kept).splitlines()
    assert rows[2] == "| SFT, greedy | 1 | 1.000 | 0.974 | 0.500 | 1.000 |"  # boxes are rounded
    assert rows[5].startswith("| and 16 | 1 | -0.500 [-0.500, -0.500] | -0.974 [-0.974, -0.974] | +0.000 [")


def test_a_folder_without_scores_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["toy_consensus", "keep", str(tmp_path), "--file", str(tmp_path / "x")])
    with pytest.raises(SystemExit, match="^error: .*found no scores in it"):
        toy_consensus.main()
