"""Verdicts that a perturbation changes, paired by id."""

from __future__ import annotations

from pathlib import Path

import pytest

from swift_plugins.fakexplain.scoring.flips import Flips, count_flips
from swift_plugins.fakexplain.scoring.report.report import write_report
from swift_plugins.fakexplain.scoring.run import Run
from tests.scoring.runs import answer, line, write_run

VERDICTS = {"a": "fake", "b": "fake", "c": "real", "d": None, "e": "real"}


def run_of(folder: Path, verdicts: dict[str, str | None], system: str = "7B", **changes) -> Run:
    lines = [line(id, answers={system: answer(each) if each else None}) for id, each in verdicts.items()]
    return write_run(folder, lines, (system,), **changes)


@pytest.fixture
def main(tmp_path: Path) -> Run:
    return run_of(tmp_path / "main", VERDICTS)


def test_flips_are_counted_by_id(main: Run, tmp_path: Path):
    # a and d change, b and c do not; e is missing, and f has no counterpart
    other = run_of(tmp_path / "jpeg", {"f": "fake", "d": "real", "c": "real", "b": "fake", "a": "real"})
    assert count_flips({"jpeg:80": [other]}, [main]) == {"jpeg:80": {"7B": Flips(4, 2)}}
    assert Flips(4, 2).rate == 0.5
    assert Flips(4, 2).interval() == pytest.approx((0.150, 0.850), abs=1e-3)  # Wilson


def test_other_systems_and_other_images_have_none(main: Run, tmp_path: Path):
    other_system = run_of(tmp_path / "a", VERDICTS, "3B")
    other_images = run_of(tmp_path / "b", {"x": "fake"})
    assert count_flips({"jpeg:80": [other_system], "down:0.5": [other_images]}, [main]) == {}
    assert count_flips({}, [main]) == count_flips({"jpeg:80": [main]}, []) == {}


def test_table5_shows_them(main: Run, tmp_path: Path):
    jpeg = run_of(tmp_path / "jpeg", VERDICTS | {"a": "real"}, perturbation="jpeg:80")
    down = run_of(tmp_path / "down", {"a": "fake", "b": "fake"}, perturbation="blur:2")
    (tmp_path / "report").mkdir()
    write_report([main, jpeg, down], tmp_path / "report", images=0)
    table = (tmp_path / "report/tables/table5.md").read_text()
    assert "| Flips | 0.200 [0.04, 0.62] |" in table
    assert "| Flips | 0.000 [0.00, 0.66] |" in table
    assert table.count("| Flips |") == 2
    assert "2 to 5 images" in table
