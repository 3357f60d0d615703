"""What the formats' writers share: where an image lies, and a copy of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

from swift_plugins.fakexplain.annotation import Annotation, AnnotationError


def path_in(images: Path, annotation: Annotation) -> PurePosixPath:
    """The way from a folder of images to a record's image.

    Raises:
        AnnotationError: the image lies outside the folder.

    >>> path_in(Path("data"), Annotation("a", "b/a.png", 8, 8, "real", path=Path("data/b/a.png")))
    PurePosixPath('b/a.png')
    """
    path = PurePosixPath(os.path.relpath(annotation.path.absolute(), images.absolute()).replace(os.sep, "/"))
    if ".." in path.parts:
        error = AnnotationError(
            f"an image in {images} (--images names another folder)", annotation.image, field="image"
        )
        raise error.at(annotation.file, annotation.line, annotation.id)
    return path


def place_image(source: Path, target: Path, *, link: bool = False) -> None:
    """Put an image's file, byte for byte, where a format wants it: a copy, or a hard link that takes no room."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        os.link(source, target)
    else:
        shutil.copyfile(source, target)
