"""Quality control: metrics by hand, accepted and rejected annotators, rejected records, files."""

import csv
import json
import os

import pytest

from converters.quality.agreement import Agreement, ImageAgreement, compare, judgement_of
from converters.quality.comparisons import Comparisons
from converters.quality.qc_files import QC_FILES
from swift_plugins.fakexplain.annotation import parse_record, read_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.images import image_key
from tests.cli.command import fakexplain, fakexplain_process
from tests.conftest import write_annotations_file


def rec(image, annotator=None, boxes=(), tags=(), label="fake", **changes):
    """A record of a 100x100 image; a box is its width, 10 high, from the upper left corner."""
    fields = {
        "id": f"{image}@{annotator}" if annotator else image,
        "image": f"images/{image}.png",
        "width": 100,
        "height": 100,
        "label": label,
        "regions": [{"bbox": [0, 0, width, 10], "caption": "Hand with six fingers."} for width in boxes],
        "tags": [f"{tag}_error" for tag in tags],
    }
    return fields | ({"annotator": annotator} if annotator else {}) | changes


def annotation(line=1, **fields):
    return parse_record(rec(**fields), file="a.jsonl", line=line)


def compared(reference, records, **settings):
    """Comparisons of records, given as the arguments of `rec`."""
    made = Comparisons(**settings)
    for line, each in enumerate(reference, 1):
        made.add_reference(annotation(line, **each))
    for line, each in enumerate(records, 1):
        made.add(annotation(line, **each))
    return made


@pytest.mark.parametrize(
    ("a", "b", "iou", "tags", "same_tags", "same_label"),
    [
        # 10x10 of 50x10: 100 / 500; one tag of three
        ({"boxes": [10], "tags": ["texture"]}, {"boxes": [50], "tags": ["texture", "perspective"]}, 0.2, 0.5, 0, 1),
        ({"boxes": [10, 50]}, {"boxes": [50]}, 1.0, 1.0, 1, 1),  # a set is what its boxes cover together; no tags
        ({"boxes": [10], "tags": ["texture"]}, {"tags": ["perspective"]}, 0.0, 0.0, 0, 1),
        ({}, {"label": "real"}, None, 1.0, 1, 0),
    ],
)
def test_two_records_compared(a, b, iou, tags, same_tags, same_label):
    one, other = (judgement_of(annotation(image="x", **each)) for each in (a, b))
    for found in (compare(one, other), compare(other, one)):
        assert found == (None if iou is None else pytest.approx(iou), tags, same_tags, same_label)


@pytest.mark.parametrize(
    ("ious", "tags", "verdict"),
    [
        ([0.2] * 10, [1] * 10, "accept"),  # summed in floats: 1.9999999999999998
        ([0.1, 0.3], [1, 1], "accept"),
        ([0.2, 0.1999], [1, 1], "reject"),
        ([0.9] * 3, [1 / 3] * 3, "accept"),
        ([0.9] * 3, [1 / 3, 1 / 3, 0.33], "reject"),
        ([None], [1], "accept"),  # no region on either side: its IoU is not measured
        ([None, 0.1], [1, 1], "reject"),
        ([None], [0], "reject"),
        ([], [], "not measured"),
    ],
)
def test_a_bound_is_kept_by_who_is_exactly_on_it(ious, tags, verdict):
    agreement = Agreement()
    for iou, each in zip(ious, tags, strict=True):
        agreement.add(ImageAgreement(iou, each, same_tags=each == 1, same_label=True))
    assert agreement.verdict() == verdict


def test_images_without_any_region_count_in_no_mean_of_iou():
    made = compared([{"image": "a", "boxes": [10]}, {"image": "b"}], [
        {"image": "a", "annotator": "x", "boxes": [20]},
        {"image": "b", "annotator": "x"},
    ])  # fmt: skip
    found = made.annotators["x"].against
    assert (found.images, found.with_regions, found.mean_iou) == (2, 1, 0.5)


def test_pairs_are_of_annotators_with_an_image_in_common():
    made = compared([], [
        {"image": "a", "annotator": "z", "boxes": [10]},
        {"image": "a", "annotator": "x", "boxes": [20], "tags": ["texture"]},
        {"image": "b", "annotator": "x", "boxes": [10]},
        {"image": "b", "annotator": "z", "boxes": [40]},
        {"image": "b", "annotator": "y", "boxes": [10]},
        {"image": "c", "annotator": "y", "boxes": [10]},
    ])  # fmt: skip
    pairs = {names: (each.images, each.mean_iou, each.tag_agreement) for names, each in made.pairs().items()}
    # x and z: 1/2 on a, 1/4 on b; tags 0 on a, 1 on b
    assert pairs == {("x", "y"): (1, 1.0, 1.0), ("x", "z"): (2, 0.375, 0.5), ("y", "z"): (1, 0.25, 1.0)}


def test_one_file_is_one_image_by_whatever_path(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").touch()
    (tmp_path / "link.png").symlink_to("images/a.png")
    (tmp_path / "folder").symlink_to("images")
    paths = ("images/a.png", "images/../images/a.png", "link.png", "folder/a.png")
    assert {image_key(tmp_path / path) for path in paths} == {os.path.realpath(tmp_path / "images/a.png")}
    assert image_key(tmp_path / "images/b.png") == os.path.realpath(tmp_path / "images/b.png")


def test_the_worst_are_kept_in_order():
    widths = [50, 20, 100, 10, 25, 50]  # IoU with 10: 0.2, 0.5, 0.1, 1, 0.4, 0.2
    images = [f"i{index}" for index in range(len(widths))]
    made = compared(
        [{"image": image, "boxes": [10]} for image in images],
        [{"image": image, "annotator": "x", "boxes": [width]} for image, width in zip(images, widths, strict=True)],
        worst=3,
    )
    assert [each[:4] for each in made.worst()] == [(True, 0.1, 1.0, 3), (True, 0.2, 1.0, 1), (True, 0.2, 1.0, 6)]
    assert not compared([{"image": "a", "boxes": [10]}], [{"image": "a", "annotator": "x"}], worst=0).worst()


def test_another_label_is_worst_and_what_agrees_is_not_listed():
    images = {"flip": {"label": "real"}, "same": {"boxes": [10]}, "off": {"boxes": [10]}, "none": {"tags": ["texture"]}}
    made = compared(
        [{"image": image} | each for image, each in images.items()],
        [
            {"image": "flip", "annotator": "x"},
            {"image": "same", "annotator": "x", "boxes": [10]},
            {"image": "off", "annotator": "x", "boxes": [20]},
            {"image": "none", "annotator": "x", "tags": ["perspective"]},
        ],
    )
    assert [each[:4] for each in made.worst()] == [(False, -1, 1.0, 1), (True, -1, 0, 4), (True, 0.5, 1.0, 3)]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{"image": "a"}], r"^a.jsonl:1: annotator: expected the annotator's name, found nothing \(id 'a'\)$"),
        (
            [{"image": "a", "annotator": "x"}, {"image": "a", "annotator": "x", "id": "again"}],
            r"a.jsonl:2: annotator: expected one record per image and annotator \(line 1 has the first\), "
            r"found a second one, by 'x' \(id 'again'\)",
        ),
        (
            [{"image": "a", "annotator": "x"}, {"image": "a", "annotator": "y", "width": 90}],
            r"a.jsonl:2: width, height: expected the size that line 1 gives, 100x100, found 90x100",
        ),
        (
            [{"image": "ref", "annotator": "x", "height": 80}],
            r"a.jsonl:1: width, height: expected the size that the reference's line 1 gives, 100x100, found 100x80",
        ),
    ],
)
def test_a_record_that_cannot_be_compared_is_an_error(records, message):
    with pytest.raises(DataError, match=message):
        compared([{"image": "ref"}], records)


def test_a_rejected_record_leaves_no_trace():
    made = compared([{"image": "a", "boxes": [10]}], [{"image": "a", "annotator": "x", "boxes": [10]}])
    with pytest.raises(DataError):
        made.add(annotation(9, image="a", annotator="x", boxes=[50], id="again"))
    assert (made.records, made.has_line(1), made.has_line(9)) == (1, True, False)
    assert made.annotators["x"].against.mean_iou == 1.0


def test_a_reference_has_one_record_an_image():
    with pytest.raises(DataError, match="a.jsonl:2: image: expected a unique image \\(line 1 already has this one"):
        compared([{"image": "a"}, {"image": "a", "id": "b"}], [])


# -- the command -------------------------------------------------------------------------------------------------------

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
