"""Paths that are no regular files: links in a circle, pipes, devices."""

import os
from pathlib import Path

import pytest

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.paths import (
    check_exists,
    check_is_file,
    check_is_folder,
    check_is_regular,
    file_kind,
    files_below,
    real_path,
)

KINDS = {
    "circle": "links in a circle",
    "nowhere": "no such file",
    "none": "no such file",
    "pipe": "a pipe, which is not a regular file",
    "device": "a device, which is not a regular file",
    "to a pipe": "a pipe, which is not a regular file",
    "a\0b": "a path with a NUL character",
    "n" * 300: "File name too long",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "nowhere").symlink_to("none")
    (tmp_path / "to a pipe").symlink_to("pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.mark.parametrize("name", KINDS)
def test_the_error_says_what_the_path_leads_to(folder, name):
    assert file_kind(folder / name) == KINDS[name]
    if len(name) < 255:
        for check in (check_is_file, check_exists):
            with pytest.raises(FileNotFoundError) as error:
                check(folder / name, "a thing")
            assert str(error.value) == f"{folder / name}: expected a thing, found {KINDS[name]}"
        with pytest.raises(FileNotFoundError, match="expected a thing, found"):
            check_is_folder(folder / name, "a thing")


def test_links_in_a_circle_have_a_real_path(folder):
    assert real_path(folder / "circle" / "a") == folder.resolve() / "circle" / "a"


def test_what_is_no_regular_file_is_left_to_the_reader(folder):
    (folder / "up").symlink_to(".")
    (folder / "file").touch()
    (folder / "inner").mkdir()
    (folder / "inner" / "link").symlink_to("../file")
    names = [path.relative_to(folder).as_posix() for path in files_below(folder)]
    assert names == ["circle", "device", "file", "inner/link", "nowhere", "pipe", "to a pipe"]
    for name in ("device", "pipe", "to a pipe", "inner"):
        with pytest.raises(DataError, match=r": expected a regular file, found a (?:device|pipe|folder)"):
            check_is_regular(folder / name)
    for name in ("file", "inner/link", "none"):
        check_is_regular(folder / name)
