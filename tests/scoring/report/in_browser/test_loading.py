"""The report's page in headless Chromium: what it loads, hostile texts, cards."""

from __future__ import annotations

import time

import pytest

from tests.scoring.report.in_browser.browser import HOSTILE, Browser

pytestmark = pytest.mark.e2e


def test_it_loads_from_a_file_and_requests_nothing_else(browser: Browser):
    browser.open()
    assert browser.count() == "50 of 50 images"
    assert len(browser.ids()) == 50
    browser.js("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    browser.js("document.getElementById('more').scrollIntoView(); scrollTo(0, document.body.scrollHeight)")
    browser.until("return [...document.images].at(-1).complete")
    requested = browser.requested()
    assert browser.page.as_uri() in requested
    assert not [url for url in requested if url != browser.page.as_uri() and not url.startswith("data:image/jpeg;")]
    entries = browser.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [name for name in entries if not name.startswith("data:")]
    assert browser.console() == []


def test_other_scripts_cannot_run(browser: Browser):
    """This browser enforces the policy: a script added to the page does not run, and the console reports it."""
    browser.open()
    browser.js(
        """const script = document.createElement("script");
           script.textContent = "window.hacked = 9";
           document.body.append(script);
           const image = document.createElement("img");
           image.src = "http://127.0.0.1:9/x.png";
           document.body.append(image)"""
    )
    assert browser.js("return window.hacked") is None
    said = browser.console()
    assert any("script-src" in message for message in said) and any("img-src" in message for message in said)


def test_hostile_captions_are_only_shown(browser: Browser):
    browser.open().set(words="evil")
    assert browser.count() == "1 of 50 images"
    browser.js("document.querySelector('.card').scrollIntoView()")
    texts = "return [...document.querySelectorAll('.card .pred li > span:last-child')].map((span) => span.textContent)"
    assert browser.js(texts) == HOSTILE
    assert browser.js("return document.querySelector('.card h3').textContent") == "evil" + HOSTILE[1]
    assert browser.js("return document.querySelector('.card pre').textContent") == "\n".join(HOSTILE[:-1])
    assert browser.js("return document.querySelectorAll('.card script, .card img:not([alt])').length") == 0
    assert browser.js("return window.hacked") is None
    assert browser.console() == []


def test_cards_come_on_demand_and_images_when_they_are_near(browser: Browser):
    browser.open()
    cards = "return document.querySelectorAll('.card').length"
    assert browser.js(cards) == 12
    browser.js("document.getElementById('more').click()")
    assert browser.js(cards) == 24
    assert browser.js("return document.activeElement === document.querySelectorAll('.card')[12]")
    assert browser.js("return document.getElementById('more').textContent") == "Show 12 more of 26"
    loaded = "return [...document.querySelectorAll('.card img')].map((img) => img.naturalWidth > 0)"
    time.sleep(0.3)
    assert browser.js(loaded) == [False] * 48  # two of each of 24 cards
    browser.js("document.querySelector('.card').scrollIntoView({ behavior: 'instant' })")
    browser.until("return document.querySelectorAll('.card img')[1].naturalWidth > 0")
    time.sleep(0.3)
    there = browser.js(loaded)
    assert 2 <= sum(there) <= 24 and there == sorted(there, reverse=True)
    browser.js("[...document.querySelectorAll('.card')].at(-1).scrollIntoView({ behavior: 'instant' })")
    browser.until("return [...document.querySelectorAll('.card img')].at(-1).naturalWidth > 0")


def test_a_card_shows_one_image_twice_below_boxes(browser: Browser):
    browser.open("#g:words=i01")
    browser.until("return document.querySelectorAll('.card img')[1].naturalWidth > 0")
    both = browser.js("return [...document.querySelectorAll('.card img')].map((img) => img.src)")
    assert len(both) == 2 and both[0] == both[1]
    fit = browser.js(
        """return [...document.querySelectorAll(".card .picture")].map((picture) => {
             const [img, svg] = ["img", "svg"].map((tag) => picture.querySelector(tag).getBoundingClientRect());
             return [img.x - svg.x, img.y - svg.y, img.width - svg.width, img.width / img.height]; })"""
    )
    assert fit == [[0, 0, 0, pytest.approx(120 / 90, rel=0.01)]] * 2
    box = browser.js(
        """const picture = document.querySelector(".card .gold .picture"), line = picture.querySelector(".line");
           const [a, b] = [picture.getBoundingClientRect(), line.getBoundingClientRect()];
           return [(b.left - a.x) / a.width, (b.right - a.x) / a.width,
                   (b.top - a.y) / a.height, (b.bottom - a.y) / a.height]"""
    )
    assert box == pytest.approx([10 / 120, 50 / 120, 5 / 90, 45 / 90], abs=0.01)  # SIGN of the record


def test_a_card_shows_all_data_of_its_image(browser: Browser):
    browser.open("#g:words=i01")
    text = " ".join(browser.js("return document.querySelector('.card').innerText").split())
    facts = ("i01", "Main · ", "120 × 90 pixels", "P(fake) 0.", "IoU 0.", "Annotated", "Predicted")
    for words in (*facts, "Humans 40.0 % ours 50.0 % neutral 10.0 %"):
        assert words in text
    browser.open("#g:verdict=none")
    assert "no answer; the image is real" in browser.js("return document.querySelector('.card').innerText")
    browser.open("#g:verdict=none&system=32B")
    text = browser.js("return document.querySelector('.card').innerText")
    assert "no readable verdict" in text and "Full text of the answer" in text
    browser.open("#g:set=Other")
    assert browser.ids() == ["o0", "o1", "o2", "o3", "o4"]
    text = browser.js("return document.querySelector('.card').innerText")
    assert "The image is not shown. image: expected an image file" in text
    assert "Hand with six fingers." in text and "right: fake" in text
    browser.open("#g:words=evil")
    lit = """const item = document.querySelectorAll(".card .pred li")[2];
             item.dispatchEvent(new PointerEvent(arguments[0]));
             return [...document.querySelectorAll(".card .on")].map((each) => each.dataset.mark)"""
    assert browser.js(lit, "pointerenter") == ["c", "c"]  # box and badge
    assert browser.js(lit, "pointerleave") == []
