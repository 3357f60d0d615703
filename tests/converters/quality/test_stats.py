"""Statistics: every figure by hand, files that are the same twice, plots that can be drawn of anything."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

from converters.quality.stats import AREA_EDGES, GRID, Stats
from converters.quality.stats_files import PLOTS, STATS_FILES, save_stats
from swift_plugins.fakexplain.annotation import parse_record
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file


def stats_of(*records):
    stats = Stats()
    for line, each in enumerate(records, 1):
        stats.add(parse_record(each, line=line))
    return stats


def boxes(*corners, **changes):
    """A record of a 100x100 image."""
    regions = [{"bbox": list(each), "caption": "Hand with six fingers."} for each in corners]
    return record(0, width=100, height=100, regions=regions, **changes)


def test_counts_and_shapes_by_hand():
    # conftest's fake record: boxes 40x29.5 and 40x40 of 120x90, so 1180 / 10800 and 1600 / 10800
    found = stats_of(
        record(0, family="drawn", annotator="a07", fold=2),
        record(1, regions=[], tags=[]),
        record(2, label="real", generator=None, note=1),
    ).as_dict()
    assert (found["records"], found["regions"], found["fake_images_without_a_region"]) == (3, 2, 1)
    assert found["regions_a_fake_image"] == 1.0 and found["regions_a_fake_image_in_the_paper"] == 5.42
    assert found["counts"] == {
        "label": {"fake": 2, "real": 1},
        "tags": {"structure_attribute_error": 1},
        "fold": {"2": 1},
        "family": {"drawn": 1},
        "generator": {"paint": 2},
        "annotator": {"a07": 1},
        "class_name": {"class-0": 1, "class-1": 1, "class-2": 1},
        "other fields, kept": {"note": 1},
    }
    assert found["generators"] == [
        {"family": None, "generator": "paint", "fake": 1, "real": 0},
        {"family": "drawn", "generator": "paint", "fake": 1, "real": 0},
    ]
    assert found["regions_of_a_fake_image"] == {"0": 1, "2": 1}
    # "Hand with six fingers." and "Sign with illegible letters."
    assert found["caption_words"] == {"4": 2} and found["caption_characters"] == {"22": 1, "28": 1}
    assert found["box_area"]["mean_share"] == pytest.approx((1180 + 1600) / 10800 / 2)
    assert found["box_area"]["boxes"] == [0, 0, 0, 0, 0, 0, 0, 2, 0, 0]  # both above 10 and up to 20 %
    assert found["image_sizes"] == [{"width": 120, "height": 90, "images": 3}]


@pytest.mark.parametrize(
    ("box", "bin"),
    [
        ((0, 0, 100, 100), 9),
        ((0, 0, 50, 100), 8),  # a border lies in the bin below it
        ((0, 0, 51, 100), 9),
        ((0, 0, 1, 10), 0),
        ((0, 0, 1, 11), 1),
        ((0, 0, 1e-9, 1e-9), 0),
    ],
)
def test_areas_fall_into_bins(box, bin):
    expected = [0] * (len(AREA_EDGES) - 1)
    expected[bin] = 1
    assert stats_of(boxes(box)).areas == expected


def test_places_are_the_shares_of_cells_that_boxes_cover():
    """On a 32x64 image and a grid of 32 cells a side, a cell is 1 wide and 2 high."""
    cell = record(0, width=32, height=64, regions=[{"bbox": [2.5, 3, 4, 6], "caption": "Hand with six fingers."}])
    expected = np.zeros((GRID, GRID))
    expected[1, 2] = 0.25  # half its width, half its height
    expected[1, 3] = expected[2, 2] = 0.5
    expected[2, 3] = 1
    assert stats_of(cell).places == pytest.approx(expected)
    assert stats_of(cell, cell).places == pytest.approx(2 * expected)
    whole = stats_of(boxes((0, 0, 100, 100), (0, 0, 50, 100)))
    assert whole.places[:, 0] == pytest.approx(2) and whole.places[:, -1] == pytest.approx(1)


def test_places_agree_with_counting_pixels():
    rng = np.random.default_rng(0)
    side = GRID * 8
    pixels = np.zeros((side, side))
    corners = []
    for _ in range(20):
        (x1, x2), (y1, y2) = (sorted(rng.choice(side + 1, 2, replace=False)) for _ in range(2))
        pixels[y1:y2, x1:x2] += 1
        corners.append({"bbox": [int(v) for v in (x1, y1, x2, y2)], "caption": "Hand with six fingers."})
    found = stats_of(record(0, width=side, height=side, regions=corners)).places
    assert found == pytest.approx(pixels.reshape(GRID, 8, GRID, 8).mean(axis=(1, 3)))


def test_generators_stand_by_family_the_largest_first():
    names = [("gan", "b"), ("gan", "a"), ("dit", "c"), ("gan", "b"), (None, "d"), ("gan", None)]
    found = stats_of(*(record(index, family=family, generator=name) for index, (family, name) in enumerate(names)))
    assert [(family, name, labels["fake"]) for family, name, labels in found.by_family()] == [
        ("", "d", 1),
        ("dit", "c", 1),
        ("gan", "b", 2),
        ("gan", "", 1),
        ("gan", "a", 1),
    ]


def test_files_are_whole_and_the_same_twice(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        many = [record(index, generator=rf"$\bad{{{index}$ " + "long " * 9, family="x") for index in range(50)]
        save_stats(stats_of(*many, record(99, "real")), tmp_path / name)
    assert sorted(each.name for each in (tmp_path / "one").iterdir()) == sorted(STATS_FILES)
    for name in STATS_FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    for name in PLOTS:
        with Image.open(tmp_path / "one" / f"{name}.png") as image:
            image.load()
            assert set(image.info) == {"dpi"}  # neither time nor version
            assert image.convert("L").getextrema()[0] < 100  # something is drawn


def test_csv_by_hand(tmp_path):
    save_stats(stats_of(record(0, family="drawn"), record(1, "real", class_name=None)), tmp_path)
    assert (tmp_path / "counts.csv").read_text().splitlines() == [
        "field,value,records",
        "label,fake,1",
        "label,real,1",
        "tags,structure_attribute_error,1",
        "family,drawn,1",
        "generator,camera,1",
        "generator,paint,1",
        "class_name,class-0,1",
    ]
    assert (tmp_path / "generators.csv").read_text() == "family,generator,fake,real\n,camera,0,1\ndrawn,paint,1,0\n"
    assert (tmp_path / "image_sizes.csv").read_text() == "width,height,images\n120,90,2\n"
    assert (tmp_path / "histograms.csv").read_text().splitlines()[:5] == [
        "histogram,above,up_to,count",
        "regions of a fake image,1,2,1",
        "words of a caption,3,4,2",
        "characters of a caption,21,22,1",
        "characters of a caption,27,28,1",
    ]


@pytest.mark.parametrize("records", [[record(0, "real", generator=None)], [record(0, regions=[], tags=[])]])
def test_plots_of_nothing_say_so(tmp_path, records):
    save_stats(stats_of(*records), tmp_path)
    assert {path.stem for path in tmp_path.glob("*.png")} == set(PLOTS)


# -- the command -------------------------------------------------------------------------------------------------------


def test_names_beyond_the_font_are_drawn_without_a_warning(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        save_stats(stats_of(record(0, generator="\u10ff\u0530")), tmp_path)
        assert warnings.filters == before
    assert not [str(each.message) for each in caught if "Glyph" in str(each.message)]


def test_stats_prints_tables(tmp_path):
    path = write_annotations_file(
        tmp_path, [record(0, fold=0, family="drawn"), record(1, regions=[], fold=0), record(2, "real", fold=1)]
    )
    done = fakexplain("stats", path)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == (
        "3 records, 2 regions, 1.00 regions per fake image (paper: 5.42), 1 fake images without a region\n"
        "\n"
        "label  records  share\n"
        "fake         2  66.7%\n"
        "real         1  33.3%\n"
        "\n"
        "tag                        fake images   share\n"
        "structure/attribute error            2  100.0%\n"
        "artistic style                       0    0.0%\n"
        "other anomaly                        0    0.0%\n"
        "perspective error                    0    0.0%\n"
        "texture error                        0    0.0%\n"
        "unknown object                       0    0.0%\n"
        "\n"
        "family  generator  fake  real\n"
        "—       camera        0     1\n"
        "—       paint         1     0\n"
        "drawn   paint         1     0\n"
        "\n"
        "fold  records  share\n"
        "0           2  66.7%\n"
        "1           1  33.3%\n"
        "\n"
        "class    records  share\n"
        "class-0        1  33.3%\n"
        "class-1        1  33.3%\n"
        "class-2        1  33.3%\n"
        "\n"
        "regions  fake images  share\n"
        "0                  1  50.0%\n"
        "2                  1  50.0%\n"
        "\n"
        "per caption  mean  min  5%  median  95%  max\n"
        "words         4.0    4   4       4    4    4\n"
        "characters   25.0   22  22      22   28   28\n"
        "\n"
        "box area     boxes   share\n"
        "0 to 0.1%        0    0.0%\n"
        "0.1 to 0.2%      0    0.0%\n"
        "0.2 to 0.5%      0    0.0%\n"
        "0.5 to 1%        0    0.0%\n"
        "1 to 2%          0    0.0%\n"
        "2 to 5%          0    0.0%\n"
        "5 to 10%         0    0.0%\n"
        "10 to 20%        2  100.0%\n"
        "20 to 50%        0    0.0%\n"
        "50 to 100%       0    0.0%\n"
        "mean 12.9% of the image\n"
        "\n"
        "image size  records   share\n"
        "120x90            3  100.0%\n"
    )


def test_bad_records_stop_it_or_are_counted(tmp_path):
    path = write_annotations_file(tmp_path, [record(0), record(1, fold=7), record(2)])
    out = tmp_path / "out"
    done = fakexplain("stats", path, "-o", out)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"error: {path}:2: fold: expected")
    assert not out.exists() and not list(tmp_path.glob("*.partial"))
    done = fakexplain("stats", path, "-o", out, "--keep-going")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: 1 of 3 records in {path} are bad"
    assert json.loads((out / "stats.json").read_text())["records"] == 2


def test_nothing_is_overwritten_unasked(tmp_path):
    path = write_annotations_file(tmp_path, [record(0)])
    out = tmp_path / "out"
    out.mkdir()
    (out / "stats.json").write_text("mine")
    done = fakexplain("stats", path, "-o", out, NO_COLOR="1", COLUMNS="200")
    assert done.returncode == 2 and "--force overwrites it" in done.stderr
    assert (out / "stats.json").read_text() == "mine"
    assert fakexplain("stats", path, "-o", out, "--force").returncode == 0
    assert json.loads((out / "stats.json").read_text())["records"] == 1
