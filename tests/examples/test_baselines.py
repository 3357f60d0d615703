"""The baselines learn what they are shown, answer in the form that `fakexplain score` reads, and report bad input."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from examples import baseline_classification, baseline_segmentation, baselines
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.scoring.run import load_run
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file

SCRIPTS = {"segformer": baseline_segmentation, "cnn.csv": baseline_classification}
MODELS = {"segformer": baseline_segmentation.Segmenter, "cnn.csv": baseline_classification.Classifier}
TRAIN = {"segformer": "masks/train", "cnn.csv": "folders/train"}
FAST = ("--epochs", "1", "--side", "32", "--batch", "16", "--device", "cpu")

both = pytest.mark.parametrize("out", SCRIPTS)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """40 images of 120x90, in folds and exported; the fakes have black boxes, and one image lies in a label folder."""
    folder = tmp_path_factory.mktemp("world")
    records = [record(index, label, fold=index % 4) for index in range(20) for label in ("fake", "real")]
    records[0]["image"] = "images/nature/fake-000.png"
    (folder / "images/nature").mkdir(parents=True)
    annotations = write_annotations_file(folder, records)
    for each in read_annotations(annotations):
        pixels = np.random.default_rng(each.line).integers(120, 200, (90, 120, 3), np.uint8)
        for x1, y1, x2, y2 in (map(round, region.bbox) for region in each.regions):
            pixels[y1:y2, x1:x2] = 0
        Image.fromarray(pixels).save(each.path)
    for to, part in (("masks", "train"), ("masks", "test"), ("folders", "train")):
        done = fakexplain("export", annotations, "--to", to, "--subset", f"fold0_{part}", "--out", folder / to / part)
        assert done.returncode == 0, done.stderr
    return folder


def run(world: Path, out: Path, monkeypatch, *options: str, **paths: Path) -> None:
    """Run the script that writes an output of this name; `paths` replace its own."""
    known = {"train": world / TRAIN[out.name], "test": world / "masks/test", "images": world, "out": out} | paths
    words = [word for name, path in known.items() for word in (f"--{name}", str(path))]
    monkeypatch.setattr(sys, "argv", ["baseline", *words, *FAST, *options])
    SCRIPTS[out.name].main()


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {str(each.relative_to(path.parent)): each.read_bytes() for each in files}


def test_score_reads_the_answers(world, tmp_path, monkeypatch, capsys):
    run(world, tmp_path / "segformer", monkeypatch)
    run(world, tmp_path / "cnn.csv", monkeypatch)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"{tmp_path / 'segformer'}: 10 masks, and labels.csv",
        f"{tmp_path / 'cnn.csv'}: 10 labels",
    ]
    assert "image/s" not in printed.err
    masks = sorted((tmp_path / "segformer/masks").rglob("*.png"))
    assert len(masks) == 10
    for path in masks:
        with Image.open(path) as mask:
            assert (mask.size, mask.mode) == ((120, 90), "L")
            assert set(np.unique(mask)) <= {0, 255}
    done = fakexplain(
        *("score", f"seg={tmp_path / 'segformer/masks'}", f"seg={tmp_path / 'segformer/labels.csv'}"),
        *(f"cnn={tmp_path / 'cnn.csv'}", "--annotations", world / "annotations.jsonl", "--subset", "fold0_test"),
        *("--resamples", "0", "--out", tmp_path / "run"),
    )
    assert done.returncode == 0, done.stderr
    systems = load_run(tmp_path / "run").systems
    assert list(systems) == ["seg", "cnn"]
    for system in systems.values():
        assert (system["n"], system["answered"]) == (10, 10)
        assert 0 <= system["auroc"] <= 1
    assert systems["seg"]["iou"] is not None and systems["cnn"]["iou"] is None


@both
def test_the_seed_decides_every_byte_and_the_test_labels_none(out, world, tmp_path, monkeypatch):
    first, second, other = (tmp_path / name / out for name in ("first", "second", "other"))
    run(world, first, monkeypatch, "--seed", "3")
    shutil.copytree(world / "masks/test", tmp_path / "test")
    table = tmp_path / "test/labels.csv"
    table.write_text(
        table.read_text().replace(",fake\n", ",FAKE\n").replace(",real\n", ",fake\n").replace("FAKE", "real")
    )
    run(world, second, monkeypatch, "--seed", "3", test=tmp_path / "test")
    run(world, other, monkeypatch, "--seed", "4")
    assert contents(first) == contents(second)
    assert contents(first) != contents(other)


@both
def test_a_batch_is_memorised(out, tmp_path):
    """Boxes on the grid of the masks, whose cells are four pixels wide, so that a perfect answer has no loss."""
    chance = torch.Generator().manual_seed(1)
    images = torch.randint(120, 200, (8, 3, 32, 32), generator=chance, dtype=torch.uint8)
    masks = torch.zeros(8, 32, 32, dtype=torch.uint8)
    for index in range(0, 8, 2):
        masks[index, 2 * index : 2 * index + 16, 0:20] = 255
    images[(masks == 255)[:, None].expand_as(images)] = 0
    torch.manual_seed(0)
    model = MODELS[out]()
    options = argparse.Namespace(epochs=40, batch=8, learning_rate=1e-2, seed=0, device="cpu", train=tmp_path)
    losses = baselines.train(model, images, ["fake", "real"] * 4, masks if out == "segformer" else None, options)
    assert len(losses) == 40
    assert np.mean(losses[-5:]) < 0.15 * losses[0]
    p_fake, found = baselines.answer(model, images, options)
    assert [p > 0.5 for p in p_fake] == [True, False] * 4
    if found:
        image = tmp_path / "image.png"
        Image.new("RGB", (32, 32)).save(image)
        answers = np.stack([np.asarray(baselines.mask_image(logits, image)) for logits in found]) > 0
        gold = masks.numpy() > 0
        assert (answers & gold).sum() > 0.8 * (answers | gold).sum()


def replace(name: str, old: str, new: str):
    """A change of a copied folder: one text in one of its files."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    ("out", "which", "change", "words"),
    [
        ("segformer", "train", shutil.rmtree, "expected a folder that `fakexplain export --to masks` wrote, found no"),
        (
            "segformer",
            "train",
            empty,
            "labels.csv: expected the table that `fakexplain export --to masks` writes, found",
        ),
        ("segformer", "train", replace("labels.csv", "mask", "path"), "labels.csv:1: expected the columns image, mask"),
        ("segformer", "train", replace("labels.csv", ",real", ",true"), "label: expected fake or real, found 'true'"),
        ("segformer", "train", replace("labels.csv", ",images/", ",../images/"), "expected a path inside the folder"),
        (
            "segformer",
            "train",
            replace("labels.csv", "images/", "none/"),
            "image: expected an image file, found no file",
        ),
        (
            "segformer",
            "train",
            lambda folder: shutil.rmtree(folder / "images"),
            "expected an image file, found no file",
        ),
        ("segformer", "test", shutil.rmtree, "expected a folder that `fakexplain export --to masks` wrote, found no"),
        (
            "cnn.csv",
            "test",
            lambda folder: (folder / "labels.csv").write_text("image,mask,label\n"),
            "expected at least",
        ),
        ("cnn.csv", "train", shutil.rmtree, "expected a folder of label folders, found no such folder"),
        ("cnn.csv", "train", empty, "expected images in 0_real and 1_fake, from `fakexplain export --to folders`"),
        (
            "cnn.csv",
            "train",
            lambda folder: shutil.rmtree(folder / "1_fake"),
            "expected real and fake images, found real",
        ),
        ("cnn.csv", "train", lambda folder: (folder / "0_real").rename(folder / "other"), "found an image in neither"),
    ],
)
def test_bad_folders_are_reported(out, which, change, words, world, tmp_path, monkeypatch):
    source = world / (TRAIN[out] if which == "train" else "masks/test")
    shutil.copytree(source, tmp_path / "copy")
    change(tmp_path / "copy")
    with pytest.raises(SystemExit) as ended:
        run(world, tmp_path / out, monkeypatch, **{which: tmp_path / "copy"})
    assert words in ended.value.code
    assert str(tmp_path) in ended.value.code or str(world) in ended.value.code
    assert [each.name for each in tmp_path.iterdir()] in ([], ["copy"])


@pytest.mark.parametrize("options", [("--epochs", "0"), ("--side", "-1"), ("--learning-rate", "nan"), ("--batch", "x")])
def test_bad_options_are_reported(options, world, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(world, tmp_path / "cnn.csv", monkeypatch, *options)
    assert options[0] in capsys.readouterr().err
