"""What becomes of the images that a visitor brings; a server on loopback answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from swift_plugins.fakexplain.detect.app.examining import PER_LABEL, examine, quickstart_world, read_examples
from swift_plugins.fakexplain.detect.inputs import Input
from swift_plugins.fakexplain.detect.run import Examination
from swift_plugins.fakexplain.detect.server import ServerEngine
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.frames import frame_rule
from tests.conftest import record, write_annotations_file
from tests.detect.servers import chat, serve

HOW = Examination(frame_rule("fx_qwen2_5_vl"))


def make_image(path: Path) -> Input:
    Image.effect_noise((120, 90), 60).convert("RGB").save(path)
    return Input(path.name, path)


def test_bad_images_are_told_in_words_without_a_path_and_the_rest_go_on(tmp_path):
    good = make_image(tmp_path / "good.png")
    bad = {"text.jpg": b"hello", "empty.png": b"", "bomb.pgm": b"P5 60000 60000 255\n", "drawing.svg": b"<svg/>"}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    Image.new("RGB", (30_000, 10)).save(tmp_path / "wide.png")
    items = [Input(name, tmp_path / name) for name in (*bad, "wide.png")]
    steps = []
    with serve(lambda handler: handler.send_json(chat())) as (url, _):
        engine = ServerEngine(url, "", model="toy")
        found = examine([*items, good, good], engine, HOW, 8, lambda *step: steps.append(step))
        engine.close()
    assert [each.name for each in found] == [*bad, "wide.png", "good.png", "good.png"]
    assert [each.detection is None for each in found] == [True] * 5 + [False] * 2
    assert [each.detection.verdict for each in found[5:]] == ["real"] * 2
    assert found[0].error == "Not a readable image: cannot identify image file"
    assert found[4].error.startswith("Not an image of a shape that the model accepts: ")
    assert all(str(tmp_path) not in each.error for each in found)
    assert steps[-1][1] == 7


def test_answers_are_kept_where_the_engine_stops(tmp_path):
    items = [make_image(tmp_path / f"{name}.png") for name in "abc"]

    def dies(handler):
        handler.send_json(chat() if len(handler.requests) == 1 else {}, 200 if len(handler.requests) == 1 else 500)

    with serve(dies) as (url, _):
        engine = ServerEngine(url, "", model="toy")
        found = examine(items, engine, HOW, 1)
        engine.close()
    assert [bool(each.detection) for each in found] == [True, False, False]
    assert found[1].error.startswith(f"The model gives no answer: {url}")


def test_examples_are_of_both_labels_in_turns(tmp_path):
    labels = ["real"] * 9 + ["fake"] * 3
    path = write_annotations_file(tmp_path, [record(index, each, fold=index % 2) for index, each in enumerate(labels)])
    assert [each.label for each in read_examples(path)] == ["fake", "real"] * 3 + ["real"] * (PER_LABEL - 3)
    assert {each.fold for each in read_examples(path, fold=1)} == {1}
    (tmp_path / "images" / "real-000.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"annotations\.jsonl:1: image: expected a readable image"):
        read_examples(path)


def test_the_world_of_a_quickstart_lies_beside_its_model(tmp_path):
    model = tmp_path / "grpo" / "checkpoint-4"
    model.mkdir(parents=True)
    assert quickstart_world(str(model)) is None
    world = write_annotations_file(tmp_path / "world", [record(0)])
    assert quickstart_world(str(model)) == world
    assert quickstart_world(None) is None
    assert json.loads(world.read_text())["id"] == "fake-000"
