"""Runs written and read back."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.scoring.report.report import collect_keywords
from swift_plugins.fakexplain.scoring.run import FILES, load_run, run_writer
from swift_plugins.fakexplain.scoring.tables.contents import all_tables
from swift_plugins.fakexplain.scoring.tables.render import to_markdown
from tests.scoring.runs import FIELDS, result, write_forty


def test_a_run_is_read_back(tmp_path: Path):
    write_forty(tmp_path, tmp_path / "runs" / "forty")
    run = load_run(tmp_path / "runs" / "forty")
    assert {name: getattr(run, name) for name in FIELDS} == FIELDS
    assert run.folder == tmp_path / "runs" / "forty"
    assert list(run.systems) == ["ours", "NPR"]
    assert run.systems["ours"]["accuracy"] == 31 / 40
    assert run.comparisons[0]["mcnemar"] == {"only_a": 0, "only_b": 30, "p": 2 / 2**30}  # NPR is right on one of 31
    assert sorted(each.name for each in run.folder.iterdir()) == sorted(FILES)


def test_its_images_are_records_with_answers_in_original_pixels(tmp_path: Path):
    write_forty(tmp_path, tmp_path / "runs" / "forty")
    records = list(read_annotations(tmp_path / "runs" / "forty" / "images.jsonl"))
    assert [record.id for record in records] == [f"{i:02}" for i in range(40)]
    assert records[0].image == "../../images/00.png"
    assert records[0].path.resolve() == tmp_path.resolve() / "images/00.png"
    assert records[0].extra["answers"] == {
        "ours": {
            "verdict": "fake",
            "p_fake": pytest.approx(0.9),
            "iou": 1.0,
            "regions": [{"bbox": [0.0, 0.0, 256.0, 256.0], "caption": "Bent rail."}],
            "tags": ["texture_error"],
            "problems": [],
        },
        "NPR": {
            "verdict": "fake",
            "p_fake": 0.5,
            "iou": 1.0,
            "regions": [{"bbox": [0.0, 0.0, 256.0, 256.0], "caption": ""}],
            "tags": None,
            "problems": [],
        },
    }
    cut_off = records[17].extra["answers"]["ours"]
    assert cut_off["text"] == "<think>\n[0, 0, 252, 252] Bent rail."
    assert cut_off["problems"] == ["no_verdict", "unclosed"]
    assert records[18].extra["answers"] == {"ours": None, "NPR": None}


def test_the_same_answers_give_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        write_forty(tmp_path, tmp_path / name)
    assert [(tmp_path / "a" / name).read_bytes() for name in FILES] == [
        (tmp_path / "b" / name).read_bytes() for name in FILES
    ]


def test_a_failure_leaves_nothing(tmp_path: Path):
    with pytest.raises(ValueError, match="of course"), run_writer(tmp_path / "run"):
        raise ValueError("of course")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"records": None}, "records: expected a whole number, found None"),
        ({"records": True}, "records: expected a whole number, found True"),
        ({"records": -1}, "records: expected a whole number >= 0, found -1"),
        ({"dataset": 3}, "dataset: expected a text, found 3"),
        ({"variant": "x"}, "variant: expected one of the values that `fakexplain score` writes, found 'x'"),
        ({"settings": {"bootstrap": {"resamples": 20}}}, "settings.bootstrap.level: expected a value, found nothing"),
        ({"systems": {}}, "systems: expected at least one system, found nothing"),
        ({"systems": {"a": 1}}, "systems.a: expected an object, found 1"),
        ({"systems": {"a": {}}}, "systems.a.n: expected a value, found nothing"),
        ({"systems": {"a": result(1, "x")}}, "systems.a.accuracy: expected a number or null, found 'x'"),
        ({"systems": {"a": result(1, intervals={"iou": [0]})}}, "systems.a.intervals"),
        ({"systems": {"a": result(1, folds={"x": {}})}}, "systems.a.folds"),
        ({"systems": {"a": result(1, over_folds={"iou": {"mean": 0, "std": 0}})}}, "systems.a.over_folds.accuracy"),
        ({"systems": {"a": result(1, tags={})}}, "systems.a.tags.perspective_error: expected a value, found nothing"),
        ({"comparisons": {}}, "comparisons: expected a list, found {}"),
        ({"comparisons": [{"a": "x", "b": 1}]}, r"comparisons[0].b: expected a text, found 1"),
    ],
)
def test_an_invalid_run_is_reported_with_its_place(tmp_path: Path, changes: dict[str, Any], message: str):
    (tmp_path / "images.jsonl").touch()
    fields = FIELDS | {"systems": {"a": result(1)}, "comparisons": []}
    (tmp_path / "run.json").write_text(json.dumps(fields))
    load_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(fields | changes))
    with pytest.raises(DataError, match=re.escape(f"run.json: {message}")):
        load_run(tmp_path)
    name = next(iter(changes))
    del fields[name]
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(DataError, match=f"run.json: {name}: expected a value, found nothing"):
        load_run(tmp_path)


REPLACEMENTS: list[Any] = [None, True, -1, 3, 1e308, "x", "", [], {}, [1], {"a": 1}, [None, None]]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside another."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


@pytest.fixture(scope="module")
def forty_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A run of the forty, and what its two files hold: the run, and its first image."""
    folder = tmp_path_factory.mktemp("forty")
    write_forty(folder, folder / "run")
    run, images = ((folder / "run" / name).read_text() for name in FILES)
    return folder / "run", [json.loads(run), json.loads(images.splitlines()[0])]


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damage_is_reported_or_makes_no_difference(forty_run: tuple[Path, list[Any]], data: st.DataObject):
    """Whatever replaces one value of a run's files, the tables can be made or an error says why they cannot."""
    folder, contents = forty_run
    damaged = copy.deepcopy(contents)
    which = data.draw(st.integers(0, 1))
    *above, last = data.draw(st.sampled_from(list(paths(contents[which]))))
    place = damaged[which]
    for key in above:
        place = place[key]
    if data.draw(st.booleans()):
        place[last] = data.draw(st.sampled_from(REPLACEMENTS))
    else:
        del place[last]
    other = folder.parent / "damaged"
    other.mkdir(exist_ok=True)
    (other / FILES[0]).write_text(json.dumps(damaged[0]))
    (other / FILES[1]).write_text(json.dumps(damaged[1]) + "\n")
    with contextlib.suppress(DataError):
        run = load_run(other)
        for table in all_tables([run]):
            to_markdown(table)
        collect_keywords([run])


def test_folders_without_a_run(tmp_path: Path):
    with pytest.raises(
        FileNotFoundError, match="none: expected a folder written by `fakexplain score --out`, found no such"
    ):
        load_run(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match=r"found no run.json in it"):
        load_run(tmp_path)
    (tmp_path / "images.jsonl").touch()
    for text in ("[1]", "{", ""):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(ValueError, match=r"run.json: expected "):
            load_run(tmp_path)
