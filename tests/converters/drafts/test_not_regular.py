"""Pipes, sockets and devices in a folder are reported, counted, and never opened."""

import json
import os
import shutil
import socket
from pathlib import Path

import pytest

from converters.convert_source import convert_source
from converters.formats.label_studio_tasks import image_tasks
from converters.images.prepare import folder_jobs, prepare
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.converters.goldens import ASSETS
from tests.converters.reading import pictures


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an image, a pipe, a socket, a link to a device, and those that no one asks for."""
    folder = tmp_path / "src"
    pictures(folder, "fake/a.png")
    monkeypatch.chdir(folder / "fake")  # the path of a socket is short
    for name in ("pipe.png", "other"):
        os.mkfifo(name)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.jpg")
    Path("device.webp").symlink_to("/dev/null")
    return folder


KINDS = {"pipe.png": "a pipe", "socket.jpg": "a socket", "device.webp": "a device"}


def check(errors, folder):
    assert len(errors) == len(KINDS)
    for name, kind in KINDS.items():
        assert any(f"{kind}, which is not a regular file: {folder}/fake/{name}" in str(error) for error in errors)


def test_converting_a_folder(folder, tmp_path):
    errors: list[DataError] = []
    assert convert_source("folder", folder, tmp_path / "a.jsonl", on_error=errors.append) == 1
    check(errors, folder)


def test_preparing_a_folder(folder, tmp_path):
    errors: list[DataError] = []
    (tmp_path / "out").mkdir()
    assert prepare(folder_jobs(folder), tmp_path / "out", on_error=errors.append)["images"] == 1
    check(errors, folder)


def test_tasks_of_label_studio(folder):
    with pytest.raises(ValueError, match="device.webp: expected an image file, found a device"):
        list(image_tasks(folder, folder))


SOURCES = {
    "labelme": "pipe.json",
    "coco": "pipe.json",
    "cvat": "pipe.xml",
    "via": "pipe.json",
    "label-studio": "pipe.json",
    "loki": "pipe.json",
    "synthscars": "pipe.json",
    "fakeclue": "pipe.json",
    "mllm-defake": "pipe.json",
    "mmfr": "pipe_reasoning.json",
    "x-aigd": "pipe.parquet",
    "hf": "pipe.parquet",
}


@pytest.mark.parametrize("format", SOURCES)
def test_a_source_that_is_a_pipe(format, tmp_path):
    (tmp_path / "src").mkdir()
    os.mkfifo(tmp_path / "src" / SOURCES[format])
    with pytest.raises(DataError, match=rf"{SOURCES[format]}.*: expected a regular file, found a pipe"):
        convert_source(format, tmp_path / "src", tmp_path / "a.jsonl")


def test_a_pipe_among_rows_does_not_stop_the_others(tmp_path):
    shutil.copytree(ASSETS / "mllm-defake/source", tmp_path / "src")
    count = convert_source("mllm-defake", tmp_path / "src", tmp_path / "a.jsonl")
    os.mkfifo(tmp_path / "src/pipe.jsonl")
    errors: list[DataError] = []
    assert convert_source("mllm-defake", tmp_path / "src", tmp_path / "b.jsonl", on_error=errors.append) == count
    assert [str(error).partition(": expected")[0] for error in errors] == [f"{tmp_path}/src/pipe.jsonl"]
    assert len(list(read_annotations(tmp_path / "b.jsonl"))) == count


def test_an_image_that_is_a_pipe_is_named_as_one(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    content = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": []}
    (tmp_path / "c.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"found a pipe, which is not a regular file: .*a\.png"):
        convert_source("coco", tmp_path / "c.json", tmp_path / "o" / "a.jsonl", label="real")
