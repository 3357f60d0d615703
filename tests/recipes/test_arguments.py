"""The command that a recipe prints is one its program accepts.

The judge of a `swift` command is ms-swift: its argparse parser over its own argument dataclasses for every recipe, and
the construction of those dataclasses (plugin loaded, template, DeepSpeed and batch arithmetic checked) wherever a model
folder can stand in for the real one.
"""

from __future__ import annotations

import importlib.util
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from swift_plugins.fakexplain.backbones import TEMPLATES
from tests.recipes.dry_run import RECIPES, ROOT, backbones, commands, option, run

pytestmark = pytest.mark.e2e

by_name = pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)


class Built(NamedTuple):
    """A command that ms-swift constructs."""

    recipe: str
    variables: dict[str, str]
    extra: tuple[str, ...] = ()
    refused: str = ""
    """Words ms-swift refuses with; '' where it accepts."""
    model_type: str = "qwen2_5_vl"


# Built on a CPU in one process, so GRPO's batch of 4 comes from accumulation.
CPU = ("--use_cpu", "true")
PACKING = ("--packing", "true", "--packing_length", "4096")
FOUR = {"GRAD_ACC": "4"}
ONE_GPU = {"GPUS": "1", "QUANT": "4bit"}
BUILT = [
    *[Built("sft.sh", {"SIZE": size}, CPU) for size in ("3B", "7B", "32B")],
    *[Built("grpo.sh", {"SIZE": size, **FOUR}, CPU) for size in ("3B", "7B", "32B")],
    *[Built("infer.sh", {"SIZE": size}) for size in ("3B", "7B", "32B")],
    *[Built("sft.sh", {"VARIANT": variant}, CPU) for variant in ("no_bbox", "label_only")],
    Built("grpo.sh", {"VARIANT": "label_only", **FOUR}, CPU),
    Built("sft.sh", {"VAL": "0"}, CPU),
    Built("grpo.sh", {"VAL": "0", **FOUR}, CPU),
    Built("grpo.sh", {"ROLLOUT": "self", **FOUR}, CPU),
    Built("sft.sh", ONE_GPU, CPU),
    Built("grpo.sh", ONE_GPU, CPU),
    Built("sft.sh", {}, (*CPU, *PACKING, "--attn_impl", "flash_attention_2")),
    Built("sft.sh", {"ZERO": "zero3"}, CPU),
    # the check must be able to fail
    Built("sft.sh", {}, (*CPU, *PACKING), "flash attention"),
    Built("sft.sh", {}, (*CPU, "--learning_rte", "1"), "--learning_rte"),
    Built("grpo.sh", {"GRAD_ACC": "3"}, CPU, "divisible by num_generations"),
    Built("grpo.sh", FOUR, (*CPU, "--vllm_mode", "colocated"), "invalid choice"),
    Built("grpo.sh", FOUR, (*CPU, "--template", "fx_no_such"), "fx_no_such"),
    Built("infer.sh", {}, ("--infer_backend", "vlm"), "invalid choice"),
    Built("serve.sh", {}),
    Built("rollout.sh", {}, (), "device"),  # it wants a GPU, so its arguments are parsed and no more
]
BUILT_BY_BACKBONE = [
    Built(recipe, {"BACKBONE": row[0], **FOUR}, CPU if recipe != "infer.sh" else (), model_type=row[2])
    for row in backbones()
    for recipe in ("sft.sh", "grpo.sh", "infer.sh")
]
Verdicts = dict[str, list[tuple[list[str], str]]]
"""By recipe, or by place in a list of `Built`: each swift command that it prints, and ms-swift's verdict on it."""


class Cases:
    """Commands to be judged together, because importing ms-swift takes longest."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cases, self.keys = folder, [], []

    def ask(self, key: str, printed: str, build: bool) -> None:
        """Have every swift command of a dry run parsed, or constructed."""
        for words, env in commands(printed):
            if words[0] == "swift":
                self.cases.append({"argv": words[1:], "env": env, "build": build})
                self.keys.append(key)

    def ask_to_build(self, rows: list[Built], world: dict[str, str], models: dict[str, str]) -> None:
        for index, row in enumerate(rows):
            chosen = {
                **world,
                "MODEL": models[row.model_type],
                "OUT": str(self.folder / f"out-{index}"),
                **row.variables,
            }
            self.ask(str(index), run(row.recipe, chosen, *row.extra, cwd=self.folder).stdout, build=True)

    def verdicts(self) -> Verdicts:
        judged = subprocess.run(
            [sys.executable, ROOT / "tests/recipes/judge.py", self.folder / "answers.json"],
            input=json.dumps(self.cases),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert judged.returncode == 0, judged.stderr[-2000:]
        answers: Verdicts = {}
        refusals = json.loads((self.folder / "answers.json").read_text())
        for key, case, refusal in zip(self.keys, self.cases, refusals, strict=True):
            answers.setdefault(key, []).append((case["argv"], refusal))
        return answers


@pytest.fixture(scope="module")
def verdicts(world, models, tmp_path_factory) -> Verdicts:
    """Of each recipe as it is, of a rollout server, and of BUILT."""
    cases = Cases(tmp_path_factory.mktemp("judge"))
    for recipe in RECIPES:
        cases.ask(recipe.name, run(recipe, world, cwd=cases.folder).stdout, build=False)
    server = run("grpo.sh", {**world, "ROLLOUT": "10.0.0.7:8000"}, cwd=cases.folder)
    cases.ask("server", server.stdout, build=False)
    cases.ask_to_build(BUILT, world, models)
    return cases.verdicts()


@pytest.fixture(scope="module")
def verdicts_by_backbone(world, models, tmp_path_factory) -> Verdicts:
    cases = Cases(tmp_path_factory.mktemp("judge"))
    cases.ask_to_build(BUILT_BY_BACKBONE, world, models)
    return cases.verdicts()


@by_name
def test_ms_swift_accepts_the_dry_run(recipe, verdicts, world, tmp_path):
    printed = [words for words, _ in commands(run(recipe, world, cwd=tmp_path).stdout)]
    assert len([w for w in printed if w[0] == "swift"]) == len(verdicts.get(recipe.name, []))
    for argv, refusal in verdicts.get(recipe.name, []):
        assert not refusal, f"swift {shlex.join(argv)}: {refusal}"
    assert recipe.name in verdicts or all(w[0] in ("fakexplain", "python", "megatron", "bash") for w in printed)


def test_ms_swift_accepts_a_rollout_server(verdicts):
    [(argv, refusal)] = verdicts["server"]
    assert not refusal
    chosen = [option(argv, f"--vllm_{name}") for name in ("mode", "server_host", "server_port")]
    assert chosen == ["server", "10.0.0.7", "8000"]


def check(built: Built, verdicts: list[tuple[list[str], str]]) -> None:
    """Hold ms-swift's verdict against what is expected; skip what it cannot judge here."""
    [(argv, refusal)] = verdicts
    template = option(argv, "--template")
    if template not in TEMPLATES and not built.refused:
        pytest.skip(f"{template} has no frame")
    if built.variables.get("QUANT") and importlib.util.find_spec("bitsandbytes") is None:
        pytest.skip("bitsandbytes is not installed (pip install .[quant])")
    assert (built.refused in refusal) if built.refused else not refusal, refusal


def name(built: Built) -> str:
    return "-".join((built.recipe, *built.variables.values()))


@pytest.mark.parametrize("row", range(len(BUILT)), ids=lambda row: f"{name(BUILT[row])}-{row}")
def test_ms_swift_builds_its_arguments(row, verdicts):
    check(BUILT[row], verdicts[str(row)])


@pytest.mark.slow
@pytest.mark.parametrize("row", range(len(BUILT_BY_BACKBONE)), ids=lambda row: name(BUILT_BY_BACKBONE[row]))
def test_ms_swift_builds_the_arguments_of_every_backbone(row, verdicts_by_backbone):
    check(BUILT_BY_BACKBONE[row], verdicts_by_backbone[str(row)])


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
