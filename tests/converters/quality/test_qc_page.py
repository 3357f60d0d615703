"""The page of quality control: no script, no network, pictures of both sides."""

import base64
import io
from html.parser import HTMLParser

import pytest
from PIL import Image

from converters.quality.agreement import compare, judgement_of
from converters.quality.comparisons import Comparisons
from converters.quality.qc_files import collect_metrics
from converters.quality.qc_page import LONGER_SIDE, render_page
from swift_plugins.fakexplain.annotation import parse_record

EVIL = "<script>alert(1)</script>"
ATTRIBUTE = "\" onerror='alert(2)'"


def pair(folder, wh=(200, 100), name="a.png"):
    """An annotator's record and the reference's, full of markup."""
    Image.new("RGB", wh, "white").save(folder / name)
    base = {"id": EVIL, "image": name, "width": wh[0], "height": wh[1], "label": "fake", "tags": ["texture_error"]}
    regions = [{"bbox": [20, 20, 80, 80], "caption": f"Hand {EVIL}"}]
    mine = base | {"annotator": EVIL + ATTRIBUTE, "regions": [{"bbox": [120, 20, 180, 80], "caption": ATTRIBUTE}]}
    records = (mine, base | {"regions": regions})
    return tuple(parse_record(each, folder=folder, file="a.jsonl", line=1) for each in records)


def page(record, reference):
    comparisons = Comparisons()
    comparisons.add_reference(reference)
    comparisons.add(record)
    verdicts = {record.annotator: "reject"}
    lint = {"noun-phrase": 3}
    metrics = collect_metrics(comparisons, {}, verdicts, reference=True, min_iou=0.2, min_tags=1 / 3, lint=lint)
    rows = [{"annotator": EVIL, "other": "b"} | comparisons.overall().as_dict()]
    return render_page(metrics, rows, [(record, reference)])


class Seen(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data + " "


def test_markup_of_records_is_text(tmp_path):
    seen = Seen(page(*pair(tmp_path)))
    assert "script" not in seen.tags
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert f"Hand {EVIL}" in seen.text and EVIL + ATTRIBUTE in seen.text
    assert seen.text.count(EVIL) >= 5  # caption, id, and the annotator in table, pairs and heading


def test_nothing_is_fetched(tmp_path):
    html = page(*pair(tmp_path))
    links = [value for name, value in Seen(html).attributes if name in ("src", "href", "action", "data", "srcset")]
    assert links and all(link.startswith("data:image/jpeg;base64,") for link in links)
    assert not any(word in html for word in ("http:", "https:", "@import", "url("))


def test_the_picture_shows_the_boxes_of_both(tmp_path):
    """200x100 is 480x240 on the page; edges at 20 and 120 are at 48 and 288 there."""
    seen = dict(Seen(page(*pair(tmp_path))).attributes)
    picture = Image.open(io.BytesIO(base64.b64decode(seen["src"].partition(",")[2])))
    assert picture.format == "JPEG" and picture.size == (LONGER_SIDE, 240)
    assert (seen["width"], seen["height"]) == ("480", "240")
    blue, orange = (0, 114, 178), (230, 159, 0)  # the reference and the annotator
    for colour, x in ((blue, 48), (orange, 288)):
        column = [picture.getpixel((x + 1, y)) for y in range(60, 180)]
        near = sum(max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 40 for pixel in column)
        assert near > 40, colour
    assert picture.getpixel((240, 5)) == pytest.approx((255, 255, 255), abs=3)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "image: expected an image file, found no file"),
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "image: expected a readable image, found"),
        (lambda path: Image.new("RGB", (9, 9)).save(path), "width, height: expected the size of the image, 9x9"),
    ],
)
def test_an_image_that_cannot_be_read_is_words(tmp_path, spoil, words):
    record, reference = pair(tmp_path)
    spoil(record.path)
    seen = Seen(page(record, reference))
    assert "img" not in seen.tags
    assert f"The image is not shown. {words}" in seen.text


def test_metrics_stand_beside_the_papers(tmp_path):
    record, reference = pair(tmp_path)
    assert compare(judgement_of(record), judgement_of(reference))[:2] == (0.0, 1.0)
    text = " ".join(Seen(page(record, reference)).text.split())
    assert "Mean IoU 0.00 % paper: 42.35 %" in text
    assert "Tag agreement 100.00 % paper: 79.67 %" in text
    assert "noun-phrase does not start with a noun phrase, or is a whole sentence 3" in text


def test_without_reference_names_and_captions(tmp_path):
    comparisons = Comparisons(need_annotator=False)
    comparisons.add(pair(tmp_path)[1])
    metrics = collect_metrics(comparisons, {}, {}, reference=False, min_iou=0.2, min_tags=1 / 3, lint=None)
    text = " ".join(Seen(render_page(metrics, [], [])).text.split())
    assert text.endswith(
        "1 records of 1 images by 0 annotators. Records without an annotator: 1. "
        "Between annotators Not measured; records without an annotator: 1."
    )
