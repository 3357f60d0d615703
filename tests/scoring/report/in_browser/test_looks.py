"""How the report looks in headless Chromium: widths, contrast, print, keyboard."""

from __future__ import annotations

import pytest

from tests.scoring.report.in_browser.browser import Browser

pytestmark = pytest.mark.e2e

WIDTHS, SCHEMES = (400, 1400), ("light", "dark")


@pytest.mark.parametrize("width", [320, *WIDTHS])
def test_nothing_is_wider_than_the_page(browser: Browser, width: int):
    browser.open(width=width)
    browser.ids()
    browser.js("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.js("return document.scrollingElement.scrollWidth") <= width
    wide = browser.js("const box = document.querySelector('.scroll'); return box.scrollWidth - box.clientWidth")
    assert wide > 0  # the table scrolls in its own box,
    assert browser.js(
        """const box = document.querySelector(".scroll"), name = box.querySelector("tbody .name");
           const before = name.getBoundingClientRect().x;
           box.scrollLeft = 200;
           return name.getBoundingClientRect().x - before"""
    ) == pytest.approx(0, abs=1)  # and the names stay


def test_wide_and_narrow_screens(browser: Browser):
    tops = "return [...document.querySelectorAll('.picture')].slice(0, 2).map((each) => each.getBoundingClientRect().y)"
    gold, pred = browser.open(width=1400).js(tops)
    assert gold == pred
    gold, pred = browser.open(width=400).js(tops)
    assert gold < pred
    visible = "return document.querySelector('#contents a').checkVisibility()"
    assert browser.open(width=1400).js(visible)
    assert not browser.open(width=400).js(visible)
    browser.js("document.querySelector('#contents summary').click()")
    assert browser.js(visible)
    links = (
        "return [...document.querySelectorAll('#contents a')].every((a) => document.getElementById(a.hash.slice(1)))"
    )
    assert browser.js(links)


CONTRASTS = """
const parse = (colour) => {
  const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
  return [r, g, b, a];
};
const over = ([r, g, b, a], under) => [r, g, b].map((value, i) => value * a + under[i] * (1 - a));
const ground = (element) => {
  const layers = [];
  for (let each = element; each; each = each.parentElement) layers.push(parse(getComputedStyle(each).backgroundColor));
  return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
};
const light = (colour) => {
  const [r, g, b] = colour.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
const found = [];
const add = (element, colour, under) => {
  const kind = element.className.baseVal ?? element.className;
  found.push([ratio(over(parse(colour), under), under), `${element.tagName}.${kind}`]);
};
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!(own || element.matches("input, select")) || !element.checkVisibility() || element.matches("option")) continue;
  if (element.ownerSVGElement) {
    const plate = element.parentElement.querySelector("rect");
    add(element, getComputedStyle(element).fill, parse(getComputedStyle(plate).fill).slice(0, 3));
  } else {
    add(element, getComputedStyle(element).color, ground(element));
    if (element.placeholder) add(element, getComputedStyle(element, "::placeholder").color, ground(element));
  }
}
return found;
"""


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_text_contrasts_with_its_background(browser: Browser, width: int, scheme: str):
    browser.open("#g:set=Main", width=width, scheme=scheme)
    dark = browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
    assert dark == (scheme == "dark")
    browser.ids()
    browser.js("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    contrasts = browser.js(CONTRASTS)
    assert len(contrasts) > 500
    kinds = {kind for _, kind in contrasts}
    assert {"P.verdict", "SPAN.mark", "text.", "SELECT.", "BUTTON.", "A.", "SPAN.interval"} <= kinds
    assert [each for each in contrasts if each[0] < 4.5] == []


def test_printed_pages_are_light_and_complete(browser: Browser):
    browser.open("#g:set=Main", scheme="dark", print_=True)
    assert browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = "return ['#filters', '#more', '#contents'].map((id) => document.querySelector(id).checkVisibility())"
    assert browser.js(hidden) == [False] * 3
    assert browser.js("return getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    browser.js("dispatchEvent(new Event('beforeprint'))")
    browser.until("return [...document.querySelectorAll('.card img')].every((img) => img.naturalWidth > 0)")


def test_the_keyboard_reaches_every_control(browser: Browser):
    from selenium.webdriver.common.keys import Keys

    browser.open()
    body = browser.driver.find_element("tag name", "body")
    reached: list[str] = []
    for _ in range(40):
        (browser.driver.switch_to.active_element or body).send_keys(Keys.TAB)
        reached.append(
            browser.js(
                """const at = document.activeElement, style = getComputedStyle(at);
                   const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                   return (at.name || at.id || at.hash || at.type || at.tagName) + (ring ? "" : " without a ring")"""
            )
        )
        if reached[-1] == "reset":
            break
    filters = ["system", "set", "verdict", "label", "generator", "tag", "least", "most", "words", "order", "reset"]
    assert reached[-len(filters) :] == filters
    assert "#table-0" in reached and "#gallery" in reached
    browser.js("document.querySelector('#filters [name=words]').focus()")
    browser.driver.switch_to.active_element.send_keys("evil", Keys.ENTER)
    assert browser.count() == "1 of 50 images" and browser.console() == []
