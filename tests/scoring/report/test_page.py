"""The page as a file: its content, text that stays text, and a policy that allows only its own script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from swift_plugins.fakexplain.scoring.report import page as page_module
from swift_plugins.fakexplain.scoring.report.gallery import build_gallery
from swift_plugins.fakexplain.scoring.report.page import Section, render_report
from swift_plugins.fakexplain.scoring.tables.render import to_html
from swift_plugins.fakexplain.scoring.tables.table import Column, Row, Table
from tests.scoring.runs import answer, line, write_run

EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)> \\ \\u003c {{ 7 * 7 }} <!--"
SUMMARY = {
    "7B": {"n": 12345, "accuracy": 0.98234, "iou": 0.36, "intervals": {"accuracy": [0.97, 0.99], "iou": [0.34, 0.38]}},
    "NPR": {"n": 12345, "accuracy": 0.5, "iou": None, "intervals": {"accuracy": None}},
}
TABLE = to_html(Table("t", "Table", [Column("Accuracy")], [Row(EVIL, [0.5])]))


class Seen(HTMLParser):
    """Tags, attributes, text and scripts of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.scripts: list[tuple[dict, str]] = []
        self.within = ""
        self.feed(html)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.within = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self.within = ""

    def handle_data(self, data):
        if self.within == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self.within != "style":
            self.texts.append(data)


@pytest.fixture
def evil(tmp_path: Path):
    """A gallery in which every text is hostile."""
    region = {"bbox": [1.0, 2.0, 50.0, 60.0], "caption": EVIL}
    said = answer("fake", 0.5, 0.9, regions=[region], tags=["texture_error"], problems=[EVIL], text=EVIL)
    lines = [line(EVIL + str(i), regions=[region], generator=EVIL, answers={EVIL: said}) for i in range(3)]
    run = write_run(tmp_path, lines, (EVIL, "other" + EVIL), dataset=EVIL, perturbation=EVIL)
    return build_gallery([run], votes={EVIL + "0": {EVIL: 1.0}})


def whole(gallery=None) -> str:
    summary = {EVIL: SUMMARY["7B"], **SUMMARY}
    sections = [Section("table-1", EVIL, TABLE, EVIL), Section(EVIL, "Two", "<p>two</p>")]
    return render_report(EVIL, summary, sections, gallery, about=EVIL)


def test_markup_of_texts_is_text(evil):
    seen = Seen(whole(evil))
    assert [attributes.get("type") for attributes, _ in seen.scripts] == ["application/json", None]
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert "img" not in seen.tags
    # title, heading, about; a system's heading and choice; a section's in contents, heading, note; table; generator
    assert seen.text.count(" ".join(EVIL.split())) >= 10
    assert "49" not in seen.text  # nor is it taken for a template


def test_the_data_comes_back_from_the_page(evil):
    data = json.loads(Seen(whole(evil)).scripts[0][1])
    assert data["images"] == json.loads(json.dumps(evil.images))
    assert data["images"][0]["regions"][0]["caption"] == EVIL
    assert data["images"][0]["votes"] == {EVIL: 1.0}


def test_only_the_pages_own_script_may_run(evil):
    """The policy names the hash of the one script's source, and allows no requests."""
    seen = Seen(whole(evil))
    policies = [content for _, content in seen.attributes if content and "default-src" in content]
    assert len(policies) == 1
    policy = dict(part.strip().split(" ", 1) for part in policies[0].split(";"))
    expected = base64.b64encode(hashlib.sha256(seen.scripts[1][1].encode()).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "'unsafe-inline'",
        "script-src": f"'sha256-{expected}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_script_makes_no_markup_of_text_and_ends_where_it_ends():
    script = Path(page_module.__file__).with_name("report.js").read_text()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch(", "</",
                 "<!--", "import(", "XMLHttpRequest"):  # fmt: skip
        assert word not in script


def test_nothing_is_fetched(evil):
    html = whole(evil).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|@import|url\(|<link|<iframe", html)
    sources = [value for name, value in Seen(html).attributes if name in ("src", "href", "action", "data", "srcset")]
    assert sources and all(value.startswith("#") for value in sources)


def test_each_image_occurs_once(evil):
    html = whole(evil)
    assert len(evil.images) == 3
    assert html.count("data:image/jpeg;base64,") == 3
    assert all(html.count(image["src"].partition(",")[2]) == 3 for image in evil.images)  # the three are of one colour


def test_headline_metrics_have_their_intervals():
    text = Seen(render_report("Report", SUMMARY, [], None)).text
    assert "7B Accuracy 98.2 % 97.0 % to 99.0 % IoU 0.360 0.340 to 0.380 12,345 images" in text
    assert "NPR Accuracy 50.0 % IoU — 12,345 images" in text
    assert "its 95 % interval" in text


def test_without_intervals_the_page_does_not_mention_them():
    result = {"n": 3, "accuracy": 0.5, "iou": None, "intervals": {}}
    text = Seen(render_report("Report", {"7B": result}, [], None)).text
    assert "Accuracy 50.0 % IoU — 3 images" in text and "interval" not in text


def test_contents_lead_to_every_section(evil):
    seen = Seen(whole(evil))
    links = [value for name, value in seen.attributes if name == "href"]
    targets = [value for name, value in seen.attributes if name == "id"]
    assert links == ["#table-1", f"#{EVIL}", "#gallery"]
    assert {link[1:] for link in links} <= set(targets)
    assert len(targets) == len(set(targets))


def test_without_images_there_is_no_gallery(tmp_path):
    empty = build_gallery([write_run(tmp_path, [line("a")])], limit=0)
    for gallery in (None, empty):
        seen = Seen(whole(gallery))
        assert [attributes for attributes, _ in seen.scripts] == [{}]
        assert "form" not in seen.tags and "noscript" not in seen.tags and "#gallery" not in dict(seen.attributes)


def test_without_scripts_a_line_says_that_the_gallery_is_missing(evil):
    html = whole(evil)
    assert html.count("<noscript>") == 1 and "scripts are switched off" in html
    assert html.index('<form id="filters" hidden') > html.index("<noscript>")
    assert html.index("<table>") < html.index("<noscript>")


def test_the_same_input_gives_the_same_bytes(evil):
    assert whole(evil) == whole(evil)
    assert whole(evil).endswith("</html>")


def test_a_filter_without_choices_is_hidden(evil):
    html = whole(evil)
    assert '<label hidden>Data set<select name="set">' in html
    assert '<label>System<select name="system">' in html  # there are two
