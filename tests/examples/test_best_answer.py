"""The best answer of a run is a correct verdict with the highest IoU, and it is printed word for word."""

from __future__ import annotations

import json
import sys

import pytest

from examples import best_answer
from tests.conftest import record, write_annotations_file

TEXT = "<think>\n[1, 2, 3, 4] Sign with illegible letters.\n</think>\n<tag>none</tag>\n<verdict>fake</verdict>"


def answer(verdict: str | None, iou: float | None) -> dict:
    return {"verdict": verdict, "p_fake": None, "iou": iou, "regions": [], "tags": [], "problems": []}


@pytest.fixture
def run(tmp_path):
    """Only fake-002 is a fake with a correct verdict and the highest IoU of those."""
    answers = {
        ("fake", 0): answer("real", 0.9),
        ("fake", 1): answer("fake", 0.4),
        ("fake", 2): answer("fake", 0.7),
        ("fake", 3): None,
        ("real", 0): answer("real", 1.0),
    }
    records = [record(index, label, answers={"ours": each}) for (label, index), each in answers.items()]
    folder = tmp_path / "run"
    write_annotations_file(folder, records, "images.jsonl")
    lines = [
        {"response": f"{TEXT} {each['id']}", "images": [{"path": str(folder / each["image"])}]}
        for each in records
        if each["answers"]["ours"]
    ]
    (tmp_path / "ours.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_id_and_text_of_the_best_answer_are_printed(run, monkeypatch, capsys):
    command = ["best_answer.py", str(run), str(run.parent / "ours.jsonl"), "--system", "ours"]
    monkeypatch.setattr(sys, "argv", command)
    best_answer.main()
    assert capsys.readouterr().out == f"fake-002\n{TEXT} fake-002\n"


def test_without_a_located_fake_any_answer_will_do(tmp_path):
    write_annotations_file(tmp_path, [record(0, "real", answers={"ours": answer(None, None)})], "images.jsonl")
    assert best_answer.best_record(tmp_path, "ours").id == "real-000"


def test_a_system_without_answers_is_an_error(run):
    with pytest.raises(ValueError, match="expected answers of theirs, found none"):
        best_answer.best_record(run, "theirs")
