"""Plan of the images to generate: one line per class and generator, with prompt and image path (App. A.1)."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.atomic import atomic_file
from swift_plugins.fakexplain.csv_files import save_csv, unquote_formula
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.generators import GENERATORS, family_of, generator_of
from swift_plugins.fakexplain.json_values import require
from swift_plugins.fakexplain.jsonl import decode_line, write_jsonl
from swift_plugins.fakexplain.paths import check_is_file

from ..drafts.draft import inner_path

PROMPT = "A realistic image of {class_name}"
FIELDS = ("id", "prompt", "class_name", "class_index", "generator", "family", "width", "height", "image")


def imagenet_classes() -> list[str]:
    """The 1,000 class names of ImageNet in the order of their indices, from torchvision."""
    from torchvision.models import ResNet18_Weights

    return list(ResNet18_Weights.DEFAULT.meta["categories"])


def load_classes(path: str | Path) -> list[str]:
    """Read class names from a text file in UTF-8, one per line; empty lines are skipped.

    Raises:
        FileNotFoundError: no such file.
        DataError: the file has no name, or is not UTF-8.
    """
    path = Path(path)
    check_is_file(path, "a file of class names, one per line")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError("UTF-8 text", Unquoted(str(error)), file=str(path)) from None
    names = [name for line in lines if (name := line.strip())]
    if not names:
        raise DataError("class names, one per line", Unquoted("none"), file=str(path))
    return names


def manifest(
    classes: Sequence[str],
    generators: Iterable[str] = GENERATORS,
    *,
    prompt: str = PROMPT,
    wh: tuple[int, int] = (512, 512),
) -> Iterator[dict[str, Any]]:
    """Make the lines of a manifest: every class by the first generator, then by the next.

    Args:
        classes: names; a name may occur twice.
        generators: names; those of the paper in any spelling that `generator_of` knows.
        prompt: text in which `{class_name}` stands for the class.
        wh: width and height of the image.

    Yields:
        `FIELDS`: `id`, unique, made of the generator, the class's index and its name; `class_index`, counted from 0;
        `family`, None for a generator that is not in the paper; `image`, the planned path.

    Raises:
        ValueError: the prompt lacks `{class_name}`, or two names mean the same generator.

    >>> [line] = manifest(["tench"], ["FLUX.1-dev"])
    >>> line["id"], line["prompt"], line["image"]
    ('flux-1-dev/0000-tench', 'A realistic image of tench', 'images/flux-1-dev/0000-tench.png')
    """
    if "{class_name}" not in prompt:
        raise ValueError(f"expected a prompt with {{class_name}} in it, found {prompt!r}")
    folders: dict[str, str] = {}
    for name in generators:
        folder = _slug(generator_of(name) or name)
        if not folder or folder in folders:
            found = f"{name!r}, which means the same as {folders[folder]!r}" if folder else repr(name)
            raise ValueError(f"expected different names of generators, found {found}")
        folders[folder] = name
    return _lines(classes, folders, prompt, wh)


def _lines(
    classes: Sequence[str], folders: dict[str, str], prompt: str, wh: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    for folder, generator in folders.items():
        for index, class_name in enumerate(classes):
            id = f"{folder}/{index:04}-{_slug(class_name)}".rstrip("-")
            yield {
                "id": id,
                "prompt": prompt.replace("{class_name}", class_name),
                "class_name": class_name,
                "class_index": index,
                "generator": generator,
                "family": family_of(generator),
                "width": wh[0],
                "height": wh[1],
                "image": f"images/{id}.png",
            }


def _slug(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")


def save_manifest(lines: Iterable[dict[str, Any]], out: str | Path) -> int:
    """Write a manifest as CSV if the name ends in `.csv`, else as JSON Lines; return the number of lines."""
    if Path(out).suffix.lower() != ".csv":
        return write_jsonl(out, lines)
    with atomic_file(out) as partial:
        return save_csv(partial, FIELDS, ([line[name] for name in FIELDS] for line in lines))


def _unquote(row: dict[Any, Any]) -> dict[Any, Any]:
    return {name: unquote_formula(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


def load_manifest(path: str | Path) -> dict[Path, dict[str, str]]:
    """Read a manifest, JSON Lines or CSV.

    Returns:
        Absolute path of the planned image without its suffix -> its id, class_name, generator and family.

    Raises:
        FileNotFoundError: no such file.
        DataError: a line that is not a JSON object, or lacks an image.
    """
    path = Path(path)
    check_is_file(path, "a manifest of `fakexplain manifest`")
    planned = {}
    with open(path, encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        rows = ((table.line_num, row) for row in table) if path.suffix.lower() == ".csv" else enumerate(file, 1)
        for number, row in rows:
            try:
                line: Any = decode_line(row.encode()) if isinstance(row, str) else _unquote(row)
                image = inner_path(require(line, "image", str, "the planned path of the image"))
                fields = {name: line[name] for name in ("id", "class_name", "generator", "family") if line.get(name)}
            except DataError as error:
                raise error.at(str(path), number) from None
            planned[Path(os.path.normpath(path.parent.absolute() / image)).with_suffix("")] = fields
    return planned
