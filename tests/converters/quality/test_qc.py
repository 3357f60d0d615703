"""Quality control: metrics by hand, bounds, pairs, the worst, what cannot be compared."""

import os

import pytest

from converters.quality.agreement import Agreement, ImageAgreement, compare, judgement_of
from converters.quality.comparisons import Comparisons
from swift_plugins.fakexplain.annotation import parse_record
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.images import image_key
from tests.converters.quality.judged import rec


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
