"""Results of the toy world: what is kept of a run, and what README.md shows of it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from examples import costs, toy_results, toy_tables
from examples.sections import with_section
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.answer import render_answer
from swift_plugins.fakexplain.frames import frame_rule
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file
from tests.recipes.dry_run import ROOT


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Scores as an experiment leaves them: two systems, on unchanged images and out of distribution."""
    folder = tmp_path / "out"
    for name, label in product(("test", "toy"), ("FakeXplainer", "label-only")):
        data = tmp_path / name
        records = [record(index, label_of) for index in range(3) for label_of in ("fake", "real")]
        annotations = write_annotations_file(data, records)
        variant = "full" if label == "FakeXplainer" else "label_only"
        rule = frame_rule("fx_qwen2_5_vl")
        lines = []
        for gold in read_annotations(annotations):
            text = render_answer(gold, variant, rule.frame(gold.image_wh))
            if gold.id == "fake-002":
                text = text.replace("<verdict>fake", "<verdict>real")
            lines.append({"response": text, "images": [str(gold.path)]})
        predictions = data / f"{label}.jsonl"
        predictions.write_text("".join(json.dumps(line) + "\n" for line in lines))
        scored = ("score", f"{label}={predictions}", "--annotations", annotations, "--variant", variant)
        done = fakexplain(*scored, "--resamples", 20, "--out", folder / "claims" / f"run-{name}-{variant}")
        assert done.returncode == 0, done.stderr
    labels = tmp_path / "labels.csv"
    labels.write_text("image,score\n" + "".join(f"{gold.path},0.9\n" for gold in read_annotations(annotations)))
    beside = folder / "baselines" / "run"
    done = fakexplain("score", f"CNN={labels}", "--annotations", annotations, "--resamples", 20, "--out", beside)
    assert done.returncode == 0, done.stderr
    log = folder / "fold0" / "grpo-progressive" / "logging.jsonl"
    log.parent.mkdir(parents=True)
    steps = [{"global_step/max_steps": f"{step}/40", "rewards/FxIoU/mean": step / 40} for step in (*range(1, 41), 40)]
    log.write_text("".join(json.dumps(line) + "\n" for line in steps))
    (folder / "settings").write_text("TOY=1 SEED=3 FAKEXPLAINED=/a b/c.jsonl DIFFICULTY=0.35 PHOTOS=\n")
    return folder


def run(monkeypatch, *args: object) -> None:
    monkeypatch.setattr(sys, "argv", ["toy_results", *map(str, args)])
    toy_results.main()


def test_what_is_kept_and_shown(out, tmp_path, monkeypatch, capsys):
    results = tmp_path / "results"
    run(monkeypatch, "keep", out, "--seed", 3, "--results", results)
    kept = json.loads((results / "seed3.json").read_text())
    assert (kept["seed"], kept["settings"]) == (3, "TOY=1 SEED=3 DIFFICULTY=0.35")
    assert set(kept["sets"]) == {"test", "ood"}
    systems = kept["sets"]["test"]
    assert systems["FakeXplainer"]["accuracy"] == [1, 1, 1, 1, 0, 1]
    assert len(systems["FakeXplainer"]["iou"]) == 3 and "iou" not in systems["label-only"]
    assert systems["FakeXplainer"]["boxes"][0] == 2
    assert systems["FakeXplainer"]["metrics"]["accuracy"][0] == pytest.approx(5 / 6, abs=1e-4)
    curves = kept["training"]["progressive"]
    assert curves["step"] == [2 * index + 1.5 for index in range(20)]
    assert curves["rewards/FxIoU/mean"] == pytest.approx([step / 40 for step in curves["step"]], abs=1e-4)

    run(monkeypatch, "show", "--results", results)
    text = (results / "results.md").read_text()
    assert "| CNN | 1 | 0.500 [" in text
    assert "| FakeXplainer | 1 | 0.833 [" in text and "| unseen photographs and flaws |" in text
    assert "| App. D.1 | label-only is worse out of distribution | +0.198 to +0.262 | 1 | accuracy +0.000 [" in text
    assert "| CNN | 1 | -0.333 [" in text
    assert "| FakeXplainer | 1 | 0.062 → 0.512 → 0.963 | – | – | – |" in text
    plots = {name: (results / name).read_bytes() for name in ("claims.svg", "curves.svg")}
    assert all(plots.values())
    run(monkeypatch, "show", "--results", results)
    assert {name: (results / name).read_bytes() for name in plots} == plots


def test_settings_trained_in_another_run_are_added(out, tmp_path, monkeypatch):
    """A run of other settings leaves what was kept; one of the same replaces it; other images are refused."""
    path = tmp_path / "seed3.json"
    keeping = ("keep", out, "--seed", 3, "--results", tmp_path)
    run(monkeypatch, *keeping)
    whole = json.loads(path.read_text())

    def kept_before(**changes) -> None:
        before = json.loads(json.dumps(whole | changes))
        before["sets"]["test"] = {"SFT": {"accuracy": [1] * 6}, "CNN": {"accuracy": [0] * 6}}
        before["training"] = {"progressive": {}, "omega-0.5": {"step": [1]}}
        path.write_text(json.dumps(before))

    kept_before()
    run(monkeypatch, *keeping)
    both = json.loads(path.read_text())
    assert both["sets"]["test"] == {"SFT": {"accuracy": [1] * 6}} | whole["sets"]["test"]
    assert both["sets"]["ood"] == whole["sets"]["ood"] and both["images"] == whole["images"]
    assert both["training"] == {"omega-0.5": {"step": [1]}} | whole["training"]
    for other, words in (
        ({"images": whole["images"] | {"test": "0"}}, "holds results of other images in test"),
        ({"settings": "TOY=1 SEED=3 DIFFICULTY=0.35 G=8"}, "holds results of 'TOY=1 .* G=8', found 'TOY=1 .*0.35'"),
    ):
        kept_before(**other)
        before = path.read_text()
        with pytest.raises(SystemExit, match=f"^error: .*seed3.json: {words}; choose other --results"):
            run(monkeypatch, *keeping)
        assert path.read_text() == before


def test_the_digest_is_of_all_that_answers_are_compared_with(tmp_path):
    annotations = write_annotations_file(tmp_path, [record(0), record(1)])
    records = list(read_annotations(annotations))
    digest = toy_results._digest(records)
    first, region = records[0], records[0].regions[0]
    moved = replace(first, regions=(region._replace(bbox=(0.0, 0.0, 1.0, 1.0)), *first.regions[1:]))
    others = [records[::-1], records[:1], [replace(first, label="real"), records[1]], [moved, records[1]]]
    assert len({digest, *map(toy_results._digest, others)}) == 5
    assert digest == toy_results._digest([replace(first, tags=()), records[1]])


def test_a_seed_trained_again_counts_for_differences_within_it_alone(out, tmp_path, monkeypatch):
    results = tmp_path / "results"
    run(monkeypatch, "keep", out, "--seed", 3, "--results", results, "--again")
    with pytest.raises(SystemExit, match=r"^error: .*: expected seedN.json of difficulty 0.35, found none$"):
        run(monkeypatch, "show", "--results", results)
    run(monkeypatch, "keep", out, "--seed", 3, "--results", results)
    run(monkeypatch, "show", "--results", results)
    text = (results / "results.md").read_text()
    assert {path.name for path in results.glob("*.json")} == {"again-seed3.json", "seed3.json"}
    assert "| FakeXplainer | 1 | 0.833 [" in text
    assert "| label-only is worse out of distribution | +0.198 to +0.262 | 1 | " in text
    assert text.count("| CNN | 1 | 0.500 [") == 1 and text.count("| CNN | 2, 1 of them again | -0.333 [") == 1


@pytest.mark.parametrize("command", ["keep", "show"])
def test_a_folder_without_results_is_one_line(command, tmp_path, monkeypatch):
    args = ("keep", tmp_path, "--seed", 0) if command == "keep" else ("show",)
    with pytest.raises(SystemExit, match="^error: .*found no"):
        run(monkeypatch, *args, "--results", tmp_path / "none")


def test_a_section_of_a_page_is_replaced():
    page = "a\n<!-- x -->\n\nold\n<!-- end of x -->\nb\n"
    assert with_section(page, "x", "new\n") == "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n"
    for wrong in ("a\n", page + page):
        with pytest.raises(ValueError, match="expected one <!-- x -->"):
            with_section(wrong, "x", "new\n")


@pytest.mark.parametrize(
    ("path", "section", "render"),
    [
        (toy_results.FRONT_PAGE, toy_results.SECTION, toy_tables.render_front),
        (toy_results.PAGE, toy_results.SECTION, toy_tables.render),
        (toy_results.PAGE, toy_results.DIFFICULTIES, toy_tables.render_difficulties),
    ],
)
def test_pages_show_what_the_files_hold(path, section, render):
    page = path.read_text(encoding="utf-8")
    assert with_section(page, section, render(toy_results.load())) == page


def test_systems_are_compared_on_the_seeds_that_have_both():
    def seed(number: int, **systems: list[float]) -> dict:
        answers = {name.replace("_", " "): {"accuracy": a, "boxes": a, "box_area": a} for name, a in systems.items()}
        return {"seed": number, "settings": "DIFFICULTY=0.35", "sets": {"test": answers}}

    guard = "FakeXplainer with fx match"
    results = [seed(0, FakeXplainer=[1, 0], FakeXplainer_with_fx_match=[1, 1]), seed(1, FakeXplainer=[0, 0])]
    (row,) = toy_tables._render_differences(results, "FakeXplainer", [guard, "CNN"]).splitlines()[2:]
    half = "+0.500 [+0.000, +1.000]"
    assert row == f"| {guard} | 1 | {half} | – | {half} | {half} | {half} |"
    assert toy_tables._render_differences(results[1:], "FakeXplainer", [guard]) == ""


def test_rows_stand_in_the_order_of_the_settings_and_baselines_last():
    metrics = {key: [0.5, None, None] for key in toy_tables.METRICS}
    sets = {"test": {name: {"metrics": metrics} for name in ("CNN", "label-only", "SFT", "FakeXplainer")}}
    training = {setting: {"step": [1]} for setting in ("label-only", "omega-1", "progressive")}
    lines = toy_tables.render([{"seed": 0, "settings": "DIFFICULTY=0.35", "sets": sets, "training": training}])
    rows = [line.split(" | ")[0].strip("| ") for line in lines.splitlines() if "---" not in line]
    assert rows[1:5] == ["FakeXplainer", "SFT", "label-only", "CNN"]
    assert rows[-3:] == ["FakeXplainer", "GRPO ω_G=1", "label-only"]


def test_seeds_of_other_settings_are_refused(out, tmp_path, monkeypatch):
    results = tmp_path / "results"
    run(monkeypatch, "keep", out, "--seed", 3, "--results", results)
    (out / "settings").write_text("TOY=1 QUICK=1 SEED=4 DIFFICULTY=0.35 PHOTOS=\n")
    run(monkeypatch, "keep", out, "--seed", 4, "--results", results)
    with pytest.raises(SystemExit, match="expected one setting of all seeds, found .*QUICK=1"):
        run(monkeypatch, "show", "--results", results)


def test_a_run_of_two_steps_with_boxes_in_one_is_shown(out, tmp_path, monkeypatch):
    """As a quick run leaves it: an answer without boxes has no area."""
    log = next(out.glob("*/grpo-progressive/logging.jsonl"))
    steps = [{"rewards/FxIoU/mean": 0.5}, {"rewards/FxIoU/mean": 0.25, "fx/box_area": 0.1}]
    lines = [json.dumps({"global_step/max_steps": f"{step}/2", **values}) for step, values in enumerate(steps, 1)]
    log.write_text("\n".join(lines) + "\n")
    results = tmp_path / "results"
    run(monkeypatch, "keep", out, "--seed", 3, "--results", results)
    curves = json.loads((results / "seed3.json").read_text())["training"]["progressive"]
    assert curves == {"step": [1.0, 2.0], "rewards/FxIoU/mean": [0.5, 0.25], "fx/box_area": [None, 0.1]}
    run(monkeypatch, "show", "--results", results)
    row = "| FakeXplainer | 1 | 0.500 → 0.500 → 0.250 | – | – | – → – → 0.100 |"
    assert row in (results / "results.md").read_text()


def test_other_difficulties_have_a_table_of_their_own(out, tmp_path, monkeypatch):
    text = (ROOT / "recipes/lib/toy.sh").read_text()
    assert f"DIFFICULTY=${{DIFFICULTY:-{toy_tables.DIFFICULTY}}}" in text
    metrics = {key: [0.2, 0.1, 0.3] for key in toy_tables.METRICS} | {"accuracy": [0.5, 0.1, 0.9]}
    systems = {"test": {"SFT": {"accuracy": [1, 0], "metrics": metrics}}}
    for name, seed, difficulty in (("seed0", 0, "0.35"), ("difficulty0-seed0", 0, "0"), ("seed1", 1, "0.35")):
        kept = {"seed": seed, "settings": f"TOY=1 DIFFICULTY={difficulty} IMAGES=6000", "sets": systems}
        (tmp_path / f"{name}.json").write_text(json.dumps(kept))
    results = toy_results.load(tmp_path)
    assert toy_tables.render_difficulties(results).splitlines()[2:] == [
        "| 0 | 1 | 0.500 [0.100, 0.900] | 0.200 [0.100, 0.300] |",
        "| 0.35 | 1 | 0.500 [0.100, 0.900] | 0.200 [0.100, 0.300] |",
    ]
    assert "| SFT | 2 | 0.500 [0.100, 0.900] |" in toy_tables.render(results)
    (out / "settings").write_text("TOY=1 SEED=0 DIFFICULTY=0.6\n")
    run(monkeypatch, "keep", out, "--seed", 0, "--results", tmp_path)
    assert (tmp_path / "difficulty0.6-seed0.json").exists()


@pytest.mark.e2e
def test_the_derived_costs_are_those_of_the_dry_runs():
    page = costs.PAGE.read_text(encoding="utf-8")
    assert with_section(page, costs.SECTION, costs.render()) == page


def test_derived_costs_agree_with_the_pages_other_table():
    """Hours of SFT and GRPO for 3B, 7B and 32B, as recipes/README.md rounds them."""
    found = [costs.size_of(billions) for billions in (3.75, 8.29, 33.45)]
    assert [round(size.sft, 1) for size in found] == [0.2, 0.4, 2.7]
    for size, hours in zip(found, (11, 27, 55), strict=True):
        assert size.grpo == pytest.approx(hours, rel=0.1)
