"""Pair fakes with as many real images in every fold (§5.2: both sides hold an equal number of real samples)."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from swift_plugins.fakexplain.annotation import Annotation, read_annotations, relocate
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.images import image_files, open_image, orientation, upright_wh
from swift_plugins.fakexplain.parallel import map_good
from swift_plugins.fakexplain.paths import A_FILE, NO_FILE, check_exists, file_kind
from swift_plugins.fakexplain.pixels import save_upright

from ..convert import Place


class Candidate(NamedTuple):
    """A real image that may be picked: path, name in its folder or list, and the place where a list names it."""

    path: Path
    name: str
    file: str = ""
    line: int = 0


class _MeasuredImage(NamedTuple):
    candidate: Candidate
    content: bytes  # digest of the file
    wh: tuple[int, int]  # upright
    turned: bool  # by EXIF


def list_candidates(source: Path) -> list[Candidate]:
    """List the images of a folder, of a list (one path per line, relative to it) or of an annotations file (`.jsonl`).

    Raises:
        FileNotFoundError: no such folder or file.
        DataError: a record of the annotations file is bad, or its image is not real.
    """
    if source.is_dir():
        return [Candidate(path, path.relative_to(source).as_posix()) for path in image_files(source)]
    check_exists(source, "a folder or list of real images")
    if source.suffix == ".jsonl":
        return [Candidate(record.path, record.image) for record in map(_check_real, read_annotations(source))]
    try:
        lines = source.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        expected = "a folder, an annotations file (.jsonl), or a list in UTF-8 with one path per line"
        raise DataError(expected, Unquoted("other bytes")).at(str(source), 0) from None
    return [
        Candidate(source.parent / name, name, str(source), number)
        for number, line in enumerate(lines, 1)
        if (name := line.strip())
    ]


def _check_real(record: Annotation) -> Annotation:
    if record.label != "real":
        error = DataError("'real'", record.label, field="label")
        raise error.at_record(record)
    return record


@dataclass
class Survey:
    """The fakes, real images and files of an annotations file.

    Attributes:
        missing: fold -> number of fakes minus number of real images; negative if there are more real images.
        contents: digests of the image files.
        bad: lines of records with an unreadable image.
    """

    missing: Counter[int | None] = field(default_factory=Counter)
    contents: set[bytes] = field(default_factory=set)
    bad: set[int] = field(default_factory=set)


def survey(annotations: Iterable[Annotation], *, on_error: OnError = raise_error) -> Survey:
    """Count the records of every fold, and read their image files.

    Args:
        annotations: the records.
        on_error: called with the error of each record with an unreadable image; by default the first is raised.

    Raises:
        DataError: an image cannot be read.
    """
    found = Survey()

    def read(annotation: Annotation) -> tuple[Annotation, bytes]:
        try:
            return annotation, _digest(annotation.path)
        except OSError as error:
            words = Unquoted(f"{annotation.path}: {error.strerror}")
            bad = DataError("an image file that can be read", words, field="image")
            raise bad.at_record(annotation) from None

    def report(error: DataError) -> None:
        found.bad.add(error.line)
        on_error(error)

    with closing(map_good(read, annotations, report)) as results:
        for annotation, content in results:
            found.contents.add(content)
            found.missing[annotation.fold] += 1 if annotation.label == "fake" else -1
    return found


def draw_real(
    candidates: Iterable[Candidate],
    existing: Survey,
    *,
    out: Path,
    written: Place,
    seed: int = 0,
    generator: str | None = None,
    on_error: OnError = raise_error,
) -> Iterator[Annotation]:
    """Pick real images at random until every fold has as many as fakes, and yield their records.

    Each file is picked at most once. Files with the same bytes as an existing image, real or fake, or as one picked
    before are skipped, so no real image is on both the train and the test side of a fold.

    Args:
        candidates: images to pick from, in any order.
        existing: from `survey`.
        out: folder of the annotations file that will be written.
        written: folder for images that EXIF turns, which are written again as upright PNG files.
        seed: random seed.
        generator: `generator` of the new records.
        on_error: called with the error of each unreadable image, which is skipped; by default the first is raised.

    Raises:
        DataError: an image cannot be read.
        ValueError: there are too few.
    """
    missing = Counter({fold: count for fold, count in existing.missing.items() if count > 0})
    wanted = missing.total()
    seen, number = set(existing.contents), 0

    def random_key(candidate: Candidate) -> bytes:
        return blake2b(f"{seed} {candidate.name}".encode(errors="surrogateescape"), digest_size=8).digest()

    shuffled = takewhile(lambda _: missing.total(), sorted(candidates, key=random_key))
    with closing(map_good(_measure, shuffled, lambda error: on_error(error) if missing.total() else None)) as results:
        for image in results:
            if not missing.total():
                break
            if image.content in seen:
                continue
            seen.add(image.content)
            fold = max(missing, key=lambda fold: (missing[fold], -(fold or 0)))
            missing[fold] -= 1
            name, path = image.candidate.name, image.candidate.path
            record = Annotation(f"real/{name}", "", *image.wh, "real", generator=generator, fold=fold, path=path)
            if image.turned:
                number += 1
                new = f"{number:06}.png"
                with open_image(path, str(path)) as opened:
                    save_upright(opened, written.path / new)
                yield replace(record, image=f"{written.final}/{new}", path=written.path / new)
            else:
                yield relocate(record, out)
    if short := missing.total():
        raise ValueError(f"expected {wanted} real images that can be used, found {wanted - short}")


def add_records(records: Iterable[Annotation], new: Iterable[Annotation]) -> Iterator[Annotation]:
    """Append new records; if an id is already in use, a UUID of the image is appended to it."""
    with closing(Ids()) as ids:
        for record in records:
            ids.add(record.id, f"line {record.line}")
            yield record
        for record in new:
            try:
                ids.add(record.id, record.image)
            except DataError:  # another folder had an image of this name
                record = replace(record, id=f"{record.id} {uuid5(NAMESPACE_URL, record.image)}")
                ids.add(record.id, record.image)
            yield record


def _digest(path: Path) -> bytes:
    if (kind := file_kind(path)) not in (A_FILE, NO_FILE):  # reading a pipe would wait for its writer
        raise OSError(errno.EINVAL, kind, str(path))
    return blake2b(path.read_bytes(), digest_size=16).digest()


def _measure(candidate: Candidate) -> _MeasuredImage:
    """Read a candidate's file.

    Raises:
        DataError: it is not a readable image.
    """
    try:
        with open_image(candidate.path, str(candidate.path), decode=True) as image:
            return _MeasuredImage(candidate, _digest(candidate.path), upright_wh(image), orientation(image) != 1)
    except DataError as error:
        raise error.at(candidate.file, candidate.line) if candidate.file else error from None
