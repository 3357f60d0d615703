"""Records as ms-swift rows, and what a subset's name means."""

import json

import pytest

from swift_plugins.fakexplain.annotation import parse_record, read_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.prompts import system_prompt
from swift_plugins.fakexplain.rows import parse_subset, select, to_row
from swift_plugins.fakexplain.variants import VARIANTS
from tests.conftest import record


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all", (None, "train", "full")),
        ("all__label_only", (None, "train", "label_only")),
        ("fold0_train", (0, "train", "full")),
        ("fold3_test", (3, "test", "full")),
        ("fold2_test__no_caption", (2, "test", "no_caption")),
    ],
)
def test_a_subsets_name(name, expected):
    assert parse_subset(name) == expected


@pytest.mark.parametrize(
    "name", ["", "fold4_train", "fold0", "fold0_val", "fold0_train__", "fold0_train__short", "ALL"]
)
def test_no_subset_of_that_name(name):
    with pytest.raises(ValueError, match="no such subset; expected fold0_train"):
        parse_subset(name)


def test_train_and_test_share_nothing_and_leave_nothing_out(annotations_file):
    records = list(read_annotations(annotations_file))
    ids = {r.id for r in records}
    for fold in range(4):
        train = {r.id for r in select(records, parse_subset(f"fold{fold}_train"))}
        test = {r.id for r in select(records, parse_subset(f"fold{fold}_test"))}
        assert train | test == ids
        assert not train & test
        assert len(test) == 4
    assert {r.id for r in select(records, parse_subset("all"))} == ids


def test_a_record_without_a_fold_is_in_no_fold(annotations_file):
    unfolded = parse_record(record(9), file="a.jsonl", line=4)
    assert list(select([unfolded], parse_subset("all"))) == [unfolded]
    with pytest.raises(DataError, match=r"a\.jsonl:4: fold: expected 0, 1, 2 or 3"):
        list(select([unfolded], parse_subset("fold0_train")))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_row_has_a_box_for_every_placeholder(variant):
    for label in ("fake", "real"):
        row = to_row(parse_record(record(0, label)), variant)
        system, user, assistant = row["messages"]
        assert system == {"role": "system", "content": system_prompt(variant)}
        assert user["content"].count("<image>") == len(row["images"]) == 1
        assert assistant["content"].count("<bbox>") == len(row["objects"]["bbox"])
        gold = json.loads(row["solution"])
        assert (gold["label"], gold["size"], gold["variant"]) == (label, [120, 90], variant)
        # the gold keeps its boxes whatever the variant shows, in reading order
        assert gold["boxes"] == ([[10, 5, 50, 45], [60, 50.5, 100, 80]] if label == "fake" else [])


def test_every_variant_asks_for_what_it_holds():
    prompts = {variant: system_prompt(variant) for variant in VARIANTS}
    assert len(set(prompts.values())) == len(VARIANTS)
    for variant, prompt in prompts.items():
        assert ("<think>" in prompt) == (variant != "label_only")
        assert ("<tag>" in prompt) == (variant not in ("label_only", "no_tags"))
        assert ("[x1, y1, x2, y2]" in prompt) == (variant not in ("label_only", "no_bbox"))
        assert ("a noun first" in prompt) == (variant not in ("label_only", "no_caption"))
        assert "<verdict>" in prompt
    with pytest.raises(ValueError, match="variant: expected one of full, no_bbox"):
        system_prompt("everything")
