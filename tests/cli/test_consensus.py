"""`fakexplain consensus`: files in, one line per image out, which `fakexplain score` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swift_plugins.fakexplain.annotation import read_annotations
from tests.cli.command import fakexplain
from tests.cli.predictions import RIGHT

OFF = RIGHT.replace("[9, 5, 47, 42]", "[60, 5, 90, 42]")
REAL = "<think>\nNo visible flaw.\n</think>\n<tag>none</tag>\n<verdict>real</verdict>"


def line(path: Path, response: str, **fields: object) -> str:
    return json.dumps({"response": response, "images": [{"path": str(path)}], **fields}) + "\n"


def lines(path: Path) -> list[dict]:
    return [json.loads(each) for each in path.read_text().splitlines()]


@pytest.fixture
def image(annotations_file: Path) -> Path:
    return next(iter(read_annotations(annotations_file))).path


@pytest.mark.parametrize("files", [1, 2])
def test_the_chosen_line_is_written_with_what_the_others_say(image: Path, tmp_path: Path, files: int):
    logprobs = {"content": [{"token": "x", "logprob": float("-inf")}]}
    texts = [
        line(image, OFF, p_fake=0.9),
        line(image, RIGHT, p_fake=0.8, logprobs=logprobs),
        line(image, REAL, p_fake=0.1),
    ]
    texts.append(line(image, RIGHT, p_fake=None))
    paths = [tmp_path / f"{index}.jsonl" for index in range(files)]
    for index, path in enumerate(paths):
        path.write_text("".join(texts[index::files]))
    done = fakexplain("consensus", *paths, "-o", tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"1 images (1 with 4 answers) in {tmp_path / 'out.jsonl'}\n"
    (found,) = lines(tmp_path / "out.jsonl")
    # the three fakes share the second region; of the first region, the other RIGHT covers all, OFF and REAL nothing
    assert found.pop("region_confidences") == pytest.approx([1 / 3, 2 / 3])
    assert (found.pop("agreement"), found.pop("samples"), found.pop("p_fake")) == (0.75, 4, pytest.approx(0.6))
    assert found == {"response": RIGHT, "images": [{"path": str(image)}], "logprobs": logprobs}


def test_score_reads_it(annotations_file: Path, tmp_path: Path):
    records = list(read_annotations(annotations_file))
    said = {"fake": (OFF, RIGHT, RIGHT), "real": (REAL, OFF, REAL)}
    p_fake = {"fake": (0.9, 0.9, 0.6), "real": (0.0, 0.9, 0.0)}
    path = tmp_path / "samples.jsonl"
    pairs = [(r, *each) for r in records for each in zip(said[r.label], p_fake[r.label], strict=True)]
    path.write_text("".join(line(r.path, text, p_fake=p) for r, text, p in pairs))
    assert fakexplain("consensus", path, "-o", tmp_path / "out.jsonl").returncode == 0
    scores = tmp_path / "scores.json"
    args = ("--annotations", annotations_file, "--resamples", 0, "--json", scores)
    done = fakexplain("score", tmp_path / "out.jsonl", *args)
    assert done.returncode == 0, done.stderr
    result = json.loads(scores.read_text())["out"]
    assert (result["accuracy"], result["auroc"], round(result["iou"], 3)) == (1, 1, 0.974)


def test_detections_are_read_and_keep_their_image(image: Path, tmp_path: Path):
    """A detection is a record with the text of the answer; its image is relative to its file."""
    (tmp_path / "in").mkdir()
    path = tmp_path / "in/detections.jsonl"
    relative = f"../{image.relative_to(tmp_path)}"
    texts = [
        {"id": "a", "image": relative, "label": "fake", "answer": each, "p_fake": 0.5} for each in (OFF, RIGHT, RIGHT)
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in texts))
    out = tmp_path / "a/b/out.jsonl"
    done = fakexplain("consensus", path, "-o", out)
    assert done.returncode == 0, done.stderr
    (found,) = lines(out)
    assert (found["answer"], found["p_fake"]) == (RIGHT, 0.5)
    assert (out.parent / found["image"]).samefile(image)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"response": "x"}', "samples.jsonl:1: images: expected the path of one image, found no such field"),
        ('{"response": "x", "image": "none.png"}', "samples.jsonl:1: image: expected an image file, found no file"),
        ('{"response": "x", "image": "a.png", "p_fake": 2}', "p_fake: expected a number from 0 to 1, found 2"),
        ('{"answer": 5, "image": "a.png"}', "answer: expected the text of an answer, found 5"),
        ("", "expected at least one prediction, found an empty file"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, text: str, message: str):
    path = tmp_path / "samples.jsonl"
    path.write_text(text)
    done = fakexplain("consensus", path, "-o", tmp_path / "out.jsonl")
    assert done.returncode == 1
    assert message in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_existing_output_needs_force(image: Path, tmp_path: Path):
    path = tmp_path / "samples.jsonl"
    path.write_text(line(image, REAL))
    assert fakexplain("consensus", path, "-o", path, "--force").returncode == 2
    assert fakexplain("consensus", path, "-o", tmp_path / "out.jsonl").returncode == 0
    assert fakexplain("consensus", path, "-o", tmp_path / "out.jsonl").returncode == 2
    assert fakexplain("consensus", path, "-o", tmp_path / "out.jsonl", "--force").returncode == 0
