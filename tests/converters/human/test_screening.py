"""Screening: tasks that ask, decisions that `prepare` obeys, and what is wrong with an export."""

import csv
import json

import pytest
from defusedxml.ElementTree import fromstring

from converters.human.screening import DROP, KEEP, SCREEN_PAGE, read_decisions
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.converters.formats.label_studio_parts import annotation, choice, text
from tests.converters.pictures import picture

PLAIN = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}


def decision(word, *reasons, note=""):
    results = [choice(word, name="decision")]
    results += [choice(*reasons, name="reason")] if reasons else []
    return results + ([text(note, id="n", name="note")] if note else [])


def export(path, decisions):
    """An export of screening: path of an image -> its annotations."""
    tasks = [{"data": {"image": "x", "path": name}, "annotations": found} for name, found in decisions.items()]
    path.write_text(json.dumps(tasks))
    return path


def test_the_page_offers_what_is_read():
    page = fromstring(SCREEN_PAGE.read_text())
    choices = {each.get("name"): [choice.get("value") for choice in each] for each in page.iter("Choices")}
    assert choices["decision"] == [KEEP, DROP] and len(choices["reason"]) == 4
    assert all(each.get("required") == "true" for each in page.iter("Choices"))


@pytest.fixture
def raw(tmp_path):
    for name in ("VAR/a", "VAR/b", "DiT/a", "DiT/ä 1"):
        picture(tmp_path / f"data/raw/{name}.png")
    return tmp_path / "data/raw"


def test_from_images_to_decisions_to_prepared_images(raw, tmp_path):
    out = tmp_path / "screen"
    done = fakexplain("label-studio", "screen", raw, "--out", out)
    assert done.returncode == 0 and done.stdout == f"4 tasks in {out / 'tasks.json'}\n", done.stderr
    assert (out / "page.xml").read_text() == SCREEN_PAGE.read_text()
    tasks = json.loads((out / "tasks.json").read_text())
    assert [task["data"]["path"] for task in tasks] == ["DiT/a.png", "DiT/ä 1.png", "VAR/a.png", "VAR/b.png"]
    assert tasks[1]["data"]["image"] == "/data/local-files/?d=raw/DiT/%C3%A4%201.png"

    answers = [decision("keep"), decision("drop", "nothing looks real", "other", note="A\n mesh."), decision("drop")]
    answers.append(decision("drop", "other"))
    for task, results in zip(tasks, answers, strict=True):
        task["annotations"] = [annotation(*results), annotation(*decision("keep"), was_cancelled=True)]
    (tmp_path / "one.json").write_text(json.dumps(tasks[:2]))
    (tmp_path / "two.json").write_text(json.dumps(tasks[2:]))
    files = ("--decisions", tmp_path / "one.json", "--decisions", tmp_path / "two.json")
    done = fakexplain("prepare", raw, "--size", 32, "-o", tmp_path / "images", *files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == f"1 images of 32x32 in {tmp_path / 'images'}"
    listed = tmp_path / "images/dropped.csv"
    reasons = "other 2, nothing looks real 1, no reason given 1"
    assert done.stdout.splitlines()[-1] == f"  3 images dropped in screening ({reasons}); {listed}"
    assert [path.name for path in (tmp_path / "images").rglob("*.png")] == ["a.png"]
    assert [*csv.reader(listed.read_text().splitlines())] == [
        ["image", "reasons", "note"],
        ["DiT/ä 1.png", "nothing looks real; other", "A mesh."],
        ["VAR/a.png", "no reason given", ""],
        ["VAR/b.png", "other", ""],
    ]


def test_an_image_without_a_decision_stops_the_work_or_is_counted(raw, tmp_path):
    keep = [annotation(*decision("keep"))]
    path = export(tmp_path / "e.json", {"VAR/a.png": keep, "VAR/gone.png": keep, "VAR/b.png": [], "DiT/a.png": keep})
    args = ("prepare", raw, "--size", 32, "-o", tmp_path / "images", "--decisions", path)
    done = fakexplain(*args)
    assert done.returncode == 1 and not (tmp_path / "images").exists()
    error = f"error: {raw / 'DiT/ä 1.png'}: expected a decision about this image in --decisions, found nothing\n"
    assert done.stderr.endswith(error)
    assert done.stderr.startswith(f"1 decisions are about images that {raw} does not have, such as VAR/gone.png\n")
    done = fakexplain(*args, "--keep-going")
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == f"error: 2 of 4 records in {raw} are bad"
    assert len([*(tmp_path / "images").rglob("*.png")]) == 2


def test_when_nothing_is_kept_nothing_is_prepared(raw, tmp_path):
    drop = [annotation(*decision("drop", "other"))]
    path = export(tmp_path / "e.json", {"VAR/a.png": drop, "gone.png": [annotation(*decision("keep"))]})
    done = fakexplain("prepare", raw, "-o", tmp_path / "images", "--decisions", path)
    assert done.returncode == 1 and not (tmp_path / "images").exists()
    assert f"error: {path}: expected the decision to keep at least one image of {raw}, found none" in done.stderr


def test_people_who_agree_may_both_decide(tmp_path):
    both = [annotation(*decision("drop", "other", note="a")), annotation(*decision("drop", "other", note="b"), who=2)]
    (found,) = read_decisions([export(tmp_path / "e.json", {"a.png": both})]).values()
    assert found[:3] == (False, ("other",), "a; b")


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            {"data": {"image": "x"}},
            r"e.json: \[0\].annotations\[0\].data.path: expected the path that `fakexplain",
        ),
        (
            {"data": {"path": "../a.png"}},
            r"\[0\].annotations\[0\].data.path: expected a relative path that stays",
        ),
        (
            {"annotations": [annotation(choice("maybe", name="decision"))]},
            "decision: expected 'keep' or 'drop', found m",
        ),
        ({"annotations": [annotation(choice("real"))]}, "decision: expected 'keep' or 'drop', found nothing"),
        (
            {"annotations": [annotation(*decision("keep")), annotation(*decision("drop"))]},
            r"\[0\].annotations\[1\].decision: expected the decision of .*e.json: \[0\].annotations\[0\], 'keep'",
        ),
        ({"annotations": "none"}, r"\[0\].annotations: expected a list of annotations, found 'none'"),
        ({"annotations": [annotation(7)]}, r"result\[0\]: expected a JSON object, found 7"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, task, message):
    whole = {"data": {"image": "x", "path": "a.png"}, "annotations": [annotation(*decision("keep"))]} | task
    (tmp_path / "e.json").write_text(json.dumps([whole]))
    with pytest.raises(DataError, match=message):
        read_decisions([tmp_path / "e.json"])


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["label-studio", "screen", "empty", "-o", "out"], 1, "empty: expected at least one image, found none"),
        (["label-studio", "screen", "none", "-o", "out"], 1, "none: expected a folder of images, found no such folder"),
        (["label-studio", "screen", "data", "--root", "empty", "-o", "out"], 2, "a folder that contains data"),
        (
            ["label-studio", "--force", "screen", "data", "-o", "out"],
            2,
            "the options of screen after its name",
        ),
        (["prepare", "a.jsonl", "--decisions", "e.json", "-o", "out"], 2, "expected a folder of images as SRC"),
    ],
)
def test_bad_usage(raw, tmp_path, monkeypatch, args, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.jsonl").touch()
    done = fakexplain(*args, **PLAIN)
    assert done.returncode == code and message in done.stderr and not (tmp_path / "out").exists()
