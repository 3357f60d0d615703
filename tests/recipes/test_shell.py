"""Every recipe has a whole header and sound shell, prints its command when dry, and stops at once on bad variables."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes.dry_run import LIBRARY, PIPELINES, RECIPES, ROOT, commands, option, run

FIELDS = ("Paper", "Hardware", "Input", "Output", "Run", "Override")
SINGLE = [recipe for recipe in RECIPES if recipe.name not in PIPELINES]
STAGES = ("sft.sh", "grpo.sh", "infer.sh", "score.sh")

by_name = pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)


def test_recipes_are_found():
    others = {"rollout.sh", "megatron_sft.sh", "megatron_grpo.sh", "detect.sh", "serve.sh", "publish.sh"}
    assert {*STAGES, *PIPELINES, *others} == {path.name for path in RECIPES}


@by_name
def test_header_is_whole(recipe):
    lines = recipe.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert re.fullmatch(r"# \S.*\.", lines[1]), "the second line says what the recipe is"
    assert lines[2] == "#"
    header = lines[3 : lines.index("set -euo pipefail")]
    assert all(line.startswith("# ") for line in header)
    assert [m[1] for line in header if (m := re.match(r"# (\w+): +\S", line))] == list(FIELDS)
    text = "\n".join(header)
    assert re.search(r"# Hardware: .* Time, memory: (not measured|.*[0-9] min, [0-9.]+ GB)", text)
    assert "DRY_RUN=1" in text
    assert f"recipes/{recipe.name}" in text


@pytest.mark.parametrize("recipe", [*RECIPES, *LIBRARY], ids=lambda path: path.name)
def test_shell_is_sound(recipe):
    assert os.access(recipe, os.X_OK) == (recipe in RECIPES)
    subprocess.run(["bash", "-n", recipe], check=True)
    shellcheck = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([shellcheck, "-x", recipe], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("recipe", SINGLE, ids=lambda path: path.name)
def test_one_command_ends_in_the_callers_arguments(recipe, world, tmp_path):
    lines = recipe.read_text(encoding="utf-8").splitlines()
    assert lines.count("cmd=(") == 1
    array = lines[lines.index("cmd=(") :]
    assert array[array.index(")") - 1].strip() == '"$@"'
    assert lines[-1] == 'exec "${cmd[@]}"'
    [(words, _)] = commands(run(recipe, world, "--last", "two words", cwd=tmp_path).stdout)
    assert words[-2:] == ["--last", "two words"]


@by_name
def test_dry_run_prints_commands_and_writes_nothing(recipe, world, tmp_path):
    done = run(recipe, world, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert commands(done.stdout)
    assert not list(tmp_path.iterdir())
    assert not Path(world["OUT"]).exists()


def test_the_curve_has_a_point_per_checkpoint(world, tmp_path):
    done = run("curve.sh", world, "--temperature", "0", cwd=tmp_path)
    words = [words for words, _ in commands(done.stdout)]
    assert [w[:2] for w in words] == [["swift", "export"], ["swift", "infer"]] * 3 + [
        ["fakexplain", "score"],
        ["fakexplain", "report"],
    ]
    merged = [option(w, "--output_dir") for w in words if w[1] == "export"]
    assert merged == [option(w, "--model") for w in words if w[1] == "infer"]
    adapters = [option(w, "--adapters") for w in words if w[1] == "export"]
    assert [Path(adapter).name for adapter in adapters] == ["checkpoint-500", "checkpoint-1000", "checkpoint-10000"]
    systems = [word.split("=")[0] for word in words[-2][2:5]]
    assert systems == ["SFT/checkpoint-500", "GRPO/checkpoint-1000", "GRPO/checkpoint-10000"]
    answers = [word.split("=")[1] for word in words[-2][2:5]]
    assert answers == [option(w, "--result_path") for w in words if w[1] == "infer"]
    assert words[-1].count("--log") == 2


@pytest.mark.parametrize(("variant", "subset"), [("full", "fold2_train"), ("no_bbox", "fold2_train__no_bbox")])
def test_variables_reach_the_command(variant, subset, world, tmp_path):
    chosen = {**world, "FOLD": "2", "VARIANT": variant, "FX_OMEGA_G_START": "1", "MAX_PIXELS": "401408"}
    [(words, env)] = commands(run("grpo.sh", chosen, cwd=tmp_path).stdout)
    assert option(words, "--dataset") == f"fakexplained:{subset}"
    start = words.index("--reward_weights") + 1
    assert words[start : start + 3] == ["1", "1", "1"]
    assert {"FX_OMEGA_G_START": "1", "FX_IOU_ETA": "1.1", "MAX_PIXELS": "401408"}.items() <= env.items()


def test_answers_are_scored_as_the_variant_they_were_asked_for(world, tmp_path):
    [(words, _)] = commands(run("score.sh", {**world, "VARIANT": "no_tags"}, cwd=tmp_path).stdout)
    assert option(words, "--subset") == "fold0_test__no_tags"


@pytest.mark.parametrize("variables", [{}, {"BACKBONE": "mimo-vl-7b-rl"}, {"BACKBONE": "internvl3-8b"}])
def test_stages_agree_on_the_frame(variables, world, tmp_path):
    frames = set()
    for name in STAGES:
        [(words, env)] = commands(run(name, {**world, **variables}, cwd=tmp_path).stdout)
        frames.add((env["MAX_PIXELS"], option(words, "--template")))
    assert len(frames) == 1


def test_server_and_training_agree(world, tmp_path):
    chosen = {**world, "BACKBONE": "qwen3-vl-8b"}
    [(serve, env)] = commands(run("rollout.sh", {**chosen, "GPUS": "4"}, cwd=tmp_path).stdout)
    [(train, trained)] = commands(run("grpo.sh", {**chosen, "ROLLOUT": "localhost:8000"}, cwd=tmp_path).stdout)
    for name in ("--model", "--model_type", "--template", "--custom_register_path", "--torch_dtype"):
        assert option(serve, name) == option(train, name)
    assert env["MAX_PIXELS"] == trained["MAX_PIXELS"]
    assert option(serve, "--vllm_data_parallel_size") == "4"
    assert "--vllm_gpu_memory_utilization" not in train


def test_a_server_is_asked_by_its_url_and_listens_on_loopback(world, tmp_path):
    [(serve, env)] = commands(run("serve.sh", world, cwd=tmp_path).stdout)
    assert (option(serve, "--host"), option(serve, "--infer_backend")) == ("127.0.0.1", "vllm")
    [(local, own)] = commands(run("detect.sh", world, cwd=tmp_path).stdout)
    assert (option(local, "--backend"), env["MAX_PIXELS"]) == ("vllm", own["MAX_PIXELS"])
    [(asking, _)] = commands(run("detect.sh", {**world, "URL": "http://127.0.0.1:8000/v1"}, cwd=tmp_path).stdout)
    assert option(asking, "--url") == "http://127.0.0.1:8000/v1"
    assert "--backend" not in asking


@pytest.mark.parametrize("variant", ["full", "no_caption", "no_bbox", "label_only"])
def test_the_checkpoint_is_chosen_on_held_back_training_rows(variant, world, tmp_path):
    """Never on the test fold, and by boxes only where answers hold some."""
    [(sft, _)] = commands(run("sft.sh", {**world, "VARIANT": variant}, cwd=tmp_path).stdout)
    [(grpo, _)] = commands(run("grpo.sh", {**world, "VARIANT": variant}, cwd=tmp_path).stdout)
    boxes = variant in ("full", "no_caption")
    for words in (sft, grpo):
        assert "--val_dataset" not in words
        assert option(words, "--split_dataset_ratio") == "0.015"
    assert option(sft, "--remove_unused_columns") == "false"  # `--eval_metric fx` reads the gold column
    assert option(sft, "--metric_for_best_model") == ("iou" if boxes else "accuracy")
    assert option(grpo, "--metric_for_best_model") == f"rewards/{'FxIoU' if boxes else 'FxLabel'}/mean"


MACHINES = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "10.0.0.7"}


@pytest.mark.parametrize("name", ["sft.sh", "grpo.sh", "megatron_sft.sh", "megatron_grpo.sh"])
def test_several_machines(name, world, tmp_path):
    [(_, env)] = commands(run(name, {**world, **MACHINES}, cwd=tmp_path).stdout)
    assert {**MACHINES, "MASTER_PORT": "29500", "NPROC_PER_NODE": "8"}.items() <= env.items()
    [(_, env)] = commands(run(name, world, cwd=tmp_path).stdout)
    assert not env.keys() & {*MACHINES, "MASTER_PORT"}


@pytest.mark.parametrize(("gpus", "accumulated"), [("1", "8"), ("2", "4"), ("4", "2"), ("8", "1"), ("16", "1")])
def test_a_step_takes_eight_rows_on_fewer_gpus_too(gpus, accumulated, world, tmp_path):
    for name in ("sft.sh", "grpo.sh"):
        [(words, env)] = commands(run(name, {**world, "GPUS": gpus}, cwd=tmp_path).stdout)
        assert env["NPROC_PER_NODE"] == gpus
        assert option(words, "--gradient_accumulation_steps") == accumulated


def test_four_bits_on_one_gpu(world, tmp_path):
    chosen = {**world, "GPUS": "1", "QUANT": "4bit"}
    for name in ("sft.sh", "grpo.sh"):
        [(words, _)] = commands(run(name, chosen, cwd=tmp_path).stdout)
        assert (option(words, "--quant_method"), option(words, "--quant_bits")) == ("bnb", "4")
        assert "--deepspeed" not in words
    assert option(words, "--use_vllm") == "false"
    assert "--vllm_mode" not in words


@pytest.mark.parametrize("value", [None, "no/such.jsonl"], ids=["unset", "missing"])
@pytest.mark.parametrize("name", [*STAGES, "curve.sh", "baselines.sh", "megatron_sft.sh", "megatron_grpo.sh"])
def test_without_annotations_it_stops_at_once(name, value, world, tmp_path):
    env = {k: v for k, v in world.items() if k not in ("FAKEXPLAINED", "DRY_RUN")}
    done = run(name, env if value is None else {**env, "FAKEXPLAINED": value}, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{name}: FAKEXPLAINED" in done.stderr
    assert (value or "is not set") in done.stderr


@pytest.mark.parametrize(
    ("name", "variables", "words"),
    [
        ("sft.sh", {"SIZE": "72B"}, "SIZE: expected 3B, 7B or 32B, found '72B'"),
        ("sft.sh", {"BACKBONE": "internvl4-8b"}, "BACKBONE: expected one of qwen2.5-vl-3b qwen2.5-vl-7b"),
        ("sft.sh", {"BACKBONE": "internvl4-8b"}, "glm-4.6v-flash, found 'internvl4-8b'"),
        ("sft.sh", {"BACKBONE": "qwen3-vl-8b", "SIZE": "7B"}, "BACKBONE is 'qwen3-vl-8b' and SIZE is '7B'"),
        ("sft.sh", {"PLUGIN": "no/plugin.py"}, "PLUGIN: no such file 'no/plugin.py'"),
        ("sft.sh", {"QUANT": "8bit"}, "QUANT: expected 4bit or nothing, found '8bit'"),
        ("sft.sh", {"NNODES": "2"}, "NNODES is 2: expected NODE_RANK (0 to 1) and MASTER_ADDR"),
        ("grpo.sh", {"NNODES": "2", "NODE_RANK": "0"}, "expected NODE_RANK (0 to 1) and MASTER_ADDR"),
        ("grpo.sh", {"MODEL": ""}, "MODEL is not set"),
        ("grpo.sh", {"MODEL": "adapter"}, "swift export --adapters"),
        (
            "grpo.sh",
            {"ROLLOUT": "localhost"},
            "ROLLOUT: expected self, or HOST:PORT of recipes/rollout.sh, found 'localhost'",
        ),
        ("grpo.sh", {"ROLLOUT": "localhost:8000", "QUANT": "4bit"}, "packed weights to vLLM without their scales"),
        ("rollout.sh", {"MODEL": ""}, "MODEL is not set"),
        ("rollout.sh", {"MODEL": "adapter"}, "swift export --adapters adapter --merge_lora true"),
        ("rollout.sh", {"GPUS": "3", "TP": "2"}, "GPUS: expected a multiple of TP, the GPUs per engine (2), found 3"),
        ("infer.sh", {"MODEL": "adapter"}, "swift export --adapters adapter --merge_lora true"),
        ("infer.sh", {"OUT": "adapter/adapter_config.json"}, "swift infer would append to it"),
        ("detect.sh", {"IMAGES": ""}, "IMAGES is not set"),
        ("detect.sh", {"IMAGES": "none"}, "IMAGES: no such file or folder 'none'"),
        ("detect.sh", {"MODEL": "adapter"}, "swift export --adapters adapter --merge_lora true"),
        ("serve.sh", {"MODEL": ""}, "MODEL is not set"),
        ("serve.sh", {"MODEL": "adapter"}, "swift export --adapters adapter --merge_lora true"),
        ("publish.sh", {"MODEL": ""}, "MODEL is not set"),
        ("publish.sh", {"LICENSE": ""}, "LICENSE is not set: expected the licence of the backbone"),
        ("score.sh", {"PREDICTIONS": "none.jsonl"}, "PREDICTIONS: cannot read 'none.jsonl'"),
        ("curve.sh", {"SFT": "", "GRPO": ""}, "SFT and GRPO are empty"),
        ("ood.sh", {"SET": ""}, "SET: expected one of fakeclue chameleon gpt-image-1 faceforensics"),
        ("ood.sh", {"SET": "celeb-df"}, "chameleon-nanobanana2, found 'celeb-df'"),
        ("ood.sh", {"DIR": "no/such"}, "DIR: no such folder 'no/such'"),
        ("ood.sh", {"MODEL": "adapter"}, "swift export --adapters adapter --merge_lora true"),
        ("curve.sh", {"SFT": "adapter"}, "SFT: 'adapter' holds no checkpoint-*"),
    ],
)
def test_bad_variables_stop_at_once(name, variables, words, world, tmp_path):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter/adapter_config.json").write_text("{}")
    done = run(name, {**world, **variables}, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
