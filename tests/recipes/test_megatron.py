"""Megatron's recipes: their arguments against ms-swift's source, and, where Megatron is installed, its own classes.

`swift.megatron` cannot be imported without megatron-core and mcore-bridge (the extra `megatron`). Where they are
installed, but no GPU and so no Transformer Engine is, tests/recipes/megatron_judge.py says what takes its place.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.recipes.dry_run import ROOT, backbones, commands, option, run

PLUGIN = ROOT / "swift_plugins" / "fakexplain_plugin.py"
RECIPES = ("megatron_sft.sh", "megatron_grpo.sh")
LAUNCHED = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
"""What torchrun sets for the one process of a machine."""


@cache
def fields() -> set[str]:
    """The fields of ms-swift's argument classes for Megatron, read without importing them."""
    spec = importlib.util.find_spec("swift")
    assert spec and spec.origin
    package = Path(spec.origin).parent
    names = set()
    for file in [*package.glob("megatron/arguments/*.py"), *package.glob("arguments/base_args/*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                names |= {each.target.id for each in node.body if isinstance(each, ast.AnnAssign)}
    return names | reward_fields(package)


def reward_fields(package: Path) -> set[str]:
    """Fields of the rewards' mixin, which both kinds of trainer share."""
    text = (package / "rlhf_trainers" / "args_mixin.py").read_text(encoding="utf-8")
    return {
        each.target.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("backbone", ["qwen2.5-vl-7b", "qwen3-vl-32b"])
def test_every_option_is_a_field(recipe, backbone, world, tmp_path):
    [(words, _)] = commands(run(recipe, {**world, "BACKBONE": backbone}, cwd=tmp_path).stdout)
    assert words[:2] == ["megatron", "sft" if recipe == "megatron_sft.sh" else "rlhf"]
    assert [word for word in words if word.startswith("--") and word[2:] not in fields()] == []
    assert option(words, "--tensor_model_parallel_size") == ("4" if backbone == "qwen3-vl-32b" else "1")


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("words", [["--use_ray"], ["--use_ray", "true"], ["--use_ray=True"], ["--use_ray", "--x"]])
def test_ray_is_refused_with_the_reason(recipe, words, world, tmp_path):
    done = run(recipe, world, *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the reward weights live on the driver and callbacks run on the workers" in done.stderr


@pytest.mark.parametrize("words", [["--use_ray", "false"], ["--use_ray=false"]])
def test_no_ray_is_accepted(words, world, tmp_path):
    assert run("megatron_grpo.sh", world, *words, cwd=tmp_path).returncode == 0


def test_four_bits_are_refused(world, tmp_path):
    done = run("megatron_sft.sh", {**world, "QUANT": "4bit"}, cwd=tmp_path)
    assert done.returncode == 2
    assert "Megatron trains no 4-bit weights" in done.stderr


@pytest.fixture(scope="module")
def judged(world, models, tmp_path_factory):
    """The verdict of the built arguments of each recipe and backbone; and what the callback does."""
    if importlib.util.find_spec("mcore_bridge") is None:  # importing it needs what the judge fills in
        pytest.skip("Megatron is not installed (pip install .[megatron])")
    folder = tmp_path_factory.mktemp("megatron")
    keys, cases = [], []
    for row in {(row[2], row[3], row[8]): row for row in backbones()}.values():  # alike ones once
        for recipe in RECIPES:
            chosen = {**world, "BACKBONE": row[0], "MODEL": models[row[2]], "OUT": str(folder / row[0]), "GPUS": "1"}
            one = ("--ddp_backend", "gloo", "--tensor_model_parallel_size", "1", "--vllm_tensor_parallel_size", "1")
            extra = one if recipe == "megatron_grpo.sh" else one[:4]
            [(words, env)] = commands(run(recipe, chosen, *extra, cwd=folder).stdout)
            keys.append((recipe, row[0], row[3]))
            cases.append({"argv": words[1:], "env": env | LAUNCHED, "build": True})
    done = subprocess.run(
        [sys.executable, "-m", "tests.recipes.megatron_judge", PLUGIN, folder / "answers.json"],
        input=json.dumps(cases),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads((folder / "answers.json").read_text())
    return answers | {"verdicts": dict(zip(keys, answers["verdicts"], strict=True))}


def test_ms_swift_builds_its_megatron_arguments(judged):
    from swift_plugins.fakexplain.backbones import TEMPLATES

    verdicts = judged["verdicts"]
    assert {key: why for key, why in verdicts.items() if why and key[2] in TEMPLATES} == {}
    assert any(key[2] in TEMPLATES for key in verdicts)


def test_the_callback_sets_the_weight_of_eq_2(judged):
    assert judged["weights"] == [0.5, 0.625, 0.75, 0.875]


def test_the_callback_refuses_ray_with_the_reason(judged):
    assert "the reward weights live on the driver, and callbacks run on the workers" in judged["under_ray"]
