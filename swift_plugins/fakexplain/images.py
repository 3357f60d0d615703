"""Images of records: find, open and turn them upright; every failure is an error of the record."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

from .annotation import Annotation
from .errors import DataError, Unquoted
from .paths import A_FILE, NO_FILE, file_kind, files_below

_BROKEN = (OSError, RuntimeError, SyntaxError, ValueError)  # raised by Pillow for a broken file


IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "PPM")
"""Formats that are opened, by Pillow's names, whatever a file's name; an EPS, for example, is a program."""

IMAGE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
"""By these, in lower case, the images in a folder are told from other files."""

several_frames: set[str] = set()
"""Names of opened images with several frames, such as an animated GIF. Only the first frame is ever used."""


def open_image(source: Path | IO[bytes], name: str, *, decode: bool = False) -> Any:
    """Open an image file and read its size and EXIF; pixels are read on first use.

    Args:
        source: path, or an open binary file.
        name: its name in errors, and in `several_frames`.
        decode: read the pixels at once, which detects truncated files and takes some milliseconds.

    Returns:
        A `PIL.Image.Image`; close it, or use it as a context manager.

    Raises:
        DataError: no file, not an image of one of `IMAGE_FORMATS`, or an image so large that it may be a decompression
            bomb (more than twice `PIL.Image.MAX_IMAGE_PIXELS`, about 179 million pixels); field `image`.
    """
    from PIL import Image, UnidentifiedImageError

    allow_large_images()
    if isinstance(source, Path) and (kind := file_kind(source)) != A_FILE:  # opening a pipe would wait for its writer
        found = f"no file {name}" if kind == NO_FILE else f"{kind}: {name}"
        raise DataError("an image file", Unquoted(found), field="image")
    try:
        image = Image.open(source, formats=_formats())
        if image.format != "MPO" and getattr(image, "is_animated", False):  # the others in an MPO are its previews
            several_frames.add(name)
        if decode:
            image.load()
        return image
    except (*_BROKEN, UnidentifiedImageError, Image.DecompressionBombError) as error:
        # Pillow names the path, which may be another than the one that the user knows
        why = "cannot identify image file" if isinstance(error, UnidentifiedImageError) else error
        raise DataError("a readable image", Unquoted(f"{name}: {why}"), field="image") from None


def image_files(
    folder: Path, skip: Collection[Path] = (), on_outside: Callable[[Path], None] | None = None
) -> Iterator[Path]:
    """Files below a folder that have the suffix of an image; arguments as for `files_below`."""
    return (path for path in files_below(folder, skip, on_outside) if path.suffix.lower() in IMAGE_SUFFIXES)


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    from PIL import features

    avif = "avif" in features.modules and features.check("avif")
    return tuple(name for name in IMAGE_FORMATS if name != "AVIF" or avif)


@lru_cache(maxsize=1)
def allow_large_images() -> None:
    """Silence Pillow's warning below the limit of its error; once, because threads share the filters of the process."""
    from PIL import Image

    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def image_key(path: str | Path) -> str:
    """A key for the file at a path: two paths of one file have the same key, whether or not it exists."""
    folder, name = os.path.split(path)  # not pathlib: called for every record and prediction
    whole = os.path.join(_real_folder(folder, os.getcwd()), name)  # noqa: PTH109, PTH118
    return os.path.realpath(whole) if name in ("", ".", "..") or os.path.islink(whole) else whole  # noqa: PTH114


@lru_cache(maxsize=1024)
def _real_folder(folder: str, current: str) -> str:
    return os.path.realpath(os.path.join(current, folder))  # noqa: PTH118


def path_in(images: Path, annotation: Annotation) -> PurePosixPath:
    """The path from a folder of images to a record's image.

    Raises:
        DataError: the image lies outside the folder.

    >>> path_in(Path("data"), Annotation("a", "b/a.png", 8, 8, "real", path=Path("data/b/a.png")))
    PurePosixPath('b/a.png')
    """
    path = PurePosixPath(os.path.relpath(annotation.path, images).replace(os.sep, "/"))
    if ".." in path.parts:
        expected = f"an image in {images} (--images names another folder)"
        error = DataError(expected, annotation.image, field="image")
        raise error.at_record(annotation)
    return path


def check_wh(
    stated: tuple[int, int], own: tuple[int, int], of: str = "the image", field: str = "width, height"
) -> None:
    """Compare a stated width and height with an image's own.

    Args:
        stated: pixels, as a record or a source gives them.
        own: pixels of the image.
        of: the image in the error.
        field: the field in the error.

    Raises:
        DataError: they differ.

    >>> check_wh((8, 8), (8, 6))
    Traceback (most recent call last):
    swift_plugins.fakexplain.errors.DataError: width, height: expected the size of the image, 8x6, found 8x8
    """
    if stated != own:
        raise DataError(f"the size of {of}, {own[0]}x{own[1]}", Unquoted(f"{stated[0]}x{stated[1]}"), field=field)


def check_image(annotation: Annotation, *, decode: bool = False) -> None:
    """Open the image far enough to compare its size with the record's.

    Args:
        annotation: the record.
        decode: also decode every pixel, which detects truncated files and takes some milliseconds.

    Raises:
        DataError: the image is missing, not an image, or of another size.
    """
    try:
        with open_image(annotation.path, str(annotation.path), decode=decode) as image:
            check_wh(annotation.image_wh, image.size)
    except DataError as error:
        raise error.at_record(annotation) from None


def orientation(image: Any) -> int:
    """The EXIF orientation of an opened image, 1 to 8; 1 if it is upright or has none.

    >>> from PIL import Image
    >>> orientation(Image.new("RGB", (4, 2)))
    1
    """
    from PIL import ExifTags

    if image.format == "PNG" and not _may_have_exif(image):
        return 1  # getexif would decode the whole PNG
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _BROKEN:
        return 1  # viewers ignore unreadable EXIF
    return value if value in range(1, 9) else 1


def _may_have_exif(image: Any) -> bool:
    """Whether a PNG has EXIF in its header, or a chunk after its pixels that could be EXIF."""
    if "exif" in image.info or "Raw profile type exif" in image.info:
        return True
    file = image.fp
    if file is None or file.closed:  # already decoded, and therefore read to the end
        return False
    position, after_pixels = file.tell(), False
    try:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if after_pixels and kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt"):
                return True
            after_pixels |= kind == b"IDAT"
            file.seek(length + 4, os.SEEK_CUR)
        return False
    finally:
        file.seek(position)


def upright_wh(image: Any) -> tuple[int, int]:
    """Width and height of an opened image after it is turned upright by its EXIF."""
    width, height = image.size
    return (height, width) if orientation(image) > 4 else (width, height)


def turn_upright(image: Any) -> Any:
    """Turn an image upright, as viewers do, by its EXIF orientation, and remove the orientation; pixel values stay."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(image) if orientation(image) != 1 else image
