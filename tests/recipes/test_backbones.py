"""The table of backbones: ms-swift's own registry knows each, recipes keep them apart, and README.md repeats it."""

from __future__ import annotations

import re

import pytest

from tests.recipes.dry_run import ROOT, backbones, commands, option, run

NAMES = [row[0] for row in backbones()]


@pytest.fixture(scope="module")
def registry():
    """Hub id -> (model_type, template, ModelScope id) of each entry that ms-swift has for it."""
    from swift.model import MODEL_MAPPING

    models = {}
    for model_type, meta in MODEL_MAPPING.items():
        for group in meta.model_groups:
            for model in group.models:
                found = (model_type, group.template or meta.template, model.ms_model_id)
                models.setdefault(model.hf_model_id, []).append(found)
    return models


@pytest.mark.parametrize("row", backbones(), ids=NAMES)
def test_ms_swift_knows_the_model(row, registry):
    """The model id is one it downloads, from both hubs, and it takes the model for what the row says."""
    _, hub, model_type, template, *_ = row
    assert registry.get(hub), f"{hub} is in no registry"
    assert (model_type, template.removeprefix("fx_")) in [found[:2] for found in registry[hub]]
    assert all(found[2] for found in registry[hub])


def test_rows_are_whole():
    assert len(set(NAMES)) == len(NAMES) == 13
    for row in backbones():
        _, _, _, _, zero, tp, share, infer_tp, room, prompt, sft, grpo = row
        assert (zero, room) in {("zero2", "stay"), ("zero3", "sleep")}
        assert 8 % int(tp) == 8 % int(infer_tp) == 0
        assert 0 < float(share) < 1
        assert int(prompt) >= 2048
        assert max(int(sft), int(grpo)) < 80


@pytest.mark.parametrize("recipe", ["sft.sh", "grpo.sh", "infer.sh", "score.sh", "megatron_sft.sh", "megatron_grpo.sh"])
def test_outputs_of_backbones_do_not_collide(recipe, world, tmp_path):
    (tmp_path / "output").mkdir()
    outputs = []
    for name in NAMES:
        (tmp_path / f"output/infer-{name}-fold0-full.jsonl").touch()
        chosen = {k: v for k, v in world.items() if k not in ("OUT", "PREDICTIONS")} | {"BACKBONE": name}
        extra = {"OUT": f"answers-{name}"} if recipe == "infer.sh" else {}
        done = run(recipe, {**chosen, **extra}, cwd=tmp_path)
        [(words, _)] = commands(done.stdout)
        out = {"infer.sh": "--result_path", "score.sh": "--out"}.get(recipe, "--output_dir")
        outputs.append(option(words, out))
        assert name in outputs[-1]
    assert len(set(outputs)) == len(NAMES)


@pytest.mark.parametrize(("size", "backbone"), [("3B", "3b"), ("7B", "7b"), ("32B", "32b"), (None, "7b")])
def test_size_is_the_short_name_of_a_backbone(size, backbone, world, tmp_path):
    chosen = {k: v for k, v in world.items() if k not in ("OUT", "MODEL")}
    sized = run("sft.sh", chosen | ({"SIZE": size} if size else {}), cwd=tmp_path).stdout
    named = run("sft.sh", chosen | {"BACKBONE": f"qwen2.5-vl-{backbone}"}, cwd=tmp_path).stdout
    name = size or "7B"
    assert sized == named.replace(f"sft-qwen2.5-vl-{backbone}-", f"sft-{name}-")
    assert f"output/sft-{name}-fold0-full" in sized


def test_the_readme_repeats_the_table():
    text = (ROOT / "recipes" / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([\w.-]+)` \| `([\w./-]+)` \| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    said = [(name, hub, template, *re.findall(r"(\d+) / (\d+) GB", rest)[0]) for name, hub, template, rest in lines]
    assert said == [(row[0], row[1], row[3], row[10], row[11]) for row in backbones()]
