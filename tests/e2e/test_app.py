"""The page of `fakexplain app` in headless Chromium, and what it gives to whom."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from swift_plugins.fakexplain.detect.app.examining import read_examples
from swift_plugins.fakexplain.detect.run import Examination
from swift_plugins.fakexplain.detect.server import ServerEngine
from swift_plugins.fakexplain.frames import frame_rule
from tests.cli.command import COMMAND
from tests.conftest import heed_interrupts, record, write_annotations_file
from tests.detect.servers import chat, serve
from tests.e2e.conftest import TOKENS, Quickstart, environment, free_port
from tests.scoring.report.in_browser.browser import Browser
from tests.scoring.report.in_browser.test_looks import CONTRASTS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MARKUP = """<b onclick="window.hacked = 1">Bold</b> <img src=x onerror="window.hacked = 2"> {{ 7 * 7 }} ${7 * 7}"""
FAKE = (
    f"<think>\n[28, 28, 56, 56] Hand with six fingers.\n[5, 5, 90, 70] {MARKUP}\n</think>\n<tag>texture error</tag>\n"
)
FAKE += "<verdict>fake</verdict>"
LIMIT_MB = 1


class Address(str):
    """An address in place of the path of a page."""

    def as_uri(self) -> str:
        return str(self)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An annotations file with four images, the examples of the page."""
    records = [record(index, ("fake", "real")[index % 2]) for index in range(4)]
    return write_annotations_file(tmp_path_factory.mktemp("private"), records)


@pytest.fixture(scope="module")
def address(private: Path) -> Iterator[Address]:
    """The page before a server that always says the same."""
    from swift_plugins.fakexplain.detect.app.page import Served, open_page

    with serve(lambda handler: handler.send_json(chat(FAKE))) as (url, _):
        engine = ServerEngine(url, "", model="toy")
        how = Examination(frame_rule("fx_qwen2_5_vl", env={}))
        served = Served("toy", engine, how, examples=read_examples(private))
        with open_page(served, "127.0.0.1", int(free_port()), LIMIT_MB) as page:
            yield Address(page)
        engine.close()


@pytest.fixture
def browser(chromium: Any, address: Address) -> Browser:
    return Browser(chromium, address)  # type: ignore[arg-type]


def opened(browser: Browser, **how: Any) -> Browser:
    browser.open(**how)
    browser.until("return document.querySelectorAll('#fx-examples button img').length > 0", 60)
    return browser


def drop(browser: Browser, *paths: Path) -> None:
    browser.driver.find_element("css selector", "input[type=file]").send_keys("\n".join(map(str, paths)))
    browser.until("return document.querySelector('#fx-answer .fx-card')", 60)


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A good image between files that are none."""
    folder = tmp_path_factory.mktemp("uploads")
    contents = {"text.jpg": b"hello", "empty.png": b"", "drawing.svg": b"<svg><script>window.hacked = 3</script></svg>"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    Image.effect_noise((120, 90), 60).convert("RGB").save(folder / "good.png")
    Image.new("RGB", (30_000, 10)).save(folder / "wide.png")
    return [folder / name for name in ("good.png", *contents, "wide.png")]


def test_a_batch_with_hostile_files_is_a_table_whose_rows_open(browser: Browser, uploads: list[Path]):
    drop(opened(browser), *uploads)
    rows = "[...document.querySelectorAll('#fx-table [role=row][data-index]')]"
    browser.until(f"return {rows}.some((each) => each.innerText.includes('text.jpg'))", 20)
    assert "Fake: this image looks AI-generated" in browser.js("return document.querySelector('#fx-answer').innerText")
    (row,) = [each for each in browser.js(f"return {rows}") if "text.jpg" in each.text]
    assert "no answer" in row.text
    row.find_elements("css selector", "[role=gridcell]")[1].click()
    browser.until("return document.querySelector('#fx-answer .fx-sorry')", 20)
    words = browser.js("return document.querySelector('#fx-answer').innerText").strip()
    assert words == "text.jpg: Not a readable image: cannot identify image file"


def test_texts_are_only_text_and_nothing_is_asked_elsewhere(browser: Browser, uploads: list[Path]):
    drop(opened(browser), uploads[0])
    assert MARKUP in browser.js("return document.querySelector('#fx-answer').innerText")
    assert browser.js("return window.hacked") is None
    places = {urlsplit(url) for url in browser.requested()}
    assert {each.hostname for each in places if each.scheme not in ("data", "blob")} == {"127.0.0.1"}


def test_a_box_and_its_row_light_up_together(browser: Browser, uploads: list[Path]):
    from selenium.webdriver import ActionChains

    drop(opened(browser), uploads[0])
    lit = "return ['.fx-box', 'li'].map((kind) => getComputedStyle(document.querySelector(`${kind}.fx-r0`))"
    lit += ".getPropertyValue('--lit'))"
    for pointed in ("li.fx-r0", ".fx-box.fx-r0"):
        ActionChains(browser.driver).move_to_element(browser.driver.find_element("css selector", "h1")).perform()
        assert browser.js(lit) == ["", ""]
        element = browser.driver.find_element("css selector", pointed)
        ActionChains(browser.driver).scroll_to_element(element).move_to_element(element).perform()
        assert browser.js(lit) == ["1", "1"]
    assert element.get_attribute("title") == "Hand with six fingers."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_fits_and_can_be_read(browser: Browser, uploads: list[Path], width: int, scheme: str):
    drop(opened(browser, width=width, scheme=scheme), *uploads)
    browser.js("document.querySelector('#fx-answer details').open = true")
    assert browser.js("return document.scrollingElement.scrollWidth") <= width
    ours = CONTRASTS.replace('"body *"', '"#fx-answer *"')
    contrasts = browser.js(ours)
    assert len(contrasts) > 8
    assert [each for each in contrasts if each[0] < 4.5] == []
    unnamed = "return [...document.querySelectorAll('#fx-answer img, #fx-answer [role=img]')].filter((each) => "
    assert browser.js(unnamed + "!(each.alt || each.ariaLabel))") == []


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_no_file_of_the_machine_can_be_fetched(address: Address, private: Path):
    image = private.parent / record(0)["image"]
    for path in ("/etc/passwd", private, image, f"{private.parent}/images/../annotations.jsonl", "../../../etc/passwd"):
        for route in ("gradio_api/file=", "gradio_api/file/", "file="):
            status, content = get(f"{address}{route}{path}")
            assert status in (403, 404) and b"root:" not in content and b'"label"' not in content
    assert get(f"{address}gradio_api/file=http://127.0.0.1:9/x.png")[0] == 403
    elsewhere = {"path": "http://127.0.0.1:9/x.png", "meta": {"_type": "gradio.FileData"}}
    call = json.dumps({"data": [[elsewhere]], "fn_index": 0, "session_hash": "x"}).encode()
    request = urllib.request.Request(f"{address}gradio_api/queue/join", call, {"content-type": "application/json"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=20)
    for page in ("config", "gradio_api/info"):
        assert str(private.parent).encode() not in get(f"{address}{page}")[1]


def upload(address: str, content: bytes) -> tuple[int, Any]:
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + content + b"\r\n--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(f"{address}gradio_api/upload", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def test_uploads_have_a_limit(address: Address):
    assert upload(address, b"x" * 1000)[0] == 200
    assert upload(address, b"x" * (LIMIT_MB * 2**20 + 1))[0] == 413


BY_VLLM = "--vllm_enforce_eager true --vllm_max_model_len 1024 --vllm_gpu_memory_utilization 0.2"


@pytest.mark.parametrize("engine", [(), ("--backend", "vllm", "--engine-args", BY_VLLM)], ids=["transformers", "vllm"])
def test_a_real_model_answers_an_example_and_ctrl_c_ends_the_page(
    chromium: Any, quickstart: Quickstart, tmp_path: Path, engine: tuple[str, ...]
):
    command = [*COMMAND, "app", "--model", quickstart.checkpoint("grpo"), "--port", free_port(), "--max-tokens", TOKENS]
    command += engine
    with subprocess.Popen(
        list(map(str, command)),
        # the path of vLLM's socket may have 107 characters
        env=environment(TMPDIR=str(tmp_path), VLLM_RPC_BASE_PATH=gettempdir(), VLLM_CPU_KVCACHE_SPACE="1"),
        preexec_fn=heed_interrupts,
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "errors").open("w"),
        text=True,
    ) as process:
        try:
            said = process.stdout.readline()
            assert said.startswith("the page is at http://127.0.0.1:"), (tmp_path / "errors").read_text()
            address = said.split()[4]
            browser = opened(Browser(chromium, Address(address)))  # type: ignore[arg-type]
            browser.js("document.querySelector('#fx-examples button img').click()")
            browser.until("return document.querySelector('#fx-answer .fx-card')", 120)
            assert "Label in the data set: fake." in browser.js("return document.querySelector('#fx-answer').innerText")
            (line,), (picture,) = (list(tmp_path.glob(f"fakexplain-app-*/*/answer.{kind}")) for kind in ("json", "png"))
            found = json.loads(line.read_text())
            assert {"id", "verdict", "p_fake", "answer", "regions"} <= found.keys() and "/" not in found["image"]
            with Image.open(picture) as image:
                assert image.width > 768
            assert list(tmp_path.glob("fakexplain-app-*/*"))
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
    assert (tmp_path / "errors").read_text().splitlines()[-1] == (
        "error: interrupted; the page is closed and all uploads are removed"
    )
    assert list(tmp_path.glob("fakexplain-app-*")) == []
