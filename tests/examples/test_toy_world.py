"""The toy world is what its records say: reproducible, balanced, its flaws where its boxes are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skimage")
pytest.importorskip("sklearn")

from converters.quality.doubts import Doubts
from examples import toy_world
from examples.toy_flaws import KINDS, Kind
from swift_plugins.fakexplain.annotation import Annotation, read_annotations, write_annotations
from swift_plugins.fakexplain.images import check_image
from swift_plugins.fakexplain.tags import TAGS

SCRIPT = Path(toy_world.__file__)


def make(out: Path, *, train: int, test: int, seed: int, difficulty: float = 0.0) -> list[Annotation]:
    records = toy_world.make_world(out, train=train, test=test, seed=seed, difficulty=difficulty)
    write_annotations(out / "annotations.jsonl", records)
    return list(read_annotations(out / "annotations.jsonl"))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("toy")
    return out, make(out, train=120, test=60, seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_same_command_gives_the_same_bytes_and_no_progress_bar_in_a_pipe(tmp_path):
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    options = ("--train", "24", "--test", "24", "--seed", "5", "--difficulty", "0.3")
    done = subprocess.run([sys.executable, SCRIPT, "--out", second, *options], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{second / 'annotations.jsonl'}: 48 images\n"
    make(first, train=24, test=24, seed=5, difficulty=0.3)
    make(other, train=24, test=24, seed=6, difficulty=0.3)
    assert len(contents(first)) == 49
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
            clean = toy_world.real_image(rng, "coffee.png")
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
        clean = toy_world.real_image(rng, "coffee.png")
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
        (
            (
                "--train",
                "-1",
            ),
            "expected numbers of images",
        ),
        (("--difficulty", "1.5"), "expected 0 to 1, found 1.5"),
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
