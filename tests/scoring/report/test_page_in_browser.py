"""The report's page in headless Chromium, from file://; see `chromium` in tests/conftest.py."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from swift_plugins.fakexplain.scoring.report.gallery import build_gallery
from swift_plugins.fakexplain.scoring.report.page import Section, render_report
from swift_plugins.fakexplain.scoring.tables.render import to_html
from swift_plugins.fakexplain.scoring.tables.table import Column, Estimate, Row, Table
from tests.scoring.runs import answer, line, write_run

WIDTHS, SCHEMES = (400, 1400), ("light", "dark")
HOSTILE = [
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    '"><img src=x onerror="window.hacked = 3">',
    "\\ \\\\ \\u003cb> \\n {{ 7 * 7 }} ${window.hacked = 4}",
    "Claw 🤖 with 🖐🏽 and 👩‍👩‍👧",
    "אוזן שמאל עם ארבע אצבעות, ثم يد بستة أصابع \u202e backwards",
    "x" * 5000,
]


@pytest.fixture(scope="module")
def records() -> list[dict]:
    """Images on which two systems are right, wrong or silent, with every tag and generator; the last is hostile."""
    rng = random.Random(4)
    lines = []
    for index in range(44):
        label = "fake" if index % 4 else "real"
        answers: dict[str, Any] = {}
        for name in ("7B", "32B"):
            verdict = rng.choice(["fake", "real", "fake", "real", None])
            region = {"bbox": [10, 10, 60, 50], "caption": f"Knob of {name}, number {index}."}
            answers[name] = answer(
                verdict,
                round(rng.random(), 3) if label == "fake" else None,
                round(rng.random(), 3) if index % 5 else None,
                regions=[region] if verdict == "fake" else [],
                tags=rng.sample(["texture_error", "unknown_object"], 1) if verdict == "fake" else [],
                problems=[] if verdict else ["no_verdict"],
                **({} if verdict else {"text": HOSTILE[0]}),
            )
        answers["7B"] = answers["7B"] if index % 11 else None
        tags = [rng.choice(["artistic_style", "texture_error"])] if label == "fake" else []
        generator = rng.choice(["SD 1.5", "BigGAN"]) if label == "fake" else None
        lines.append(line(f"i{index:02}", label, answers, tags=tags, **({"generator": generator} if generator else {})))
    regions = [{"bbox": [5.0 * i, 10, 5.0 * i + 60, 80], "caption": text} for i, text in enumerate(HOSTILE)]
    said = answer("fake", 0.4, 0.9, regions=regions, problems=["extra_text"], text="\n".join(HOSTILE[:-1]))
    large = {"image": "large.png", "width": 1000, "height": 1000}
    answers = {"7B": said, "32B": said}
    lines.append(line("evil" + HOSTILE[1], answers=answers, regions=regions, generator=HOSTILE[2], **large))
    return lines


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, records: list[dict]) -> Path:
    """Forty-five images of one set and five of another, below tables that are wide and long."""
    folder = tmp_path_factory.mktemp("page")
    main = write_run(folder / "main", records, ("7B", "32B"))
    Image.new("RGB", (1000, 1000), "teal").save(folder / "main" / "large.png")
    Image.effect_noise((120, 90), 60).convert("RGB").save(folder / "main" / "grey.png")
    other = write_run(folder / "other", [line(f"o{index}") for index in range(5)], dataset="Other")
    (folder / "other" / "grey.png").unlink()
    gallery = build_gallery([main, other], limit=100, votes={"i01": {"Humans": 0.4, "ours": 0.5, "neutral": 0.1}})
    assert len(gallery.images) == 50
    columns = [Column(name, group=group, percent=True) for group in "ABCDEFGH" for name in ("Accuracy", "IoU")]
    rows = [Row(f"Generator {i}", [Estimate(0.5, 0.4, 0.6)] * 16, paper=i == 3, summary=i == 5) for i in range(30)]
    table = to_html(Table("wide", "Wide", columns, rows, ["A note."]))
    result = {"n": 45, "accuracy": 0.75, "iou": 0.36, "intervals": {"accuracy": [0.7, 0.8], "iou": [0.3, 0.4]}}
    sections = [Section(f"table-{i}", f"Table {i}", table, "A sentence.") for i in range(4)]
    html = render_report("Report", {"7B": result, "x" * 300: result}, sections, gallery, about=HOSTILE[0])
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


AT_REST = """Object.fromEntries([...document.querySelectorAll("#filters [name]")]
  .map((control) => [control.name, control.options ? control.options[0].value : ""]))"""


class Browser:
    """A page in the browser, and the actions of a reader."""

    def __init__(self, driver: Any, page: Path):
        self.driver, self.page = driver, page

    def open(self, hash: str = "", width: int = 1400, scheme: str = "light", print_: bool = False) -> Browser:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"media": "print" if print_ else "", "features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)  # empties it
        self.driver.get(self.page.as_uri() + hash)
        return self

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def set(self, **values: str) -> Browser:
        """Change filters as a user does."""
        self.js(
            """for (const [name, value] of Object.entries(arguments[0])) {
                 const control = document.querySelector(`#filters [name=${name}]`);
                 control.value = value;
                 if (control.value !== value) throw Error(`${name} cannot be ${value}`);
                 control.dispatchEvent(new Event("input", { bubbles: true }));
               }""",
            values,
        )
        return self

    def only(self, **values: str) -> Browser:
        """Change filters, and reset all others."""
        return self.set(**self.js(f"return {AT_REST}") | values)

    def values(self) -> dict[str, str]:
        """Values of the filters that differ from their defaults."""
        return self.js(
            f"""const rest = {AT_REST};
                return Object.fromEntries([...document.querySelectorAll("#filters [name]")]
                  .filter((control) => control.value !== rest[control.name])
                  .map((control) => [control.name, control.value]))"""
        )

    def ids(self) -> list[str]:
        """Ids of all cards, after as many clicks as it takes to show them."""
        return self.js(
            """const more = document.getElementById("more");
               while (!more.hidden) more.click();
               return [...document.querySelectorAll(".card h3")].map((heading) => heading.textContent)"""
        )

    def count(self) -> str:
        return self.js("return document.getElementById('count').textContent")

    def until(self, script: str, seconds: float = 5.0) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.js(script):
            assert time.monotonic() < end, script
            time.sleep(0.05)

    def console(self) -> list[str]:
        """Warnings and errors of the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self) -> list[str]:
        """Addresses the page requested."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]


@pytest.fixture
def browser(chromium: Any, page: Path) -> Browser:
    return Browser(chromium, page)


# Loading -------------------------------------------------------------------------------------------------------------


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


# Filters -------------------------------------------------------------------------------------------------------------


def state(record: dict, said: dict | None) -> str:
    if said is None or said["verdict"] is None:
        return "none"
    return "right" if said["verdict"] == record["label"] else "wrong"


def captions(record: dict, said: dict | None) -> str:
    return " ".join(each["caption"] for each in record["regions"] + (said["regions"] if said else []))


FILTERS: dict[str, tuple[dict[str, str], Callable[[dict, dict | None], bool]]] = {
    "system": ({"system": "32B"}, lambda r, a: True),
    "right": ({"verdict": "right"}, lambda r, a: state(r, a) == "right"),
    "wrong": ({"verdict": "wrong"}, lambda r, a: state(r, a) == "wrong"),
    "no answer": ({"verdict": "none"}, lambda r, a: state(r, a) == "none"),
    "wrong of another system": ({"system": "32B", "verdict": "wrong"}, lambda r, a: state(r, a) == "wrong"),
    "label": ({"label": "real"}, lambda r, a: r["label"] == "real"),
    "generator": ({"generator": "BigGAN"}, lambda r, a: r.get("generator") == "BigGAN"),
    "annotated tag": ({"tag": "artistic_style"}, lambda r, a: "artistic_style" in r["tags"]),
    "predicted tag": ({"tag": "unknown_object"}, lambda r, a: bool(a) and "unknown_object" in a["tags"]),
    "tag of either": ({"tag": "texture_error"},
                      lambda r, a: "texture_error" in [*r["tags"], *(a["tags"] if a else ())]),
    "least": ({"least": "0.5"}, lambda r, a: bool(a) and a["iou"] is not None and a["iou"] >= 0.5),
    "most": ({"most": "0.25"}, lambda r, a: bool(a) and a["iou"] is not None and a["iou"] <= 0.25),
    "range": ({"least": "0.2", "most": "0.7"},
              lambda r, a: bool(a) and a["iou"] is not None and 0.2 <= a["iou"] <= 0.7),
    "id": ({"words": " I1 "}, lambda r, a: "i1" in r["id"]),
    "caption": ({"words": "knob of 7b"}, lambda r, a: "Knob of 7B" in captions(r, a)),
    "annotated caption": ({"words": "illegible"}, lambda r, a: "illegible" in captions(r, a)),
    "several": ({"label": "fake", "verdict": "right", "tag": "texture_error"},
                lambda r, a: r["label"] == "fake" and state(r, a) == "right"
                and "texture_error" in [*r["tags"], *a["tags"]]),  # type: ignore[index]
}  # fmt: skip


def test_filters_leave_matching_images(browser: Browser, records: list[dict]):
    browser.open()
    for name, (values, keeps) in FILTERS.items():
        system = values.get("system", "7B")
        expected = [each["id"] for each in records if keeps(each, each["answers"][system])]
        browser.only(set="Main", **values)
        assert expected and (len(expected) < len(records) or name == "system"), name
        assert browser.ids() == expected, name
        assert browser.count() == f"{len(expected)} of 50 images", name


def test_cards_are_in_the_chosen_order(browser: Browser, records: list[dict]):
    def key(record: dict) -> tuple:
        said = record["answers"]["7B"]
        if said is None:
            return 0, 0.0, 0.0
        p = said["p_fake"]
        sure = None if p is None else p if record["label"] == "fake" else 1 - p
        return int(said["verdict"] == record["label"]), said["iou"], sure

    def grade(sign: int) -> Callable[[dict], tuple]:
        """Unknown values come last in either order."""
        return lambda record: tuple((each is None, sign * (each or 0.0)) for each in key(record))

    def p_fake(record: dict) -> tuple:
        p = (record["answers"]["7B"] or {"p_fake": None})["p_fake"]
        return p is None, -(p or 0.0)

    browser.open().set(set="Main")
    assert browser.ids() == [each["id"] for each in records]
    for order, by in (("best", grade(-1)), ("worst", grade(1)), ("p_fake", p_fake)):
        assert browser.set(order=order).ids() == [each["id"] for each in sorted(records, key=by)], order


def test_a_link_restores_the_filters(browser: Browser):
    values = {
        **{"system": "32B", "set": "Main", "verdict": "wrong", "label": "fake", "generator": "SD 1.5"},
        **{"tag": "texture_error", "least": "0.05", "most": "0.95", "words": "hand & six%", "order": "best"},
    }
    browser.open().set(**values)
    hash = browser.js("return location.hash")
    assert hash.startswith("#g:")
    browser.open(hash)
    assert browser.values() == values
    browser.set(words="hand", generator="")
    found, hash = browser.ids(), browser.js("return location.hash")
    assert found and browser.open(hash).ids() == found
    assert browser.js("return document.getElementById('gallery').getBoundingClientRect().top < 100")
    browser.js("location.hash = '#g:label=real'")
    browser.until("return document.querySelector('#filters [name=label]').value === 'real'")
    assert browser.values() == {"label": "real"}
    browser.js("location.hash = '#table-2'")  # a link of the contents leaves them alone
    assert browser.values() == {"label": "real"}
    browser.open("#g:system=none&tag=%22%3E&label=fake&order=up&least=abc&other=1")
    assert browser.values() == {"label": "fake"}
    assert browser.console() == []


def test_reset_and_the_empty_state(browser: Browser):
    browser.open().set(words="no caption has this", order="best")
    assert (browser.ids(), browser.count()) == ([], "0 of 50 images")
    assert browser.js("return document.getElementById('empty').checkVisibility()")
    browser.js("document.querySelector('#filters [type=reset]').click()")
    browser.until("return document.getElementById('count').textContent === '50 of 50 images'")
    assert browser.values() == {} and browser.js("return location.hash") == "#gallery"
    assert not browser.js("return document.getElementById('empty').checkVisibility()")


def test_the_default_system_is_the_most_accurate_one(browser: Browser, tmp_path: Path):
    """The best system need not be first in the list; an address can name another, and a reset returns to it."""
    html = browser.page.read_text(encoding="utf-8")
    best = html.replace('"7B" selected>', '"7B">').replace('<option value="32B">', '<option value="32B" selected>')
    assert best != html
    (tmp_path / "page.html").write_text(best, encoding="utf-8")
    other = Browser(browser.driver, tmp_path / "page.html").open()
    assert other.js("return document.querySelector('#filters [name=system]').value") == "32B"
    assert other.set(system="7B").js("return location.hash") == "#g:system=7B"
    other.open("#g:verdict=wrong")
    assert other.js("return document.querySelector('#filters [name=system]').value") == "32B"
    other.set(system="7B").js("document.querySelector('#filters [type=reset]').click()")
    other.until(
        "return document.querySelector('#filters [name=system]').value === '32B' && location.hash === '#gallery'"
    )


# Looks ---------------------------------------------------------------------------------------------------------------


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
