"""Regions that a model proposed: accepted, changed, new or removed, whoever tells which prediction it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.convert import Changes
from converters.drafts.draft import DraftRegion
from converters.formats.label_studio import from_label_studio
from converters.formats.label_studio_origins import mark_origins
from tests.cli.command import fakexplain
from tests.converters.formats.label_studio_parts import RECTANGLE, annotation, choice, shape, task, text
from tests.converters.reading import pictures
from tests.converters.rows import records

OTHER = {"x": 70, "y": 70, "width": 20, "height": 20}
NEAR = RECTANGLE | {"x": 12}  # 0.8 of 40 pixels further right
HERE = RECTANGLE | {"x": 10.5}  # 0.2 of a pixel


def region(caption, value=RECTANGLE, id="r"):
    return [shape(value=value, id=id), text(caption, id=id)]


def prediction(*results, id=1, model="sft"):
    return {"id": id, "model_version": model, "result": list(results)}


def draft(annotated, proposed, **changes):
    """The draft of one annotation of a task that had predictions."""
    given = annotation(choice("fake"), *annotated, **changes)
    (found,) = from_label_studio(task(given, predictions=proposed))
    return found


@pytest.mark.parametrize(
    ("annotated", "origins", "removed"),
    [
        (region("Hand."), ["accepted"], 0),
        (region("Hand.", HERE), ["accepted"], 0),
        (region("Hand with six fingers."), ["changed"], 0),
        (region("Hand.", NEAR), ["changed"], 0),
        (region("Hand.", NEAR, id="other"), ["changed"], 0),  # by its overlap
        (region("Sign.", OTHER), ["changed"], 0),  # by its id
        (region("Hand.", OTHER, id="other"), ["new"], 1),
        (region("Hand.") + region("Sign.", OTHER, "s"), ["accepted", "new"], 0),
        (region("Sign.", RECTANGLE, "s") + region("Hand.", RECTANGLE, "t"), ["new", "accepted"], 0),
        ([], [], 1),
    ],
)
def test_what_became_of_one_proposed_region(annotated, origins, removed):
    found = draft(annotated, [prediction(*region("Hand."))])
    assert ([each.origin for each in found.regions], found.removed) == (origins, removed)
    assert found.fields["proposed_by"] == "sft"


def test_the_annotation_says_which_prediction_it_began_from():
    both = [prediction(*region("Hand."), id=1, model="old"), prediction(*region("Sign."), id=2, model="new")]
    assert draft(region("Hand."), both).fields["proposed_by"] == "new"
    assert draft(region("Hand."), both, parent_prediction=1).fields["proposed_by"] == "old"
    assert draft(region("Hand."), [7, 8], prediction=both[0]).regions[0].origin == "accepted"


@pytest.mark.parametrize("proposed", [[], [7], [prediction("nonsense")], [prediction({"id": "r"})], "none"])
def test_what_is_no_prediction_proposes_nothing(proposed):
    found = draft(region("Hand."), proposed)
    assert found.regions[0].origin == "" and found.removed == 0 and "proposed_by" not in found.fields


boxes = st.tuples(*[st.integers(0, 9)] * 2).map(lambda at: (at[0], at[1], at[0] + 4, at[1] + 4))
words = st.sampled_from("ab")
regions = st.lists(st.tuples(boxes, words).map(lambda each: DraftRegion(*each)), max_size=6)


@given(regions, regions)
def test_each_proposed_region_has_one_successor_at_most(annotated, proposed):
    found, removed = mark_origins(annotated, proposed, (40, 30))
    kept = [each.origin for each in found if each.origin != "new"]
    assert len(found) == len(annotated) and len(kept) + removed == len(proposed)
    assert [each._replace(origin="") for each in found] == annotated
    copies = {each[:2]: min(annotated.count(each), proposed.count(each)) for each in annotated}
    assert kept.count("accepted") == sum(copies.values())  # what nobody touched


def test_records_hold_the_origins_of_the_regions_that_are_kept(tmp_path):
    pictures(tmp_path, "a.png")
    given = annotation(
        choice("fake"), *region("Hand."), shape(value=OTHER | {"width": 0}, id="s"), *region("Sign.", OTHER, "t")
    )
    (tmp_path / "export.json").write_text(json.dumps([task(given, predictions=[prediction(*region("Hand."))])]))
    changes = Changes()
    args = ["convert", "label-studio", tmp_path / "export.json", "--skip-unusable", "-o", tmp_path / "out.jsonl"]
    done = fakexplain(*args)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out.jsonl").read_text())
    assert record["region_origins"] == ["accepted", "new"] and len(record["regions"]) == 2
    assert record["proposed_by"] == "sft"
    assert "  1 regions proposed by a model and accepted\n" in done.stdout
    assert "  1 regions that no model proposed, in images with a proposal\n" in done.stdout
    (tmp_path / "plain.json").write_text(json.dumps([task(given | {"result": given["result"][:3]})]))
    (found,) = records("label-studio", tmp_path / "plain.json", tmp_path, changes=changes)
    assert not found.extra and not changes.origins
