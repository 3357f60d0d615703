"""Tasks for Label Studio. `label_studio_config.xml` is their labelling interface; `label_studio` reads the results."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
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
    for path in image_files(folder):
        if (kind := file_kind(path)) != A_FILE:
            raise ValueError(f"{path}: expected an image file, found {kind}")
        inner = PurePosixPath(os.path.relpath(path, root).replace(os.sep, "/"))
        if ".." in inner.parts:
            raise ValueError(f"{folder}: expected a folder in {root}")
        fields = (planned or {}).get(Path(os.path.normpath(path.absolute())).with_suffix(""), {})
        yield {"data": {"image": f"/data/local-files/?d={quote(str(inner))}", **fields}}


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
    count = known = 0
    with atomic_file(out) as partial, open(partial, "wb") as file:
        for task in image_tasks(folder, root, planned):
            file.write((b",\n" if count else b"[\n") + to_json(task))
            count += 1
            known += len(task["data"]) > 1
        if not count:
            raise ValueError(f"{folder}: expected at least one image, found none")
        file.write(b"\n]\n")
    return count, known
