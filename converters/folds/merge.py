"""Merge annotations files: ids stay apart, folds stay right, and images that several records have are reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, read_annotations, relocate
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.images import image_key
from swift_plugins.fakexplain.paths import A_FILE, file_kind

from ..images.perturb import file_digest

EXAMPLES = 3


class MergeSource(NamedTuple):
    """An annotations file, and the name that its ids are given as `NAME/ID`; empty for the ids as they are."""

    path: Path
    name: str = ""


@dataclass
class Repeats:
    """Records whose image an earlier record has: their number, and the places of the first few and of the earlier."""

    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)

    def add(self, place: str, earlier: str) -> None:
        """Count a record."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((place, earlier))


def merge_annotations(
    sources: Iterable[MergeSource],
    folder: Path,
    *,
    drop_folds: bool = False,
    by_content: bool = False,
    repeats: Repeats | None = None,
    on_error: OnError = raise_error,
) -> Iterator[Annotation]:
    """The records of several annotations files, in order, for a file in another folder; memory does not grow with them.

    Args:
        sources: the files.
        folder: image paths become relative to it.
        drop_folds: remove the folds.
        by_content: images are the same if their files have the same bytes, and not only by their path.
        repeats: records whose image an earlier one has are added to it.
        on_error: called with the error of each bad record, which is then skipped; by default the first is raised.

    Raises:
        DataError: a bad record; an id is used twice; only some records have a fold, or records of one image have
            different folds, so that a model would be tested on an image it was trained on. Folds concern all records,
            so `on_error` does not skip such a record.
    """
    repeats = repeats if repeats is not None else Repeats()
    first: Annotation | None = None
    with closing(Ids()) as ids, closing(Ids()) as images:
        for source in sources:
            for record in read_annotations(source.path, on_error=on_error):
                place = f"{record.file}:{record.line}"
                try:
                    key = _content_key(record) if by_content else image_key(record.path)
                    record = relocate(record, folder)
                    if source.name:
                        record = replace(record, id=f"{source.name}/{record.id}")
                    if drop_folds and record.fold is not None:
                        record = replace(record, fold=None)
                    _add_id(ids, record, place)
                except DataError as error:
                    on_error(error)
                    continue
                first = first or record
                _check_fold(record, first)
                if known := images.find_or_add(key, f"{record.fold} {place}"):
                    fold, _, earlier = known.partition(" ")
                    repeats.add(place, earlier)
                    if fold != str(record.fold):
                        expected = f"{fold}, the fold of the same image in {earlier}, or --drop-folds"
                        raise DataError(expected, record.fold, field="fold").at_record(record)
                yield record


def _add_id(ids: Ids, record: Annotation, place: str) -> None:
    try:
        ids.add(record.id, place)
    except DataError as error:
        error.expected += "; --prefix, or NAME=FILE for each file, keeps ids apart"
        raise error.at_record(record) from None


def _check_fold(record: Annotation, first: Annotation) -> None:
    """Check that either all records have a fold or none."""
    if (record.fold is None) != (first.fold is None):
        expected = f"{'no' if first.fold is None else 'a'} fold, as in {first.file}:{first.line}, or --drop-folds"
        found = Unquoted("none") if record.fold is None else record.fold
        raise DataError(expected, found, field="fold").at_record(record)


def _content_key(record: Annotation) -> str:
    """A key for the bytes of a record's image.

    Raises:
        DataError: it cannot be read.
    """
    kind = file_kind(record.path)
    try:
        if kind == A_FILE:  # reading a pipe would wait for its writer
            with open(record.path, "rb") as file:
                return file_digest(file)
    except OSError as error:
        kind = error.strerror or str(error)
    raise DataError("an image file", Unquoted(f"{record.path}: {kind}"), field="image").at_record(record)
