"""MMFR of FakeReasoning: JSON files `*_reasoning.json` of texts on attributes of whole images; no regions.

A file is an object {image: {attribute: text or null}}. Image paths begin with the name of the file's own folder. The
innermost folder on the path with a label gives the label: `0_real` and `1_fake` in the evaluation sets, `laion` and
`diffusiondb` in the training set. The folder around `1_fake` is the generator; the name of the folder that contains the
source counts only if the image's path begins with it. The texts are kept as `explanation`, an object
{attribute: text} without the nulls, because one joined string could not be split again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_values import require
from swift_plugins.fakexplain.paths import check_exists, files_below

from ..drafts.draft import Draft, Piece, folder_of, inner_path
from ..drafts.json_files import load_items

_FOLDER_LABELS = {"0_real": "real", "1_fake": "fake", "laion": "real", "diffusiondb": "fake"}


def load_mmfr(src: Path) -> Iterator[Piece]:
    """Images of one file, or of every `*_reasoning.json` below a folder, in the files' order.

    Yields:
        A piece with the data {"image": its path as the file writes it, "folder": the path from the source to the file's
        folder and that folder's name, "attributes": texts}. The piece of an unreadable file is its error.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: a folder without such a file.
    """
    check_exists(src, "a file or folder to convert")
    paths = [src] if src.is_file() else [path for path in files_below(src) if path.name.endswith("_reasoning.json")]
    if not paths:
        raise DataError("files *_reasoning.json", Unquoted("none in the folder")).at(str(src), 0)
    for path in paths:
        folder = {"path": path.parent.relative_to(folder_of(src)).as_posix(), "name": path.parent.resolve().name}
        try:
            yield from _images(path, folder)
        except DataError as error:
            yield Piece(error, str(path))


def _images(path: Path, folder: dict[str, str]) -> Iterator[Piece]:
    image = None
    for image, attributes in load_items(path, ""):
        yield Piece({"image": image, "folder": folder, "attributes": attributes}, str(path), at=image)
    if image is None:
        raise DataError("an object {image: {attribute: text or null}}", Unquoted("none"))


def from_mmfr(data: Any) -> list[Draft]:
    """The draft of one image.

    >>> folder = {"path": "evaluation_sets/flux", "name": "flux"}
    >>> attributes = {"lighting": "Two suns.", "texture": None}
    >>> (draft,) = from_mmfr({"image": "flux/1_fake/a.png", "folder": folder, "attributes": attributes})
    >>> draft.image, draft.label, draft.fields
    ('evaluation_sets/flux/1_fake/a.png', 'fake', {'explanation': {'lighting': 'Two suns.'}, 'generator': 'flux'})
    """
    folder = require(data, "folder", dict, "the file's folder")
    path, own = (require(folder, name, str, "a path", "folder") for name in ("path", "name"))
    image = require(data, "image", str, "the image's path")
    parts = inner_path(image, up=True).parts
    named = parts[0] == own and len(parts) > 1
    parts = parts[1:] if named else parts
    above = [part for part in path.split("/") if part != "."]  # empty if the source's own folder is the file's
    folders = [*(above or [own]), *parts[:-1]]
    folders = [name.lower() if name.lower() in _FOLDER_LABELS else name for name in folders]
    index = max((number for number, name in enumerate(folders) if name in _FOLDER_LABELS), default=None)
    found = Unquoted(f"none on the path {image}")
    unlabelled = DataError(f"a folder {', '.join(_FOLDER_LABELS)}", found, field="label") if index is None else None
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        raise DataError("an object {attribute: text or null}", attributes)
    texts = {name: require(attributes, name, (str, type(None)), "a text or null") for name in sorted(attributes)}
    texts = {name: text for name, text in texts.items() if text is not None}
    fields: dict[str, Any] = {"explanation": texts} if texts else {}
    if index and folders[index] == "1_fake" and (above or named or index > 1):
        fields["generator"] = folders[index - 1]
    label = None if index is None else _FOLDER_LABELS[folders[index]]
    return [
        Draft(str(inner_path(f"{path}/{'/'.join(parts)}")), label=label, fields=fields, unlabelled=unlabelled),
    ]
