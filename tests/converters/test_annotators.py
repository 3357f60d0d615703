"""Annotators' names in converted records: kept, numbered or dropped, whatever the format and wherever they are."""

import json

import pytest

from converters.annotators import AnnotatorNames
from swift_plugins.fakexplain.annotation import Annotation, Region, read_annotations
from tests.cli.command import fakexplain
from tests.converters.formats.label_studio_parts import annotation, choice, task
from tests.converters.goldens import ASSETS
from tests.converters.pictures import picture

EVE, BOB = "eve@example.org", "Bob Jones"


def record(annotator, id="x", image="x.png", caption="Hand.", **extra):
    return Annotation(id, image, 8, 8, "fake", (Region((0, 0, 4, 4), caption),), annotator=annotator, extra=extra)


def test_numbers_are_in_order_of_appearance_and_stay():
    names = AnnotatorNames("number")
    found = [names.rename(record(each)).annotator for each in (BOB, EVE, None, BOB, "7", "a02", "a9")]
    assert found == ["a01", "a02", None, "a01", "a03", "a04", "a05"]


def test_numbers_that_are_names_elsewhere_are_not_mixed_up():
    names = AnnotatorNames("number")
    names.rename(record("a02"))
    found = names.rename(record("a01", note="A02 and a01, not a021", other="a02"))
    assert (found.annotator, found.extra) == ("a02", {"note": "a01 and a02, not a021", "other": "a01"})
    names.rename(record("kim"))
    found = names.rename(record(None, note="KIM, \u212aim"))  # the sign of the kelvin, which matches a k
    assert found.extra == {"note": "a03, a03"}


def test_names_are_kept_by_default():
    given = record(EVE, f"x@{EVE}", completed_by=EVE)
    assert AnnotatorNames().rename(given) is given


@pytest.mark.parametrize(
    ("naming", "ids"),
    [("number", ["x@a01", "x@a02", "y@a01", "z"]), ("drop", ["x@1", "x@2", "y@1", "z"])],
)
def test_ids_that_end_with_the_annotator(naming, ids):
    names = AnnotatorNames(naming)
    given = [record(EVE, f"x@{EVE}"), record(BOB, f"x@{BOB}"), record(EVE, f"y@{EVE}"), record(BOB, "z")]
    found = [names.rename(each) for each in given]
    assert [each.id for each in found] == ids
    assert {each.annotator for each in found} == ({None} if naming == "drop" else {"a01", "a02"})


@pytest.mark.parametrize("naming", ["number", "drop"])
def test_no_field_tells_who_it_was(naming):
    names = AnnotatorNames(naming)
    extra = {
        "completed_by": {"id": 7, "email": EVE},
        "updated_by": [{"user_id": 7}],
        "source_annotator": EVE,
        "user": "eve",
        "history": [{"when": "today", "reviewer": "Zoe", "note": f"{EVE} wrote to zoe@example.org"}],
        EVE: 3,
        "counts": {EVE: 1, "seed": 7, "zoe@example.org": 2, "ann@example.org": 3},
        "proposed_by": "sft",
        "generated_by": "VAR",
        "seed": 7,
        "explanation": "The even light.",
    }
    found = names.rename(record(EVE, **extra))
    text = json.dumps(found.extra)
    assert "eve@" not in text and "zoe" not in text.lower() and '"eve"' not in text
    kept = "a01" if naming == "number" else "[removed]"
    assert found.extra["history"] == [{"when": "today", "note": f"{kept} wrote to [removed]"}]
    others = ["[removed]", "[removed] 2"] if naming == "number" else ["[removed] 2", "[removed] 3"]
    assert found.extra["counts"] == {kept: 1, "seed": 7, others[0]: 2, others[1]: 3}  # nothing lost
    assert found.extra[kept] == 3
    untouched = ("proposed_by", "generated_by", "seed", "explanation")
    assert [found.extra[name] for name in untouched] == ["sft", "VAR", 7, "The even light."]
    assert names.removed == dict.fromkeys(("completed_by", "updated_by", "source_annotator", "user", "reviewer"), 1)


def test_what_still_holds_a_name_is_counted():
    names = AnnotatorNames("number")
    for each in (
        record(BOB, "bob jones/1"),
        record(BOB, image="bob jones/x.png"),
        record(BOB, caption="Hand that Bob Jones saw."),
        record(BOB, "bobjones"),
        record("7", "7"),
    ):
        names.rename(each)
    assert names.left == 3


def test_two_people_on_one_task_of_label_studio(tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    who = [{"id": 3, "email": EVE, "first_name": "Eve"}, 12]
    both = [annotation(choice("fake"), who=each) for each in who]
    tasks = [task(*both), task(both[1], image="b.png")]
    tasks[0]["data"]["reviewed_by"] = EVE
    (tmp_path / "e.json").write_text(json.dumps(tasks))
    out = {}
    for naming in ("keep", "number", "drop"):
        args = ("label-studio", tmp_path / "e.json", "--annotators", naming, "-o", tmp_path / f"{naming}.jsonl")
        done = fakexplain("convert", *args)
        assert done.returncode == 0, done.stderr
        out[naming] = [(each.id, each.annotator) for each in read_annotations(tmp_path / f"{naming}.jsonl")]
        assert ("  2 fields 'reviewed_by' removed" in done.stdout) == (naming != "keep")
        assert ("eve" in (tmp_path / f"{naming}.jsonl").read_text()) == (naming == "keep")
    assert out == {
        "keep": [(f"a@{EVE}", EVE), ("a@12", "12"), ("b", "12")],
        "number": [("a@a01", "a01"), ("a@a02", "a02"), ("b", "a02")],
        "drop": [("a@1", None), ("a@2", None), ("b", None)],
    }


@pytest.mark.parametrize("format", ["coco", "cvat", "label-studio", "labelme", "via"])
def test_the_stored_sources_of_tools_lose_their_annotators(tmp_path, format):
    (source,) = (ASSETS / format).glob("source*")
    out = tmp_path / "out.jsonl"
    done = fakexplain("convert", format, source, "--annotators", "number", "-o", out)
    assert done.returncode == 0, done.stderr
    before = [json.loads(line) for line in (ASSETS / format / "expected.jsonl").read_text().splitlines()]
    after = [json.loads(line) for line in out.read_text().splitlines()]
    names = [each.get("annotator") for each in before]
    numbers = {name: f"a{index:02}" for index, name in enumerate(filter(None, dict.fromkeys(names)), 1)}
    assert [each.get("annotator") for each in after] == [numbers.get(name) for name in names] and numbers
    for old, new in zip(before, after, strict=True):
        assert not old.get("annotator") or f"@{old['annotator']}" not in new["id"]


FORMATS = ("coco", "labelme", "hf")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_that_carries_annotators(tmp_path, format):
    picture(tmp_path / "data/x.png")
    line = {"id": f"x@{EVE}", "image": "x.png", "width": 40, "height": 20, "label": "fake", "regions": [], "tags": []}
    line |= {"annotator": EVE, "completed_by": EVE, "note": f"Seen by {EVE}."}
    (tmp_path / "data/a.jsonl").write_text(json.dumps(line))
    out = tmp_path / ("out.json" if format == "coco" else "out")
    done = fakexplain("export", tmp_path / "data/a.jsonl", "--to", format, "-o", out)
    assert done.returncode == 0, done.stderr
    images = ("--images", tmp_path / "data") if format == "coco" else ()
    done = fakexplain("convert", format, out, *images, "--annotators", "number", "-o", tmp_path / "back.jsonl")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "back.jsonl").read_text())
    assert (found["id"], found["annotator"], found["note"]) == ("x@a01", "a01", "Seen by a01.")
    assert "completed_by" not in found and "eve" not in json.dumps({**found, "image": ""})
