"""The folder that detections are written to: lines, pictures and pages, resumable after any end."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..images import open_image
from ..parallel import map_ordered
from ..pixels import save_upright
from .detection import Detection, to_line
from .gallery import PICTURES, THUMBNAILS, make_picture_folders, picture_name, save_pictures, write_gallery
from .journal import Journal, open_journal
from .model_image import ModelImage

LINES, SETTINGS = "detections.jsonl", "detect.json"
UPRIGHT = "upright"
"""Folder of copies of the images that EXIF turns, which their lines name: a record is of an image as PIL opens it."""


class Output:
    """An output folder during one run.

    Attributes:
        journal: its lines.
    """

    def __init__(self, folder: Path, journal: Journal, pictures: bool):
        self._folder, self._pictures, self.journal = folder, pictures, journal
        if pictures:
            make_picture_folders(folder)

    def is_done(self, id: str) -> bool:
        """Whether an image was answered before."""
        return id in self.journal

    def save(self, batch: Iterable[tuple[Detection, ModelImage]]) -> None:
        """Write a batch: its pictures and upright copies first, so that every line has them.

        Raises:
            DataError: an image that EXIF turns is no longer there.
        """
        numbered = list(enumerate(batch, self.journal.count + 1))

        def save(each: tuple[int, tuple[Detection, ModelImage]]) -> Detection:
            number, (detection, image) = each
            if self._pictures:
                save_pictures(detection, image.shown, number, self._folder)
            return self._upright(detection, number) if image.turned else detection

        with closing(map_ordered(save, numbered)) as saved:  # no thread outlives the batch
            self.journal.append([to_line(detection, self._folder) for detection in saved])

    def _upright(self, detection: Detection, number: int) -> Detection:
        """The detection, of a copy of its image that is upright."""
        path = self._folder / UPRIGHT / f"{picture_name(number, detection.id)}.png"
        path.parent.mkdir(exist_ok=True)
        with open_image(detection.path, str(detection.path)) as image:
            save_upright(image, path)
        return replace(detection, path=path)

    def finish(self, title: str) -> list[str]:
        """Write the pages of the gallery, and return their names; none without pictures, or without a line."""
        return write_gallery(self.journal.path, title) if self._pictures and self.journal.count else []


@contextmanager
def open_output(folder: Path, settings: dict[str, Any], pictures: bool) -> Iterator[Output]:
    """Open an output folder for one run.

    Args:
        folder: created if it is missing.
        settings: all that its lines depend on, apart from the images.
        pictures: whether to write pictures and a gallery.

    Raises:
        InUseError: another run writes to it.
        DataError (a ValueError): it was written with other settings.
    """
    settings = {**settings, "pictures": pictures}
    with open_journal(folder / LINES, folder / SETTINGS, settings) as journal:
        yield Output(folder, journal, pictures)


def is_output(folder: Path) -> bool:
    """Whether a folder was written by an earlier run."""
    return (folder / SETTINGS).is_file()


def remove_output(folder: Path) -> None:
    """Remove what an earlier run wrote to a folder, its settings last; other files stay."""
    for name in (PICTURES, THUMBNAILS, UPRIGHT):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in (*folder.glob("gallery*.html"), folder / LINES, folder / SETTINGS):
        path.unlink(missing_ok=True)
