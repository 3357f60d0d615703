"""Partial output: nothing of anyone else's is touched, two runs never share one output, a full disk is named."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swift_plugins.fakexplain.atomic import (
    InUseError,
    _mark,
    atomic_file,
    atomic_folder,
    check_not_in_use,
    claim,
    partial_path,
)

WRITERS = {"file": atomic_file, "folder": atomic_folder}


def write(partial: Path, text: str = "new") -> None:
    """Write a file, or a file into a folder."""
    (partial / "a.txt" if partial.is_dir() else partial).write_text(text)


def contents(path: Path) -> str:
    return (path / "a.txt" if path.is_dir() else path).read_text()


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", ["p.partial", ".p.partial", ".p.0123456789abcdef.partial"])
@pytest.mark.parametrize("owned", ["file", "folder", "folder with a file lock", "folder with a lock as long as ours"])
def test_files_of_the_users_own_are_never_touched(tmp_path, kind, name, owned):
    mine = tmp_path / name
    if owned == "file":
        mine.write_text("mine")
    else:
        mine.mkdir()
        length = len(_mark(tmp_path / "p")) if "ours" in owned else 4
        (mine / ("lock" if "lock" in owned else "mine.txt")).write_text("mine".ljust(length))
    with WRITERS[kind](tmp_path / "p") as partial:
        write(partial)
    assert contents(tmp_path / "p") == "new"
    assert {each.name for each in tmp_path.iterdir()} == {name, "p"}
    assert (mine if owned == "file" else next(mine.iterdir())).read_text().strip() == "mine"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_second_writer_is_refused_while_the_first_writes(tmp_path, kind):
    out = tmp_path / "out"
    with WRITERS[kind](out) as partial:
        with pytest.raises(InUseError, match=r"out: another run is writing it"), WRITERS[kind](out):
            pytest.fail("two runs write one output")
        with pytest.raises(InUseError):
            check_not_in_use(out)
        with WRITERS[kind](tmp_path / "other") as other:
            write(other)
        write(partial)
    check_not_in_use(out)
    assert contents(out) == "new"
    assert {each.name for each in tmp_path.iterdir()} == {"out", "other"}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("overwrite", [False, True])
def test_output_of_another_process_is_overwritten_only_if_that_was_asked_for(tmp_path, kind, overwrite):
    code = f"""
import sys
from pathlib import Path
from swift_plugins.fakexplain.atomic import atomic_{kind}, claim
claim(Path(sys.argv[1]), overwrite=False)
print("checked", flush=True)
sys.stdin.readline()
with atomic_{kind}(sys.argv[1]) as partial:
    (partial / "a.txt" if partial.is_dir() else partial).write_text("theirs")
"""
    out = tmp_path / "out"
    command = [sys.executable, "-c", code, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "checked\n"  # both have found the path free
        claim(out, overwrite=overwrite)
        other.communicate("\n")
    assert other.returncode == 0 and contents(out) == "theirs"
    if overwrite:
        with WRITERS[kind](out) as partial:
            write(partial)
        assert contents(out) == "new"
    else:
        with pytest.raises(InUseError, match="out: another run has written it meanwhile"), WRITERS[kind](out):
            pytest.fail("work that is in vain")
        assert contents(out) == "theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("kind", WRITERS)
def test_output_that_appears_while_this_run_writes_is_kept(tmp_path, kind):
    out = tmp_path / "out"
    claim(out, overwrite=False)

    def write_both():
        with WRITERS[kind](out) as partial:
            write(partial)
            if kind == "folder":
                out.mkdir()
            (out / "a.txt" if kind == "folder" else out).write_text("theirs")

    with pytest.raises(InUseError, match="meanwhile"):
        write_both()
    assert contents(out) == "theirs"
    claim(out, overwrite=True)
    with WRITERS[kind](out) as partial:
        write(partial)
    assert contents(out) == "new"


@pytest.mark.parametrize("kind", WRITERS)
def test_the_remains_of_a_killed_run_are_removed_by_the_next(tmp_path, kind):
    code = f"""
import os, signal, sys
from pathlib import Path
from swift_plugins.fakexplain.atomic import atomic_{kind}
with atomic_{kind}(sys.argv[1]) as partial:
    (partial / "old.txt" if partial.is_dir() else partial).write_text("old")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    with WRITERS[kind](tmp_path / "another") as partial:  # whose remains are not these
        write(partial)
    assert len(list(tmp_path.iterdir())) == 2
    with WRITERS[kind](tmp_path / "out") as partial:
        write(partial)
    assert {each.name for each in tmp_path.iterdir()} == {"out", "another"}
    assert contents(tmp_path / "out") == "new"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_names_the_output_and_leaves_nothing(tmp_path, kind):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with (
            pytest.raises(OSError) as error,
            WRITERS[kind](tmp_path / "out") as partial,
            atomic_file(partial / "a.txt" if kind == "folder" else partial) as inner,
        ):
            inner.write_bytes(bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (error.value.errno, error.value.filename) == (errno.EFBIG, str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_other_errors_stay_as_they_are(tmp_path):
    with pytest.raises(FileNotFoundError) as error, atomic_file(tmp_path / "out"):
        (tmp_path / "none").read_text()
    assert error.value.filename == str(tmp_path / "none")


@pytest.mark.parametrize("name", ["n" * 255, "é" * 127, os.fsdecode(b"\xff.jsonl")])
def test_any_name_that_a_file_may_have(tmp_path, name):
    with atomic_file(tmp_path / name) as partial:
        write(partial)
    assert contents(tmp_path / name) == "new"
    assert partial_path(tmp_path / name) != partial_path(tmp_path / name)


def test_a_folder_that_holds_no_files_names_the_output():
    with pytest.raises(OSError) as error, atomic_file("/proc/out"):
        pytest.fail("a file in /proc")
    assert error.value.filename == "/proc/out"


def test_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with atomic_folder(".") as partial:
        write(partial)
    assert contents(tmp_path / "here") == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["here"]
