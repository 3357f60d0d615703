"""Images copied to their place in a format."""

import errno
import os
import shutil
import socket

import pytest

from converters.drafts.sink import check_upright, place_image
from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.atomic import DISK_ERRORS
from swift_plugins.fakexplain.errors import DataError


def annotation(path) -> Annotation:
    return Annotation("a", path.name, 8, 8, "real", path=path, file="annotations.jsonl", line=3)


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("code", sorted(DISK_ERRORS))
def test_a_full_disk_is_not_the_fault_of_a_record(tmp_path, monkeypatch, link, code):
    def full(source, target):
        raise OSError(code, os.strerror(code), source)

    (tmp_path / "a.png").touch()
    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError) as error:
        place_image(annotation(tmp_path / "a.png"), tmp_path / "out.png", link=link)
    assert error.value.errno == code and not isinstance(error.value, DataError)


@pytest.mark.parametrize("link", [False, True])
def test_another_error_is_the_records(tmp_path, monkeypatch, link):
    def refused(source, target):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), source)

    (tmp_path / "a.png").touch()
    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(shutil, "copyfile", refused)
    with pytest.raises(DataError, match=r"annotations\.jsonl:3: image: expected a file that can be .*not permitted"):
        place_image(annotation(tmp_path / "a.png"), tmp_path / "out.png", link=link)


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize(
    ("kind", "words"), [("pipe", "a pipe"), ("socket", "a socket"), ("folder", "a folder"), ("none", "no such file")]
)
def test_what_is_no_regular_file_is_named_and_not_waited_for(tmp_path, monkeypatch, kind, words, link):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    path = tmp_path / "a.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind("a.png")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(DataError, match=f"annotations.jsonl:3: image: .* found {path}: {words}"):
        place_image(annotation(path), tmp_path / "out.png", link=link)
    with pytest.raises(DataError, match="annotations.jsonl:3: image: expected an image file, found"):
        check_upright(annotation(path))
    assert not (tmp_path / "out.png").exists()
