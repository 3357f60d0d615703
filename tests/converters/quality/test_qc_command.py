"""The command qc: accepted and rejected annotators, rejected records, files."""

import csv
import json

import pytest

from converters.quality.qc_files import QC_FILES
from swift_plugins.fakexplain.annotation import read_annotations
from tests.cli.command import fakexplain, fakexplain_process
from tests.conftest import write_annotations_file
from tests.converters.quality.judged import rec

REFERENCE = [
    rec("i1", boxes=[10], tags=["texture"]),
    rec("i2", boxes=[10]),
    rec("i3"),
    rec("i4", boxes=[10]),
]
RECORDS = [
    rec("i1", "on", [50], ["texture"]),  # 0.2, and so on the bound
    rec("i1", "below", [50.1], ["texture"]),  # 100 / 501 = 0.1996
    rec("i2", "on", [50]),
    rec("i2", "below", [50]),
    rec("i3", "on"),
    rec("i5", "below", [10], regions=[{"bbox": [0, 0, 9, 9], "caption": "There is a hand."}]),
    rec("i1", "tags", [10], ["perspective"]),  # agree in the region alone
    rec("i6", "new", [10]),
]


def test_personal_information_is_reported_with_annotators_of_later_records(tmp_path):
    caption = "Hand that Eve found; ask bob@example.org."
    records = [
        rec("i1", "a01", regions=[{"bbox": [0, 0, 9, 9], "caption": caption}], note="Call +49 30 1234567."),
        rec("i2", "eve@example.org", [10]),
    ]
    path = write_annotations_file(tmp_path, records)
    done = fakexplain("qc", path, "-o", tmp_path / "qc")
    assert done.returncode == 0, done.stderr
    assert [line.partition("i1@a01: ")[2] for line in done.stderr.splitlines()] == [
        "regions[0].caption: e-mail: contains 'bob@example.org'",
        "regions[0].caption: name: contains 'Eve'",
        "note: phone: contains '+49 30 1234567'",
    ]
    with open(tmp_path / "qc/lint.csv", newline="") as file:
        assert [row["rule"] for row in csv.DictReader(file)] == ["e-mail", "name", "phone"]
    assert "contains the name of an annotator" in (tmp_path / "qc/qc.html").read_text()


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "data"
    return write_annotations_file(folder, RECORDS), write_annotations_file(folder, REFERENCE, "reference.jsonl")


def test_qc_accepts_and_rejects_annotators(files, tmp_path):
    annotations, reference = files
    out = tmp_path / "deep" / "qc"
    done = fakexplain("qc", annotations, "--reference", reference, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        f"{annotations}:6: i5@below: regions[0].caption: noun-phrase: starts with 'there'"
    ]
    assert done.stdout.splitlines() == [
        "8 records, 5 images, 4 annotators",
        "",
        "annotator  verdict       records  compared       IoU      tags  same tags  same label",
        "below      reject              3         2   19.98 %  100.00 %   100.00 %    100.00 %",
        "new        not measured        1         0         —         —          —           —",
        "on         accept              3         3   20.00 %  100.00 %   100.00 %    100.00 %",
        "tags       reject              1         1  100.00 %    0.00 %     0.00 %    100.00 %",
        "",
        # IoU: (0.2 + 0.1996 + 0.2 + 0.2 + 1) / 5; tags: 5 / 6
        "against the reference, 6 records (1 without any region): IoU 35.99 % (paper: 42.35 %), "
        "tag agreement 83.33 % (paper: 79.67 %)",
        "without rejected annotators, 3 records: IoU 20.00 %, tag agreement 100.00 %",
        "reference records that no annotator covered: 1 of 4",
        # i1: below-on 500/501, below-tags 100/501, on-tags 0.2; i2: below-on 1
        "between annotators, 3 pairs with 4 images in common: IoU 59.94 %, tag agreement 50.00 %",
        f"captions: 1 warnings in {out / 'lint.csv'} (noun-phrase 1)",
        f"4 records in {out / 'accepted.jsonl'}, 4 in {out / 'rejected.jsonl'}",
    ]
    assert sorted(each.name for each in out.iterdir()) == sorted(QC_FILES)
    assert (out / "annotators.csv").read_text() == (
        "annotator,verdict,records,images,images_without_any_region,mean_iou,tag_agreement,same_tags,"
        "label_agreement,warnings\n"
        "below,reject,3,2,0,0.199800399,1.0,1.0,1.0,1\n"
        "new,not measured,1,0,0,,,,,0\n"
        "on,accept,3,3,1,0.2,1.0,1.0,1.0,0\n"
        "tags,reject,1,1,0,1.0,0.0,0.0,1.0,0\n"
    )
    assert (out / "pairs.csv").read_text() == (
        "annotator,other,images,images_without_any_region,mean_iou,tag_agreement,same_tags,label_agreement\n"
        "below,on,2,0,0.999001996,1.0,1.0,1.0\n"
        "below,tags,1,0,0.199600798,0.0,0.0,1.0\n"
        "on,tags,1,0,0.2,0.0,0.0,1.0\n"
    )
    with open(out / "lint.csv", newline="") as file:
        assert list(csv.reader(file))[1:] == [
            [
                str(annotations),
                "6",
                "i5@below",
                "below",
                "regions[0].caption",
                "noun-phrase",
                "starts with 'there'",
                "There is a hand.",
            ]
        ]
    stay, go = (list(read_annotations(out / f"{name}.jsonl")) for name in ("accepted", "rejected"))
    assert [each.id for each in stay] == ["i1@on", "i2@on", "i3@on", "i6@new"]  # in the file's order
    assert [each.id for each in go] == ["i1@below", "i2@below", "i5@below", "i1@tags"]
    assert stay[0].image == "../../data/images/i1.png" and all(each.path.is_file() for each in stay + go)
    metrics = json.loads((out / "qc.json").read_text())
    assert metrics["paper"] == {"mean_iou": 0.4235, "tag_agreement": 0.7967}
    assert metrics["overall"] == {
        "images": 6,
        "images_without_any_region": 1,
        "mean_iou": round((0.2 * 3 + 100 / 501 + 1) / 5, 9),
        "tag_agreement": round(5 / 6, 9),
        "same_tags": round(5 / 6, 9),
        "label_agreement": 1.0,
    }
    assert metrics["references_not_met"] == 1 and metrics["lint"] == {"noun-phrase": 1}


def test_bounds_are_options(files, tmp_path):
    annotations, reference = files
    options = ("--reference", reference, "--min-iou", "0.19", "--min-tags", "0", "--no-lint")
    done = fakexplain("qc", annotations, *options, "-o", tmp_path / "qc")
    assert done.returncode == 0 and done.stderr == ""
    assert "8 records in" in done.stdout and "captions" not in done.stdout
    assert (tmp_path / "qc/rejected.jsonl").read_bytes() == b""
    assert not (tmp_path / "qc/lint.csv").exists()


@pytest.mark.e2e
def test_the_same_input_gives_the_same_bytes(files, tmp_path):
    annotations, reference = files
    for name, run in (("one", fakexplain), ("two", fakexplain_process)):
        assert run("qc", annotations, "--reference", reference, "-o", tmp_path / name).returncode == 0
    for name in QC_FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_without_a_reference_nobody_is_rejected_and_names_are_optional(files, tmp_path):
    annotations, _ = files
    with open(annotations, "a") as file:
        file.write(json.dumps(rec("i1")) + "\n" + json.dumps(rec("i1", id="twice")) + "\n")
    done = fakexplain("qc", annotations, "-o", tmp_path / "qc")
    assert done.returncode == 0, done.stderr
    assert "between annotators: not measured; records without an annotator: 2" in done.stdout.splitlines()
    assert f"10 records in {tmp_path / 'qc/accepted.jsonl'}, 0 in" in done.stdout
    metrics = json.loads((tmp_path / "qc/qc.json").read_text())
    assert metrics["between"] is metrics["overall"] is metrics["references"] is None
    assert {each["verdict"] for each in metrics["annotators"]} == {"not measured"}


def test_bad_records_stop_it_or_are_counted(files, tmp_path):
    annotations, reference = files
    with open(annotations, "a") as file:
        file.write(json.dumps(rec("i1")) + "\n{}\n" + json.dumps(rec("i4", "on", [10])) + "\n")
    with open(reference, "a") as file:
        file.write(json.dumps(rec("i1", id="again")) + "\n")
    out = tmp_path / "qc"
    done = fakexplain("qc", annotations, "--reference", reference, "-o", out)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(f"error: {reference}:5: image: expected a unique image")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data"]  # nothing half-written
    done = fakexplain("qc", annotations, "--reference", reference, "-o", out, "--keep-going", "--no-lint")
    assert done.returncode == 1
    errors = done.stderr.splitlines()
    assert [error.split(": expected")[0] for error in errors[:3]] == [
        f"error: {reference}:5: image",
        f"error: {annotations}:9: annotator",
        f"error: {annotations}:10: id",
    ]
    assert errors[3:] == [f"error: 2 of 11 records in {annotations} are bad"]
    ids = [each.id for each in read_annotations(out / "accepted.jsonl")]
    assert ids == ["i1@on", "i2@on", "i3@on", "i6@new", "i4@on"]


def test_nothing_is_overwritten_unasked(files, tmp_path):
    annotations, _ = files
    out = tmp_path / "qc"
    out.mkdir()
    (out / "accepted.jsonl").write_text("mine")
    done = fakexplain("qc", annotations, "-o", out, NO_COLOR="1", COLUMNS="200")
    assert done.returncode == 2 and "--force overwrites it" in done.stderr
    assert [each.name for each in out.iterdir()] == ["accepted.jsonl"]
    assert (out / "accepted.jsonl").read_text() == "mine"
    assert fakexplain("qc", annotations, "-o", out, "--force").returncode == 0
    before = (out / "accepted.jsonl").read_bytes()
    done = fakexplain("qc", out / "accepted.jsonl", "-o", out, "--force", NO_COLOR="1", COLUMNS="200")
    assert done.returncode == 2 and "is an input" in done.stderr
    assert (out / "accepted.jsonl").read_bytes() == before


def test_a_reference_of_other_images_is_an_error(tmp_path):
    one = write_annotations_file(tmp_path / "one", [rec("a", "x")])
    other = write_annotations_file(tmp_path / "other", [rec("a")])
    done = fakexplain("qc", one, "--reference", other, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {one}: expected records of images that are also in {other}, found none; "
        "their image paths must lead to the same files\n"
    )
    assert not (tmp_path / "out").exists()
