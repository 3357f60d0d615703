"""As many real images as there are fakes, in every fold (§5.2: both sides hold an equal number of real samples)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, read_annotations, relocate
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.images import open_image, orientation, upright_wh
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.pixels import save_upright

from ..convert import Place
from ..drafts.draft import image_files

Need = Counter["int | None"]


class Candidate(NamedTuple):
    """A real image that may be drawn: its path, its name in the folder or list it is of, and where a list names it."""

    path: Path
    name: str
    file: str = ""
    line: int = 0


@dataclass
class _Looked:
    candidate: Candidate
    content: bytes = b""
    wh: tuple[int, int] = (0, 0)
    turned: bool = False
    error: DataError | None = None


def candidates(source: Path) -> list[Candidate]:
    """The images of a folder; of a list, one path a line, relative to it; or of an annotations file (`.jsonl`).

    Raises:
        FileNotFoundError: no such folder or file.
        DataError: a record of the annotations file is bad, or not of a real image.
    """
    if source.is_dir():
        return [Candidate(path, path.relative_to(source).as_posix()) for path in image_files(source)]
    if not source.is_file():
        raise FileNotFoundError(f"{source}: expected a folder or list of real images, found no such file")
    if source.suffix == ".jsonl":
        return [Candidate(record.path, record.image) for record in map(_real, read_annotations(source))]
    try:
        lines = source.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        expected = "a folder, an annotations file (.jsonl), or a list in UTF-8 with one path a line"
        raise DataError(expected, Unquoted("other bytes")).at(str(source), 0) from None
    return [
        Candidate(source.parent / name, name, str(source), number)
        for number, line in enumerate(lines, 1)
        if (name := line.strip())
    ]


def _real(record: Annotation) -> Annotation:
    if record.label != "real":
        error = DataError("'real'", record.label, field="label")
        raise error.at(record.file, record.line, record.id)
    return record


@dataclass
class Survey:
    """What annotations hold already.

    Attributes:
        need: how many real images each fold lacks to have as many as fakes; below 0: how many it has too many.
        contents: digests of the images' files.
        bad: lines of records whose image cannot be read.
    """

    need: Need = field(default_factory=Counter)
    contents: set[bytes] = field(default_factory=set)
    bad: set[int] = field(default_factory=set)


def survey(annotations: Iterable[Annotation], *, on_error: OnError = raise_error) -> Survey:
    """Count the records of every fold, and look at their images.

    Args:
        annotations: the records.
        on_error: called with the error of each record whose image cannot be read; without it the first raises.

    Raises:
        DataError: an image cannot be read.
    """
    found = Survey()

    def look(annotation: Annotation) -> tuple[Annotation, bytes | DataError]:
        try:
            return annotation, _content(annotation.path)
        except OSError as error:
            words = Unquoted(f"{annotation.path}: {error.strerror}")
            bad = DataError("an image file that can be read", words, field="image")
            return annotation, bad.at(annotation.file, annotation.line, annotation.id)

    with closing(map_ordered(look, annotations)) as looked:
        for annotation, content in looked:
            if isinstance(content, bytes):
                found.contents.add(content)
                found.need[annotation.fold] += 1 if annotation.label == "fake" else -1
                continue
            found.bad.add(annotation.line)
            on_error(content)
    return found


def draw_real(
    source: Iterable[Candidate],
    there: Survey,
    *,
    out: Path,
    written: Place,
    seed: int = 0,
    on_error: OnError = raise_error,
) -> Iterator[Annotation]:
    """Records of real images drawn by lot, until every fold has what it needs.

    A file is drawn once, and passed over where one with the very same bytes is there already, as real or as fake, or
    was drawn: no real image is on the train and on the test side of any fold.

    Args:
        source: the candidates; their order does not matter.
        there: of `survey`.
        out: folder the annotations file will lie in.
        written: folder for images that are written anew, upright, for EXIF turns them (as PNG).
        seed: of the lots.
        on_error: called with the error of each image that cannot be read, which is passed over; without it the first
            raises.

    Raises:
        DataError: an image cannot be read.
        ValueError: there are too few.
    """
    left = Counter({fold: count for fold, count in there.need.items() if count > 0})
    wanted = left.total()
    seen, number = set(there.contents), 0

    def lot(candidate: Candidate) -> bytes:
        return blake2b(f"{seed} {candidate.name}".encode(errors="surrogateescape"), digest_size=8).digest()

    drawn = takewhile(lambda _: left.total(), sorted(source, key=lot))
    with closing(map_ordered(_look, drawn)) as results:
        for looked in results:
            if not left.total():
                break
            if looked.error is not None:
                on_error(looked.error)
                continue
            if looked.content in seen:
                continue
            seen.add(looked.content)
            fold = max(left, key=lambda fold: (left[fold], -(fold or 0)))
            left[fold] -= 1
            name, path = looked.candidate.name, looked.candidate.path
            record = Annotation(f"real/{name}", "", *looked.wh, "real", fold=fold, path=path)
            if looked.turned:
                number += 1
                new = f"{number:06}.png"
                with open_image(path, str(path)) as image:
                    save_upright(image, written.now / new)
                yield replace(record, image=f"{written.later}/{new}", path=written.now / new)
            else:
                yield relocate(record, out)
    if short := left.total():
        raise ValueError(f"expected {wanted} real images that can be used, found {wanted - short}")


def _content(path: Path) -> bytes:
    return blake2b(path.read_bytes(), digest_size=16).digest()


def _look(candidate: Candidate) -> _Looked:
    try:
        with open_image(candidate.path, str(candidate.path), decode=True) as image:
            return _Looked(candidate, _content(candidate.path), upright_wh(image), orientation(image) != 1)
    except DataError as error:
        return _Looked(candidate, error=error.at(candidate.file, candidate.line) if candidate.file else error)
