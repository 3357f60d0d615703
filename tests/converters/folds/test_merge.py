"""Annotations files in one: paths, ids, folds, images that come twice, memory."""

import json
import os
import shutil
import tracemalloc

import pytest

from converters.folds.merge import MergeSource, Repeats, merge_annotations
from swift_plugins.fakexplain.annotation import read_annotations, to_record
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file


def files(tmp_path, *records):
    """One file of records, with images, in a folder of its own for each list."""
    return [write_annotations_file(tmp_path / f"{name}", each) for name, each in zip("abc", records, strict=False)]


def merge(*paths, folder, **settings):
    return list(merge_annotations(map(MergeSource, paths), folder, **settings))


def test_records_are_kept_in_order_and_their_images_found(tmp_path):
    one, two = files(tmp_path, [record(0, seed=7), record(1, "real")], [record(2, annotator="a07")])
    out = tmp_path / "deep/er/merged.jsonl"
    done = fakexplain("merge", one, two, "--out", out)
    assert done.returncode == 0 and done.stdout == f"3 records in {out}\n", done.stderr
    before = [*read_annotations(one), *read_annotations(two)]
    after = list(read_annotations(out))
    assert [to_record(each) | {"image": ""} for each in after] == [to_record(each) | {"image": ""} for each in before]
    assert all(each.path.samefile(other.path) for each, other in zip(after, before, strict=True))
    assert after[0].image == "../../a/images/fake-000.png"


def test_an_id_that_comes_twice_names_both_files(tmp_path):
    one, two = files(tmp_path, [record(0)], [record(1), record(0)])
    message = (
        rf"{two}:2: id: expected a unique id \({one}:1 already uses this one\); --prefix, or NAME=FILE for each file, "
        r"keeps ids apart, found 'fake-000'"
    )
    with pytest.raises(DataError, match=message):
        merge(one, two, folder=tmp_path)
    errors = []
    assert [each.id for each in merge(one, two, folder=tmp_path, on_error=errors.append)] == ["fake-000", "fake-001"]
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("--prefix", "{a}", "{b}"), ["one/fake-000", "two/fake-000"]),
        (("x={a}", "y={b}"), ["x/fake-000", "y/fake-000"]),
        (("{a}", "y={b}"), ["fake-000", "y/fake-000"]),
        (("--prefix", "x={a}", "{b}"), ["x/fake-000", "two/fake-000"]),
    ],
)
def test_names_keep_ids_apart(tmp_path, words, ids):
    a, b = tmp_path / "a/one.jsonl", tmp_path / "b/two.jsonl"
    for path in (a, b):
        write_annotations_file(path.parent, [record(0)], path.name)
    done = fakexplain("merge", *(word.format(a=a, b=b) for word in words), "--out", tmp_path / "m.jsonl")
    assert done.returncode == 0, done.stderr
    assert [each.id for each in read_annotations(tmp_path / "m.jsonl")] == ids


def test_two_files_of_one_name_cannot_be_the_prefixes(tmp_path):
    one, two = files(tmp_path, [record(0)], [record(0)])
    done = fakexplain("merge", "--prefix", one, two, "--out", tmp_path / "m.jsonl")
    assert done.returncode == 2 and "two files are called annotations" in done.stderr
    assert not (tmp_path / "m.jsonl").exists()


def test_a_path_with_an_equals_sign_is_a_path(tmp_path):
    path = write_annotations_file(tmp_path / "x=y", [record(0)])
    done = fakexplain("merge", path, "--out", tmp_path / "m.jsonl")
    assert done.returncode == 0, done.stderr
    assert [each.id for each in read_annotations(tmp_path / "m.jsonl")] == ["fake-000"]


def test_folds_are_kept_or_dropped(tmp_path):
    one, two = files(tmp_path, [record(0, fold=3)], [record(1, fold=0)])
    assert [each.fold for each in merge(one, two, folder=tmp_path)] == [3, 0]
    assert [each.fold for each in merge(one, two, folder=tmp_path, drop_folds=True)] == [None, None]


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ((1, None), r"b/annotations\.jsonl:1: fold: expected a fold, as in .*a/.*:1, or --drop-folds, found none"),
        ((None, 1), r"b/annotations\.jsonl:1: fold: expected no fold, as in .*a/.*:1, or --drop-folds, found 1"),
    ],
)
def test_folds_that_only_some_records_have_are_refused(tmp_path, folds, message):
    one, two = files(tmp_path, *([record(index, fold=fold)] for index, fold in enumerate(folds)))
    for on_error in ({}, {"on_error": pytest.fail}):  # no record of many is the bad one
        with pytest.raises(DataError, match=message):
            merge(one, two, folder=tmp_path, **on_error)
    assert len(merge(one, two, folder=tmp_path, drop_folds=True)) == 2


def test_one_image_in_two_folds_is_refused(tmp_path):
    (one,) = files(tmp_path, [record(0, fold=0), record(0, fold=1) | {"id": "again"}])
    message = r":2: fold: expected 0, the fold of the same image in .*:1, or --drop-folds, found 1 \(id 'again'\)"
    with pytest.raises(DataError, match=message):
        merge(one, folder=tmp_path)
    assert len(merge(one, folder=tmp_path, drop_folds=True)) == 2


def test_images_that_come_twice_are_reported_by_path_and_by_content(tmp_path):
    one, two = files(tmp_path, [record(0), record(1)], [record(2)])
    shutil.copy(tmp_path / "a/images/fake-001.png", tmp_path / "b/images/fake-002.png")
    (tmp_path / "a/images/fake-000.png").write_bytes(b"another")
    with open(one, "a") as file:
        file.write(json.dumps(record(0) | {"id": "again"}) + "\n")
    repeats = Repeats()
    merge(one, two, folder=tmp_path, repeats=repeats)
    assert (repeats.count, repeats.examples) == (1, [(f"{one}:3", f"{one}:1")])
    repeats = Repeats()
    merge(one, two, folder=tmp_path, repeats=repeats, by_content=True)
    assert repeats.examples == [(f"{one}:3", f"{one}:1"), (f"{two}:1", f"{one}:2")]
    done = fakexplain("merge", one, two, "--by-content", "--out", tmp_path / "m.jsonl")
    assert f"  2 records whose image an earlier record has, such as\n    {one}:3, as {one}:1\n" in done.stdout


@pytest.mark.parametrize("kind", ["nothing", "pipe", "folder"])
def test_an_image_that_cannot_be_compared_is_an_error(tmp_path, kind):
    (one,) = files(tmp_path, [record(0), record(1)])
    image = tmp_path / "a/images/fake-000.png"
    image.unlink()
    {"nothing": lambda _: None, "pipe": os.mkfifo, "folder": os.mkdir}[kind](image)
    errors = []
    (kept,) = merge(one, folder=tmp_path, by_content=True, on_error=errors.append)
    assert kept.id == "fake-001" and errors[0].expected == "an image file"


def test_a_bad_record_leaves_no_file_or_is_skipped_and_counted(tmp_path):
    one, two = files(tmp_path, [record(0)], [record(1), record(2, label="maybe"), record(3)])
    out = tmp_path / "m.jsonl"
    done = fakexplain("merge", one, two, "--out", out)
    assert done.returncode == 1 and not out.exists()
    done = fakexplain("merge", one, two, "--out", out, "--keep-going")
    assert done.returncode == 1 and f"1 of 4 records in {out} are bad" in done.stderr
    assert [each.id for each in read_annotations(out)] == ["fake-000", "fake-001", "fake-003"]


def test_nothing_is_overwritten(tmp_path):
    one, two = files(tmp_path, [record(0)], [record(1)])
    assert fakexplain("merge", one, two, "--out", two, "--force").returncode == 2
    (tmp_path / "m.jsonl").write_text("mine")
    assert fakexplain("merge", one, two, "--out", tmp_path / "m.jsonl").returncode == 2
    assert (tmp_path / "m.jsonl").read_text() == "mine"
    assert fakexplain("merge", one, two, "--out", tmp_path / "m.jsonl", "--force").returncode == 0


@pytest.mark.slow
def test_memory_does_not_grow_with_the_records(tmp_path):
    def peak(count):
        paths = []
        for name in "ab":
            path = tmp_path / f"{name}{count}.jsonl"
            path.write_text(
                "".join(json.dumps(record(index) | {"id": f"{name}{index}"}) + "\n" for index in range(count))
            )
            paths.append(path)
        tracemalloc.start()
        found = sum(1 for _ in merge_annotations(map(MergeSource, paths), tmp_path))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found == 2 * count
        return most

    peak(10)
    assert peak(2_000) < peak(200) + 50_000  # 14 bytes per record; a record takes 3,000
