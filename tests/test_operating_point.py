"""The decision at an operating point, and its file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.operating_point import (
    OperatingPoint,
    decide,
    logit,
    read_operating_point,
    sigmoid,
    write_operating_point,
)

POINT = OperatingPoint(0.9, (0.5, 0.9), 0.01, 0.02, 300, 2, 2.0, "runs/main", "7B")


@pytest.mark.parametrize(
    ("verdict", "p_fake", "problems", "by_verdict", "by_point"),
    [
        ("fake", 0.95, (), "fake", "fake"),
        ("fake", 0.7, (), "fake", "unsure"),  # in the band
        ("fake", 0.9, (), "fake", "unsure"),  # its ends belong to it
        ("fake", 0.5, (), "fake", "unsure"),
        ("real", 0.49, (), "real", "real"),
        ("real", 0.95, (), "real", "fake"),  # P(fake) decides against the verdict
        ("fake", 0.1, (), "fake", "real"),
        ("fake", None, (), "fake", "unsure"),  # no P(fake)
        ("real", None, (), "real", "unsure"),
        (None, None, ("no_verdict",), "unsure", "unsure"),
        (None, None, ("conflicting_verdicts",), "unsure", "unsure"),
        ("real", 0.1, ("real_with_flaws",), "unsure", "unsure"),  # contradicts itself
        ("real", 0.95, ("real_with_flaws",), "unsure", "fake"),
        ("fake", 0.95, ("layout", "bad_box"), "fake", "fake"),
    ],
)
def test_decisions(verdict, p_fake, problems, by_verdict, by_point):
    assert decide(verdict, p_fake, problems, None) == by_verdict
    assert decide(verdict, p_fake, problems, POINT) == by_point


def test_an_empty_band_leaves_only_its_one_number_unsure():
    point = replace(POINT, threshold=0.4, band=(0.4, 0.4))
    assert [decide("fake", p, (), point) for p in (0.39, 0.4, 0.41)] == ["real", "unsure", "fake"]


@settings(deadline=None)
@given(st.floats(0, 1))
def test_temperature_keeps_the_order_and_one_half(p: float):
    assert POINT.calibrated(0.5) == 0.5
    assert 0 <= POINT.calibrated(p) <= 1
    assert (POINT.calibrated(p) >= 0.5) == (p >= 0.5) or math.isclose(p, 0.5, abs_tol=1e-15)
    if 1e-6 < p < 1 - 1e-6:
        assert math.isclose(sigmoid(logit(p)), p, rel_tol=1e-9)


def test_the_file_holds_what_was_written(tmp_path: Path):
    path = tmp_path / "operating_point.json"
    write_operating_point(path, POINT)
    assert read_operating_point(path) == POINT
    assert {"threshold", "band", "fpr", "bound", "n_real", "temperature", "run"} <= json.loads(path.read_text()).keys()
    path.write_text(json.dumps({**asdict(POINT), "note": "by hand"}))
    assert read_operating_point(path) == POINT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": "0.9"}, "threshold: expected a number from 0 to 1, found '0.9'"),
        ({"threshold": 1.5}, "threshold: expected a number from 0 to 1, found 1.5"),
        ({"band": [0.5, True]}, "band: expected a number from 0 to 1, found True"),
        ({"band": [0.5]}, "band: expected [low, high]"),
        ({"band": [0.95, 0.9]}, "band: expected [low, high], low <= high, high = threshold = 0.9, found [0.95, 0.9]"),
        ({"band": [0.5, 0.8]}, "high = threshold = 0.9, found [0.5, 0.8]"),
        ({"temperature": 0}, "temperature: expected a number above 0, found 0"),
        ({"false_positives": 301}, "false_positives: expected from 0 to n_real, 300, found 301"),
        ({"run": None}, "run: expected a text, found None"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, change: dict, message: str):
    path = tmp_path / "point.json"
    path.write_text(json.dumps(asdict(POINT) | change))
    with pytest.raises(DataError) as error:
        read_operating_point(path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_another_file_is_refused(tmp_path: Path, text: str):
    (tmp_path / "point.json").write_text(text)
    with pytest.raises(DataError):
        read_operating_point(tmp_path / "point.json")
    with pytest.raises(FileNotFoundError, match="expected an operating point"):
        read_operating_point(tmp_path / "none.json")
