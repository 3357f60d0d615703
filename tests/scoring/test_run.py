"""Runs written and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.scoring.run import FILES, load_run, run_writer
from tests.scoring.runs import FIELDS, write_forty


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
        ({"records": None}, "run.json: records: expected a field of a run, found None"),
        ({"records": True}, "run.json: records: expected a field of a run, found True"),
        ({"dataset": 3}, "run.json: dataset: expected a field of a run, found 3"),
        ({"systems": {"a": 1}}, "run.json: systems.a: expected the result of a system, found 1"),
        ({"comparisons": {}}, r"run.json: comparisons: expected a field of a run, found \{\}"),
    ],
)
def test_an_invalid_run_is_reported_with_its_place(tmp_path: Path, changes: dict[str, Any], message: str):
    (tmp_path / "images.jsonl").touch()
    fields = FIELDS | {"systems": {}, "comparisons": []} | changes
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=message):
        load_run(tmp_path)
    del fields[next(iter(changes))]
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(ValueError, match="expected a field of a run, found nothing"):
        load_run(tmp_path)


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
