"""Outside formats into records: every image found, opened and upright, every field checked."""

from __future__ import annotations

import io
import itertools
import posixpath
import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, parse_record
from swift_plugins.fakexplain.errors import NOTHING, DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.images import open_image, orientation, upright_wh
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.pixels import save_upright

from .drafts.draft import Draft, Piece, inner_path

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
    """What became of a draft.

    Attributes:
        annotation, error: one of the two.
        report: what was changed.
        new: a file that was written aside, and the path in the folder of written images that it is for.
    """

    annotation: Annotation | None = None
    error: DataError | None = None
    report: Report = field(default_factory=Report)
    new: tuple[Path, str] | None = None


def convert(
    pieces: Iterable[Piece],
    parse: From,
    *,
    images: Place,
    written: Place,
    source: str = "the source",
    label: str | None = None,
    fields: Mapping[str, Any] | None = None,
    report: Report | None = None,
    on_error: OnError = raise_error,
) -> Generator[Annotation, None, None]:
    """Records of a source, in its order.

    Closing it ends all writing of images.

    Args:
        pieces: what the format's `load_NAME` yields.
        parse: its `from_NAME`.
        images: folder that image paths in the source are relative to; where it has no such file, its folder `images`
            is looked into.
        written: folder for images that are rewritten upright (a.jpg as a.jpg.png) or were held within the source (as
            they were, named by their ids).
        source: what an error calls the source as a whole.
        label: label of images of which the source says nothing.
        fields: further fields for every record, such as generator.
        report: counts are added to it.
        on_error: called with the error of each bad record, after which the next is read; without it the first raises.

    Raises:
        DataError: a bad record: a field that is missing or wrong, an image that is missing, cannot be read or has
            another size than the source says, an id twice, or no record at all.
    """
    report = report or Report()
    aside = written.now / ".new"
    desk = _Desk(parse, images, aside, written.later, label, dict(fields or {}))
    count = 0
    try:
        with closing(Ids()) as ids, closing(map_ordered(desk.finish, _to_the_end(pieces, source))) as finished:
            for done in itertools.chain.from_iterable(finished):
                count += 1
                try:
                    if done.error is not None:
                        raise done.error
                    assert done.annotation is not None
                    _note(ids, done.annotation)
                    _put(done, written.now)
                except DataError as error:
                    on_error(error)
                    continue
                for name in vars(report):
                    setattr(report, name, getattr(report, name) + getattr(done.report, name))
                yield done.annotation
        if not count:
            raise DataError("at least one image", Unquoted("none")).at(source, 0)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _to_the_end(pieces: Iterable[Piece], source: str) -> Iterator[Piece]:
    """The pieces, and as a last one the error that ended their reading, if one did."""
    try:
        yield from pieces
    except DataError as error:
        yield Piece(error, source)
    except RecursionError:
        yield Piece(_too_deep(), source)


def _too_deep() -> DataError:
    return DataError("data that is nested less deep", Unquoted("more"))


def _note(ids: Ids, annotation: Annotation) -> None:
    try:
        ids.add(annotation.id, f"image {annotation.image}")
    except DataError as error:
        raise error.at(annotation.file, annotation.line) from None


def _put(done: _Done, folder: Path) -> None:
    """Move what was written aside to its place; what lies there already is the same image of another record."""
    if done.new is None:
        return
    aside, name = done.new
    target = folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            aside.replace(target)
    except (FileExistsError, NotADirectoryError):
        assert done.annotation is not None
        error = DataError("a name that no other image's folder has", name, field="image")
        raise error.at(done.annotation.file, done.annotation.line, done.annotation.id) from None


class _Desk:
    """Where drafts become records; several threads work at it."""

    def __init__(
        self, parse: From, images: Place, aside: Path, later: str, label: str | None, fields: dict[str, Any]
    ) -> None:
        self.parse, self.images, self.aside, self.later = parse, images, aside, later
        self.label, self.fields = label, fields
        self.numbers = itertools.count()

    def finish(self, piece: Piece) -> list[_Done]:
        try:
            if isinstance(piece.data, DataError):
                raise piece.data
            return [self._finish(draft, piece) for draft in self.parse(piece.data)]
        except DataError as error:
            return [_Done(error=_placed(error, piece))]
        except RecursionError:
            return [_Done(error=_placed(_too_deep(), piece))]

    def _finish(self, draft: Draft, piece: Piece) -> _Done:
        done = _Done()
        try:
            annotation = self._record(draft, done)
        except DataError as error:
            region = _REGION.match(error.field)
            if region and draft.places:
                error.field = draft.places[int(region[1])] + error.field[region.end() :]
            return _Done(error=_placed(error, piece, draft.id))
        done.annotation = replace(annotation, file=piece.file, line=piece.line)
        return done

    def _record(self, draft: Draft, done: _Done) -> Annotation:
        name = inner_path(draft.image) if isinstance(draft.image, str) else None
        id = draft.id or (name and str(name.with_suffix("")))
        if not id:
            raise DataError("an id, for the image has no name", NOTHING, field="id")
        image, wh = self._image(draft, name, id, done)
        if draft.wh is not None and draft.wh != wh:
            found = Unquoted(f"{draft.wh[0]}x{draft.wh[1]}")
            raise DataError(f"the upright image's own {wh[0]}x{wh[1]} pixels", found, field="width, height")
        record = {
            "id": id,
            "image": image,
            "width": wh[0],
            "height": wh[1],
            "label": draft.label or ("fake" if draft.regions or draft.tags else self.label),
            "regions": [{"bbox": _inside(region, wh, done.report), "caption": region[4]} for region in draft.regions],
            "tags": list(draft.tags),
        }
        if record["label"] is None:
            raise DataError(
                "'fake' or 'real', or a --label for images of which nothing is said", NOTHING, field="label"
            )
        return parse_record(record | draft.fields | self.fields)

    def _image(self, draft: Draft, name: PurePosixPath | None, id: str, done: _Done) -> tuple[str, tuple[int, int]]:
        """The image's path in its record, and its upright size; it is written anew where it must be."""
        held = io.BytesIO(draft.image) if isinstance(draft.image, bytes) else None
        path, later = self._found(name) if name else (Path(), "")
        stem = str(name or inner_path(id, field="id"))
        with open_image(held or path, str(path) if name else f"the image of {id!r}") as image:
            done.report.written += held is not None
            if orientation(image) != 1:
                done.report.turned += 1
                return self._write(f"{stem}.png", image, done), upright_wh(image)
            if held:
                suffix = _SUFFIXES.get(image.format, f".{image.format.lower()}")
                return self._write(f"{stem}{suffix}", held.getvalue(), done), image.size
            return later, image.size

    def _found(self, name: PurePosixPath) -> tuple[Path, str]:
        """Where an image is, and the way to it from the annotations file."""
        for inner in (name, "images" / name):
            if (self.images.now / inner).is_file():
                return self.images.now / inner, posixpath.normpath(f"{self.images.later}/{inner}")
        found = Unquoted(f"no file {self.images.now / name}")
        raise DataError("an image file (--images names the folder they are in)", found, field="image")

    def _write(self, name: str, image: Any, done: _Done) -> str:
        """Write an image, or a file's bytes, aside."""
        self.aside.mkdir(parents=True, exist_ok=True)
        aside = self.aside / str(next(self.numbers))
        if isinstance(image, bytes):
            aside.write_bytes(image)
        else:
            save_upright(image, aside)
        done.new = aside, name
        return f"{self.later}/{name}"


_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif"}
_REGION = re.compile(r"regions\[(\d+)\]")


def _placed(error: DataError, piece: Piece, id: str | None = None) -> DataError:
    if piece.at:
        error.field = f"{piece.at}.{error.field}" if error.field else piece.at
    return error if error.file else error.at(piece.file, piece.line, id)


def _inside(region: Sequence[Any], wh: tuple[int, int], report: Report) -> list[float]:
    """A region's box, cut at the image's border where it reaches out of it."""
    x1, y1, x2, y2 = box = list(region[:4])
    inside = [max(x1, 0), max(y1, 0), min(x2, wh[0]), min(y2, wh[1])]
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        return box  # the reader of records says what is wrong with it
    report.clipped += any(abs(a - b) > 0.5 for a, b in zip(box, inside, strict=True))
    return inside
