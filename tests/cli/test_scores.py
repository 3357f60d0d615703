"""`fakexplain score`: systems of every kind, what it prints and writes, how it ends."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.scoring.metrics.texts import caption_text
from swift_plugins.fakexplain.scoring.run import load_run
from tests.cli.command import fakexplain
from tests.cli.predictions import RIGHT, answer
from tests.scoring import forty

QUICK = ("--resamples", "0")


def cells(stdout: str, name: str) -> list[str]:
    """The cells of a row of the table that is printed."""
    (row,) = (line for line in stdout.split("\n\n")[0].splitlines() if line.startswith(f"{name}  "))
    return row.removeprefix(name).split()


def test_it_prints_and_writes(annotations_file: Path, predictions: Path, tmp_path: Path):
    done = fakexplain(
        *("score", f"ours={predictions}", predictions, "--annotations", annotations_file, *QUICK),
        *("--json", tmp_path / "scores.json", "--out", tmp_path / "run"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    # In pixels the answer is [9.643, 5.357, 50.357, 45] and [60, 50.357, 99.643, 80.357]; it shares 40 * 39.643 and
    # 39.643 * 29.5 with the gold, 2755.2 in all, of a union of 1600 + 1180 + 1614.0 + 1189.3 - 2755.2: 0.974.
    assert cells(done.stdout, "IoU") == ["0.974", "0.974"]
    assert cells(done.stdout, "accuracy") == ["0.500", "0.500"]
    assert cells(done.stdout, "without a verdict") == ["8", "8"]
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert list(scores) == ["ours", "out"]
    assert scores["ours"] == scores["out"]
    assert scores["ours"]["problems"]["no_verdict"] == 8
    run = load_run(tmp_path / "run")
    assert run.systems == scores
    assert (run.dataset, run.subset, run.records, run.perturbation) == ("data", "all", 16, None)
    assert run.settings["bootstrap"] == {"resamples": 0, "seed": 0, "level": 0.95, "strata": "label and fold"}
    assert len(list(read_annotations(tmp_path / "run/images.jsonl"))) == 16


def test_intervals_and_comparisons(annotations_file: Path, predictions: Path, tmp_path: Path):
    silent = tmp_path / "silent.jsonl"
    silent.write_text("".join(answer(each.path, "") for each in read_annotations(annotations_file)))
    args = ("score", f"silent={silent}", f"ours={predictions}", "--annotations", annotations_file)
    done = fakexplain(*args, "--resamples", "100", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert cells(done.stdout, "accuracy") == ["0.000", "[0.000,", "0.000]", "0.500", "[0.500,", "0.500]"]
    assert "ours against silent" in done.stdout
    assert "McNemar: ours alone is right on 8 images, silent alone on 0; p 0.008" in done.stdout  # 2 / 2⁸
    assert done.stdout == fakexplain(*args, "--resamples", "100", "--seed", "3").stdout


def test_the_frame_of_the_run_matters(annotations_file: Path, predictions: Path):
    """Boxes of the 112x84 frame, read as those of another, are off."""
    done = fakexplain("score", predictions, "--annotations", annotations_file, *QUICK, MAX_PIXELS=str(56 * 56))
    assert float(cells(done.stdout, "IoU")[0]) < 0.5


def test_four_folds_in_four_files_are_one_system(annotations_file: Path, tmp_path: Path):
    """Cross-validation (§5.2): pooled figures, and their mean and spread over folds."""
    paths = []
    for fold in range(4):
        paths.append(tmp_path / f"fold{fold}.jsonl")
        records = [each for each in read_annotations(annotations_file) if each.fold == fold]
        right = "<verdict>real</verdict>" if fold else ""
        paths[-1].write_text("".join(answer(r.path, RIGHT if r.label == "fake" else right) for r in records))
    out = tmp_path / "scores.json"
    args = [f"7B={path}" for path in paths]
    done = fakexplain("score", *args, "--annotations", annotations_file, *QUICK, "--json", out)
    assert done.returncode == 0, done.stderr
    scores = json.loads(out.read_text())["7B"]
    assert scores["accuracy"] == 14 / 16
    assert {fold: each["accuracy"] for fold, each in scores["folds"].items()} == {"0": 0.5, "1": 1, "2": 1, "3": 1}
    assert scores["over_folds"]["accuracy"] == {"mean": 0.875, "std": 0.25}
    assert re.search(r"^accuracy +0\.875 ± 0\.250$", done.stdout, re.MULTILINE)


def test_missing_answers_count_as_wrong_and_are_listed(annotations_file: Path, predictions: Path, tmp_path: Path):
    lines = predictions.read_text().splitlines(keepends=True)
    predictions.write_text("".join(lines[:2] + lines[8:]))
    out = tmp_path / "scores.json"
    done = fakexplain("score", predictions, "--annotations", annotations_file, *QUICK, "--json", out)
    assert done.returncode == 0, done.stderr
    assert cells(done.stdout, "accuracy") == ["0.312"]  # 5 / 16
    missing = ["fake-001", "real-001", "fake-002", "real-002", "fake-003", "real-003"]
    assert json.loads(out.read_text())["out"]["missing"] == missing
    assert done.stdout.endswith(
        "\nout: 6 of 16 images have no answer and count as wrong: fake-001, real-001, fake-002, real-002, fake-003 …\n"
    )


def test_a_subset_is_all_that_counts(annotations_file: Path, predictions: Path):
    records = list(read_annotations(annotations_file))
    lines = zip(records, predictions.read_text().splitlines(keepends=True), strict=True)
    predictions.write_text("".join(line for record, line in lines if record.fold == 2))
    args = ("score", predictions, "--annotations", annotations_file, *QUICK)
    done = fakexplain(*args, "--subset", "fold2_test")
    assert cells(done.stdout, "images") == ["4"]
    assert "no answer" not in done.stdout
    whole = fakexplain(*args)
    assert "12 of 16 images have no answer" in whole.stdout
    assert whole.stdout.endswith("All answers belong to fold 2; use --subset fold2_test to score that fold alone.\n")
    other = fakexplain(*args, "--subset", "fold1_test")
    assert other.returncode == 1
    assert "which none of the records of fold1_test has (nor the images of 3 other answers)" in other.stderr


def test_the_variant_of_a_subset(annotations_file: Path, predictions: Path):
    done = fakexplain("score", predictions, "--annotations", annotations_file, *QUICK, "--subset", "all__no_tags")
    assert done.returncode == 0, done.stderr
    assert "exact tags" not in done.stdout
    args = ("score", predictions, "--annotations", annotations_file, "--subset", "all__no_tags", "--variant", "no_bbox")
    assert fakexplain(*args).returncode == 2


def test_baselines_of_every_kind(tmp_path: Path):
    """Forty images, the truth as labels, scores, boxes and masks: everything that is known is 1."""
    annotations, _ = forty.write(tmp_path)
    records = forty.records()
    (tmp_path / "labels.csv").write_text(
        "image,prob\n" + "".join(f"{r['image']},{0.9 if r['label'] == 'fake' else 0.2}\n" for r in records)
    )
    (tmp_path / "labels01.csv").write_text(
        "path,pred\n" + "".join(f"{r['image']},{int(r['label'] == 'real')}\n" for r in records)
    )
    boxes = {r["image"]: [region["bbox"] for region in r["regions"]] for r in records}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    (tmp_path / "images").mkdir()
    from PIL import Image

    for record in records:
        Image.new("RGB", (512, 512)).save(tmp_path / record["image"], compress_level=1)
    assert fakexplain("export", annotations, "--to", "masks", "-o", tmp_path / "masks").returncode == 0
    (tmp_path / "masks" / "labels.csv").unlink()
    shutil.rmtree(tmp_path / "images")
    out = tmp_path / "scores.json"
    done = fakexplain(
        *("score", f"NPR={tmp_path / 'labels.csv'}", f"DIRE={tmp_path / 'labels01.csv'}", "--one-is", "real"),
        *(f"LEGION={tmp_path / 'boxes.json'}", "--fake-if-boxes"),
        *(f"SegFormer={tmp_path / 'masks'}", f"SegFormer={tmp_path / 'labels.csv'}"),
        *("--annotations", annotations, *QUICK, "--json", out),
    )
    assert done.returncode == 0, done.stderr
    scores = json.loads(out.read_text())
    # no box is annotated on image 21, which is fake all the same
    accuracy = {"NPR": 1.0, "DIRE": 1.0, "LEGION": 39 / 40, "SegFormer": 1.0}
    assert {name: each["accuracy"] for name, each in scores.items()} == accuracy
    assert {name: each["iou"] for name, each in scores.items()} == {
        "NPR": None,
        "DIRE": None,
        "LEGION": 1,
        "SegFormer": 1,
    }
    assert {name: each["auroc"] for name, each in scores.items()} == {
        "NPR": 1,
        "DIRE": None,
        "LEGION": None,
        "SegFormer": 1,
    }
    assert scores["LEGION"]["box_f1"] == 1 and scores["SegFormer"]["box_f1"] is None
    assert all(each[name] is None for each in scores.values() for name in ("format_rate", "bleu2", "tags_exact"))


def test_boxes_without_verdicts_say_how_to_get_them(tmp_path: Path):
    annotations, _ = forty.write(tmp_path)
    (tmp_path / "boxes.json").write_text(json.dumps({each["image"]: [] for each in forty.records()}))
    done = fakexplain("score", f"LEGION={tmp_path / 'boxes.json'}", "--annotations", annotations, *QUICK)
    assert done.returncode == 0, done.stderr
    assert "LEGION gives no verdict, so it is wrong on every image" in done.stdout


def test_the_run_of_perturbed_images_says_so(annotations_file: Path, tmp_path: Path):
    assert fakexplain("perturb", annotations_file, "jpeg:80", "-o", tmp_path / "p").returncode == 0
    annotations = tmp_path / "p/jpeg-80/annotations.jsonl"
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(answer(each.path, RIGHT) for each in read_annotations(annotations)))
    args = ("--annotations", annotations, *QUICK, "-o", tmp_path / "run", "--dataset", "ours")
    assert fakexplain("score", answers, *args).returncode == 0
    run = load_run(tmp_path / "run")
    assert (run.perturbation, run.dataset) == ("jpeg:80", "ours")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--template", "llava"), 2, "its model frame is not known"),
        (("--variant", "short"), 2, "'short' is not one of 'full', 'no_bbox'"),
        (("--max-pixels", "0"), 2, "greater than or equal to 1"),
        (("--subset", "fold7_test"), 2, "no such subset"),
        (("--one-is", "2"), 2, "'2' is not one of 'fake', 'real'"),
        (
            ("--column", "colour=a"),
            2,
            "expected ROLE=NAME, ROLE one of image, verdict, score, boxes, text, found 'colour=a'",
        ),
        (("--resamples", "-1"), 2, "greater than or equal to 0"),
        (("--out", "."), 2, "holds an input"),
        (("--json", "data/annotations.jsonl", "--force"), 2, "is an input"),
        (("none.jsonl",), 1, "none.jsonl: expected "),
    ],
)
def test_it_refuses_what_it_does_not_know(
    annotations_file: Path, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args, code, message
):
    monkeypatch.chdir(tmp_path)
    done = fakexplain("score", predictions, "--annotations", annotations_file, *args, COLUMNS="200", NO_COLOR="1")
    assert done.returncode == code
    assert message in " ".join(done.stderr.split())


def test_two_files_of_one_name_want_names(annotations_file: Path, predictions: Path, tmp_path: Path):
    (tmp_path / "b").mkdir()
    shutil.copy(predictions, tmp_path / "b" / "out.jsonl")
    args = ("score", predictions, tmp_path / "b" / "out.jsonl", "--annotations", annotations_file)
    done = fakexplain(*args, COLUMNS="200", NO_COLOR="1")
    assert done.returncode == 2
    assert "two files are called out; write NAME=FILE" in done.stderr


def test_a_run_is_not_overwritten_without_force(annotations_file: Path, predictions: Path, tmp_path: Path):
    args = ("score", predictions, "--annotations", annotations_file, *QUICK, "--out", tmp_path / "run")
    assert fakexplain(*args).returncode == 0
    before = {each.name: each.read_bytes() for each in (tmp_path / "run").iterdir()}
    assert fakexplain(*args).returncode == 2
    assert fakexplain(*args, "--force").returncode == 0
    assert {each.name: each.read_bytes() for each in (tmp_path / "run").iterdir()} == before


BOXES = {  # the gold boxes [10, 5, 50, 45] and [60, 50.5, 100, 80] of the first record, in each frame
    "pixels": "[10, 5, 50, 45] Sign.\n[60, 50.5, 100, 80] Hand.",
    "norm1000": "[83.3, 55.6, 416.7, 500] Sign.\n[500, 561.1, 833.3, 888.9] Hand.",
    "norm1": "[0.0833, 0.0556, 0.4167, 0.5] Sign.\n[0.5, 0.5611, 0.8333, 0.8889] Hand.",
    "yx1000": "[55.6, 83.3, 500, 416.7] Sign.\n[561.1, 500, 888.9, 833.3] Hand.",
    "yx1024": "<loc0057><loc0085><loc0512><loc0427> Sign ; <loc0575><loc0512><loc0910><loc0853> Hand",
}


class TestFrames:
    """Systems of one call whose boxes are in different frames; the image is 120x90, its boxes those of `RIGHT`."""

    def files(self, annotations_file: Path, folder: Path) -> list[str]:
        fakes = [each for each in read_annotations(annotations_file) if each.label == "fake"]
        for name, boxes in BOXES.items():
            text = f"{boxes}\n<verdict>fake</verdict>"
            (folder / f"{name}.jsonl").write_text("".join(answer(each.path, text) for each in fakes))
        return [f"{name}={folder / name}.jsonl" for name in BOXES]

    def test_one_call_mixes_them(self, annotations_file: Path, tmp_path: Path):
        files = self.files(annotations_file, tmp_path)
        frames = [arg for name in BOXES for arg in ("--frame", f"{name}={name}")]
        args = (
            "--annotations",
            annotations_file,
            *QUICK,
            "--json",
            tmp_path / "scores.json",
            "--out",
            tmp_path / "run",
        )
        done = fakexplain("score", *files, *frames, *args)
        assert done.returncode == 0, done.stderr
        scores = json.loads((tmp_path / "scores.json").read_text())
        assert {name: round(each["iou"], 1) for name, each in scores.items()} == dict.fromkeys(BOXES, 1.0)
        assert not any(each["problems"][code] for each in scores.values() for code in ("shares", "beyond_frame"))
        assert "--frame" not in done.stdout
        assert load_run(tmp_path / "run").settings["frames"] == {name: name for name in BOXES}

    def test_numbers_of_another_frame_are_named_with_a_hint(self, annotations_file: Path, tmp_path: Path):
        done = fakexplain("score", *self.files(annotations_file, tmp_path), "--annotations", annotations_file, *QUICK)
        assert done.returncode == 0, done.stderr
        notes = {line.split(":")[0]: line for line in done.stdout.splitlines() if "--frame" in line}
        assert notes.keys() == {"norm1000", "norm1", "yx1000", "yx1024"}
        assert notes["norm1"].endswith("If they are in another frame, add --frame norm1=norm1.")
        assert "the frame of fx_qwen2_5_vl (outside_frame 8, beyond_frame 8)" in notes["norm1000"]

    @pytest.mark.parametrize(
        ("option", "error"),
        [
            ("pixels", "expected NAME=FRAME, FRAME one of pixels, norm1000, norm1, yx1000, yx1024, found 'pixels'"),
            ("pixels=thirds", "expected NAME=FRAME"),
            ("other=pixels", "expected the name of a system, one of pixels, norm1000"),
        ],
    )
    def test_bad_usage(self, option: str, error: str, annotations_file: Path, tmp_path: Path):
        files = self.files(annotations_file, tmp_path)
        done = fakexplain("score", *files, "--frame", option, "--annotations", annotations_file)
        assert done.returncode == 2
        assert error in " ".join(re.sub("[│╭╰─╮╯]", " ", done.stderr).split())


class TestExplanationsInProse:
    """Systems without regions, whose explanation is compared with the captions (Table 2)."""

    def test_a_column_of_a_table(self, annotations_file: Path, tmp_path: Path):
        records = list(read_annotations(annotations_file))
        lines = [f"{each.image},{each.label},{' '.join(caption_text(each))}" for each in records]
        (tmp_path / "table.csv").write_text("\n".join(["image,verdict,explanation", *lines]))
        (tmp_path / "labels.csv").write_text("\n".join(["image,verdict", *(line.rpartition(",")[0] for line in lines)]))
        files = (f"texts={tmp_path / 'table.csv'}", f"labels={tmp_path / 'labels.csv'}")
        done = fakexplain("score", *files, "--annotations", annotations_file, *QUICK)
        assert done.returncode == 0, done.stderr
        assert cells(done.stdout, "ROUGE-L") == ["1.000", "—"]
        assert cells(done.stdout, "accuracy") == ["1.000", "1.000"]

    def test_answers(self, annotations_file: Path, tmp_path: Path):
        path = tmp_path / "vlm.jsonl"
        records = list(read_annotations(annotations_file))
        text = "[CLS] This is a fake image. The sign has letters of no alphabet."
        path.write_text("".join(answer(each.path, text) for each in records))
        args = ("--annotations", annotations_file, *QUICK, "--json", tmp_path / "scores.json", "--force")
        rouge = []
        for prose in ((), ("--prose", "vlm")):
            done = fakexplain("score", f"vlm={path}", *prose, *args)
            assert done.returncode == 0, done.stderr
            scores = json.loads((tmp_path / "scores.json").read_text())["vlm"]
            assert (scores["accuracy"], scores["problems"]["sentence_verdict"]) == (0.5, 16)
            rouge.append(scores["rouge_l"])
        assert rouge[0] == 0 < rouge[1] < 1
        assert fakexplain("score", f"vlm={path}", "--prose", "shield", *args).returncode == 2
