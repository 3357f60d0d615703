"""The gallery of the report in headless Chromium: filters, order, links, reset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scoring.report.in_browser.browser import Browser

pytestmark = pytest.mark.e2e


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
