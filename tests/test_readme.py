"""README: every `fakexplain` command in it is one that the command line takes."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from converters.export import WRITERS
from converters.formats import FORMATS
from swift_plugins.fakexplain.cli.commands import app

ROOT = Path(__file__).parents[1]
READMES = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "recipes/README.md")]
BLOCKS = "\n".join(block for text in READMES for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL))
LINES = re.findall(r"^fakexplain (.*)$", BLOCKS.replace("\\\n", " "), re.MULTILINE)
CELLS = re.findall(r"\| `((?:convert|export) [^`]*)`", READMES[0])


@pytest.mark.parametrize("line", [*LINES, *CELLS])
def test_a_command_is_taken(line):
    name, *args = shlex.split(line.replace("[", "").replace("]", ""), comments=True)
    args = args[: args.index(">")] if ">" in args else args
    group = typer.main.get_command(app)
    group.commands[name].make_context(name, args)


def test_the_tables_name_every_format():
    assert len(LINES) >= 15
    assert {line.split()[1] for line in CELLS if line.startswith("convert")} == set(FORMATS)
    assert {(re.findall("--to (.*?) ", line) or ["rows"])[0] for line in CELLS if line.startswith("export")} == set(
        WRITERS
    )
