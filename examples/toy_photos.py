"""The photographs that the toy world is cut from, and the fold of each."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from converters.images.duplicates import fingerprint, groups
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.images import IMAGE_SUFFIXES, open_image

FOLDS = 4
LEAST_SIDE = 80
"""The smallest crop of a photograph, in pixels."""
LONGEST_SIDE = 1024
"""Larger photographs of one's own are scaled down to this."""

SHIPPED: tuple[tuple[str, ...], ...] = (
    ("china.jpg", "chelsea.png", "camera.png", "coffee.png"),
    ("astronaut.png", "grass.png", "retina.jpg", "coins.png", "text.png"),
    ("rocket.jpg", "brick.png", "ihc.png", "moon.png", "page.png"),
    ("flower.jpg", "motorcycle_left.png", "gravel.png", "hubble_deep_field.jpg"),
)
"""Photographs of each fold: scikit-learn's china and flower, the rest scikit-image's."""


class Photo(NamedTuple):
    """A photograph, opened when it is first used.

    Attributes:
        path: its file.
        name: what records call it (`class_name`).
        fold: 0 to 3.
        longest: the longest side it is scaled down to; None keeps it as it is.
    """

    path: Path
    name: str
    fold: int
    longest: int | None = None

    @property
    def image(self) -> Image.Image:
        return _load(self.path, self.longest)


@cache
def _load(path: Path, longest: int | None) -> Image.Image:
    with open_image(path, str(path), decode=True) as opened:
        image = opened.convert("RGB")
    if longest:
        image.thumbnail((longest, longest))
    return image


def shipped_photos() -> list[Photo]:
    """The photographs that ship in the wheels of scikit-image and scikit-learn, found without importing either.

    Raises:
        ModuleNotFoundError: one of the two is not installed.
    """
    photos = []
    for fold, names in enumerate(SHIPPED):
        for name in names:
            of_sklearn = name in ("china.jpg", "flower.jpg")
            package, folder = ("sklearn", "datasets/images") if of_sklearn else ("skimage", "data")
            spec = find_spec(package)
            if spec is None or not spec.submodule_search_locations:
                raise ModuleNotFoundError(
                    f"the toy world is cut from photographs in {package}: pip install scikit-image scikit-learn"
                )
            photos.append(Photo(Path(spec.submodule_search_locations[0], folder, name), Path(name).stem, fold))
    return photos


def photos_in(folder: Path) -> list[Photo]:
    """All images at any depth of a folder. Near duplicates share a fold, others take the folds in turn, by path.

    Raises:
        DataError: no folder, fewer photographs than folds that do not resemble each other, an unreadable image, or one
            with a side below `LEAST_SIDE`.
    """
    if not folder.is_dir():
        raise DataError("a folder of photographs", str(folder), field="--photos")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    groups_of = groups([fingerprint(_checked(path)) for path in paths]) if paths else ()
    if len(set(groups_of)) < FOLDS:
        found = Unquoted(f"{len(paths)} in {folder}")
        raise DataError(f"at least {FOLDS} photographs that do not resemble each other", found, field="--photos")
    names = [path.relative_to(folder).as_posix() for path in paths]
    return [
        Photo(path, name, int(group) % FOLDS, LONGEST_SIDE)
        for path, name, group in zip(paths, names, groups_of, strict=True)
    ]


def _checked(path: Path) -> Image.Image:
    image = _load(path, LONGEST_SIDE)
    if min(image.size) < LEAST_SIDE:
        width, height = image.size
        raise DataError(f"sides of at least {LEAST_SIDE} pixels", Unquoted(f"{width}x{height}"), file=str(path))
    return image
