"""Real images for every fold: as many as fakes, none twice, the same each time."""

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest
from PIL import Image

from converters.folds.pair_real import list_candidates, survey
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain, fakexplain_process
from tests.conftest import record, write_annotations_file
from tests.converters.pictures import picture


@pytest.fixture
def fakes(tmp_path):
    """Three fakes in fold 0, two in 1, one in 2, and one in 3 beside two real images."""
    folds = [0, 0, 0, 1, 1, 2, 3]
    records = [record(index, fold=fold) for index, fold in enumerate(folds)]
    records += [record(index, "real", fold=3) for index in (90, 91)]
    path = write_annotations_file(tmp_path / "data", records)
    for index in (90, 91):
        Image.new("RGB", (120, 90), (index, 0, 0)).save(tmp_path / f"data/images/real-{index:03}.png")
    return path


@pytest.fixture
def photographs(tmp_path):
    """Nine photographs: two with the same bytes, one that is in the annotations already, one that EXIF turns."""
    folder = tmp_path / "photographs"
    for index in range(6):
        picture(folder / f"{index % 2}/ü{index}.png", wh=(40 + index, 20))
    shutil.copy(folder / "0/ü0.png", folder / "1/copy.png")
    shutil.copy(tmp_path / "data/images/real-090.png", folder / "there.png")
    picture(folder / "turned.jpg", turn=6)
    return folder


def pair(fakes, real, out, *args):
    return fakexplain("pair-real", fakes, "--real", real, "--out", out, *args, COLUMNS="300", NO_COLOR="1", TERM="dumb")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_fold_gets_as_many_real_images_as_it_has_fakes(fakes, photographs, tmp_path, seed):
    out = tmp_path / "out/paired.jsonl"
    done = pair(fakes, photographs, out, "--seed", seed, "--generator", "ImageNet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "fold 0: 3 real images added",
        "fold 1: 2 real images added",
        "fold 2: 1 real images added",
        "fold 3: 0 real images added, 1 more real images than fakes",
    ]
    records = list(read_annotations(out))
    assert [r.id for r in records[:9]] == [r.id for r in read_annotations(fakes)]
    new = records[9:]
    assert Counter(r.fold for r in new) == {0: 3, 1: 2, 2: 1}
    assert {(r.label, r.generator) for r in new} == {("real", "ImageNet")}
    contents = [r.path.read_bytes() for r in records if r.label == "real"]
    assert len(set(contents)) == len(contents) == 8  # no image twice, so none on both sides
    assert fakexplain("validate", out).returncode == 0
    for each in new:
        if each.id == "real/turned.jpg":
            assert each.image.startswith("paired_images/") and each.image_wh == (20, 40)
        else:
            assert each.image.startswith("../photographs/")


@pytest.mark.e2e
def test_the_seed_decides_and_the_same_bytes_come_again(fakes, photographs, tmp_path):
    texts = []
    for name, seed, run in (("a", 0, fakexplain), ("b", 0, fakexplain_process), ("c", 1, fakexplain)):
        out = tmp_path / name / "paired.jsonl"
        assert run("pair-real", fakes, "--real", photographs, "--out", out, "--seed", seed).returncode == 0
        texts.append(out.read_text())
    assert texts[0] == texts[1] != texts[2]


def test_too_few_is_an_error_that_leaves_nothing(fakes, photographs, tmp_path):
    shutil.rmtree(photographs / "0")
    done = pair(fakes, photographs, tmp_path / "out/paired.jsonl")
    assert done.returncode == 1
    assert "error: expected 6 real images that can be used, found 5" in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_a_broken_image_stops_or_is_skipped_and_reported(fakes, photographs, tmp_path):
    for path in photographs.rglob("*0*"):
        path.is_file() and path.write_text("text")
    out = tmp_path / "out/paired.jsonl"
    (photographs / "turned.jpg").write_text("text")
    picture(photographs / "more.png", wh=(99, 20))
    done = pair(fakes, photographs, out)
    assert done.returncode == 1 and "expected a readable image" in done.stderr and not out.exists()
    done = pair(fakes, photographs, out, "--keep-going")
    assert done.returncode == 1 and out.exists() and "1 of 16 records in" in done.stderr
    assert Counter(r.label for r in read_annotations(out)) == {"fake": 7, "real": 8}


def test_a_list_and_an_annotations_file_serve_too(fakes, photographs, tmp_path):
    paths = sorted(path for path in photographs.rglob("*.*") if path.is_file())
    (tmp_path / "list.txt").write_text("\n".join(str(path.relative_to(tmp_path)) for path in paths) + "\n\n")
    assert [each.path for each in list_candidates(tmp_path / "list.txt")] == paths
    assert {each.path for each in list_candidates(photographs)} == set(paths)
    lines = [record(index, "real", id=path.name, image=str(path)) for index, path in enumerate(paths)]
    (tmp_path / "real.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [each.path for each in list_candidates(tmp_path / "real.jsonl")] == paths
    with pytest.raises(DataError, match=r"annotations.jsonl:1: label: expected 'real', found 'fake'"):
        list_candidates(fakes)
    with pytest.raises(FileNotFoundError, match="none: expected a folder or list of real images"):
        list_candidates(tmp_path / "none")


def test_records_without_folds_are_one_pool(fakes):
    records = [replace(r, fold=None) for r in read_annotations(fakes)]
    assert survey(records).missing == Counter({None: 5})


def test_what_is_there_as_a_fake_is_not_drawn_as_real(fakes, tmp_path):
    done = pair(fakes, fakes.parent / "images", tmp_path / "out.jsonl")
    assert done.returncode == 1
    assert done.stderr == "error: expected 6 real images that can be used, found 0\n"


def test_images_of_one_name_in_two_folders_have_ids_of_their_own(fakes, photographs, tmp_path):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert pair(fakes, photographs, first).returncode == 0
    records = [json.loads(line) for line in first.read_text().splitlines()]
    first.write_text(
        "".join(json.dumps(each | {"fold": 0}) + "\n" for each in records if each["label"] == "real" or each["fold"])
    )
    more = [record(index, id=f"more {index}", image="data/images/fake-000.png", fold=0) for index in range(9)]
    with open(first, "a") as file:
        file.writelines(json.dumps(each) + "\n" for each in more)
    other = tmp_path / "other"
    for path in photographs.rglob("*.*"):
        picture(other / path.relative_to(photographs), wh=(90 + len(path.name), 30 + path.stat().st_size % 50))
    done = pair(first, other, second)
    assert done.returncode == 0, done.stderr
    ids = [each.id for each in read_annotations(second)]
    assert len(ids) == len(set(ids)) and sum(id.startswith("real/") for id in ids) > 6


def test_a_record_whose_image_is_missing_is_reported_and_left_out(fakes, photographs, tmp_path):
    (fakes.parent / "images/real-090.png").unlink()
    done = pair(fakes, photographs, tmp_path / "out.jsonl")
    assert done.returncode == 1
    where = f"error: {fakes}:8: image: expected an image file that can be read, found "
    assert done.stderr.startswith(where) and not (tmp_path / "out.jsonl").exists()
    done = pair(fakes, photographs, tmp_path / "out.jsonl", "--keep-going")
    first, last = done.stderr.splitlines()
    assert first.startswith(where) and last.startswith("error: 1 of ") and last.endswith(" are bad")
    assert "real-090" not in {each.id for each in read_annotations(tmp_path / "out.jsonl")}


def test_an_error_of_a_list_names_its_line(fakes, photographs, tmp_path):
    (photographs / "list.txt").write_text("\n0/ü0.png\nnone.png\n")
    done = pair(fakes, photographs / "list.txt", tmp_path / "out.jsonl")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {photographs / 'list.txt'}:3: image: expected an image file, found no file")
    done = pair(fakes, photographs / "there.png", tmp_path / "out.jsonl")
    assert done.stderr.startswith(
        f"error: {photographs / 'there.png'}: expected a folder, an annotations file (.jsonl), or"
    )
