"""How a command starts and ends: Ctrl-C at any moment, and packages that are not installed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer

from swift_plugins.fakexplain.cli import commands
from swift_plugins.fakexplain.variants import VARIANTS
from tests.conftest import heed_interrupts, record

pytestmark = pytest.mark.e2e

# Writes a line once the command handles interrupts: before that, Python itself is starting.
READY = """
import os, signal, sys
set_handler = signal.signal
def set_and_report(*args):
    signal.signal = set_handler
    previous = set_handler(*args)
    os.write(1, b"ready\\n")
    return previous
signal.signal = set_and_report
from swift_plugins.fakexplain.cli import main
main()
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """An annotations file that takes some seconds to validate."""
    path = tmp_path_factory.mktemp("many") / "annotations.jsonl"
    line = json.dumps(record(0))
    path.write_text("".join(line.replace("fake-000", f"{index}", 1) + "\n" for index in range(100_000)))
    return path


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_an_interrupt_at_any_moment_is_one_line(delay, times, many, tmp_path):
    command = [sys.executable, "-c", READY, "validate", str(many), "--no-images", "-o", str(tmp_path / "good.jsonl")]
    with subprocess.Popen(
        command, preexec_fn=heed_interrupts, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        for pause in [delay, *[0.01] * (times - 1)]:
            time.sleep(pause)
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (130, "error: interrupted; no partial output was left behind\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("swallow", ["except BaseException: pass", "except KeyboardInterrupt: raise ImportError('x')"])
def test_an_interrupt_that_a_library_handles_is_still_one(swallow):
    """It may come back as another error; if nothing comes back, the next Ctrl-C ends the command."""
    code = f"""
import os, signal, time
from swift_plugins.fakexplain import cli
from swift_plugins.fakexplain.cli import commands
def run():
    for _ in range(2):
        try: os.kill(os.getpid(), signal.SIGINT); time.sleep(0.1)
        {swallow}
        time.sleep(0.2)
commands.run, cli.CLEANUP_SECONDS = run, 0.1
cli.main()
"""
    code = code.replace("pass", "\n            if _ == 1: raise")
    done = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=heed_interrupts, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "error: interrupted; no partial output was left behind\n")


def test_an_interrupt_inside_an_exec_has_the_same_exit_code(tmp_path):
    """Dataclasses use `exec`, and a Ctrl-C inside one makes `python -m` end by the signal unless that is undone."""
    (tmp_path / "interrupted.py").write_text(
        "from swift_plugins.fakexplain.cli import commands, main\n"
        "commands.run = lambda: exec('raise KeyboardInterrupt')\n"
        "main()\n"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    command = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "error: interrupted; no partial output was left behind\n")


STARTING = """
import os, signal, sys
class Interrupt:
    def find_spec(name, path, target=None):
        if name == "swift_plugins.fakexplain.cli.commands":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt)
from swift_plugins.fakexplain.cli import main
main()
"""
CLEANING_UP = """
import os, signal, time
from swift_plugins.fakexplain.cli import commands, main
def run():
    try: os.kill(os.getpid(), signal.SIGINT); time.sleep(1)
    finally: os.kill(os.getpid(), signal.SIGINT); print("clean", flush=True)
commands.run = run
main()
"""


@pytest.mark.parametrize(("code", "printed"), [(STARTING, ""), (CLEANING_UP, "clean\n")], ids=["start", "cleanup"])
def test_an_interrupt_at_a_bad_moment(code, printed):
    done = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=heed_interrupts, capture_output=True, text=True, check=False
    )
    expected = (130, printed, "error: interrupted; no partial output was left behind\n")
    assert (done.returncode, done.stdout, done.stderr) == expected


def test_interrupts_while_python_itself_ends_are_ignored(annotations_file):
    """Python waits for threads after the command has ended, and before it calls what `atexit` was given."""
    code = """
import os, signal, sys, threading
from swift_plugins.fakexplain.cli import main
threading._register_atexit(lambda: [os.kill(os.getpid(), signal.SIGINT) for _ in range(4)])
sys.argv = ["fakexplain", "stats", sys.argv[1]]
main()
"""
    command = [sys.executable, "-c", code, str(annotations_file)]
    done = subprocess.run(command, preexec_fn=heed_interrupts, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_that_is_to_ignore_interrupts_ignores_them(tmp_path):
    code = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from swift_plugins.fakexplain.cli import commands, main
commands.run = lambda: os.kill(os.getpid(), signal.SIGINT)
main()
print("end")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


@pytest.mark.parametrize(
    ("missing", "install", "command"),
    [
        ("typer", "typer", ["--help"]),
        ("tqdm", "tqdm", ["validate", "annotations.jsonl", "--no-images"]),
        ("PIL", "pillow", ["validate", "annotations.jsonl"]),
        ("ijson", "ijson", ["convert", "coco", "coco.json", "-o", "out.jsonl"]),
    ],
)
def test_a_missing_package_is_one_line(missing, install, command, annotations_file):
    (annotations_file.parent / "coco.json").write_text('{"images": []}')
    code = f"import sys; sys.modules[{missing!r}] = None; from swift_plugins.fakexplain.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=annotations_file.parent,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = f"error: the package {missing} is not installed; pip install {install}\n"
    assert (done.returncode, done.stderr) == (1, expected)


def test_a_missing_module_of_ours_is_a_bug():
    code = "import sys; sys.modules['converters'] = None; from swift_plugins.fakexplain.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "stats", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_commands_are_listed_in_the_order_of_the_work():
    group = typer.main.get_command(commands.app)
    assert tuple(group.list_commands(None)) == commands.ORDER
    assert len(group.commands) == len(commands.ORDER)


def test_the_choices_of_variant_are_the_variants():
    from swift_plugins.fakexplain.cli.app import VariantName

    literal = get_args(VariantName)[0]
    assert get_args(literal) == VARIANTS
    (draw,) = (each for each in commands.app.registered_commands if each.callback.__name__ == "draw")
    assert get_type_hints(draw.callback)["variant"] is literal
