"""Tasks for Label Studio. `label_studio_config.xml` is their labelling interface; `label_studio` reads the results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from swift_plugins.fakexplain.atomic import atomic_file
from swift_plugins.fakexplain.images import image_files
from swift_plugins.fakexplain.jsonl import to_json
from swift_plugins.fakexplain.paths import A_FILE, file_kind

CONFIG = Path(__file__).with_name("label_studio_config.xml")

Planned = Mapping[Path, Mapping[str, str]]
"""Absolute path of an image without its suffix -> fields for its task, such as generator."""


def image_tasks(folder: Path, root: Path, planned: Planned | None = None) -> Iterator[dict[str, Any]]:
    """One task per image below a folder, in order, as Label Studio imports them.

    Args:
        folder: the folder of the images.
        root: the folder Label Studio serves files from; its LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT.
        planned: fields for the tasks; `from_label_studio` reads them back.

    Raises:
        ValueError: the folder is not below the root, or a link or a pipe in it is no file.
    """
    return (image_task(path, root, planned) for path in image_files(folder))


def image_task(path: Path, root: Path, planned: Planned | None = None) -> dict[str, Any]:
    """The task of one image; arguments and errors as for `image_tasks`."""
    if (kind := file_kind(path)) != A_FILE:
        raise ValueError(f"{path}: expected an image file, found {kind}")
    fields = (planned or {}).get(Path(os.path.normpath(path.absolute())).with_suffix(""), {})
    return {"data": {"image": local_url(path, root), **fields}}


def local_url(path: Path, root: Path) -> str:
    """The URL by which Label Studio serves a file of its own machine.

    Raises:
        ValueError: the file is not below the root.

    >>> local_url(Path("data/images/a b.png"), Path("data"))
    '/data/local-files/?d=images/a%20b.png'
    """
    inner = PurePosixPath(os.path.relpath(path, root).replace(os.sep, "/"))
    if ".." in inner.parts:
        raise ValueError(f"{path.parent}: expected a folder in {root}")
    return f"/data/local-files/?d={quote(str(inner))}"


def write_tasks(path: Path, tasks: Iterable[Mapping[str, Any]]) -> int:
    """Write a JSON list of tasks and return their number; the file is not atomic."""
    count = 0
    with open(path, "wb") as file:
        for task in tasks:
            file.write((b",\n" if count else b"[\n") + to_json(task))
            count += 1
        file.write(b"\n]\n")
    return count


def save_tasks(out: Path, folder: Path, root: Path, planned: Planned) -> tuple[int, int]:
    """Write a JSON file of tasks, which appears complete or not at all.

    Args:
        out: the file.
        folder, root, planned: as for `image_tasks`.

    Returns:
        Number of tasks, and number of those with planned fields.

    Raises:
        ValueError: the folder has no image, or is not below the root.
    """
    known = 0

    def tasks() -> Iterator[dict[str, Any]]:
        nonlocal known
        for task in image_tasks(folder, root, planned):
            known += len(task["data"]) > 1
            yield task

    with atomic_file(out) as partial:
        count = write_tasks(partial, tasks())
        if not count:
            raise ValueError(f"{folder}: expected at least one image, found none")
    return count, known
