"""A page of two systems and fifty images, in headless Chromium, from file://; see `chromium` in tests/conftest.py."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from swift_plugins.fakexplain.scoring.report.gallery import build_gallery
from swift_plugins.fakexplain.scoring.report.page import Section, render_report
from swift_plugins.fakexplain.scoring.tables.render import to_html
from swift_plugins.fakexplain.scoring.tables.table import Column, Estimate, Row, Table
from tests.scoring.report.in_browser.browser import HOSTILE, Browser
from tests.scoring.runs import answer, line, write_run


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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


@pytest.fixture
def browser(chromium: Any, page: Path) -> Browser:
    return Browser(chromium, page)
