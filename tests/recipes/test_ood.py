"""Sets outside the training data: each layout becomes records, and the commands that follow fit together."""

from __future__ import annotations

import json
import re

import pytest

from swift_plugins.fakexplain.scoring.tables.published import paper_table
from tests.cli.command import fakexplain
from tests.converters.goldens import ASSETS
from tests.converters.images.test_video_frames import source  # noqa: F401  (a fixture: tiny videos)
from tests.recipes.dry_run import ROOT, commands, option, run

pytestmark = pytest.mark.e2e

TEXT = (ROOT / "recipes/lib/ood.sh").read_text(encoding="utf-8")
ROWS = re.search(r"^OOD_SETS='\n(.*?)^'", TEXT, re.DOTALL | re.MULTILINE)[1].splitlines()
SETS = {row.split()[0]: row.split()[1:] for row in ROWS}
FOLDERS = {"folder": "folder", "frames": "folder/source/FaceForensics++", "fakeclue": "fakeclue", "mmfr": "mmfr"}
COUNTS = {"fakeclue": (1, 1), "mmfr": (1, 1), "folder": (3, 3), "frames": (1, 0), "mllm-defake": (2, 1)}
"""How a set is read -> fake and real images in its asset."""


def asset(how):
    folder = ASSETS / FOLDERS.get(how, how)
    return folder if how == "frames" else folder / "source"


def labels(path):
    found = [json.loads(line)["label"] for line in path.read_text(encoding="utf-8").splitlines()]
    return found.count("fake"), found.count("real")


def test_every_set_of_table_3_and_table_6_has_a_row():
    names = {name for name, *_ in SETS.values()}
    assert {*paper_table(3).rows, *paper_table(6).rows} <= names
    assert len(names) == len(SETS) and all(len(row) == 3 for row in SETS.values())


@pytest.mark.parametrize("name", SETS)
def test_the_layout_becomes_records(name, world, tmp_path):
    _, how, confirmed = SETS[name]
    done = run("ood.sh", {**world, "OUT": str(tmp_path / "out")}, name, str(asset(how)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ("nobody has confirmed the layout" in done.stderr) == (confirmed == "no")
    (convert, _), (validate, _), *_ = commands(done.stdout)
    converted = fakexplain(*convert[1:])
    assert converted.returncode == 0, converted.stderr
    assert fakexplain(*validate[1:]).returncode == 0
    assert labels(tmp_path / "out/data/annotations.jsonl") == COUNTS[how]


def test_videos_of_faceforensics_become_frames(source, world, tmp_path):  # noqa: F811
    chosen = {**world, "OUT": str(tmp_path / "out"), "PER_VIDEO": "2"}
    (frames, _), *_ = commands(run("ood.sh", chosen, "faceforensics", str(source), cwd=tmp_path).stdout)
    assert fakexplain(*frames[1:]).returncode == 0
    assert labels(tmp_path / "out/data/annotations.jsonl") == (6, 4)


@pytest.mark.parametrize(("variant", "subset"), [("full", "all"), ("label_only", "all__label_only")])
def test_the_stages_fit_together(variant, subset, world, tmp_path):
    chosen = {**world, "BACKBONE": "qwen3-vl-8b", "VARIANT": variant}
    done = run("ood.sh", chosen, "chameleon", str(tmp_path), "--temperature", "0.5", cwd=tmp_path)
    (convert, _), (validate, _), (infer, env), (score, _), (report, _) = commands(done.stdout)
    records = option(convert, "--out")
    assert {records} == {validate[2], env["FAKEXPLAINED"], option(score, "--annotations")}
    assert option(infer, "--val_dataset") == f"fakexplained:{subset}" and option(score, "--subset") == subset
    assert option(infer, "--temperature") == "0.5"
    assert score[2] == f"qwen3-vl-8b={option(infer, '--result_path')}"
    assert option(infer, "--template") == option(score, "--template") == "fx_qwen3_vl"
    assert option(score, "--dataset") == "Chameleon" and report[2] == option(score, "--out")


@pytest.mark.slow
def test_it_goes_on_where_it_was(world, tmp_path):
    chosen = {name: value for name, value in world.items() if name not in ("DRY_RUN", "FAKEXPLAINED")}
    chosen |= {"OUT": str(tmp_path / "out"), "QUICK": "1", "PYTHONPATH": str(ROOT)}
    words = ("fakeclue", str(asset("fakeclue")))
    first = run("ood.sh", chosen, *words, cwd=tmp_path)
    assert re.fullmatch(r"convert: \d+ s\nvalidate: \d+ s\n", first.stdout), first.stderr
    again = run("ood.sh", chosen, *words, cwd=tmp_path)
    assert again.stdout == "convert: done before\nvalidate: done before\n"
    other = run("ood.sh", {**chosen, "VARIANT": "no_tags"}, *words, cwd=tmp_path)
    assert other.returncode == 2 and "holds a run with other settings" in other.stderr


def test_a_set_is_named_in_any_case(tmp_path):
    done = run("ood.sh", {"DRY_RUN": "1"}, "FakeClue", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'convert' 'fakeclue'" in done.stdout
