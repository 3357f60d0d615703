"""A model's answers as proposals: their boxes, their order, and the way back to records."""

import json
from typing import NamedTuple

import pytest
from defusedxml.ElementTree import fromstring

from converters.formats.label_studio_tasks import CONFIG
from converters.human.proposals import Proposal, propose, read_detections, to_prediction
from swift_plugins.fakexplain.annotation import Region, read_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.tags import TAGS, canonical_tag
from tests.cli.command import fakexplain
from tests.converters.pictures import picture

RULE = frame_rule("fx_qwen3_vl", env={})  # 0 to 1000
PLAIN = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}


class Text(NamedTuple):
    image: str
    text: str
    p_fake: float | None = None
    file: str = "answers.jsonl"
    line: int = 3


def answer(*lines, tags="none", verdict="fake"):
    think = "\n".join(["<think>", *(lines or ["No visible flaw."]), "</think>"])
    return f"{think}\n<tag>{tags}</tag>\n<verdict>{verdict}</verdict>"


HAND = answer("[250, 500, 500, 1000] Hand.", tags="texture error")


@pytest.mark.parametrize(
    ("text", "verdict", "regions", "tags"),
    [
        (HAND, "fake", [((10, 10, 20, 20), "Hand.")], ("texture_error",)),
        (answer(verdict="real"), "real", [], ()),
        (HAND.replace(">fake<", ">real<"), "real", [], ()),  # what contradicts itself is not proposed
        ("no idea", None, [], ()),
        (answer("[250, 500, 500, 1000]"), "fake", [((10, 10, 20, 20), "")], ()),
        (answer("[5000, 5000, 6000, 6000] Far away."), "fake", [], ()),
    ],
)
def test_an_answer_in_pixels(tmp_path, text, verdict, regions, tags):
    found = propose(Text(str(picture(tmp_path / "a.png")), text), RULE)  # 40x20
    assert (found.verdict, [tuple(each) for each in found.regions], found.tags) == (verdict, regions, tags)


def test_boxes_follow_an_image_that_exif_turns(tmp_path):
    """`swift infer` sees the image as stored, 40x20; annotators see it upright, 20x40."""
    found = propose(Text(str(picture(tmp_path / "a.jpg", turn=6)), HAND), RULE)
    assert found.wh == (20, 40) and found.regions[0].bbox == (0, 10, 10, 20)


def test_a_missing_image_is_an_error_of_its_line(tmp_path):
    with pytest.raises(DataError, match=r"answers.jsonl:3: image: expected an image file"):
        propose(Text(str(tmp_path / "none.png"), HAND), RULE)


def test_the_page_knows_what_a_prediction_says():
    page = fromstring(CONFIG.read_text())
    choices = {each.get("name"): {choice.get("value") for choice in each} for each in page.iter("Choices")}
    (label,) = (each.get("value") for each in page.iter("Label"))
    found = to_prediction(Proposal("a.png", (40, 20), "fake", (Region((0, 0, 4, 4), "Hand."),), TAGS), "sft")
    controls = {each.get("name") for kind in ("RectangleLabels", "TextArea", "Choices") for each in page.iter(kind)}
    assert {each["from_name"] for each in found["result"]} == controls
    said = {each["from_name"]: each["value"] for each in found["result"]}
    assert said["regions"]["rectanglelabels"] == [label]
    assert {*said["tags"]["choices"]} == choices["tags"] and {*said["verdict"]["choices"]} <= choices["verdict"]
    assert [canonical_tag(each) for each in said["tags"]["choices"]] == [*TAGS]


def detection(name, label="fake", **changes):
    region = {"bbox": [10.0, 10.0, 20.0, 20.0], "caption": "Hand."}
    line = {"id": name, "image": f"images/{name}", "width": 40, "height": 20, "label": label, "tags": []}
    line |= {"regions": [region] if label == "fake" else [], "verdict": label or "unsure", "p_fake": 0.5, "answer": ""}
    return line | changes


def test_detections_are_in_pixels_already(tmp_path):
    lines = [detection("a.png"), detection("b.png", None), detection("c.png", "real", p_fake=None)]
    lines[0]["regions"].append({"bbox": [0, 0, 4, 4], "caption": "No caption."})
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    fake, unread, real = read_detections(tmp_path / "d.jsonl")
    assert fake.regions == (((10, 10, 20, 20), "Hand."), ((0, 0, 4, 4), ""))
    assert (fake.image, fake.p_fake) == (str(tmp_path / "images/a.png"), 0.5)
    assert (unread.verdict, unread.regions, real.verdict) == (None, (), "real")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p_fake": 2}, r"d.jsonl:1: p_fake: expected a number from 0 to 1, or null, found 2 \(id 'a.png'\)"),
        ({"width": 0}, "d.jsonl:1: width: expected at least 1 pixel"),
        (
            {"regions": [{"bbox": [0, 0, 99, 4], "caption": "x"}]},
            r"d.jsonl:1: regions\[0\].bbox: expected a box inside",
        ),
    ],
)
def test_a_bad_detection_names_its_field(tmp_path, changes, message):
    (tmp_path / "d.jsonl").write_text(json.dumps(detection("a.png", **changes)))
    with pytest.raises(DataError, match=message):
        list(read_detections(tmp_path / "d.jsonl"))


def response(path, text, **changes):
    return json.dumps({"response": text, "images": [str(path)]} | changes) + "\n"


@pytest.fixture
def images(tmp_path):
    for name in "abcdef":
        picture(tmp_path / f"data/images/{name}.png")
    return tmp_path / "data/images"


def run(images, *args):
    out = images.parents[1] / "pre"
    return out, fakexplain("label-studio", "preannotate", images, "--out", out, "--template", "fx_qwen3_vl", *args)


def names(tasks):
    return [task["data"]["image"][-5] for task in tasks]


def test_doubtful_images_come_first_and_what_is_accepted_comes_back(images, tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(
        response(images / "a.png", HAND, p_fake=0.99)
        + response(images / "b.png", HAND, p_fake=0.6)
        + response(images / "c.png", "no idea")
        + response(images / "d.png", HAND)
        + response(images / "e.png", answer(verdict="real"), p_fake=0.3)
    )
    out, done = run(images, "--predictions", f"sft={path}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"6 tasks in {out / 'tasks.json'}, 4 with a model's answer",
        "  3 regions proposed",
        "  1 answers that cannot be read; these images come first",
        "  1 images without an answer; these come first too",
        "  1 answers without P(fake), which come next, in no order",
    ]
    tasks = json.loads((out / "tasks.json").read_text())
    assert names(tasks) == [*"cfdbea"] and (out / "page.xml").read_text() == CONFIG.read_text()
    export = [
        {"annotations": [{"completed_by": 1, "result": task["predictions"][0]["result"]}], **task}
        for task in tasks
        if "predictions" in task
    ]
    (tmp_path / "export.json").write_text(json.dumps(export))
    back = [
        "convert",
        "label-studio",
        tmp_path / "export.json",
        "--images",
        tmp_path / "data",
        "-o",
        tmp_path / "o.jsonl",
    ]
    done = fakexplain(*back)
    assert done.returncode == 0, done.stderr
    found = {record.path.stem: record for record in read_annotations(tmp_path / "o.jsonl")}
    assert found["a"].regions == (((10, 10, 20, 20), "Hand."),) and found["a"].tags == ("texture_error",)
    assert found["a"].extra == {"proposed_by": "sft", "region_origins": ["accepted"]}
    assert (found["e"].label, found["e"].extra) == ("real", {"proposed_by": "sft"})


def test_boxes_of_another_frame_are_noticed(images, tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(
        response(images / "a.png", answer("[900, 500, 1500, 2000] Eye.")) + response(images / "b.png", HAND)
    )
    _, done = run(images, "--predictions", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "  1 answers with boxes that do not fit the frame; is --template theirs?"


def test_the_threshold_may_be_an_operating_points(images, tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(response(images / "a.png", HAND, p_fake=0.5) + response(images / "b.png", HAND, p_fake=0.9))
    point = {"threshold": 0.9, "band": [0.5, 0.9], "fpr": 0.01, "bound": 0.02, "n_real": 300, "false_positives": 2}
    (tmp_path / "point.json").write_text(json.dumps(point | {"temperature": 1.0, "run": "r", "system": "s"}))
    for args, first in ((["--threshold", 0], "a"), (["--operating-point", tmp_path / "point.json"], "b")):
        out, done = run(images, "--predictions", path, *args, "--force")
        assert done.returncode == 0, done.stderr
        assert names(json.loads((out / "tasks.json").read_text()))[4] == first


def test_files_of_detect_need_no_template(images, tmp_path):
    path = tmp_path / "data" / "detections.jsonl"
    path.write_text(json.dumps(detection("a.png")) + "\n" + json.dumps(detection("elsewhere.png")))
    out, done = run(images, "--predictions", path, "--max-pixels", 50176)
    assert done.returncode == 0 and "  1 answers about other images, not used" in done.stdout, done.stderr
    task = json.loads((out / "tasks.json").read_text())[-1]
    assert task["predictions"][0]["model_version"] == "detections"
    assert task["predictions"][0]["result"][0]["value"]["x"] == 25


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--predictions", "a=x.jsonl", "--predictions", "b=y.jsonl"], 2, "expected one model, found a, b"),
        (["--predictions", "other.jsonl"], 1, "expected answers about images in"),
        (["--predictions", "twice.jsonl"], 1, "twice.jsonl:2: expected one answer per image"),
        (["--predictions", "none.jsonl"], 1, "none.jsonl: expected answers (JSON Lines), found no such file"),
        (["--predictions", "x.jsonl", "--threshold", "1", "--operating-point", "p"], 2, "expected one of --threshold"),
        (["--predictions", "x.jsonl", "--template", "fly"], 2, "fly"),
    ],
)
def test_bad_usage(images, tmp_path, monkeypatch, args, code, message):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "elsewhere.png")
    (tmp_path / "other.jsonl").write_text(response("elsewhere.png", HAND))
    (tmp_path / "twice.jsonl").write_text(2 * response(images / "a.png", HAND))
    (tmp_path / "x.jsonl").write_text(response(images / "a.png", HAND))
    done = fakexplain("label-studio", "preannotate", images, "--out", "pre", *args, **PLAIN)
    assert done.returncode == code and message in done.stderr and not (tmp_path / "pre").exists()
