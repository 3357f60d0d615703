"""Commands killed or interrupted at a random moment: what is there is right, and the next run completes it."""

import shutil
import signal
import subprocess
import time

import pytest

from tests.cli.command import COMMAND, fakexplain_process
from tests.cli.test_files import COMMANDS, command_of, data, written  # noqa: F401
from tests.conftest import heed_interrupts

pytestmark = pytest.mark.fuzz


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):  # noqa: F811
    """Of each command, its files and its seconds when nothing stops it; found once each."""
    found = {}

    def files_and_seconds(name):
        if name not in found:
            folder = tmp_path_factory.mktemp("whole")
            start = time.monotonic()
            done = fakexplain_process(*command_of(name, data, folder / "out"))
            assert done.returncode == 0, done.stderr
            found[name] = written(folder), time.monotonic() - start
        return found[name]

    return files_and_seconds


def test_a_stopped_command_leaves_nothing_wrong(fuzz, whole, data, tmp_path):  # noqa: F811
    def check(rng):
        name = rng.choice(list(COMMANDS))
        files, seconds = whole(name)
        args = command_of(name, data, tmp_path / "out")
        signals = rng.choice(([signal.SIGKILL], [signal.SIGTERM], [signal.SIGINT], [signal.SIGINT] * 4))
        with subprocess.Popen(
            [*COMMAND, *args],
            preexec_fn=heed_interrupts,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            time.sleep(rng.uniform(0, 1.1 * seconds))
            for each in signals:
                process.send_signal(each)
                time.sleep(rng.choice((0, 0.02)))
            _, errors = process.communicate()
        case = name, signals, process.returncode, errors
        if signals[0] == signal.SIGINT and "fakexplain" in errors:  # Python itself may still have been starting
            assert "Traceback" not in errors, case
        there = {path: data for path, data in written(tmp_path).items() if ".partial" not in path}
        assert there.items() <= files.items(), case
        if process.returncode == 0:
            assert there == files, case
        again = fakexplain_process(*args, "--force")
        assert again.returncode == 0, (case, again.stderr)
        assert written(tmp_path) == files, case
        for path in tmp_path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    fuzz(check)
