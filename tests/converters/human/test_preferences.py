"""A study of preferences: what voters see, what they do not see, and what their votes become."""

import csv
import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image

from converters.human.pairs import PAIR_SIDES, Explanation, draw_explanation, make_pairs
from converters.human.votes import dpo_rows, read_key, read_pair_votes
from swift_plugins.fakexplain.annotation import Region, parse_record
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.plots.votes import read_votes
from swift_plugins.fakexplain.scoring.report.preferences import tabulate_preferences
from tests.cli.command import fakexplain
from tests.cli.predictions import answer
from tests.conftest import record, write_annotations_file
from tests.converters.formats.label_studio_parts import annotation, choice

PLAIN = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}
HAND = "<think>\n[9, 5, 47, 42] Sign.\n</think>\n<tag>texture error</tag>\n<verdict>fake</verdict>"
REAL = "<think>\nNo visible flaw.\n</think>\n<tag>none</tag>\n<verdict>real</verdict>"


def records(count):
    return [parse_record(record(index)) for index in range(count)]


def explained(count, *names):
    """Records, each with another explanation by every system."""
    return [
        (each, {name: Explanation("fake", (Region((0, 0, 9, 9), f"{name}."),)) for name in names})
        for each in records(count)
    ]


def test_every_two_systems_meet_on_every_image_each_side_about_as_often():
    found = make_pairs(explained(200, "Humans", "a", "b"), seed=1)
    assert len(found.pairs) == 600 and (found.unanswered, found.same) == (0, 0)
    lefts = Counter(pair.systems for pair in found.pairs)
    assert len(lefts) == 6 and all(70 < number < 130 for number in lefts.values())
    assert make_pairs(explained(200, "Humans", "a", "b"), seed=1) == found
    assert make_pairs(explained(200, "Humans", "a", "b"), seed=2) != found
    images = [pair.record.id for pair in found.pairs]
    assert sum(one == other for one, other in pairwise(images)) < 20  # not one after the other


def test_pairs_that_cannot_be_compared_are_counted():
    (each,) = explained(1, "a", "b")
    same = {"a": each[1]["a"], "b": each[1]["a"], "c": None}
    found = make_pairs([(each[0], same)])
    assert (found.pairs, found.unanswered, found.same) == ([], 2, 1)


def test_a_picture_shows_the_explanation_and_not_whose_it_is(tmp_path):
    write_annotations_file(tmp_path, [record(0, id="SECRET"), record(1, id="SECRET")])
    first, second = (parse_record(record(0, id=id, generator=id), folder=tmp_path) for id in ("x", "other"))
    shown = Explanation("fake", (Region((10, 5, 50, 45), "Hand."),), ("texture_error",))
    one, other, without = (
        np.asarray(draw_explanation(each, explanation, 320))
        for each, explanation in ((first, shown), (second, shown), (first, Explanation("fake")))
    )
    assert (one == other).all() and one.shape != without.shape


@pytest.fixture
def study(tmp_path):
    """Six fake and two real images, answered by two systems, of which one calls the first image real."""
    each = [record(index, "fake") for index in range(6)] + [record(index, "real") for index in range(2)]
    path = write_annotations_file(tmp_path / "data", each)
    for name, first in (("a", HAND), ("b", REAL)):
        texts = [first, *[HAND.replace("Sign", f"Sign {name}")] * 4, "no idea"] + [REAL] * 2
        lines = [answer(path.parent / line["image"], text) for line, text in zip(each, texts, strict=True)]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    return tmp_path


def run(study, *args):
    systems = [word for name in "ab" for word in ("--predictions", f"{name}={study / name}.jsonl")]
    source = study / "data/annotations.jsonl"
    return fakexplain("label-studio", "compare", source, "-o", study / "out", "--longer-side", 240, *systems, *args)


def test_tasks_and_pictures_are_blind_and_the_key_is_not(study):
    done = run(study)
    assert done.returncode == 0, done.stderr
    out = study / "out"
    assert done.stdout.splitlines() == [
        f"17 pairs of explanations of 6 images in {out}; the key is {out / 'key.jsonl'}",
        "  1 pairs left out because both explanations are the same",  # both systems say nothing of the last image
    ]
    tasks = json.loads((out / "tasks.json").read_text())
    assert [task["data"].keys() for task in tasks] == [{"pair", *PAIR_SIDES}] * 17
    assert not [word for word in ("Humans", "fake-00", ".jsonl") if word in str(tasks)]
    pictures = {path.name for path in (out / "pictures").iterdir()}
    assert pictures == {f"{task['data']['pair']}-{side}.png" for task in tasks for side in PAIR_SIDES}
    assert tasks[0]["data"]["left"] == "/data/local-files/?d=out/pictures/p01-left.png"
    with Image.open(out / "pictures/p01-left.png") as image:
        assert image.width > 240 and not image.info
    key = read_key(out / "key.jsonl")
    assert Counter(frozenset(map(line.system, PAIR_SIDES)) for line in key.values()) == {
        frozenset({"a", "b"}): 5,
        frozenset({"Humans", "a"}): 6,
        frozenset({"Humans", "b"}): 6,
    }
    page = fromstring((out / "page.xml").read_text())
    assert page.find(".//Choices").get("name") == "preference"
    assert [each.get("value") for each in page.iter("Choice")] == ["left", "neutral", "right"]
    assert {each.get("value") for each in page.iter("Image")} == {f"${side}" for side in PAIR_SIDES}


def test_systems_without_the_annotation_and_fewer_images(study):
    done = run(study, "--no-humans", "--limit", 2, "--seed", 3)
    assert done.returncode == 0 and done.stdout.startswith("2 pairs of explanations of 2 images"), done.stderr


def test_a_run_has_answers_of_its_own(study):
    data = study / "data/annotations.jsonl"
    scored = ("score", f"a={study / 'a.jsonl'}", f"b={study / 'b.jsonl'}", "--annotations", data, "--resamples", 0)
    assert fakexplain(*scored, "-o", study / "run").returncode == 0
    done = fakexplain("label-studio", "compare", study / "run", "--system", "a", "-o", study / "out")
    assert done.returncode == 0 and done.stdout.startswith("6 pairs of explanations of 6 images"), done.stderr
    of_files = fakexplain("label-studio", "compare", data, "--predictions", study / "a.jsonl", "-o", study / "other")
    assert of_files.returncode == 0
    assert (study / "out/key.jsonl").read_text() == (study / "other/key.jsonl").read_text()


def voted(study, choose, who=(1, 2)):
    """The export of the study, where `choose` gives each voter's choice on a line of the key."""
    tasks = json.loads((study / "out/tasks.json").read_text())
    key = read_key(study / "out/key.jsonl")
    for task in tasks:
        line = key[task["data"]["pair"]]
        chosen = [(voter, choose(line, voter)) for voter in who]
        task["annotations"] = [annotation(choice(word, name="preference"), who=voter) for voter, word in chosen if word]
    (study / "export.json").write_text(json.dumps(tasks))


def side_of(line, name):
    return next((side for side in PAIR_SIDES if line.system(side) == name), "neutral")


def votes(study, *args):
    command = ("label-studio", "votes", study / "export.json", "--key", study / "out/key.jsonl")
    return fakexplain(*command, "-o", study / "votes.csv", *args)


def test_votes_find_their_systems_again_and_reach_the_report(study):
    assert run(study).returncode == 0
    voted(study, lambda line, voter: side_of(line, "Humans"), who=(31, "zoe@example.org"))
    done = votes(study)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"34 votes in {study / 'votes.csv'}, 10 of them neutral; 17 pairs\n"
    rows = [*csv.DictReader((study / "votes.csv").read_text().splitlines())]
    assert {row["preferred"] for row in rows if "Humans" in (row["first"], row["second"])} == {"Humans"}
    assert {row["preferred"] for row in rows if "Humans" not in (row["first"], row["second"])} == {"neutral"}
    assert {row["voter"] for row in rows} == {"v01", "v02"} and "zoe" not in (study / "votes.csv").read_text()
    table = tabulate_preferences(read_votes(study / "votes.csv"))
    pair = next(row for row in table.rows if row.name in ("Humans over a", "a over Humans"))
    assert len(table.rows) == 3 and sorted(pair.cells[:3]) == [0, 0, 12]
    assert pair.cells[-1] == pytest.approx(2 / 2**12)  # twelve votes of one kind


def test_rows_for_dpo_prefer_what_most_votes_prefer(study):
    assert run(study).returncode == 0

    def choose(line, voter):
        systems = {*map(line.system, PAIR_SIDES)}
        if systems == {"a", "b"}:
            return side_of(line, "ab"[voter - 1]) if voter < 3 else "neutral"  # undecided
        if "b" in systems:
            return side_of(line, "b") if voter < 3 else side_of(line, "Humans")
        return side_of(line, "Humans") if voter == 1 else "neutral"

    voted(study, choose, who=(1, 2, 3))
    done = votes(study, "--dpo", study / "dpo.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [
        f"10 rows for DPO in {study / 'dpo.jsonl'}",
        "  5 pairs without a majority",
        "  2 pairs with an answer that no record can hold",  # those with "no idea"
    ]
    rows = [json.loads(line) for line in (study / "dpo.jsonl").read_text().splitlines()]
    for row in rows:
        texts = row["messages"][-1]["content"], row["rejected_response"]
        boxes = row["objects"]["bbox"], row["rejected_objects"]["bbox"]
        assert [text.count("<bbox>") for text in texts] == [*map(len, boxes)]
        assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
    chosen = Counter(row["messages"][-1]["content"].split("<bbox> ")[-1].partition(".")[0] for row in rows)
    assert chosen["Hand with six fingers"] == 5 and chosen["Sign b"] == 4  # and b's real one


def test_pairs_that_differ_in_their_boxes_alone_are_no_rows(tmp_path):
    side = {"label": "fake", "tags": [], "regions": [{"bbox": [0, 0, 9, 9], "caption": "Hand."}]}
    other = side | {"regions": [{"bbox": [1, 0, 9, 9], "caption": "Hand."}]}
    line = {"pair": "p1", "id": "x", "image": "x.png", "width": 20, "height": 20}
    line |= {"left": side | {"system": "a"}, "right": other | {"system": "b"}}
    (tmp_path / "key.jsonl").write_text(json.dumps(line))
    key = read_key(tmp_path / "key.jsonl")
    task = {"data": {"pair": "p1"}, "annotations": [annotation(choice("left", name="preference"))]}
    (tmp_path / "e.json").write_text(json.dumps([task]))
    rows, counts = dpo_rows(read_pair_votes(tmp_path / "e.json", key), key)
    assert rows == [] and counts == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            {"data": {"image": "x"}},
            r"\[0\].annotations\[0\].data.pair: expected the pair that `fakexplain label-studio",
        ),
        ({"data": {"pair": "p9"}}, r"\[0\].annotations\[0\].data.pair: expected a pair of the key, found 'p9'"),
        ({"annotations": [annotation()]}, "preference: expected left, right or neutral, found nothing"),
        (
            {"annotations": 2 * [annotation(choice("left", name="preference"))]},
            r"\[0\].annotations\[1\]: expected one vote of each voter on a pair, found another in \[0\]",
        ),
    ],
)
def test_what_is_wrong_with_an_export_is_named(tmp_path, task, message):
    sides = {side: {"system": side} for side in PAIR_SIDES}
    (tmp_path / "key.jsonl").write_text(json.dumps({"pair": "p1", "id": "x"} | sides))
    whole = {"data": {"pair": "p1"}, "annotations": [annotation(choice("left", name="preference"))]} | task
    (tmp_path / "e.json").write_text(json.dumps([whole]))
    with pytest.raises(DataError, match=message):
        list(read_pair_votes(tmp_path / "e.json", read_key(tmp_path / "key.jsonl")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "key.jsonl: expected at least one pair, found an empty file"),
        ('{"pair": "p1"}', "key.jsonl:1: id: expected the id of a record, found nothing"),
        ('{"pair": "p1", "id": "x", "left": {}}', "key.jsonl:1: left.system: expected the name of a system"),
    ],
)
def test_what_is_wrong_with_a_key_is_named(tmp_path, text, message):
    (tmp_path / "key.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        read_key(tmp_path / "key.jsonl")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["data/annotations.jsonl"], 2, "expected at least two systems, found 1; name --predictions"),
        (["data/annotations.jsonl", "--system", "a"], 2, "expected a run to choose from, found an annotations file"),
        (["data/annotations.jsonl", "--predictions", "Humans=a.jsonl"], 2, "expected another name than Humans"),
        (["data", "--predictions", "a.jsonl"], 2, "SOURCE is a run and already has answers"),
        (["real.jsonl", "--predictions", "none.jsonl"], 1, "none.jsonl: expected predictions"),
        (["real.jsonl", "--predictions", "real_answers.jsonl"], 1, "at least one fake image with two explanations"),
    ],
)
def test_bad_usage(study, monkeypatch, args, code, message):
    monkeypatch.chdir(study)
    real = (study / "data/annotations.jsonl").read_text().splitlines()[-1].replace("images/", "data/images/")
    (study / "real.jsonl").write_text(real)
    (study / "real_answers.jsonl").write_text((study / "a.jsonl").read_text().splitlines()[-1])
    done = fakexplain("label-studio", "compare", *args, "-o", "out", **PLAIN)
    assert done.returncode == code and message in done.stderr and not (study / "out").exists()
