"""Records as label folders, `0_real/` and `1_fake/`, for detectors that learn labels alone; `folder.py` reads them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path, PurePosixPath

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import OnError, raise_error
from swift_plugins.fakexplain.images import path_in

from ..drafts.sink import place_image, saved
from .folder import FAKE, REAL

FOLDERS = {"real": REAL[0], "fake": FAKE[0]}


def save_folders(
    annotations: Iterable[Annotation],
    out: str | Path,
    *,
    images: Path,
    link: bool = False,
    on_error: OnError = raise_error,
) -> int:
    """Write each image into the folder of its label, byte for byte.

    Args:
        annotations: the records.
        out: folder that is there, to write into.
        images: folder that the images' paths follow; folders on an image's way there that are named for a label are
            left out, or a reader would take the innermost for the label.
        link: hard links in place of copies.
        on_error: called with the error of each record that is passed over; without it the first raises.

    Returns:
        How many images were written.

    Raises:
        DataError: an image outside `images`, that cannot be read or linked, or two that would get one name.
    """

    def place(annotation: Annotation) -> PurePosixPath:
        return labelled(path_in(images, annotation), annotation.label)

    def save(annotation: Annotation, target: PurePosixPath) -> None:
        place_image(annotation, Path(out, target), link=link)

    with closing(saved(annotations, place, save, on_error)) as records:
        return sum(1 for _ in records)


def labelled(path: PurePosixPath, label: str) -> PurePosixPath:
    """The path of an image below the folder of its label.

    >>> labelled(PurePosixPath("train/nature/a.png"), "real")
    PurePosixPath('0_real/train/a.png')
    """
    folders = (part for part in path.parts[:-1] if part not in (*REAL, *FAKE))
    return PurePosixPath(FOLDERS[label], *folders, path.name)
