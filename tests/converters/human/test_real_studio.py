"""All human steps through a real Label Studio: imported, annotated and exported by its API, and read back.

    FX_LABEL_STUDIO_PYTHON=ENV/bin/python pytest -n0 -m slow tests/converters/human/test_real_studio.py

The first start makes a data base, which takes minutes on a busy machine.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from converters.human.votes import read_key
from swift_plugins.fakexplain.annotation import read_annotations
from tests.cli.command import fakexplain
from tests.converters.formats.label_studio_parts import choice, text
from tests.converters.human.studio import MISSING, PYTHON, Studio, running_studio
from tests.converters.pictures import picture

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not os.access(PYTHON, os.X_OK), reason=MISSING)]

GENERATORS = ("VAR", "DiT")
THINK = "<think>\n[250, 250, 500, 500] Hand.\n[500, 500, 1000, 1000] Sign.\n</think>"
ANSWER = f"{THINK}\n<tag>texture error</tag>\n<verdict>fake</verdict>"


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """The folder that Label Studio serves: raw images of two generators."""
    folder = tmp_path_factory.mktemp("served")
    for generator in GENERATORS:
        for index in range(6):
            picture(folder / f"raw/{generator}/{index:02}.png", (120, 90))
    return folder


@pytest.fixture(scope="module")
def studio(root, tmp_path_factory):
    """The server, started once; FX_LABEL_STUDIO_DATA may name a folder that keeps its data base."""
    kept = os.environ.get("FX_LABEL_STUDIO_DATA")
    with running_studio(Path(kept) if kept else tmp_path_factory.mktemp("studio"), root) as found:
        yield found


def run(*args) -> str:
    done = fakexplain(*args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def project(studio: Studio, step: Path, images: Path, tasks: str = "tasks.json") -> tuple[int, list[dict]]:
    """A project with the page and the tasks of a step; every image can be fetched."""
    made = studio.create_project(f"step {step.name} {tasks}", (step / "page.xml").read_text(), images)
    given = json.loads((step / tasks).read_text())
    studio.import_tasks(made, given)
    found = studio.tasks(made)
    assert [each["data"] for each in found] == [each["data"] for each in given]  # in the order of the file
    for each in found:
        for value in each["data"].values():
            if str(value).startswith("/data/"):
                answer = studio.http.get(value)
                assert answer.status_code == 200 and answer.headers["content-type"].startswith("image/")
    return made, found


def test_screening(studio, root, tmp_path):
    run("label-studio", "screen", root / "raw", "-o", tmp_path / "screen")
    made, tasks = project(studio, tmp_path / "screen", root / "raw")
    for index, task in enumerate(tasks):
        drop = [choice("drop", name="decision", id="d"), choice("nothing looks real", name="reason", id="r")]
        drop.append(text("A mesh.", id="n", name="note"))
        studio.annotate(task["id"], drop if index % 6 == 0 else [choice("keep", name="decision", id="d")])
    export = studio.export(made, tmp_path / "export.json")
    said = run("prepare", root / "raw", "--size", 64, "--decisions", export, "-o", tmp_path / "images")
    assert said.startswith("10 images of 64x64") and "  2 images dropped in screening (nothing looks real 2)" in said
    listed = [*csv.DictReader((tmp_path / "images/dropped.csv").read_text().splitlines())]
    assert [row["image"] for row in listed] == ["DiT/00.png", "VAR/00.png"] and listed[0]["note"] == "A mesh."


@pytest.fixture(scope="module")
def answers(root, tmp_path_factory) -> Path:
    """A model's answers, of which it doubts those with high numbers most; one cannot be read."""
    lines = []
    for generator in GENERATORS:
        for index in range(6):
            line = {"response": ANSWER, "images": [str(root / f"raw/{generator}/{index:02}.png")]}
            lines.append(line | {"p_fake": 1 - index / 12})
    lines[3]["response"] = "no idea"
    path = tmp_path_factory.mktemp("model") / "answers.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


def test_proposals_are_accepted_changed_and_removed(studio, root, answers, tmp_path):
    out = tmp_path / "pre"
    model = ("--predictions", f"sft={answers}", "--template", "fx_qwen3_vl")
    run("label-studio", "preannotate", root / "raw", *model, "-o", out)
    made, tasks = project(studio, out, root / "raw")
    assert not tasks[0]["predictions"] and tasks[0]["data"]["image"].endswith("VAR/03.png")
    assert [each["data"]["image"][-6:-4] for each in tasks[1:3]] == ["05", "05"]
    for index, task in enumerate(tasks[1:]):
        results = json.loads(json.dumps(task["predictions"][0]["result"]))
        if index == 0:  # the first caption is corrected
            results[1]["value"]["text"] = ["Hand with six fingers."]
        if index == 1:  # the second region is moved, and another one added
            for each in results[2:4]:
                each["value"]["x"] -= 5
            results += [each | {"id": "own", "value": each["value"] | {"x": 0, "y": 0}} for each in results[2:4]]
        if index == 2:  # the first region is removed
            results = results[2:]
        studio.annotate(task["id"], results, parent_prediction=task["predictions"][0]["id"])
    export = studio.export(made, tmp_path / "export.json")
    source = ("label-studio", export, "--images", root, "--unannotated", "skip")
    said = run("convert", *source, "-o", tmp_path / "out.jsonl")
    for line in (
        "19 regions proposed by a model and accepted",
        "2 regions proposed by a model and changed",
        "1 regions that no model proposed, in images with a proposal",
        "1 regions proposed by a model and removed",
        "1 images without annotation skipped",
    ):
        assert f"  {line}\n" in said
    found = list(read_annotations(tmp_path / "out.jsonl"))
    assert [each.extra["region_origins"] for each in found[:3]] == [
        ["changed", "accepted"],
        ["accepted", "changed", "new"],
        ["accepted"],
    ]
    assert {each.extra["proposed_by"] for each in found} == {"sft"} and found[0].tags == ("texture_error",)
    assert found[3].regions[0].bbox == pytest.approx((30, 22.5, 60, 45))


def test_assigned_tasks_name_their_annotators_and_qc_finds_the_control_sample(studio, root, answers, tmp_path):
    pre, out = tmp_path / "pre", tmp_path / "assigned"
    run("label-studio", "preannotate", root / "raw", "--predictions", answers, "--template", "fx_qwen3_vl", "-o", pre)
    shares = ("--overlap", 0.25, "--control", 0.5)
    run("label-studio", "assign", pre / "tasks.json", "--annotators", 2, *shares, "-o", out)
    files = []
    for name in ("tasks-a01.json", "tasks-a02.json", "control.json"):
        made, tasks = project(studio, out, root / "raw", name)
        for task in tasks:
            verdict = choice("fake", name="verdict", id="v")
            held = task["predictions"]
            studio.annotate(task["id"], held[0]["result"] if held else [verdict])
        export = studio.export(made, tmp_path / f"export-{name}")
        run("convert", "label-studio", export, "--images", root, "-o", tmp_path / f"{name}l")
        files.append(tmp_path / f"{name}l")
    assert {each.annotator for each in read_annotations(files[0])} == {"a01"}
    run("merge", *files[:2], "-o", tmp_path / "all.jsonl")
    run("qc", tmp_path / "all.jsonl", "--reference", files[2], "-o", tmp_path / "qc")
    found = json.loads((tmp_path / "qc/qc.json").read_text())
    assert found["references"] == 6 and found["references_not_met"] == 0 and found["between"]["images"] == 3
    assert {each["annotator"] for each in found["annotators"]} == {"a01", "a02"}


def test_votes_on_blind_pairs(studio, root, answers, tmp_path):
    records = []
    for generator in GENERATORS:
        for index in range(6):
            region = {"bbox": [1, 2, 30, 40], "caption": "Ear without a lobe."}
            line = {
                "id": f"{generator}-{index}",
                "image": f"raw/{generator}/{index:02}.png",
                "width": 120,
                "height": 90,
            }
            records.append(line | {"label": "fake", "regions": [region], "tags": [], "generator": generator})
    (root / "a.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    study = root / "study"
    options = ("--predictions", f"sft={answers}", "--template", "fx_qwen3_vl", "--longer-side", 240)
    said = run("label-studio", "compare", root / "a.jsonl", *options, "-o", study)
    assert said.startswith("12 pairs of explanations of 12 images")
    made, tasks = project(studio, study, study / "pictures")
    key = read_key(study / "key.jsonl")
    for index, task in enumerate(tasks):
        line = key[task["data"]["pair"]]
        side = "left" if line.system("left") == "Humans" else "right"
        studio.annotate(task["id"], [choice("neutral" if index < 2 else side, name="preference", id="p")])
    export = studio.export(made, tmp_path / "export.json")
    said = run("label-studio", "votes", export, "--key", study / "key.jsonl", "-o", tmp_path / "votes.csv")
    assert said == f"12 votes in {tmp_path / 'votes.csv'}, 2 of them neutral; 12 pairs\n"
    rows = [*csv.DictReader((tmp_path / "votes.csv").read_text().splitlines())]
    assert Counter(row["preferred"] for row in rows) == {"Humans": 10, "neutral": 2}
    assert {row["voter"] for row in rows} == {"v01"}
