"""NAME=FILE, where either may contain `=`."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from swift_plugins.fakexplain.cli.named_files import parse_named_files, split_name


@pytest.mark.parametrize(
    ("argument", "name", "path"),
    [
        ("a=b.jsonl", "a", "b.jsonl"),
        ("GRPO w=1=b.jsonl", "GRPO w=1", "b.jsonl"),
        ("x=step=5.jsonl", "x", "step=5.jsonl"),
        ("w=1=step=5.jsonl", "w=1", "step=5.jsonl"),
        ("step=5.jsonl", None, "step=5.jsonl"),  # a file of that name
        ("w=1=masks", "w=1", "masks"),
        ("w=1=none.jsonl", "w", "1=none.jsonl"),  # neither exists
        ("w=", "w", ""),
    ],
)
def test_the_reading_whose_file_exists(argument, name, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("b.jsonl", "step=5.jsonl"):
        Path(file).write_text("")
    Path("masks").mkdir()
    assert split_name(argument) == (name, path)


def test_files_of_one_name_are_joined(tmp_path):
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for file in files:
        file.write_text("")
    assert parse_named_files([f"w=1={file}" for file in files], "X") == {"w=1": files}
    with pytest.raises(typer.BadParameter, match="expected FILE or NAME=FILE"):
        parse_named_files(["w="], "X")
