"""What of a checkpoint is published, and the bounds on pixels in its processor."""

import json
from pathlib import Path

import pytest

from swift_plugins.fakexplain.detect.model_settings import read_settings
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.publish.checkpoint import (
    base_model_name,
    limit_pixels,
    published_args,
    published_files,
    sizes_of,
)
from tests.publish.checkpoints import PROCESSOR, read_json, write_checkpoint


def test_no_state_of_the_training_is_published(tmp_path):
    folder = write_checkpoint(tmp_path / "checkpoint-1")
    assert [path.name for path in published_files(folder)] == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "processor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "found no model.safetensors"),
        (lambda folder: (folder / "config.json").unlink(), "found no config.json"),
        (lambda folder: (folder / "processor_config.json").unlink(), "reads images, found no processor_config.json"),
        (lambda folder: write_index(folder, {"a": "model.safetensors", "b": "model-2.safetensors"}), "model-2"),
        (lambda folder: write_index(folder, None), "weight_map: expected the file of each weight, found None"),
    ],
)
def test_a_model_that_is_not_whole_is_refused(change, message, tmp_path):
    folder = write_checkpoint(tmp_path / "checkpoint-1")
    change(folder)
    with pytest.raises(DataError, match=message) as caught:
        published_files(folder)
    assert str(folder) in str(caught.value)


def write_index(folder: Path, shards: object) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))


@pytest.mark.parametrize("variant", ["full", "no_bbox", "label_only"])
def test_detect_reads_of_the_published_arguments_what_it_reads_of_the_checkpoint(variant, tmp_path):
    args = {"dataset": [f"fakexplained:fold1_train__{variant}"], "model_kwargs": {"max_pixels": 50176, "fps": 2}}
    folder = write_checkpoint(tmp_path / "checkpoint-1", **args)
    settings = read_settings(str(folder))
    found = published_args(read_json(folder / "args.json"), settings, sizes_of(settings, {"MIN_PIXELS": "784"}))
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "args.json").write_text(json.dumps(found))
    again = read_settings(str(tmp_path / "published"))
    assert (again.template, again.variant, again.system_prompt, again.norm_bbox) == (
        settings.template,
        variant,
        settings.system_prompt,
        settings.norm_bbox,
    )
    assert again.env == {"MAX_PIXELS": "50176", "MIN_PIXELS": "784"}
    assert str(tmp_path) not in json.dumps(found)


@pytest.mark.parametrize(
    "model, expected",
    [("Qwen/Qwen2.5-VL-7B-Instruct", "Qwen/Qwen2.5-VL-7B-Instruct"), ("/no/such/folder", None), (None, None)],
)
def test_the_base_model_is_followed_through_earlier_trainings(model, expected, tmp_path):
    first = write_checkpoint(tmp_path / "sft", model=model)
    assert base_model_name({"model": str(first)}) == base_model_name({"model": model}) == expected


def processor(tmp_path: Path, name: str = "processor_config.json", **changes: object) -> Path:
    own = {**PROCESSOR["image_processor"], **changes}
    config = PROCESSOR | {"image_processor": own} if name == "processor_config.json" else own
    (tmp_path / name).write_text(json.dumps(config))
    return tmp_path / name


def test_both_files_of_a_processor_get_the_bounds_and_lose_older_names(tmp_path):
    both = processor(tmp_path), processor(tmp_path, "preprocessor_config.json", min_pixels=1, max_pixels=2, size=None)
    limit_pixels(tmp_path, (3136, 50176), None)
    first, second = read_json(both[0])["image_processor"], read_json(both[1])
    assert first["size"] == second["size"] == {"shortest_edge": 3136, "longest_edge": 50176}
    assert not {"min_pixels", "max_pixels"} & second.keys()
    assert read_json(both[0])["processor_class"] == "Qwen2_5_VLProcessor"


@pytest.mark.parametrize("kind, longest", [("Glm4vImageProcessor", 100_000), ("Qwen2VLImageProcessor", 50_000)])
def test_max_pixels_of_the_training_lowers_the_upper_bound(kind, longest, tmp_path):
    path = processor(tmp_path, image_processor_type=kind)
    limit_pixels(tmp_path, None, 50_000)
    assert read_json(path)["image_processor"]["size"] == {"shortest_edge": 3136, "longest_edge": longest}


def test_a_processor_without_bounds_cannot_carry_max_pixels(tmp_path):
    path = processor(tmp_path, size={"height": 448, "width": 448})
    before = path.read_text()
    limit_pixels(tmp_path, None, None)
    assert json.loads(before) == read_json(path)
    with pytest.raises(DataError, match="size: expected a processor with a bound on pixels"):
        limit_pixels(tmp_path, None, 50_000)
