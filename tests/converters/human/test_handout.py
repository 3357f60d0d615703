"""The handout: which examples it chooses, and a page that needs nothing else."""

import re

import pytest

from converters.human.handout import choose_examples, render_handout, tag_meanings
from swift_plugins.fakexplain.annotation import parse_record
from swift_plugins.fakexplain.tags import TAG_WORDS, TAGS
from tests.cli.command import fakexplain
from tests.conftest import record, write_annotations_file

GENERATORS = ("VAR", "DiT", "FLUX.1-dev")


def data_set(fakes=36, real=12):
    found = [
        record(index, tags=[TAGS[index % 6]], generator=GENERATORS[index // 6 % 3], id=f"f{index}")
        for index in range(fakes)
    ]
    return found + [record(index, "real", id=f"r{index}") for index in range(real)]


def test_each_tag_has_examples_of_several_generators_and_real_ones_without_it():
    found = choose_examples(map(parse_record, data_set()), 2, seed=4)
    assert tuple(found) == TAGS
    for tag, examples in found.items():
        assert [tag in each.tags for each in examples.positive] == [True, True]
        assert len({each.generator for each in examples.positive}) == 2
        assert [each.label for each in examples.negative] == ["real", "real"]
    shown = [each.id for examples in found.values() for each in (*examples.positive, *examples.negative)]
    assert len({*shown}) == 24  # no image twice, as there are enough
    assert choose_examples(map(parse_record, data_set()), 2, seed=4) == found
    assert choose_examples(map(parse_record, data_set()), 2, seed=5) != found


def test_fake_images_without_the_tag_stand_in_for_real_ones():
    found = choose_examples(map(parse_record, data_set(12, 1)), 3)
    for tag, examples in found.items():
        assert len(examples.positive) == 2  # of three asked for
        assert [each.label for each in examples.negative] == ["real", "fake", "fake"]
        assert not [each for each in examples.negative if tag in each.tags]


def test_the_meanings_are_those_of_the_labelling_page():
    meanings = tag_meanings()
    assert tuple(meanings) == TAGS and "vanishing points" in meanings["perspective_error"]


def test_the_page_holds_everything(tmp_path):
    caption = "<script>alert(1)</script> beside a hand."
    regions = [{"bbox": [1.0 * index, 0.0, 50.0, 45.0], "caption": caption} for index in range(8)]
    path = write_annotations_file(tmp_path, [*data_set(6, 1), record(9, tags=[TAGS[0]], regions=regions, id="x")])
    out = tmp_path / "handout.html"
    done = fakexplain("label-studio", "handout", path, "--examples", 1, "--title", "A & B", "-o", out)
    assert done.returncode == 0 and done.stdout == f"handout in {out}\n", done.stderr
    page = out.read_text()
    assert "<title>A &amp; B</title>" in page and "<script" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page) and "url(" not in page
    assert page.count('src="data:image/jpeg;base64,') == 12
    assert all(f"<h3>{words.capitalize()}</h3>" in page for words in TAG_WORDS.values())
    assert "reach 20 %" in page and "reach 33 %" in page


def test_long_lists_of_captions_are_cut_and_said(tmp_path):
    regions = [{"bbox": [1.0 * index, 0.0, 50.0, 45.0], "caption": f"Hand {index}."} for index in range(8)]
    write_annotations_file(tmp_path, [record(0, tags=[TAGS[0]], regions=regions)])
    example = parse_record(record(0, tags=[TAGS[0]], regions=regions), folder=tmp_path)
    page = render_handout(choose_examples([example], 1), "x")
    assert "<li>Hand 5.</li>" in page and "Hand 6." not in page and "And 2 more." in page
    assert page.count("The data set has no example.") == 5 + 1  # and no image that could be a negative one of the first


def test_what_a_data_set_lacks_is_said(tmp_path):
    path = write_annotations_file(tmp_path, [record(0)])
    done = fakexplain("label-studio", "handout", path, "-o", tmp_path / "h.html")
    assert done.returncode == 0
    assert "  structure_attribute_error: 1 positive and 0 negative examples\n" in done.stdout
    (tmp_path / "images/fake-000.png").unlink()
    done = fakexplain("label-studio", "handout", path, "-o", tmp_path / "other.html")
    assert done.returncode == 1 and done.stderr.startswith(f"error: {path}:1: image: expected an image file")
    assert not (tmp_path / "other.html").exists()


@pytest.mark.e2e
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_fits_a_narrow_window(tmp_path, chromium, width):
    long = {"bbox": [0.0, 0.0, 50.0, 45.0], "caption": "W" * 300}
    path = write_annotations_file(tmp_path, [record(index, regions=[long], tags=list(TAGS)) for index in range(3)])
    assert fakexplain("label-studio", "handout", path, "-o", tmp_path / "h.html").returncode == 0
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    chromium.get((tmp_path / "h.html").as_uri())
    assert chromium.execute_script("return document.documentElement.scrollWidth") <= width
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
