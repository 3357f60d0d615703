"""The toy world is what its records say: reproducible, balanced, its flaws where its boxes are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("skimage")
pytest.importorskip("sklearn")

from converters.quality.doubts import Doubts
from examples import toy_world
from examples.toy_flaws import KINDS, Kind
from examples.toy_photos import photos_in, shipped_photos
from swift_plugins.fakexplain.annotation import Annotation, read_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.images import check_image
from swift_plugins.fakexplain.tags import TAGS

SCRIPT = Path(toy_world.__file__)
(COFFEE,) = (photo.image for photo in shipped_photos() if photo.name == "coffee")


def make(out: Path, *options: object) -> list[Annotation]:
    done = run("--out", out, *options)
    assert (done.returncode, done.stderr) == (0, "")
    return list(read_annotations(out / "annotations.jsonl"))


def run(*options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *map(str, options)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("toy")
    return out, make(out, "--train", 120, "--test", 60, "--seed", 3)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.e2e
def test_same_command_gives_the_same_bytes_and_no_progress_bar_in_a_pipe(tmp_path):
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    options = ("--train", 24, "--test", 24, "--difficulty", 0.3, "--ood", 8, "--held-out", "Dyer")
    done = run("--out", first, *options, "--seed", 5)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{first / 'annotations.jsonl'}: 48 images\n{first / 'ood.jsonl'}: 8 images\n"
    make(second, *options, "--seed", 5)
    make(other, *options, "--seed", 6)
    assert len(contents(first)) == 58
    assert contents(first) == contents(second)
    assert contents(first)["images/train-00003.png"] != contents(other)["images/train-00003.png"]


def test_records_match_their_images(world):
    _, records = world
    assert len(records) == 180
    for record in records:
        check_image(record)
        assert record.image_wh == (120, 120)


def test_half_is_real_and_file_names_do_not_reveal_the_label(world):
    _, records = world
    for part, fold_is_test in (("train", False), ("test", True)):
        chosen = [record for record in records if record.id.startswith(part)]
        assert all((record.fold == 0) == fold_is_test for record in chosen)
        labels = [record.label for record in chosen]
        assert labels.count("real") == labels.count("fake")
        assert labels[::2] != labels[1::2] and len(set(labels[::2])) == 2


def test_every_kind_tag_fold_and_number_of_regions_appears(world):
    _, records = world
    fakes = [record for record in records if record.label == "fake"]
    assert {record.generator for record in fakes} == {kind.generator for kind in KINDS}
    assert {tag for record in fakes for tag in record.tags} == set(TAGS)
    assert {len(record.regions) for record in fakes} == {0, 1, 2, 3, 4}
    assert {record.fold for record in records} == {0, 1, 2, 3}


def test_train_and_test_photographs_differ(world):
    _, records = world
    held_out = {record.class_name for record in records if record.fold == 0}
    assert held_out and held_out.isdisjoint(record.class_name for record in records if record.fold != 0)


def test_kinds_held_out_are_only_in_the_out_of_distribution_set(tmp_path):
    records = make(tmp_path, "--train", 40, "--test", 20, "--ood", 24, "--held-out", "Dyer", "Sketcher")
    ood = list(read_annotations(tmp_path / "ood.jsonl"))
    kinds = {kind.generator for kind in KINDS} - {"Dyer", "Sketcher"}
    assert {record.generator for record in records} == {None, *kinds}
    assert {record.generator for record in ood} == {None, "Dyer", "Sketcher"}
    assert [record.label for record in ood].count("real") == 12 and {record.fold for record in ood} == {0}
    for record in ood:
        check_image(record)
    assert {record.id for record in ood}.isdisjoint(record.id for record in records)


def noise(seed: int, width: int = 320, height: int = 200) -> Image.Image:
    """A picture unlike any other: noise of few pixels, enlarged."""
    pixels = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def test_photographs_of_a_folder(tmp_path):
    """At any depth; those that look alike share a fold, and large ones are scaled down."""
    photos = tmp_path / "photos"
    (photos / "deep").mkdir(parents=True)
    for index in range(7):
        noise(index).save(photos / f"{index}.png")
    noise(0, 1600, 1000).save(photos / "deep" / "large.jpg")
    (photos / "notes.txt").write_text("no image")
    found = {photo.name: photo for photo in photos_in(photos)}
    assert list(found) == [*(f"{index}.png" for index in range(7)), "deep/large.jpg"]
    assert found["0.png"].fold == found["deep/large.jpg"].fold
    assert {photo.fold for photo in found.values()} == {0, 1, 2, 3}
    assert found["deep/large.jpg"].image.size == (1024, 640) and found["1.png"].image.size == (320, 200)

    records = make(tmp_path / "world", "--photos", photos, "--train", 40, "--test", 20)
    assert {record.class_name for record in records if record.fold == 0} == {
        photo.name for photo in found.values() if photo.fold == 0
    }
    assert all(found[record.class_name].fold == record.fold for record in records)


@pytest.mark.parametrize(
    "pictures, message",
    [
        ([], r"--photos: expected at least 4 photographs that do not resemble each other, found 0 in "),
        ([noise(0)] * 5, r"expected at least 4 photographs that do not resemble each other, found 5 in "),
        ([*map(noise, range(4)), noise(9, 79, 200)], r"4\.png: expected sides of at least 80 pixels, found 79x200"),
    ],
)
def test_photographs_that_will_not_do(tmp_path, pictures, message):
    for index, picture in enumerate(pictures):
        picture.save(tmp_path / f"{index}.png")
    with pytest.raises(DataError, match=message):
        photos_in(tmp_path)


def test_a_broken_photograph_is_named(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"a\.jpg: cannot identify image file"):
        photos_in(tmp_path)


def test_regions_of_an_image_lie_apart(world):
    _, records = world
    for record in records:
        covered = np.zeros((120, 120), int)
        for x1, y1, x2, y2 in (map(int, region.bbox) for region in record.regions):
            covered[y1:y2, x1:x2] += 1
        assert covered.max(initial=0) <= 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.generator)
@pytest.mark.parametrize("difficulty", [0.0, 1.0])
def test_flaws_change_their_boxes_and_nothing_else(kind, difficulty):
    rng = np.random.default_rng(7)
    for _ in range(5):
        drawn = None
        while drawn is None:
            clean = toy_world.real_image(rng, COFFEE)
            drawn = toy_world.fake_image(rng, clean, kind, difficulty)
        fake, regions = drawn
        change = np.abs(fake - clean).mean(axis=2)
        assert bool(regions) == bool(kind.captions)
        outside = np.ones(change.shape, bool)
        for x1, y1, x2, y2 in (map(int, region.bbox) for region in regions):
            assert change[y1:y2, x1:x2].mean() > 5
            outside[y1:y2, x1:x2] = False
        if regions:
            assert change[outside].max() == 0
        else:
            assert change.mean() > 5


def salience(kind: Kind, difficulty: float) -> tuple[float, float]:
    """Mean change of a pixel in the boxes, and mean share of the image they cover."""
    rng = np.random.default_rng(1)
    changes, shares = [], []
    while len(changes) < 12:
        clean = toy_world.real_image(rng, COFFEE)
        if drawn := toy_world.fake_image(rng, clean, kind, difficulty):
            flawed = np.zeros((120, 120), bool)
            for x1, y1, x2, y2 in (map(int, region.bbox) for region in drawn[1]):
                flawed[y1:y2, x1:x2] = True
            flawed |= not drawn[1]
            changes.append(np.abs(drawn[0] - clean)[flawed].mean())
            shares.append(flawed.mean())
    return float(np.mean(changes)), float(np.mean(shares))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.generator)
def test_difficulty_makes_flaws_fainter_and_smaller(kind):
    (easy, large), (hard, small) = salience(kind, 0.0), salience(kind, 1.0)
    assert hard < 0.6 * easy
    assert not kind.captions or small < 0.6 * large


@pytest.mark.parametrize(
    "options, message",
    [
        (("--train", "0", "--test", "0"), "expected numbers of images"),
        (("--train", "-1"), "expected numbers of images"),
        (("--difficulty", "1.5"), "expected 0 to 1, found 1.5"),
        (("--ood", "4"), "--ood: expected --held-out KIND..."),
        (("--held-out", *(kind.generator for kind in KINDS)), "--held-out: expected some kinds, found all"),
        (("--held-out", "Painter"), "invalid choice: 'Painter'"),
        (("--photos", "nowhere"), "--photos: expected a folder of photographs, found 'nowhere'"),
    ],
)
def test_bad_options_are_reported(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.setattr(sys, "argv", ["toy_world.py", "--out", str(tmp_path), *options])
    with pytest.raises(SystemExit, match="2"):
        toy_world.main()
    assert message in capsys.readouterr().err


def test_nothing_in_it_is_doubtful(world):
    doubts = Doubts()
    for record in world[1]:
        doubts.add(record)
    assert doubts.regions > 100 and list(doubts.warnings()) == []
