"""Small annotations and images that several tests share, and the browser."""

import gc
import importlib.util
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

# Before torch and numpy are imported. Two workers share two cores, and a thread that waits for another does not spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Each of some hundred commands would compile the package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Collecting tests makes millions of objects that stay, and each search for garbage among them takes seconds.
gc.disable()


def pytest_collection_finish() -> None:
    """Leave what was made so far out of every later collection of garbage."""
    gc.freeze()
    gc.enable()


def heed_interrupts() -> None:
    """For a child process before it starts: a shell that runs the tests in the background has it ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def record(index: int, label: str = "fake", **changes) -> dict:
    """A record of a 120x90 image."""
    regions = [
        {"bbox": [60.0, 50.5, 100.0, 80.0], "caption": "Hand with six fingers."},
        {"bbox": [10.0, 5.0, 50.0, 45.0], "caption": "Sign with illegible letters."},
    ]
    fake = label == "fake"
    return {
        "id": f"{label}-{index:03}",
        "image": f"images/{label}-{index:03}.png",
        "width": 120,
        "height": 90,
        "label": label,
        "regions": regions if fake else [],
        "tags": ["structure_attribute_error"] if fake else [],
        "generator": "paint" if fake else "camera",
        "class_name": f"class-{index % 5}",
    } | changes


def write_annotations_file(folder: Path, records: list[dict], name: str = "annotations.jsonl") -> Path:
    """An annotations file, and a grey image of the right size for each record."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for each in records:
        Image.new("RGB", (each["width"], each["height"]), "grey").save(folder / each["image"])
    path = folder / name
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return path


@pytest.fixture
def annotations_file(tmp_path: Path) -> Path:
    """Eight fake and eight real images, two of each in every fold."""
    records = [record(index, label, fold=index % 4) for index in range(8) for label in ("fake", "real")]
    return write_annotations_file(tmp_path / "data", records)


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def missing_browser() -> str | None:
    """The first thing missing for tests in a browser, and how to install it."""
    if importlib.util.find_spec("selenium") is None:
        return "selenium is not installed (pip install selenium)"
    for names in (BROWSERS, ("chromedriver",)):
        if not any(map(shutil.which, names)):
            return f"{names[0]} is not installed (apt-get install chromium chromium-driver)"
    return None


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One headless Chromium for all tests; it logs its console and its network.

    Without Chromium, its driver or selenium the tests are skipped; with FX_NEED_BROWSER set, they fail.
    """
    if reason := missing_browser():
        (pytest.fail if os.environ.get("FX_NEED_BROWSER") else pytest.skip)(reason)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, BROWSERS)))
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.execute_cdp_cmd("Network.enable", {})
    try:
        yield driver
    finally:
        driver.quit()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    """Say once, at the very end, that the tests in a browser did not run, and how to run them."""
    yield
    skipped = any("/in_browser/" in report.nodeid for report in terminalreporter.stats.get("skipped", []))
    if skipped and (reason := missing_browser()):
        terminalreporter.write_line(f"tests of the report's page did not run: {reason}", yellow=True)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for folders of tests; none beside this one for single files, where starting them costs more."""
    return 2 if any(Path(arg).is_dir() for arg in config.args) else 0


FIRST = (
    *("e2e/test_quickstart.py", "host/test_plugin.py", "recipes/", "host/", "examples/"),
    *("test_rewards.py", "test_schedule.py", "test_diagnostics.py"),
    *("e2e/test_grpo.py", "e2e/test_infer.py", "e2e/test_any_token.py", "e2e/", "detect/", "cli/test_files.py", "cli/"),
)
"""Files that take longest. While one worker runs the quickstart, which the end-to-end tests need, the other runs what
imports ms-swift in its own process."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-seconds", type=float, default=60, help="seconds of each test marked fuzz; default 60")
    parser.addoption("--fuzz-seed", type=int, default=0, help="first seed of each test marked fuzz; default 0")


BY_HAND = ("slow", "fuzz")
"""Marks of tests that run only where -m names the mark."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs by hand, and begin with the files that take longest."""
    unnamed = [mark for mark in BY_HAND if mark not in config.option.markexpr]
    left_out = [item for item in items if any(map(item.get_closest_marker, unnamed))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]

    def place(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((index for index, name in enumerate(FIRST) if f"tests/{name}" in path), len(FIRST))

    items.sort(key=place)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Refuse cases from a set: their order differs from worker to worker, and no test would run."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        if isinstance(mark.args[1], (set, frozenset)):
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: cases in a set have no order; sort them")
