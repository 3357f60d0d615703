"""Folds: balanced, reproducible, and whole groups where asked for."""

import dataclasses
import json
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from converters.folds.split import assign_folds
from swift_plugins.fakexplain.annotation import parse_record, read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.conftest import record
from tests.converters.pictures import scene

GENERATORS = {"fake": ("flux", "sdxl", "gan"), "real": ("camera",)}
RECORDS = [
    parse_record(record(index, label, generator=generator, id=f"{generator}-{index}", image=f"{generator}-{index}.png"))
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


def test_a_record_without_the_group_goes_on_its_own():
    """As photographs among generated images of a class."""
    some = [dataclasses.replace(r, class_name="tench" if index < 10 else None) for index, r in enumerate(RECORDS)]
    folds = assign_folds(some, group_by="class_name")
    assert len({folds[r.id] for r in some[:10]}) == 1
    assert Counter(folds.values()) == dict.fromkeys(range(4), 50)


def test_a_group_that_no_record_has_is_an_error():
    with pytest.raises(DataError, match="photographer: expected a value to group by, found none in any record"):
        assign_folds(RECORDS, group_by="photographer")


def test_records_of_one_image_stay_together():
    """Several annotators' records, whatever they are grouped by otherwise."""
    twins = [dataclasses.replace(r, id=f"{r.id}@b", class_name="other") for r in RECORDS]
    for settings in ({}, {"group_by": "class_name"}):
        folds = assign_folds(RECORDS + twins, **settings)
        assert all(folds[r.id] == folds[f"{r.id}@b"] for r in RECORDS)
    assert len(set(assign_folds(RECORDS + twins).values())) == 4


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
    expected = r"fold: expected 0, the fold of others in its group \(class_name tench\); .* found 1"
    with pytest.raises(DataError, match=expected):
        assign_folds(torn, group_by="class_name")


def test_groups_hold_their_share_of_every_generator():
    """Each of 40 classes has an image of each of 5 generators and 1 to 3 real ones: whole classes, and level folds."""
    records = [
        parse_record(
            record(
                index,
                label,
                id=f"{index}-{name}-{n}",
                image=f"{index}-{name}-{n}.png",
                generator=name,
                class_name=f"class {index}",
            )
        )
        for index in range(40)
        for name, label, count in [*((f"g{g}", "fake", 1) for g in range(5)), ("camera", "real", 1 + index % 3)]
        for n in range(count)
    ]
    folds = assign_folds(records, group_by="class_name")
    table = Counter((folds[r.id], r.generator) for r in records)
    assert {count for (_, name), count in table.items() if name != "camera"} == {10}
    camera = [count for (_, name), count in table.items() if name == "camera"]
    assert max(camera) - min(camera) <= 1


def test_groups_of_two_kinds_stay_together_along_the_chain():
    near = {RECORDS[0].id: "near 1", RECORDS[1].id: "near 1", RECORDS[51].id: "near 2", RECORDS[102].id: "near 2"}
    folds = assign_folds(RECORDS, group_of=lambda r: near.get(r.id))
    assert folds[RECORDS[0].id] == folds[RECORDS[1].id] and folds[RECORDS[51].id] == folds[RECORDS[102].id]
    both = assign_folds(RECORDS, group_by="class_name", group_of=lambda r: near.get(r.id))
    # class-0 and class-1 through the first pair, class-1 and class-2 through the second: three classes are one group
    assert len({both[r.id] for r in RECORDS if r.class_name in ("class-0", "class-1", "class-2")}) == 1
    assert len(set(both.values())) == 3  # and two classes are left


def test_memory_grows_by_little_per_record():
    def peak(count: int) -> int:
        # paths of digits: pathlib interns the names in a path, and the table of those grows when it likes
        records = (
            dataclasses.replace(RECORDS[0], id=f"{index:07}", path=Path(*f"{index:07}")) for index in range(count)
        )
        tracemalloc.start()
        assert len(assign_folds(records)) == count
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(2_000)  # fills the memory of folders, which is bounded
    assert peak(2_000) < peak(500) + 1_500 * 600  # bytes per record; the records alone would be some 2 kB each


class TestNearDuplicates:
    @pytest.fixture
    def annotations(self, tmp_path):
        """Twelve pictures, each as a PNG and as a JPEG of another size; all in different classes."""
        (tmp_path / "images").mkdir()
        records = []
        for index in range(12):
            picture = scene(index, 128)
            for name, size in (("a.png", 128), ("b.jpg", 96)):
                image = f"images/{index}{name}"
                picture.resize((size, size)).save(tmp_path / image)
                id = f"{index}{name[0]}"
                records.append(record(index, "real", id=id, image=image, width=size, height=size, class_name=id))
        path = tmp_path / "annotations.jsonl"
        path.write_text("".join(json.dumps(each) + "\n" for each in records))
        return path

    def test_they_stay_in_one_fold(self, annotations, tmp_path):
        folds = {}
        for args in ((), ("--near-duplicates", "6")):
            done = fakexplain("split", annotations, "-o", tmp_path / "out.jsonl", "--force", *args)
            assert done.returncode == 0, done.stderr
            folds[args] = {each.id: each.fold for each in read_annotations(tmp_path / "out.jsonl")}
        apart, together = ([f"{i}a" for i in range(12) if each[f"{i}a"] != each[f"{i}b"]] for each in folds.values())
        assert apart and not together
        assert Counter(folds[args].values()) == dict.fromkeys(range(4), 6)
        lines = annotations.read_text().splitlines()[::-1]
        annotations.write_text("\n".join(lines))
        fakexplain("split", annotations, "-o", tmp_path / "out.jsonl", "--force", *args)
        assert {each.id: each.fold for each in read_annotations(tmp_path / "out.jsonl")} == folds[args]

    def test_images_that_cannot_be_read_are_told_once_and_left_out(self, annotations, tmp_path):
        (annotations.parent / "images/3a.png").write_text("text")
        args = ["split", annotations, "-o", tmp_path / "out.jsonl", "--near-duplicates", "6"]
        done = fakexplain(*args)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {annotations}:7: image: expected a readable image")
        assert not (tmp_path / "out.jsonl").exists()
        done = fakexplain(*args, "--keep-going")
        first, last = done.stderr.splitlines()
        assert first.startswith(f"error: {annotations}:7: image: expected a readable image")
        assert (done.returncode, last) == (1, f"error: 1 of 24 records in {annotations} are bad")
        assert [each.id for each in read_annotations(tmp_path / "out.jsonl")] == [
            each.id for each in read_annotations(annotations) if each.id != "3a"
        ]
