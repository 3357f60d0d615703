"""The report of the forty records: exact tables, complete parts, the same bytes every time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from swift_plugins.fakexplain.scoring.plots.training import Log
from swift_plugins.fakexplain.scoring.plots.votes import Vote, count_votes
from swift_plugins.fakexplain.scoring.report.report import write_report
from swift_plugins.fakexplain.scoring.run import Run, load_run
from tests.scoring.runs import write_forty

GOLDEN = Path(__file__).parents[2] / "assets" / "forty" / "report.md"
VOTES = count_votes([Vote("Humans", "ours", "ours", "00", None), Vote("Humans", "ours", "Humans", "00", None)])
LOG = Log("GRPO", {"reward": {1: 1.0, 2: 2.0}, "omega_G": {1: 0.5, 2: 0.75}})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("forty")
    write_forty(folder, folder / "run")
    return load_run(folder / "run")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, run: Run) -> tuple[Path, list[str]]:
    """A report of scores alone, and the list of missing parts."""
    folder = tmp_path_factory.mktemp("plain")
    return folder, write_report([run], folder, images=0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, run: Run) -> tuple[Path, list[str]]:
    """A report with votes, a training log and images, and the list of missing parts."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, write_report([run], folder, votes=VOTES, logs=[LOG], images=10)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "report").mkdir()
    yield tmp_path / "report"
    shutil.rmtree(tmp_path / "report")


def test_every_reading_shows_how_far_it_is(run: Run, folder: Path):
    seen: list[list] = []

    def progress(items: Iterable, what: str, unit: str, total: int | None = None, /) -> Iterator:
        seen.append([what, unit, total, 0])
        for item in items:
            seen[-1][-1] += 1
            yield item

    write_report([load_run(run.folder, progress)], folder)
    assert seen == [[what, "image", 40, 40] for what in ("P(fake)", "keywords", "gallery", "gallery")]


def test_tables_equal_the_golden_file(plain: tuple[Path, list[str]]):
    """test_forty.py derives each metric; the baseline predicts one image, and is right."""
    tables = sorted((plain[0] / "tables").glob("*.md"))
    found = "\n".join(path.read_text(encoding="utf-8") for path in tables)
    assert found == GOLDEN.read_text(encoding="utf-8")


def test_every_table_is_on_the_page_and_in_three_files(whole: tuple[Path, list[str]]):
    folder, lacking = whole
    page = (folder / "report.html").read_text(encoding="utf-8")
    ids = re.findall(r'<section[^>]* id="([^"]+)"', page)
    names = {path.stem for path in (folder / "tables").iterdir()}
    assert {path.name for path in (folder / "tables").iterdir()} == {
        f"{name}.{suffix}" for name in names for suffix in ("csv", "md", "tex")
    }
    text = (folder / "tables" / "preferences.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1].startswith("Humans over ours,1,1,0,0.5,") and text.rstrip().endswith(",1.0")
    figures = {path.stem for path in (folder / "figures").iterdir()}
    assert figures == {"fig3", "fig4", "roc", "reliability", "fig6-1", "fig10-1", "fig10-2"}
    assert names | figures | {"missing"} <= set(ids)
    assert [sentence.partition(":")[0] for sentence in lacking] == ["Tables 3, 6", "Table 5"]
    assert all(sentence.partition(":")[0] in page for sentence in lacking)


def test_missing_inputs_are_reported(plain: tuple[Path, list[str]]):
    folder, lacking = plain
    assert [sentence.partition(":")[0] for sentence in lacking] == ["Tables 3, 6", "Table 5", "Figure 3", "Figure 4"]
    assert not (folder / "figures" / "fig3.svg").exists()


def test_other_data_sets_and_perturbations_have_tables_of_their_own(run: Run, folder: Path):
    others = [replace(run, dataset="FakeClue"), replace(run, perturbation="jpeg:80")]
    lacking = write_report([run, *others], folder, images=0)
    assert not any(sentence.startswith("Table") for sentence in lacking)
    assert "FakeClue" in (folder / "tables" / "table3.md").read_text()
    assert "JPEG" in (folder / "tables" / "table5.md").read_text()


def test_the_same_runs_give_the_same_bytes(run: Run, whole: tuple[Path, list[str]], folder: Path):
    first, _ = whole
    write_report([run], folder, votes=VOTES, logs=[LOG], images=10)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*.*"))
    assert len(files) > 20
    for name in files:
        assert (folder / name).read_bytes() == (first / name).read_bytes(), name


def test_two_systems_with_the_same_name_are_an_error(run: Run, folder: Path):
    with pytest.raises(ValueError, match="expected names that do not occur in .* found 'ours'"):
        write_report([run, run], folder, images=0)


def test_names_and_titles_are_text(run: Run, folder: Path):
    evil = "<script>alert(1)</script>"
    systems = {evil: run.systems["ours"]}
    write_report([replace(run, systems=systems, comparisons=[], dataset=evil)], folder, images=0, title=evil)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1 + page.count('<script type="application/json"')
    assert "&lt;script&gt;alert(1)" in page
