"""Every README: its commands parse, its links and files exist, and its tables equal the code's.

`fakexplain` commands are parsed by Typer, `swift` commands by ms-swift's own argument parser; nothing is run.
"""

from __future__ import annotations

import functools
import itertools
import re
import shlex
from pathlib import Path

import pytest
import typer

from converters.formats import READ, WRITTEN
from swift_plugins.fakexplain.backbones import BACKBONES
from swift_plugins.fakexplain.cli.commands import app
from swift_plugins.fakexplain.diagnostics import MEASURES
from swift_plugins.fakexplain.scoring.metrics.definitions import METRICS
from swift_plugins.fakexplain.variants import VARIANTS, variant_named

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (
    *("", "converters", "recipes", "swift_plugins", "swift_plugins/fakexplain/scoring"),
    *("swift_plugins/fakexplain/detect", "tests", "tests/benchmarks"),
)
TEXTS = {ROOT / folder / "README.md": (ROOT / folder / "README.md").read_text(encoding="utf-8") for folder in FOLDERS}
MAIN, DATA, RECIPES, PLUGIN, SCORES, DETECTION, TESTS, SPEED = TEXTS.values()
TOP_LEVEL = ("converters", "examples", "recipes", "swift_plugins", "tests")
PLACEHOLDER = "..."  # in the main README's training commands: further arguments

GROUP = typer.main.get_command(app)


def commands(text: str) -> list[list[str]]:
    """The words of each command in the text's bash blocks, without comments and redirections."""
    shell = "\n".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    found = [shlex.split(part, comments=True) for line in shell.splitlines() for part in line.split(" && ")]
    return [words[: words.index(">")] if ">" in words else words for words in found if words]


def without_variables(words: list[str]) -> list[str]:
    """`A=1 B=2 bash x.sh` without the variables set before it."""
    return words[next(index for index, word in enumerate(words) if not re.match(r"\w+=", word)) :]


def table(text: str, head: str) -> list[list[str]]:
    """The cells of the table with this first heading, row by row."""
    lines = text.split(f"\n| {head} |", 1)[1].splitlines()[2:]
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split(" | ")] for row in rows]


COMMANDS = [without_variables(words) for text in TEXTS.values() for words in commands(text)]
FAKEXPLAIN = [words[1:] for words in COMMANDS if words[0] == "fakexplain"]
SWIFT = [words[1:] for words in COMMANDS if words[0] == "swift"]
SCRIPTS = [words for words in COMMANDS if words[0] in ("bash", "python", "uv")]
CELLS = [shlex.split(cell) for cell in re.findall(r"\| `((?:convert|export) [^`]*)`", DATA)]
SPANS = re.findall(r"`fakexplain ([a-z][^`]*)`", "\n".join(TEXTS.values()))


def test_every_kind_of_command_is_checked():
    assert {words[0] for words in COMMANDS} - {"fakexplain", "swift", "bash", "python", "uv"} == {
        "7z", "export", "label-studio", "pip", "pytest",
    }  # fmt: skip
    assert len(FAKEXPLAIN) >= 20 and len(SWIFT) >= 7 and len(SCRIPTS) >= 10 and len(SPANS) >= 5


def command_of(words: list[str]) -> tuple[typer.core.TyperCommand, list[str]]:
    """The command that words name, of a group too, and its arguments."""
    group, args = GROUP, words
    while args and args[0] in getattr(group, "commands", {}):
        group, args = group.commands[args[0]], args[1:]
    assert group is not GROUP, words
    return group, args


@pytest.mark.parametrize("words", [*FAKEXPLAIN, *CELLS], ids=" ".join)
def test_typer_parses_the_command(words):
    words = [re.sub(r"^\[|\]$", "", word).replace("FORMAT", "coco") for word in words]  # [--optional VALUE]
    command, args = command_of(words)
    assert not command.make_context(words[0], args).args


def test_a_command_that_a_group_does_not_have_is_refused():
    command, args = command_of(["label-studio", "scren", "images"])
    assert command.name == "label-studio" and command.make_context("label-studio", args).args == ["images"]


@pytest.mark.parametrize("span", SPANS)
def test_a_command_named_in_the_text_exists_with_its_options(span):
    command, words = command_of(shlex.split(span))
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


@functools.cache
def swift_parsers() -> dict[str, object]:
    import swift.utils.utils as host
    from swift.arguments import ExportArguments, InferArguments, RLHFArguments, SftArguments
    from transformers import HfArgumentParser

    classes = {"sft": SftArguments, "rlhf": RLHFArguments, "infer": InferArguments, "export": ExportArguments}
    with host._patch_get_type_hints():  # as ms-swift's own parse_args does
        return {name: HfArgumentParser([each]) for name, each in classes.items()}


@pytest.mark.parametrize("words", SWIFT, ids=" ".join)
def test_ms_swift_parses_the_command(words):
    name, *args = [word for word in words if word != PLACEHOLDER]
    _, unknown = swift_parsers()[name].parse_known_args(args)
    assert not unknown


def test_ms_swift_refuses_a_misspelt_option():
    _, unknown = swift_parsers()["sft"].parse_known_args(["--model", "m", "--learning_rte", "1"])
    assert unknown == ["--learning_rte", "1"]


@pytest.mark.parametrize("words", SCRIPTS, ids=" ".join)
def test_scripts_and_extras_exist(words):
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert {extra for flag, extra in itertools.pairwise(words) if flag == "--extra"} <= set(extras)
    for flag, module in itertools.pairwise(words):
        assert flag != "-m" or (ROOT / f"{module.replace('.', '/')}.py").is_file()
    for word in words:
        assert not word.endswith((".sh", ".py")) or (ROOT / word).is_file()


@pytest.mark.parametrize("words", [words[1:] for words in COMMANDS if words[0] == "pytest"], ids=" ".join)
def test_pytest_knows_the_options_and_marks(words, pytestconfig):
    known, unknown = pytestconfig._parser.parse_known_and_unknown_args(words)
    assert not unknown
    marks = {line.split(":")[0] for line in pytestconfig.getini("markers")}
    assert set(known.markexpr.removeprefix("not ").split()) <= marks
    assert all((ROOT / path).exists() for path in known.file_or_dir)


def test_the_two_commands_of_the_main_readme():
    """The pipeline takes the second from the README, to the letter."""
    assert [line for line in MAIN.splitlines() if line.startswith("pip install")] == [
        "pip install uv && uv run --extra cpu bash recipes/quickstart.sh",
        "pip install uv && uv run --extra cpu --extra test pytest",
    ]


def test_the_main_readme_is_short():
    lines = MAIN.splitlines()
    assert len(lines) <= 130
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(path):
    links = re.findall(r"(?:\]\(|src=\")([^)\"#]+)", TEXTS[path])
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_every_readme_is_linked_from_the_main_one():
    assert {f"{folder}/README.md" for folder in FOLDERS if folder} <= set(re.findall(r"\]\(([^)]+)\)", MAIN))


def test_the_tree_names_the_folders():
    [tree] = re.findall(r"## Tree\n\n```\n(.*?)```", MAIN, re.DOTALL)
    paths: list[str] = []
    for line in tree.splitlines():
        indent, name = re.match(r"( *)(\S+/)", line).groups()
        parents = [path for path in paths if path.count("/") == len(indent) // 2]
        paths.append((parents[-1] if indent else "") + name)
    assert [path for path in paths if not (ROOT / path).is_dir()] == []
    assert {path for path in paths if "/" not in path[:-1]} == {f"{name}/" for name in TOP_LEVEL}
    assert {path for path in paths if path.count("/") == 3} == {
        f"swift_plugins/fakexplain/{name}/" for name in packages(ROOT / "swift_plugins/fakexplain")
    }


def packages(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if (each / "__init__.py").is_file()}


@pytest.mark.parametrize(("text", "base"), [(DATA, "converters"), (SCORES, "swift_plugins/fakexplain/scoring")])
def test_the_table_of_folders_is_whole(text, base):
    named = {name for cell, _ in table(text, "folder") for name in cell.split(", ") if name.endswith("/")}
    assert named == {f"{name}/" for name in packages(ROOT / base)}


def test_the_tables_name_every_format():
    assert {words[1] for words in CELLS if words[0] == "convert"} == set(READ)
    written = [words[words.index("--to") + 1] if "--to" in words else "rows" for words in CELLS if words[0] == "export"]
    assert sorted(written) == sorted(WRITTEN)
    assert f"reads {len(READ)} other formats" in MAIN


def test_the_table_of_metrics_is_the_codes():
    assert table(SCORES, "name in run.json") == [
        [metric.name, metric.label or metric.short, metric.meaning] for metric in METRICS
    ]


def test_the_table_of_variants_is_the_codes():
    yes = {True: "yes", False: "no"}
    assert table(PLUGIN, "variant") == [
        [name, yes[variant.boxes], yes[variant.captions], yes[variant.tags], "yes"]
        for name in VARIANTS
        for variant in [variant_named(name)]
    ]


def test_the_table_of_templates_is_the_codes():
    boxes = {"none": "pixels", "norm1000": "0–1000"}
    assert table(PLUGIN, "template") == [
        [f"fx_{name}", row.host, row.models, boxes[row.norm_bbox], row.proven] for name, row in BACKBONES.items()
    ]
    assert {row.proven for row in BACKBONES.values()} == set(re.findall(r"\*(grpo|forward|encode)\*:", PLUGIN))


def test_every_measure_is_explained():
    named = set(re.findall(r"`fx/(\w+)`", PLUGIN.split("## What to watch")[1])) - {"special_tokens", "no_variance"}
    assert named == MEASURES.keys() - {"accuracy", "format"}
    assert set(re.findall(r"`eval_(\w+)`", PLUGIN)) == {"accuracy", "iou", "format"}


def test_a_number_of_the_recipes_was_measured_or_says_that_it_was_not():
    rows = table(RECIPES, "engine")
    assert len(rows) >= 8
    for engine, count, *speeds in rows:
        assert count.isdigit(), engine
        assert [speed for speed in speeds if not re.fullmatch(r"\d+\.\d|not measured", speed)] == []
    results = [row[-1] for row in table(RECIPES, "script")]
    assert [each for each in results if not re.search(r"\d|not measured|not run|answer alike", each)] == []


def test_the_table_of_benchmarks_is_whole():
    benchmarks = {path.stem for path in (ROOT / "tests/benchmarks").glob("bench_*.py")}
    assert {words[-1] if "." in words[-1] else words[-2] for words in commands(SPEED)} == {
        f"tests.benchmarks.{name}" for name in benchmarks
    }
    assert {row[1] for row in table(SPEED, "benchmark")} == benchmarks
