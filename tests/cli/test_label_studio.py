"""`fakexplain label-studio`: the labelling page, and the tasks that go with it."""

import json

import pytest
from defusedxml.ElementTree import fromstring

from converters.convert import Place, convert
from converters.drafts.draft import Piece
from converters.formats.label_studio import from_label_studio
from swift_plugins.fakexplain.annotation import LABELS
from swift_plugins.fakexplain.tags import TAGS, canonical_tag
from tests.cli.command import fakexplain
from tests.converters.reading import pictures

PLAIN = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}


@pytest.fixture(scope="module")
def page():
    done = fakexplain("label-studio")
    assert done.returncode == 0 and done.stderr == ""
    return fromstring(done.stdout)


def test_the_page_offers_every_tag_and_label_once_each_with_a_hint(page):
    offered = {each.get("name"): list(each) for each in page.iter("Choices")}
    assert tuple(canonical_tag(choice.get("value")) for choice in offered["tags"]) == TAGS
    assert sorted(choice.get("value") for choice in offered["verdict"]) == sorted(LABELS)
    assert all(choice.get("hint") for choices in offered.values() for choice in choices)


def test_the_page_wants_a_caption_for_every_box_and_a_verdict(page):
    (area,) = page.iter("TextArea")
    (boxes,) = page.iter("RectangleLabels")
    (image,) = page.iter("Image")
    assert {name: area.get(name) for name in ("name", "perRegion", "required", "maxSubmissions")} == {
        "name": "caption",
        "perRegion": "true",
        "required": "true",
        "maxSubmissions": "1",
    }
    (verdict,) = (each for each in page.iter("Choices") if each.get("name") == "verdict")
    assert verdict.get("required") == "true" and verdict.get("choice").startswith("single")
    assert area.get("toName") == boxes.get("toName") == image.get("name") and image.get("value") == "$image"


def test_tasks_are_written_and_what_is_labelled_comes_back(tmp_path):
    pictures(tmp_path, "data/images/b.png", "data/images/ä 1.png")
    out = tmp_path / "tasks.json"
    done = fakexplain("label-studio", "--tasks", tmp_path / "data/images", "--out", out)
    assert done.returncode == 0 and done.stderr == f"2 tasks in {out}\n" and done.stdout.startswith("<View>")
    tasks = json.loads(out.read_text())
    assert [task["data"]["image"] for task in tasks] == [
        "/data/local-files/?d=images/b.png",
        "/data/local-files/?d=images/%C3%A4%201.png",
    ]
    verdict = {"type": "choices", "from_name": "verdict", "value": {"choices": ["real"]}}
    pieces = [Piece(task | {"annotations": [{"result": [verdict]}]}, "x") for task in tasks]
    place = Place(tmp_path / "data", "data")
    found = convert(pieces, from_label_studio, images=place, written=Place(tmp_path, "new"))
    assert [record.image for record in found] == ["data/images/b.png", "data/images/ä 1.png"]


def test_the_root_may_be_further_up(tmp_path):
    pictures(tmp_path, "data/images/b.png")
    done = fakexplain(
        "label-studio", "--tasks", tmp_path / "data/images", "--root", tmp_path, "-o", tmp_path / "t.json"
    )
    assert done.returncode == 0, done.stderr
    image = "/data/local-files/?d=data/images/b.png"
    assert json.loads((tmp_path / "t.json").read_text()) == [{"data": {"image": image}}]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--tasks", "images"], 2, "expected --tasks and --out, or neither"),
        (["--out", "t.json"], 2, "expected --tasks and --out, or neither"),
        (["--tasks", "none", "--out", "t.json"], 1, "none: expected a folder of images, found no such folder"),
        (["--tasks", "empty", "--out", "t.json"], 1, "empty: expected at least one image, found none"),
        (["--tasks", "images", "--root", "empty", "--out", "t.json"], 2, "expected a folder that contains images"),
        (["--tasks", "images", "--root", "images", "--out", "t.json"], 2, "expected a folder that contains images"),
        (["--tasks", "images", "--out", "there.json"], 2, "already exists; --force overwrites it"),
    ],
)
def test_bad_usage(tmp_path, monkeypatch, args, code, message):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path, "images/a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "there.json").write_text("kept")
    done = fakexplain("label-studio", *args, **PLAIN)
    assert done.returncode == code and message in done.stderr and not done.stdout
    assert not (tmp_path / "t.json").exists() and (tmp_path / "there.json").read_text() == "kept"


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_tasks_take_along_what_a_manifest_says_of_their_images(tmp_path, suffix):
    (tmp_path / "classes.txt").write_text("tench\nice bear\n")
    plan, out = tmp_path / f"data/plan{suffix}", tmp_path / "tasks.json"
    done = fakexplain("manifest", "--classes", tmp_path / "classes.txt", "--generator", "FLUX.1-dev", "-o", plan)
    assert done.returncode == 0, done.stderr
    pictures(tmp_path, "data/images/flux-1-dev/0001-ice-bear.jpg", "data/images/other.png")
    args = ["label-studio", "--tasks", tmp_path / "data/images", "--manifest", plan, "--out", out]
    done = fakexplain(*args)
    assert done.returncode == 0 and done.stderr == f"2 tasks in {out}, 1 of them in {plan}\n"
    task, other = json.loads(out.read_text())
    assert other["data"].keys() == {"image"}
    verdict = {"type": "choices", "from_name": "verdict", "value": {"choices": ["fake"]}}
    (draft,) = from_label_studio(task | {"annotations": [{"completed_by": 7, "result": [verdict]}]})
    assert draft.id == "flux-1-dev/0001-ice-bear"
    said = {"class_name": "ice bear", "generator": "FLUX.1-dev", "family": "diffusion", "annotator": "7"}
    assert draft.fields == said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"image": "a.png"}\nnope\n', "plan.jsonl:2: expected one JSON object"),
        ('{"image": "../a.png"}\n', "plan.jsonl:1: image: expected a relative path that stays inside"),
        ('{"id": "a"}\n', "plan.jsonl:1: image: expected the planned path of the image, found nothing"),
    ],
)
def test_a_broken_manifest_says_where(tmp_path, text, message):
    pictures(tmp_path, "data/a.png")
    (tmp_path / "plan.jsonl").write_text(text)
    args = ["--tasks", tmp_path / "data", "--manifest", tmp_path / "plan.jsonl", "--out", tmp_path / "t.json"]
    done = fakexplain("label-studio", *args)
    assert done.returncode == 1 and message in done.stderr and not (tmp_path / "t.json").exists()
