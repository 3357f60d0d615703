"""`fakexplain calibrate`, and `fakexplain score --operating-point`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.operating_point import OperatingPoint, read_operating_point, write_operating_point
from swift_plugins.fakexplain.scoring.run import load_run
from tests.cli.command import fakexplain
from tests.cli.predictions import RIGHT
from tests.scoring.runs import answer, line, write_run

POINT = OperatingPoint(0.9, (0.5, 0.9), 0.01, 0.02, 300, 2, 2.0, "runs/main", "7B")
REAL = "<think>\nNo visible flaw.\n</think>\n<tag>none</tag>\n<verdict>real</verdict>"


def run_of(folder: Path, real: list[float | None], fake: list[float | None], *systems: str) -> Path:
    pairs = [("real", p) for p in real] + [("fake", p) for p in fake]
    names = systems or ("7B",)
    answers = [{name: answer(label, p_fake=p) for name in names} for label, p in pairs]
    write_run(folder, [line(f"i{i}", label, answers[i]) for i, (label, _) in enumerate(pairs)], names)
    return folder


def test_too_few_real_images_are_said(tmp_path: Path):
    run = run_of(tmp_path / "run", [index / 150 for index in range(120)], [0.9] * 40 + [0.6] * 5 + [None])
    out = tmp_path / "operating_point.json"
    done = fakexplain("calibrate", run, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:5] == [
        "7B: threshold 0.793333, unsure from 0.5 to 0.793333",
        "0 of 120 real images are called fake; the 95 % upper bound of the false positive rate is 2.5 %: at least 299 "
        "real images are needed to show 1 % at 95 %",
        "120 real images: fake 0, real 75, unsure 45",
        "46 fake images: fake 40, real 0, unsure 6",
        "without P(fake), and therefore unsure: 1 of 166 images",
    ]
    assert done.stdout.splitlines()[5].endswith("(cross-validated)")
    point = read_operating_point(out)
    assert (point.threshold, point.n_real, point.run, point.system) == (119 / 150, 120, str(run), "7B")
    again = fakexplain("calibrate", run, "--out", out, COLUMNS="400")
    assert (again.returncode, "already exists" in again.stderr) == (2, True)
    assert fakexplain("calibrate", run, "--out", out, "--force", "--fpr", "0.05").returncode == 0
    assert read_operating_point(out).fpr == 0.05


def test_enough_real_images_show_the_rate(tmp_path: Path):
    run = run_of(tmp_path / "run", [0.1] * 299, [0.9])
    done = fakexplain("calibrate", run, "-o", tmp_path / "point.json")
    assert (
        "0 of 299 real images are called fake; the 95 % upper bound of the false positive rate is 1 %\n" in done.stdout
    )
    assert "too few of a label to hold out" in done.stdout


def test_nothing_is_fake_where_real_images_are_certain(tmp_path: Path):
    run = run_of(tmp_path / "run", [1.0] * 3, [1.0])
    done = fakexplain("calibrate", run, "-o", tmp_path / "point.json", "--miss", "0.2")
    assert done.returncode == 0, done.stderr
    assert "no image can be called fake: too many real images have a P(fake) of 1" in done.stdout
    assert "real is 95 %: at least 14 fake images are needed to show 20 %" in done.stdout


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ((), 2, "the run has several systems, name one of 7B, 3B"),
        (("--system", "8B"), 2, "expected one of 7B, 3B, found '8B'"),
        (("--fpr", "0"), 2, "expected a rate between 0 and 1, found 0.0"),
        (("--system", "3B", "--miss", "1"), 2, "expected a rate between 0 and 1, found 1.0"),
        (("--system", "3B"), 1, "found none; run `swift infer` with --logprobs true --top_logprobs 2"),
    ],
)
def test_what_it_refuses(tmp_path: Path, options: tuple[str, ...], code: int, message: str):
    run = run_of(tmp_path / "run", [None], [None], "7B", "3B")
    done = fakexplain("calibrate", run, "-o", tmp_path / "point.json", *options, COLUMNS="200")
    assert done.returncode == code
    assert message in done.stderr
    assert not (tmp_path / "point.json").exists()


def test_the_run_is_never_overwritten(tmp_path: Path):
    run = run_of(tmp_path / "run", [0.1], [0.9])
    before = (run / "run.json").read_bytes()
    assert fakexplain("calibrate", run, "-o", run / "run.json", "--force").returncode == 2
    assert (run / "run.json").read_bytes() == before


@pytest.fixture
def answers(annotations_file: Path, tmp_path: Path) -> Path:
    """Eight fakes, of P(fake) 0.95 and once each 0.7, 0.2 and unknown; eight reals, once each 0.95 and 0.6, the
    last without an answer."""
    p_fake = {"fake": [0.95] * 5 + [0.7, 0.2, None], "real": [0.95, 0.6] + [0.1] * 5}
    said = {"fake": RIGHT, "real": REAL}
    path = tmp_path / "out.jsonl"
    with open(path, "w") as file:
        for record in read_annotations(annotations_file):
            if p_fake[record.label]:
                fields = {
                    "response": said[record.label],
                    "image": str(record.path),
                    "p_fake": p_fake[record.label].pop(0),
                }
                file.write(json.dumps(fields) + "\n")
    return path


def test_score_decides_by_the_operating_point(annotations_file: Path, answers: Path, tmp_path: Path):
    write_operating_point(tmp_path / "point.json", POINT)
    args = ("score", answers, "--annotations", annotations_file, "--resamples", 0, "-o", tmp_path / "run")
    done = fakexplain(*args, "--operating-point", tmp_path / "point.json")
    assert done.returncode == 0, done.stderr
    run = load_run(tmp_path / "run")
    result = run.systems["out"]
    assert result["confusion"] == {
        "fake": {"fake": 5, "real": 1, "unsure": 2, "unreadable": 0, "missing": 0},
        "real": {"fake": 1, "real": 5, "unsure": 1, "unreadable": 0, "missing": 1},
    }
    assert (result["unsure"], result["accuracy_decided"], result["accuracy"]) == (4 / 16, 10 / 12, 10 / 16)
    assert (result["false_positive_rate"], result["recall"], result["precision"]) == (1 / 8, 5 / 8, 5 / 6)
    assert re.search(r"^unsure +0\.250\n+accuracy on decided +0\.833$", done.stdout, re.MULTILINE)
    assert run.settings["operating_points"]["out"]["threshold"] == 0.9
    verdicts = [record.extra["answers"]["out"] for record in read_annotations(tmp_path / "run/images.jsonl")]
    assert [each["verdict"] for each in verdicts if each].count("unsure") == 3
    report = fakexplain("report", tmp_path / "run", "-o", tmp_path / "report", "--gallery", 2)
    assert report.returncode == 0, report.stderr
    assert "Acc. on decided" in (tmp_path / "report/tables/detection.md").read_text()


def test_without_an_operating_point_nothing_is_unsure(annotations_file: Path, answers: Path, tmp_path: Path):
    args = ("--annotations", annotations_file, "--resamples", 0, "--json", tmp_path / "scores.json")
    done = fakexplain("score", answers, *args)
    result = json.loads((tmp_path / "scores.json").read_text())["out"]
    assert (result["unsure"], result["accuracy_decided"], result["accuracy"]) == (None, None, 15 / 16)
    assert "unsure" not in done.stdout


@pytest.mark.parametrize(
    ("option", "code", "message"),
    [
        ("8B={point}", 2, "expected NAME=FILE, with the name of a system (out, labels), found '8B'"),
        ("{point}", 2, "expected NAME=FILE, with the name of a system (out, labels)"),
        ("labels={point}", 1, "--operating-point labels: expected a system that writes answers"),
        ("out={point}.none", 1, "expected an operating point that `fakexplain calibrate` wrote, found no such file"),
    ],
)
def test_an_operating_point_belongs_to_a_system(
    annotations_file: Path, answers: Path, tmp_path: Path, option: str, code: int, message: str
):
    write_operating_point(tmp_path / "point.json", POINT)
    (tmp_path / "labels.csv").write_text("image,label\n")
    record = next(iter(read_annotations(annotations_file)))
    (tmp_path / "labels.csv").write_text(f"image,verdict\n{record.path},fake\n")
    args = ("score", answers, tmp_path / "labels.csv", "--annotations", annotations_file, "--resamples", 0)
    done = fakexplain(*args, "--operating-point", option.format(point=tmp_path / "point.json"), COLUMNS="200")
    assert done.returncode == code, done.stdout
    assert message in done.stderr


def test_an_operating_point_needs_p_fake(annotations_file: Path, predictions: Path, tmp_path: Path):
    write_operating_point(tmp_path / "point.json", POINT)
    args = ("score", predictions, "--annotations", annotations_file, "--operating-point", tmp_path / "point.json")
    done = fakexplain(*args)
    assert done.returncode == 1
    assert "--operating-point out: expected P(fake) of its answers, found none; run `swift infer`" in done.stderr


def test_an_operating_point_of_several_systems_wants_a_name(annotations_file: Path, answers: Path, tmp_path: Path):
    write_operating_point(tmp_path / "point.json", POINT)
    args = ("score", f"a={answers}", f"b={answers}", "--annotations", annotations_file)
    for option, found in ((tmp_path / "point.json", f"{tmp_path}/point.json"), (f"={tmp_path}/point.json", "")):
        done = fakexplain(*args, "--operating-point", option, COLUMNS="400", NO_COLOR="1", TERM="dumb")
        assert done.returncode == 2
        assert f"with the name of a system (a, b), found {found!r}" in " ".join(done.stderr.split())
