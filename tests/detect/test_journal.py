"""Lines that survive every end of a run: none lost, none twice."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swift_plugins.fakexplain.atomic import InUseError
from swift_plugins.fakexplain.detect.journal import Journal, open_journal
from swift_plugins.fakexplain.errors import DataError

SETTINGS = {"model": "m", "frame": {"factor": 28}}


def opened(folder: Path, settings: dict | None = None):
    return open_journal(folder / "lines.jsonl", folder / "settings.json", SETTINGS if settings is None else settings)


def line(id: str) -> dict:
    return {"id": id, "answer": "é\n"}


def test_lines_stay_and_are_known_again(tmp_path):
    with opened(tmp_path) as journal:
        journal.append([line("a"), line("b")])
        assert "a" in journal and "c" not in journal
    with opened(tmp_path) as journal:
        assert (journal.resumed, journal.count) == (2, 2)
        assert "b" in journal
        journal.append([line("c")])
        assert journal.count == 3
    assert (tmp_path / "lines.jsonl").read_bytes().count(b"\n") == 3


@given(cut=st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_a_file_cut_anywhere_goes_on_with_its_whole_lines(cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    with opened(folder) as journal:
        journal.append([line(name) for name in "abcd"])
    path = folder / "lines.jsonl"
    whole = path.read_bytes()
    os.truncate(path, min(cut, len(whole)))
    left = whole[:cut].count(b"\n")
    with opened(folder) as journal:
        assert journal.resumed == left
        journal.append([line(name) for name in "abcd" if name not in journal])
    assert path.read_bytes() == whole


def test_other_settings_are_refused(tmp_path):
    with opened(tmp_path) as journal:
        journal.append([line("a")])
    with pytest.raises(DataError, match=r"settings.json: model: expected 'n', .*--force starts over.*, found 'm'"):
        opened(tmp_path, {**SETTINGS, "model": "n"}).__enter__()
    with pytest.raises(DataError, match="variant"):
        opened(tmp_path, {**SETTINGS, "variant": "full"}).__enter__()
    with opened(tmp_path) as journal:
        assert journal.count == 1


def test_two_runs_at_once_are_refused(tmp_path):
    with opened(tmp_path), pytest.raises(InUseError, match="another run is writing it"):
        opened(tmp_path).__enter__()
    with opened(tmp_path):
        pass


@pytest.mark.parametrize("text", [b"not json\n", b"[]\n", b'{"image": "a"}\n', b'{"id": "a"}\n{"id": "a"}\n'])
def test_lines_of_something_else_are_an_error(text, tmp_path):
    with opened(tmp_path):
        pass
    (tmp_path / "lines.jsonl").write_bytes(text)
    with pytest.raises(DataError, match=r"lines.jsonl:[12]: "):
        opened(tmp_path).__enter__()
    assert (tmp_path / "lines.jsonl").read_bytes() == text


def test_lines_without_settings_are_not_ours(tmp_path):
    (tmp_path / "lines.jsonl").write_bytes(b'{"id": "a"}\n')
    with pytest.raises(DataError, match="the settings of the run"):
        opened(tmp_path).__enter__()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_names_the_file(tmp_path):
    with opened(tmp_path) as journal, open("/dev/full", "wb") as full:
        broken = Journal.__new__(Journal)
        broken.__dict__ = {**journal.__dict__, "_descriptor": full.fileno()}
        with pytest.raises(OSError, match=r"lines\.jsonl"):
            broken.append([line("a")])
