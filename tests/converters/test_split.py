"""Folds: balanced, reproducible, and whole groups where asked for."""

import dataclasses
from collections import Counter

import pytest

from converters.split import assign_folds
from swift_plugins.fakexplain.annotation import parse_record
from tests.conftest import record

GENERATORS = {"fake": ("flux", "sdxl", "gan"), "real": ("camera",)}
RECORDS = [
    parse_record(record(index, label, generator=generator, id=f"{generator}-{index}"))
    for label, generators in GENERATORS.items()
    for generator in generators
    for index in range(50)
]


def test_every_fold_has_its_share_of_every_label_and_generator():
    folds = assign_folds(RECORDS)
    table = Counter((folds[r.id], r.label, r.generator) for r in RECORDS)
    for generator in ("flux", "sdxl", "gan", "camera"):
        counts = [count for (_, _, name), count in table.items() if name == generator]
        assert len(counts) == 4
        assert max(counts) - min(counts) <= 1


def test_the_seed_decides_and_the_order_of_records_does_not():
    assert assign_folds(RECORDS, seed=1) == assign_folds(RECORDS[::-1], seed=1)
    assert assign_folds(RECORDS, seed=1) != assign_folds(RECORDS, seed=2)


def test_groups_stay_together():
    folds = assign_folds(RECORDS, group_by="class_name")
    assert set(folds) == {r.id for r in RECORDS}
    of_class = {}
    for r in RECORDS:
        assert of_class.setdefault(r.class_name, folds[r.id]) == folds[r.id]
    assert set(of_class.values()) == {0, 1, 2, 3}


def test_a_record_without_the_group_is_an_error():
    with pytest.raises(ValueError, match="no photographer to group by"):
        assign_folds(RECORDS, group_by="photographer")


def test_folds_that_are_there_stay():
    folded = [dataclasses.replace(r, fold=2) for r in RECORDS[:60]]
    folds = assign_folds(folded + RECORDS[60:])
    assert {folds[r.id] for r in folded} == {2}
    assert Counter(assign_folds(folded, reassign=True).values()) == Counter(dict.fromkeys(range(4), 15))
    # the rest evens out what is there: the 50 of the first generator are in fold 2, the other 10 of the second's 50 too
    second = Counter(folds[r.id] for r in RECORDS[50:100])
    assert max(second.values()) - min(second.values()) <= 1


def test_a_group_keeps_the_fold_of_any_of_its_records():
    folded = [dataclasses.replace(RECORDS[0], fold=3), *RECORDS[1:]]
    folds = assign_folds(folded, group_by="class_name")
    assert {folds[r.id] for r in RECORDS if r.class_name == RECORDS[0].class_name} == {3}


def test_a_group_in_two_folds_is_an_error():
    torn = [dataclasses.replace(RECORDS[index], class_name="tench", fold=index) for index in (0, 1)]
    with pytest.raises(ValueError, match="class_name 'tench' lies in folds 0 and 1 already"):
        assign_folds(torn, group_by="class_name")
