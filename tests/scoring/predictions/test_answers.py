"""Reading the answers of `swift infer`, and joining them to records by image."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.scoring.predictions.answers import AnswerPrediction, read_predictions
from swift_plugins.fakexplain.scoring.predictions.join import index_by_image, join, join_all


def line(path: object = "/data/a.png", **changes: object) -> str:
    """A line as ms-swift 4.6 writes it."""
    messages = [{"role": "user", "content": "<image>Real?"}, {"role": "assistant", "content": "said"}]
    images = [{"bytes": None, "path": path}]
    fields = {"response": "said", "labels": "gold", "logprobs": None, "messages": messages, "images": images}
    return json.dumps(fields | {"objects": {"ref": [], "bbox": []}} | changes)


def predictions_file(folder: Path, *lines: str) -> Path:
    path = folder / "answers.jsonl"
    path.write_text("".join(each + "\n" for each in lines), encoding="utf-8")
    return path


def record(id: str, path: str | Path, line: int = 1) -> Annotation:
    return Annotation(id, str(path), 8, 8, "real", path=Path(path), file="gold.jsonl", line=line)


@pytest.mark.parametrize(
    "text",
    [
        line(),
        line(images=["/data/a.png"]),  # `swift infer` at its prompt
        line(images=[{"path": "/data/./b/../a.png"}]),
        line(logprobs={"content": [float("-inf")]}),  # an answer without a verdict has no P(fake)
        line(images=None, image="/data/a.png"),  # as other tools write answers
        line(solution="further columns are not read"),
    ],
)
def test_lines_of_swift_infer_are_read(tmp_path: Path, text: str):
    path = predictions_file(tmp_path, "", text)
    assert list(read_predictions(path)) == [AnswerPrediction("/data/a.png", "said", str(path), 2)]


def test_relative_path_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = predictions_file(tmp_path, line("images/a.png"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert next(read_predictions(path)).image == str(tmp_path.resolve() / "elsewhere/images/a.png")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line()[:35], "expected one JSON object of `swift infer`, found Unterminated string starting at column 32"),
        ("[" * 100_000, "expected one JSON object of `swift infer`, found "),
        ("[1]", "expected one JSON object of `swift infer`, found [1]"),
        ('{"images": ["/data/a.png"]}', "response: expected the text of an answer, found no such field"),
        (line(response=None), "response: expected the text of an answer, found None"),
        (line(response=["said"]), "response: expected the text of an answer, found ['said']"),
        ('{"response": "said"}', "images: expected the path of one image, found no such field"),
        (line(images=[]), "images: expected the path of one image, found []"),
        (line(images=["/data/a.png", "/data/b.png"]), "images: expected the path of one image, found ['/data/a.png', "),
        (line(images=None), "images: expected the path of one image, found None"),
        (line(None), "images: expected the path of one image, found [{'bytes': None, 'path': None}]"),
        (line(""), "images: expected the path of one image, found [{'bytes': None, 'path': ''}]"),
        (line(images="x" * 500), "images: expected the path of one image, found 'xxx"),
        ('{"response": "said", "image": 3}', "images: expected the path of one image, found [3]"),
    ],
)
def test_a_bad_line_is_reported_with_its_place(tmp_path: Path, text: str, message: str):
    path = predictions_file(tmp_path, line(), text)
    with pytest.raises(ValueError) as error:
        list(read_predictions(path))
    assert str(error.value).startswith(f"{path}:2: ")
    assert message in str(error.value)
    assert len(str(error.value)) < 300 + len(str(path))


def verdict(*tokens: dict) -> str:
    return line(response="<verdict>fake</verdict>", logprobs={"content": list(tokens)})


def test_p_fake_is_read(tmp_path: Path):
    tokens = [("<verdict>", 0.0), ("fake", math.log(0.75)), ("</verdict>", 0.0)]
    path = predictions_file(tmp_path, verdict(*({"token": token, "logprob": p} for token, p in tokens)))
    (prediction,) = read_predictions(path)
    assert prediction.p_fake == pytest.approx(0.75)


def test_malformed_log_probabilities_are_reported_with_their_place(tmp_path: Path):
    path = predictions_file(tmp_path, line(), verdict({"token": 3}))
    with pytest.raises(ValueError, match=r"answers.jsonl:2: logprobs.content.0..token: expected the text of a token"):
        list(read_predictions(path))


def test_bytes_that_are_not_text(tmp_path: Path):
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'{"response": "\xff"}\n')
    with pytest.raises(ValueError, match=r"answers.jsonl:1: expected one JSON object .* 0xff"):
        list(read_predictions(path))


def test_no_file_and_empty_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"none.jsonl: expected predictions .* found no such file"):
        list(read_predictions(tmp_path / "none.jsonl"))
    with pytest.raises(FileNotFoundError, match="found a folder"):
        list(read_predictions(tmp_path))
    with pytest.raises(ValueError, match=r"answers.jsonl: expected at least one prediction, found an empty file"):
        list(read_predictions(predictions_file(tmp_path)))
    with pytest.raises(ValueError, match="found an empty file"):
        list(read_predictions(predictions_file(tmp_path, "", "  ")))


def test_join_keeps_the_order_of_the_records_and_shows_gaps():
    records = [record("a", "/data/a.png"), record("b", "/data/b.png"), record("c", "/data/c.png")]
    answers = [AnswerPrediction("/data/c.png", "C"), AnswerPrediction("/data/a.png", "A")]
    assert [(each.id, text) for each, text in join(records, answers)] == [("a", "A"), ("b", None), ("c", "C")]


def test_join_matches_the_file_on_disk(tmp_path: Path):
    """Neither a common name, nor a name within a name, nor a folder reached through a link misleads."""
    (tmp_path / "real").mkdir()
    (tmp_path / "fake").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    records = [
        record("real", tmp_path / "link" / "1.png"),
        record("fake", tmp_path / "fake" / "1.png"),
        record("eleven", tmp_path / "real" / "11.png"),
        record("linked", tmp_path / "real" / "2.png"),
    ]
    lines = [line(str(tmp_path / name), response=name) for name in ("real/1.png", "fake/../fake/1.png", "link/2.png")]
    pairs = join(records, read_predictions(predictions_file(tmp_path, *lines)))
    assert [text for _, text in pairs] == ["real/1.png", "fake/../fake/1.png", None, "link/2.png"]


def test_two_answers_about_one_image():
    answers = [
        AnswerPrediction("/data/a.png", "A", "answers.jsonl", 3),
        AnswerPrediction("/data/a.png", "A", "answers.jsonl", 7),
    ]
    with pytest.raises(ValueError, match=r"answers.jsonl:7: .* second about /data/a.png .*answers.jsonl:3; .*appends"):
        list(join([record("a", "/data/a.png")], answers))


def test_two_records_of_one_image():
    records = [record("a", "/data/a.png", 4), record("b", "/data/a.png", 9)]
    with pytest.raises(
        ValueError, match=r"gold.jsonl:9: expected one record per image, found /data/a.png in gold.jsonl:4"
    ):
        list(join(records, [AnswerPrediction("/data/a.png", "A")]))
    assert [
        text for _, text in join([*records, record("c", "/data/c.png")], [AnswerPrediction("/data/c.png", "C")])
    ] == [
        None,
        None,
        "C",
    ]  # without answers nothing is ambiguous


def test_answers_about_images_of_no_record_show_a_path_of_each_side():
    answers = [AnswerPrediction(f"/moved/{name}.png", name, "answers.jsonl", i) for i, name in enumerate("abc", 1)]
    with pytest.raises(ValueError) as error:
        list(join([record("a", "/data/a.png")], answers))
    assert str(error.value) == (
        "answers.jsonl:1: expected the image of a record, found /moved/a.png, which none of the records has "
        "(nor the images of 2 other answers); the last record has /data/a.png"
    )
    with pytest.raises(ValueError, match=r"none of the records has; there are no records$"):
        list(join([], answers[:1]))


def test_systems_are_joined_in_one_pass():
    records = iter([record("a", "/data/a.png"), record("b", "/data/b.png")])
    systems = {
        "first": index_by_image([AnswerPrediction("/data/b.png", "B"), AnswerPrediction("/data/a.png", "A")]),
        "second": index_by_image([AnswerPrediction("/data/a.png", "AA")]),
    }
    said = [
        (each.id, {name: answer and answer.text for name, answer in answers.items()})
        for each, answers in join_all(records, systems)
    ]
    assert said == [("a", {"first": "A", "second": "AA"}), ("b", {"first": "B", "second": None})]


def test_an_answer_outside_the_subset_is_reported_with_its_subset():
    systems = {"a": index_by_image([AnswerPrediction("/data/z.png", "Z", "answers.jsonl", 3)])}
    with pytest.raises(ValueError, match=r"answers.jsonl:3: .*z.png, which none of the records of fold0_test has"):
        list(join_all([record("a", "/data/a.png")], systems, "the records of fold0_test"))
