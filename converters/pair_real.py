"""As many real images as there are fakes, in every fold (§5.2: both sides hold an equal number of real samples)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, AnnotationError, read_annotations, relocated
from swift_plugins.fakexplain.images import open_image, orientation, upright
from swift_plugins.fakexplain.parallel import map_ordered

from .convert import Place
from .source import image_files

Need = Counter["int | None"]


class Candidate(NamedTuple):
    """A real image that may be drawn: its path, and its name in the folder or list it is of."""

    path: Path
    name: str


@dataclass
class _Looked:
    candidate: Candidate
    content: bytes = b""
    wh: tuple[int, int] = (0, 0)
    turned: bool = False
    error: AnnotationError | None = None


def candidates(source: Path) -> list[Candidate]:
    """The images of a folder; of a list, one path a line, relative to it; or of an annotations file (`.jsonl`).

    Raises:
        FileNotFoundError: no such folder or file.
        AnnotationError: a record of the annotations file is bad, or not of a real image.
    """
    if source.is_dir():
        return [Candidate(path, path.relative_to(source).as_posix()) for path in image_files(source)]
    if not source.is_file():
        raise FileNotFoundError(f"{source}: expected a folder or list of real images, found no such file")
    if source.suffix == ".jsonl":
        return [Candidate(record.path, record.image) for record in map(_real, read_annotations(source))]
    lines = (line.strip() for line in source.read_text(encoding="utf-8-sig").splitlines())
    return [Candidate(source.parent / line, line) for line in lines if line]


def _real(record: Annotation) -> Annotation:
    if record.label != "real":
        error = AnnotationError("'real'", record.label, field="label")
        raise error.at(record.file, record.line, record.id)
    return record


def missing(annotations: Iterable[Annotation]) -> Need:
    """How many real images each fold lacks to have as many as fakes; below 0: how many it has too many.

    >>> missing([Annotation("a", "a.png", 8, 8, "fake", fold=1), Annotation("b", "b.png", 8, 8, "fake", fold=1)])
    Counter({1: 2})
    """
    need: Need = Counter()
    for annotation in annotations:
        need[annotation.fold] += 1 if annotation.label == "fake" else -1
    return need


def draw_real(
    source: Iterable[Candidate],
    need: Need,
    taken: Iterable[Path],
    *,
    out: Path,
    written: Place,
    seed: int = 0,
    on_error: Callable[[AnnotationError], None] | None = None,
) -> Iterator[Annotation]:
    """Records of real images drawn by lot, until every fold has what it needs.

    A file is drawn once, and passed over where one with the very same bytes is there already or was drawn: no real
    image is on the train and on the test side of any fold.

    Args:
        source: the candidates; their order does not matter.
        need: of `missing`.
        taken: real images that are there already.
        out: folder the annotations file will lie in.
        written: folder for images that are written anew, upright, for EXIF turns them (as PNG).
        seed: of the lots.
        on_error: called with the error of each image that cannot be read, which is passed over; without it the first
            raises.

    Raises:
        AnnotationError: an image cannot be read.
        ValueError: there are too few.
    """
    left = Counter({fold: count for fold, count in need.items() if count > 0})
    wanted = left.total()
    seen = set(map_ordered(_content, taken))

    def lot(candidate: Candidate) -> bytes:
        return blake2b(f"{seed} {candidate.name}".encode(errors="surrogateescape"), digest_size=8).digest()

    drawn = takewhile(lambda _: left.total(), sorted(source, key=lot))
    for looked in map_ordered(_look, drawn):
        if not left.total():
            break
        if looked.error is not None:
            if on_error is None:
                raise looked.error
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
            number = f"{len(seen):06}.png"
            with open_image(path, str(path)) as image:
                turned = upright(image)
                turned.save(written.now / number, icc_profile=image.info.get("icc_profile"))
            yield replace(record, image=f"{written.later}/{number}", width=turned.width, height=turned.height)
        else:
            yield relocated(record, out)
    if short := left.total():
        raise ValueError(f"expected {wanted} real images that can be used, found {wanted - short}")


def _content(path: Path) -> bytes:
    return blake2b(path.read_bytes(), digest_size=16).digest()


def _look(candidate: Candidate) -> _Looked:
    try:
        with open_image(candidate.path, str(candidate.path), decode=True) as image:
            return _Looked(candidate, _content(candidate.path), image.size, orientation(image) != 1)
    except AnnotationError as error:
        return _Looked(candidate, error=error)
