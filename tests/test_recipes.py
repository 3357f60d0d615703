"""Every recipe has a whole header and sound shell, and the command it prints is one its program accepts.

The judge of a `swift` command is ms-swift: its argparse parser over its own argument dataclasses for every recipe, and
the construction of those dataclasses (plugin loaded, template, DeepSpeed and batch arithmetic checked) wherever a model
folder can stand in for the real one. All of that in one process, since importing ms-swift takes 20 s.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPES = sorted((ROOT / "recipes").glob("*.sh"))
LIBRARY = sorted((ROOT / "recipes" / "lib").glob("*.sh"))
FIELDS = ("Paper", "Hardware", "Input", "Output", "Run", "Override")
VARIABLES = {"FAKEXPLAINED", "MODEL", "PREDICTIONS", "PLUGIN", "OUT", "SIZE", "FOLD", "VARIANT", "DRY_RUN", "QUICK"}
VARIABLES |= {"GRAD_ACC", "ZERO", "TP", "SHARE", "MAX_PIXELS", "NPROC_PER_NODE"}

by_name = pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)

# recipe, variables, further arguments, words ms-swift refuses with ('' where it accepts). Built on a CPU in one
# process, so GRPO's batch of 4 comes from accumulation.
CPU = ["--use_cpu", "true"]
PACKING = ["--packing", "true", "--packing_length", "4096"]
BUILT = [
    *[("sft.sh", {"SIZE": size}, CPU, "") for size in ("3B", "7B", "32B")],
    *[("grpo.sh", {"SIZE": size, "GRAD_ACC": "4"}, CPU, "") for size in ("3B", "7B", "32B")],
    *[("infer.sh", {"SIZE": size}, [], "") for size in ("3B", "7B", "32B")],
    ("sft.sh", {}, [*CPU, *PACKING, "--attn_impl", "flash_attention_2"], ""),
    ("sft.sh", {"ZERO": "zero3"}, CPU, ""),
    # the check must be able to fail
    ("sft.sh", {}, [*CPU, *PACKING], "flash attention"),
    ("sft.sh", {}, [*CPU, "--learning_rte", "1"], "--learning_rte"),
    ("grpo.sh", {"GRAD_ACC": "3"}, CPU, "divisible by num_generations"),
    ("grpo.sh", {"GRAD_ACC": "4"}, [*CPU, "--vllm_mode", "colocated"], "invalid choice"),
    ("grpo.sh", {"GRAD_ACC": "4"}, [*CPU, "--template", "fx_no_such"], "fx_no_such"),
    ("infer.sh", {}, ["--infer_backend", "vlm"], "invalid choice"),
]

# Reads [{argv, env, build}] and answers [error or '']; a fork for each, since construction changes the process's state.
JUDGE = """
import contextlib, io, json, os, socket, sys
from swift.arguments import ExportArguments, InferArguments, RLHFArguments, SftArguments
from swift.utils import parse_args
import swift.utils.utils as host
from transformers import HfArgumentParser

CLASSES = {"sft": SftArguments, "rlhf": RLHFArguments, "infer": InferArguments, "export": ExportArguments}

def refusal(argv, env, build):
    with socket.create_server(("127.0.0.1", 0)) as free:  # other runs on this machine may hold the default port
        os.environ.update(env, MASTER_PORT=str(free.getsockname()[1]))
    words = io.StringIO()
    try:
        with contextlib.redirect_stderr(words):
            if build:
                rest = parse_args(CLASSES[argv[0]], argv[1:])[1]
            else:
                with host._patch_get_type_hints():
                    rest = HfArgumentParser([CLASSES[argv[0]]]).parse_known_args(argv[1:])[1]
        return "unknown arguments: " + " ".join(rest) if rest else ""
    except SystemExit:
        return words.getvalue()[-500:] or "exit"
    except Exception as error:
        return f"{type(error).__name__}: {error}"

answers = []
for case in json.load(sys.stdin):
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, refusal(**case).encode()[:60000])
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        answers.append(pipe.read().decode(errors="replace"))
    os.wait()
open(sys.argv[1], "w").write(json.dumps(answers))
"""


def run(recipe: Path, env: Mapping[str, str], *extra: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k not in VARIABLES and not k.startswith("FX_")}
    inherited["PATH"] = f"{Path(sys.executable).parent}:{inherited['PATH']}"
    command = ["bash", str(recipe), *extra]
    return subprocess.run(command, env={**inherited, **env}, cwd=cwd, capture_output=True, text=True, timeout=60)


def commands(text: str) -> list[tuple[list[str], dict[str, str]]]:
    """The printed commands, one per line: words, and the variables set before them."""
    found = []
    for line in text.splitlines():
        words, env = shlex.split(line, comments=True), {}
        while words and (words[0] == "env" or re.match(r"\w+=", words[0])):
            name, _, value = words.pop(0).partition("=")
            if value or name != "env":
                env[name] = value
        if words:
            found.append((words, env))
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> dict[str, str]:
    """Files that recipes ask for before they print, and a model folder that holds only its config."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "annotations.jsonl").write_text("")
    (folder / "predictions.jsonl").write_text("")
    (folder / "model").mkdir()
    config = {"model_type": "qwen2_5_vl", "architectures": ["Qwen2_5_VLForConditionalGeneration"]}
    (folder / "model/config.json").write_text(json.dumps(config))
    return {
        "DRY_RUN": "1",
        "FAKEXPLAINED": str(folder / "annotations.jsonl"),
        "PREDICTIONS": str(folder / "predictions.jsonl"),
        "MODEL": str(folder / "model"),
        "OUT": str(folder / "out"),
    }


@pytest.fixture(scope="module")
def verdicts(world, tmp_path_factory) -> dict[str, list[tuple[list[str], str]]]:
    """For each recipe and each row of BUILT: the swift commands it prints, and ms-swift's verdict on each."""
    folder = tmp_path_factory.mktemp("judge")
    cases, keys = [], []

    def ask(key: str, text: str, build: bool) -> None:
        for words, env in commands(text):
            if words[0] == "swift":
                cases.append({"argv": words[1:], "env": env, "build": build})
                keys.append(key)

    for recipe in RECIPES:
        ask(recipe.name, run(recipe, world, cwd=folder).stdout, build=False)
    for row, (name, variables, extra, _) in enumerate(BUILT):
        chosen = {**world, "OUT": str(folder / f"out-{row}"), **variables}
        ask(str(row), run(ROOT / "recipes" / name, chosen, *extra, cwd=folder).stdout, build=True)

    judged = subprocess.run(
        [sys.executable, "-c", JUDGE, str(folder / "answers.json")],
        input=json.dumps(cases),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert judged.returncode == 0, judged.stderr[-2000:]
    answers: dict[str, list[tuple[list[str], str]]] = {}
    for key, case, answer in zip(keys, cases, json.loads((folder / "answers.json").read_text()), strict=True):
        answers.setdefault(key, []).append((case["argv"], answer))
    return answers


def test_recipes_are_found():
    assert {"sft.sh", "grpo.sh", "infer.sh", "score.sh"} <= {recipe.name for recipe in RECIPES}


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


SINGLE = [recipe for recipe in RECIPES if recipe.name != "quickstart.sh"]  # which runs the whole pipeline


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


@by_name
def test_ms_swift_accepts_the_dry_run(recipe, verdicts, world, tmp_path):
    printed = [words for words, _ in commands(run(recipe, world, cwd=tmp_path).stdout)]
    assert len([w for w in printed if w[0] == "swift"]) == len(verdicts.get(recipe.name, []))
    for argv, refusal in verdicts.get(recipe.name, []):
        assert not refusal, f"swift {shlex.join(argv)}: {refusal}"
    assert recipe.name in verdicts or all(w[0] in ("fakexplain", "python") for w in printed)


@by_name
def test_fakexplain_accepts_the_dry_run(recipe, world, tmp_path):
    for words, _ in commands(run(recipe, world, cwd=tmp_path).stdout):
        if words[0] == "fakexplain":
            fakexplain_parses(words[1:])


def test_fakexplain_refuses_a_misspelt_option():
    with pytest.raises(Exception, match="--annotation_"):
        fakexplain_parses(["score", "p.jsonl", "--annotation_", "a.jsonl"])


def fakexplain_parses(argv: list[str]) -> None:
    """Parse as the app itself does, up to the values: the files need not exist."""
    import typer

    from swift_plugins.fakexplain.cli.commands import app

    group = typer.main.get_command(app)
    command = group.commands[argv[0]]
    context = type(command).context_class(command)
    _, rest, _ = command.make_parser(context).parse_args(args=list(argv[1:]))
    assert not rest


@pytest.mark.parametrize("row", range(len(BUILT)), ids=lambda row: f"{BUILT[row][0]}-{row}")
def test_ms_swift_builds_its_arguments(row, verdicts):
    [(_, refusal)] = verdicts[str(row)]
    words = BUILT[row][3]
    assert (words in refusal) if words else not refusal, refusal


@pytest.mark.parametrize(("variant", "subset"), [("full", "fold2_train"), ("no_bbox", "fold2_train__no_bbox")])
def test_variables_reach_the_command(variant, subset, world, tmp_path):
    chosen = {**world, "FOLD": "2", "VARIANT": variant, "FX_OMEGA_G_START": "1", "MAX_PIXELS": "401408"}
    [(words, env)] = commands(run(ROOT / "recipes/grpo.sh", chosen, cwd=tmp_path).stdout)
    assert words[words.index("--dataset") + 1] == f"fakexplained:{subset}"
    start = words.index("--reward_weights") + 1
    assert words[start : start + 3] == ["1", "1", "1"]
    assert {"FX_OMEGA_G_START": "1", "FX_IOU_ETA": "1.1", "MAX_PIXELS": "401408"}.items() <= env.items()


def test_answers_are_scored_as_the_variant_they_were_asked_for(world, tmp_path):
    [(words, _)] = commands(run(ROOT / "recipes/score.sh", {**world, "VARIANT": "no_tags"}, cwd=tmp_path).stdout)
    assert words[words.index("--subset") + 1] == "fold0_test__no_tags"


def test_stages_agree_on_the_frame(world, tmp_path):
    frames = set()
    for name in ("sft.sh", "grpo.sh", "infer.sh", "score.sh"):
        [(words, env)] = commands(run(ROOT / "recipes" / name, world, cwd=tmp_path).stdout)
        frames.add((env["MAX_PIXELS"], words[words.index("--template") + 1]))
    assert frames == {("1003520", "fx_qwen2_5_vl")}


@pytest.mark.parametrize("value", [None, "no/such.jsonl"], ids=["unset", "missing"])
@pytest.mark.parametrize("name", ["sft.sh", "grpo.sh", "infer.sh", "score.sh"])
def test_without_annotations_it_stops_at_once(name, value, world, tmp_path):
    env = {k: v for k, v in world.items() if k not in ("FAKEXPLAINED", "DRY_RUN")}
    done = run(ROOT / "recipes" / name, env if value is None else {**env, "FAKEXPLAINED": value}, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{name}: FAKEXPLAINED" in done.stderr
    assert (value or "is not set") in done.stderr


@pytest.mark.parametrize(
    ("name", "variables", "words"),
    [
        ("sft.sh", {"SIZE": "72B"}, "SIZE: expected 3B, 7B or 32B, found '72B'"),
        ("sft.sh", {"PLUGIN": "no/plugin.py"}, "PLUGIN: no such file 'no/plugin.py'"),
        ("grpo.sh", {"MODEL": ""}, "MODEL is not set"),
        ("grpo.sh", {"MODEL": "adapter"}, "swift export --adapters"),
        ("infer.sh", {"MODEL": "adapter"}, "swift export --adapters adapter --merge_lora true"),
        ("infer.sh", {"OUT": "adapter/adapter_config.json"}, "swift infer would append to it"),
        ("score.sh", {"PREDICTIONS": "none.jsonl"}, "PREDICTIONS: cannot read 'none.jsonl'"),
    ],
)
def test_bad_variables_stop_at_once(name, variables, words, world, tmp_path):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter/adapter_config.json").write_text("{}")
    done = run(ROOT / "recipes" / name, {**world, **variables}, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
