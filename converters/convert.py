"""Outside formats into records: every image found, opened and upright, every field checked."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import (
    NOTHING,
    Annotation,
    AnnotationError,
    Ids,
    Words,
    parse_record,
)
from swift_plugins.fakexplain.images import open_image, orientation, upright, upright_wh
from swift_plugins.fakexplain.parallel import map_ordered

from .source import Draft, Piece, inner_path

From = Callable[[Any], "list[Draft]"]


@dataclass
class Report:
    """What converting changed, beyond form: counts.

    Attributes:
        clipped: boxes that reached out of their image, now cut at its border.
        turned: images rewritten upright, for their EXIF said that viewers turn them.
        written: images that the source held within itself.
    """

    clipped: int = 0
    turned: int = 0
    written: int = 0


class Place(NamedTuple):
    """A folder of images.

    Attributes:
        now: where it is while converting.
        later: the way to it from the folder of the annotations file, once all is done.
    """

    now: Path
    later: str


@dataclass
class _Done:
    annotation: Annotation | None = None
    error: AnnotationError | None = None
    report: Report = field(default_factory=Report)


def convert(
    pieces: Iterable[Piece],
    parse: From,
    *,
    images: Place,
    written: Place,
    label: str | None = None,
    fields: Mapping[str, Any] | None = None,
    report: Report | None = None,
    on_error: Callable[[AnnotationError], None] | None = None,
) -> Generator[Annotation, None, None]:
    """Records of a source, in its order.

    Closing it ends all writing of images.

    Args:
        pieces: what the format's `load_NAME` yields.
        parse: its `from_NAME`.
        images: folder that image paths in the source are relative to; where it has no such file, its folder `images`
            is looked into.
        written: folder for images that are rewritten upright (as PNG) or were held within the source (as they were).
        label: label of images of which the source says nothing.
        fields: further fields for every record, such as generator.
        report: counts are added to it.
        on_error: called with the error of each bad record, after which the next is read; without it the first raises.

    Raises:
        AnnotationError: a bad record: a field that is missing or wrong, an image that is missing, cannot be read or has
            another size than the source says, an id twice, or no record at all.
    """
    report = report or Report()
    desk = _Desk(parse, images, written, label, dict(fields or {}))
    count = 0
    with closing(Ids()) as ids, closing(map_ordered(desk.finish, pieces)) as finished:
        for done in chain.from_iterable(finished):
            count += 1
            try:
                if done.error is not None:
                    raise done.error
                assert done.annotation is not None
                _note(ids, done.annotation)
            except AnnotationError as error:
                if on_error is None:
                    raise
                on_error(error)
                continue
            for name in vars(report):
                setattr(report, name, getattr(report, name) + getattr(done.report, name))
            yield done.annotation
    if not count:
        raise AnnotationError("at least one image", Words("none in the source"))


def _note(ids: Ids, annotation: Annotation) -> None:
    try:
        ids.add(annotation.id, f"image {annotation.image}")
    except AnnotationError as error:
        raise error.at(annotation.file, annotation.line) from None


class _Desk:
    """Where drafts become records; several threads work at it."""

    def __init__(self, parse: From, images: Place, written: Place, label: str | None, fields: dict[str, Any]):
        self.parse, self.images, self.written, self.label, self.fields = parse, images, written, label, fields
        self.writing = Lock()

    def finish(self, piece: Piece) -> list[_Done]:
        try:
            return [self._finish(draft, piece) for draft in self.parse(piece.data)]
        except AnnotationError as error:
            return [_Done(error=_placed(error, piece))]

    def _finish(self, draft: Draft, piece: Piece) -> _Done:
        report = Report()
        try:
            annotation = self._record(draft, report)
        except AnnotationError as error:
            return _Done(error=_placed(error, piece, draft.id))
        return _Done(replace(annotation, file=piece.file, line=piece.line), report=report)

    def _record(self, draft: Draft, report: Report) -> Annotation:
        name = inner_path(draft.image) if isinstance(draft.image, str) else None
        id = draft.id or (name and str(name.with_suffix("")))
        if not id:
            raise AnnotationError("an id, for the image has no name", NOTHING, field="id")
        image, wh = self._image(draft, name, id, report)
        if draft.wh is not None and draft.wh != wh:
            found = Words(f"{draft.wh[0]}x{draft.wh[1]}")
            raise AnnotationError(f"the upright image's own {wh[0]}x{wh[1]} pixels", found, field="width, height")
        record = {
            "id": id,
            "image": image,
            "width": wh[0],
            "height": wh[1],
            "label": draft.label or ("fake" if draft.regions or draft.tags else self.label),
            "regions": [
                {"bbox": _in_pixels(region, draft.unit, wh, report), "caption": region[4]} for region in draft.regions
            ],
            "tags": list(draft.tags),
        }
        if record["label"] is None:
            raise AnnotationError(
                "'fake' or 'real', or a --label for images of which nothing is said", NOTHING, field="label"
            )
        return parse_record(record | draft.fields | self.fields)

    def _image(self, draft: Draft, name: PurePosixPath | None, id: str, report: Report) -> tuple[str, tuple[int, int]]:
        """The image's path in its record, and its upright size; it is written anew where it must be."""
        held = io.BytesIO(draft.image) if isinstance(draft.image, bytes) else None
        path, later = self._found(name) if name else (Path(), "")
        stem = name.with_suffix("") if name else inner_path(id, field="id")
        with open_image(held or path, str(path) if name else f"the image of {id!r}") as image:
            report.written += held is not None
            if orientation(image) != 1:
                report.turned += 1
                return self._write(stem, ".png", upright(image)), upright_wh(image)
            if held:
                suffix = _SUFFIXES.get(image.format, f".{image.format.lower()}")
                return self._write(stem, suffix, held.getvalue()), image.size
            return later, image.size

    def _found(self, name: PurePosixPath) -> tuple[Path, str]:
        """Where an image is, and the way to it from the annotations file."""
        for inner in (name, "images" / name):
            if (self.images.now / inner).is_file():
                return self.images.now / inner, posixpath.normpath(f"{self.images.later}/{inner}")
        found = Words(f"no file {self.images.now / name}")
        raise AnnotationError("an image file (--images names the folder they are in)", found, field="image")

    def _write(self, stem: PurePosixPath, suffix: str, image: Any) -> str:
        target = self.written.now / f"{stem}{suffix}"
        with self.writing:  # records of one image may be finished at one time
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(image, bytes):
                    target.write_bytes(image)
                else:
                    image.save(target, icc_profile=image.info.get("icc_profile"))
        return f"{self.written.later}/{stem}{suffix}"


_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif"}


def _placed(error: AnnotationError, piece: Piece, id: str | None = None) -> AnnotationError:
    if piece.at:
        error.field = f"{piece.at}.{error.field}" if error.field else piece.at
    return error.at(piece.file, piece.line, id)


def _in_pixels(region: Sequence[Any], unit: str, wh: tuple[int, int], report: Report) -> list[float]:
    """A region's box in pixels, cut at the image's border where it reaches out of it."""
    scale_x, scale_y = {"pixel": (1.0, 1.0), "percent": (wh[0] / 100, wh[1] / 100), "share": wh}[unit]
    x1, y1, x2, y2 = box = [region[0] * scale_x, region[1] * scale_y, region[2] * scale_x, region[3] * scale_y]
    inside = [max(x1, 0), max(y1, 0), min(x2, wh[0]), min(y2, wh[1])]
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        return box  # the reader of records says what is wrong with it
    report.clipped += any(abs(a - b) > 0.5 for a, b in zip(box, inside, strict=True))
    return inside
