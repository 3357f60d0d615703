"""Label folders: `0_real/` and `1_fake/`, `nature/` and `ai/`, or any names; no regions.

Chameleon, GPT-Image-1, FaceForensics++ frames and GenImage have this layout, and detectors that learn labels alone read
it. The innermost folder on an image's path with one of the names gives the label; so `ai/nature/a.png` is real.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.images import image_files, path_in
from swift_plugins.fakexplain.json_values import require
from swift_plugins.fakexplain.paths import check_is_folder

from ..drafts.draft import Draft, Piece
from ..drafts.sink import place_image, save_all

REAL_FOLDERS = ("0_real", "real", "nature")
FAKE_FOLDERS = ("1_fake", "fake", "ai")
_WRITTEN_FOLDERS = {"real": REAL_FOLDERS[0], "fake": FAKE_FOLDERS[0]}
"""Label -> the folder that its images are written to."""


def folder_labels(real: Collection[str], fake: Collection[str]) -> dict[str, str]:
    """Name of a folder, in lower case -> its label.

    Raises:
        ValueError: a name means both labels.

    >>> folder_labels(["Camera"], ["FLUX"])
    {'camera': 'real', 'flux': 'fake'}
    """
    labels = {name.lower(): "real" for name in real} | {name.lower(): "fake" for name in fake}
    if both := sorted(name for name in {*map(str.lower, real)} if labels[name] == "fake"):
        raise ValueError(f"expected different names for real and fake folders, found {both[0]!r} in both")
    return labels


def load_label_folders(
    src: Path,
    *,
    real: Collection[str] = REAL_FOLDERS,
    fake: Collection[str] = FAKE_FOLDERS,
    skip: Collection[Path] = (),
) -> Iterator[Piece]:
    """Every image below a folder, with the label that the names of its folders give it.

    Args:
        src: the folder; its own name counts too, as the outermost.
        real, fake: names of folders with real or fake images, in any case.
        skip: folders that are not entered.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: a name means both labels.
    """
    check_is_folder(src, "a folder of label folders")
    names = folder_labels(real, fake)
    for path in image_files(src, skip):
        name = path.relative_to(src).as_posix()
        folders = (src.resolve().name, *name.split("/")[:-1])
        labels = [names[folder.lower()] for folder in folders if folder.lower() in names]
        data = {"image": name, "label": labels[-1] if labels else None, "real": [*real], "fake": [*fake]}
        yield Piece(data, str(path))


def _no_label(data: dict[str, Any]) -> DataError:
    real, fake = (", ".join(data.get(name) or ()) for name in ("real", "fake"))
    expected = f"a folder named as real ({real}) or fake ({fake}); use --real and --fake for other names"
    return DataError(expected, Unquoted(f"none on the path {data['image']}"), field="label")


def from_label_folders(data: Any) -> list[Draft]:
    """The draft of one image.

    >>> from_label_folders({"image": "1_fake/a.png", "label": "fake"})[0].label
    'fake'
    """
    image = require(data, "image", str, "the image's path")
    label = require(data, "label", (str, type(None)), "fake or real")
    return [Draft(image, label=label, unlabelled=None if label else _no_label(data))]


def save_label_folders(
    annotations: Iterable[Annotation], out: Path, *, images: Path, link: bool = False, on_error: OnError = raise_error
) -> int:
    """Write each image into the folder of its label, byte for byte. See `Writer`.

    Label folders on an image's path are skipped, because a reader takes its label from the innermost one.
    """

    def place(annotation: Annotation) -> PurePosixPath:
        return label_path(path_in(images, annotation), annotation.label)

    def save(annotation: Annotation, target: PurePosixPath) -> None:
        place_image(annotation, out / target, link=link)

    return save_all(annotations, place, save, on_error)


def label_path(path: PurePosixPath, label: str) -> PurePosixPath:
    """The path of an image below the folder of its label.

    >>> label_path(PurePosixPath("train/nature/a.png"), "real")
    PurePosixPath('0_real/train/a.png')
    """
    folders = (part for part in path.parts[:-1] if part not in (*REAL_FOLDERS, *FAKE_FOLDERS))
    return PurePosixPath(_WRITTEN_FOLDERS[label], *folders, path.name)
