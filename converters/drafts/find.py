"""Find the images of a source: at their paths, under names written differently, and at last by their names alone.

An image is looked up in the folder of the images and in its folder `images`, first at its own path, then at the other
paths its format knows (a subset's folder or none, an upload's name without its prefix). Names match in either Unicode
form and in any case; a name without an image's suffix, as of a video frame, takes the file with one. Where the user
names the folder of the images, a missing image is taken from anywhere below it: the file that shares the longest end of
its path, at least its name, if there is only one such file.

An image found anywhere but at its own path must be claimed by no other image of the source, or a record might get the
image of another.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.images import IMAGE_SUFFIXES, image_files
from swift_plugins.fakexplain.paths import NOT_REGULAR, file_kind

from .draft import Draft, inner_path

_SEVERAL = "\0"
"""Claim of a path or name that several images of the source may have."""


class Found(NamedTuple):
    """An image that was found.

    Attributes:
        inner: its path in the folder of the images.
        name: the path that gives its record's id.
        how: `at its path`, `renamed` or `searched`.
    """

    inner: PurePosixPath
    name: PurePosixPath
    how: str


class Finder:
    """Finds images in a folder; several threads share one.

    Args:
        folder: the folder of the images.
        drafts: called at most once, for the drafts of the whole source; None if other images are not considered.
        search: whether a missing image is searched by its name below the folder.
        skip: folders that are not searched.
    """

    def __init__(
        self,
        folder: Path,
        drafts: Callable[[], Iterable[Draft]] | None = None,
        search: bool = False,
        skip: Collection[Path] = (),
    ) -> None:
        self._folder, self._drafts, self._search, self._skip = folder, drafts, search, skip
        self._lock = threading.Lock()
        self._claims: dict[str, str] | None = None
        self._names: dict[str, list[PurePosixPath]] | None = None
        self._listed: dict[PurePosixPath, dict[str, list[str]]] = {}

    def find(self, draft: Draft) -> Found:
        """The image of a draft.

        Raises:
            DataError: it is not found, or its path leads out of the folder; field `image`.
        """
        image = str(draft.image)
        try:
            path: PurePosixPath | None = self._inside(image)
        except DataError as error:
            path, outside = None, error
        if path and (found := self._look_up(path)):
            if found in (path, "images" / path):
                return Found(found, path, "at its path")
            if self._is_only(_fold(f"/{path}"), image):
                return Found(found, path, "renamed")
        for other in (*draft.others, *_ends(image, path)):
            alternative = inner_path(other, up=True)
            found = self._look_up(alternative)
            if found and self._is_only(_fold(f"/{alternative}"), image):
                return Found(found, alternative, "renamed")
        if self._search and (result := self._by_name(image, path)):
            return result
        if path is None:
            expected = f"{outside.expected}, or --images FOLDER to find it by its name"
            raise DataError(expected, outside.found, field="image")
        hint = "whose name is unique below it" if self._search else "their folder"
        kind = file_kind(self._folder / path)
        found_words = f"{kind}: {self._folder / path}" if kind in NOT_REGULAR else f"no file {self._folder / path}"
        raise DataError(f"an image file (--images names {hint})", Unquoted(found_words), field="image")

    def _inside(self, image: str) -> PurePosixPath:
        """The path in the folder, also of an absolute path that leads into it."""
        if Path(image).is_absolute() and (real := Path(image)).is_relative_to(self._folder.absolute()):
            image = real.relative_to(self._folder.absolute()).as_posix()
        return inner_path(image, up=True)

    def _look_up(self, path: PurePosixPath) -> PurePosixPath | None:
        for inner in (path, "images" / path):
            if _is_file(self._folder / inner):
                return inner
        for inner in (path, "images" / path):
            if found := self._match(inner.parts):
                return found
        return None

    def _by_name(self, image: str, path: PurePosixPath | None) -> Found | None:
        """The file below the folder that shares the longest end of the image's path, at least its name.

        There must be only one, and no other image of the source may have that end.
        """
        with self._lock:
            if self._names is None:
                self._names = {}
                for file in image_files(self._folder, self._skip):
                    inner = PurePosixPath(file.relative_to(self._folder).as_posix())
                    self._names.setdefault(_fold(inner.name), []).append(inner)
        name = _last(image)
        found = self._names.get(_fold(name), [])
        wanted = _fold(image.replace("\\", "/")).split("/")
        shared = [_shared_end(_fold(str(each)).split("/"), wanted) for each in found]
        longest = max(shared, default=0)
        if shared.count(longest) > 1:
            places = Unquoted(f"{len(found)} of the name {name}: {', '.join(map(str, found[:3]))}")
            raise DataError("an image file whose name is unique below --images", places, field="image")
        claim = _fold(name) if longest == 1 else "/" + "/".join(wanted[-longest:])
        if not found or not self._is_only(claim, image):
            return None
        inner = found[shared.index(longest)]
        return Found(inner, path or inner, "searched")

    def _is_only(self, claim: str, image: str) -> bool:
        """Whether no other image of the source may have a path or a name."""
        if self._drafts is None:
            return True
        with self._lock:
            if self._claims is None:
                self._claims = {}
                for draft in self._drafts():
                    if isinstance(draft.image, str):
                        for each in _claims(draft):
                            self._claims[each] = (
                                draft.image if self._claims.get(each) in (None, draft.image) else _SEVERAL
                            )
        return self._claims.get(claim, image) == image

    def _match(self, parts: tuple[str, ...]) -> PurePosixPath | None:
        """The file at a path whose names are written in another Unicode form, in another case or without a suffix."""
        inner = PurePosixPath()
        for part in parts:
            names = self._entries(inner)
            found = names.get(_fold(part), [])
            if not found and part == parts[-1] and PurePosixPath(part).suffix.lower() not in IMAGE_SUFFIXES:
                found = [name for suffix in sorted(IMAGE_SUFFIXES) for name in names.get(_fold(part + suffix), [])]
            if len(found) != 1:
                found = [name for name in found if _composed(name) == _composed(part)]
            if len(found) != 1:
                return None
            inner = inner / found[0]
        return inner if _is_file(self._folder / inner) else None

    def _entries(self, inner: PurePosixPath) -> dict[str, list[str]]:
        """The names in a folder, each under its folded form; empty if it is no folder."""
        if inner not in self._listed:
            names: dict[str, list[str]] = {}
            try:
                for entry in sorted((self._folder / inner).iterdir()):
                    names.setdefault(_fold(entry.name), []).append(entry.name)
            except (OSError, ValueError):
                names = {}
            self._listed[inner] = names
        return self._listed[inner]


def _claims(draft: Draft) -> Iterator[str]:
    image = str(draft.image)
    yield _fold(_last(image))
    for path in (image, *draft.others, *_ends(image, None)):
        yield _fold("/" + path.replace("\\", "/").lstrip("/"))


def _ends(image: str, path: PurePosixPath | None) -> list[str]:
    """The ends of a path that leads out of the folder, longest first, each with at least one folder."""
    if path is not None or "://" in image or "\0" in image:
        return []
    parts = [part for part in image.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return ["/".join(parts[index:]) for index in range(1, len(parts) - 1)]


def _shared_end(one: list[str], other: list[str]) -> int:
    """Number of parts at the end of two paths that are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _last(image: str) -> str:
    return image.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _fold(name: str) -> str:
    return _composed(name).casefold()


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a file system allows
        return False
