"""Complete drafts into records: find and open each image, turn it upright, and check every field."""

from __future__ import annotations

import io
import itertools
import posixpath
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import astuple, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, parse_record
from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import NOTHING, DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.images import check_wh, open_image, orientation, upright_wh
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.pixels import save_upright

from .drafts.draft import Draft, DraftRegion, Piece, inner_path

Parse = Callable[[Any], "list[Draft]"]


@dataclass
class Changes:
    """Counts of what converting changed, apart from the format.

    Attributes:
        clipped: boxes that reached beyond their image, now clipped at its border.
        turned: images rewritten upright because viewers turn them by their EXIF.
        extracted: images that were embedded in the source.
    """

    clipped: int = 0
    turned: int = 0
    extracted: int = 0

    def add(self, other: Changes) -> None:
        """Add another's counts to these."""
        self.clipped, self.turned, self.extracted = map(sum, zip(astuple(self), astuple(other), strict=True))


class Place(NamedTuple):
    """A folder of images.

    Attributes:
        path: its path during the conversion.
        final: its final path, relative to the folder of the annotations file.
    """

    path: Path
    final: str


class NewImage(NamedTuple):
    """An image file that was written to a temporary path, and its path in the folder of written images."""

    temporary: Path
    name: str


@dataclass
class Converted:
    """A draft's record, the changes to it, and its new image file, if any."""

    annotation: Annotation
    changes: Changes
    new: NewImage | None


def written_folder(out: Path) -> Path:
    """The folder of new images beside an annotations file: those that are rewritten upright or were embedded."""
    return out.with_name(f"{out.stem}_images")


def convert(
    pieces: Iterable[Piece],
    parse: Parse,
    *,
    images: Place,
    written: Place,
    source: str = "the source",
    label: str | None = None,
    fields: Mapping[str, Any] | None = None,
    changes: Changes | None = None,
    on_error: OnError = raise_error,
) -> Generator[Annotation, None, None]:
    """Records of a source, in its order.

    Closing the generator ends all writing of images.

    Args:
        pieces: those that the format's `load_NAME` yields.
        parse: the format's `from_NAME`.
        images: folder that image paths in the source are relative to; a missing file is looked up in its folder
            `images`.
        written: folder for images that are rewritten upright (a.jpg as a.jpg.png) or embedded in the source (unchanged,
            named by their ids).
        source: name of the source as a whole, for errors.
        label: label of images that the source leaves unlabelled.
        fields: further fields for every record, such as generator.
        changes: counts are added to it.
        on_error: called with the error of each bad record, which is then skipped; by default the first is raised.

    Raises:
        DataError: a bad record: a field is missing or wrong, an image is missing, unreadable or of another size than
            the source gives, an id is repeated, or there is no record at all.
    """
    changes = changes or Changes()
    temporary = written.path / ".new"
    converter = _Converter(parse, images, temporary, written.final, label, dict(fields or {}))
    count = 0
    try:
        with (
            closing(Ids()) as ids,
            closing(map_ordered(converter.convert_piece, _catch_last_error(pieces, source))) as results,
        ):
            for result in itertools.chain.from_iterable(results):
                count += 1
                try:
                    if isinstance(result, DataError):
                        raise result
                    _add_id(ids, result.annotation)
                    _move_image(result, written.path)
                except DataError as error:
                    on_error(error)
                    continue
                changes.add(result.changes)
                yield result.annotation
        if not count:
            raise DataError("at least one image", Unquoted("none")).at(source, 0)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _catch_last_error(pieces: Iterable[Piece], source: str) -> Iterator[Piece]:
    """The pieces and, if an error ended the reading, that error as the last piece."""
    try:
        yield from pieces
    except DataError as error:
        yield Piece(error, source)
    except RecursionError:
        yield Piece(_too_deep(), source)


def _too_deep() -> DataError:
    return DataError("data nested less deeply", Unquoted("too many levels"))


def _add_id(ids: Ids, annotation: Annotation) -> None:
    try:
        ids.add(annotation.id, f"image {annotation.image}")
    except DataError as error:
        raise error.at(annotation.file, annotation.line) from None


def _move_image(result: Converted, folder: Path) -> None:
    """Move a new image file to its final folder; an existing file is the same image, of another record."""
    if result.new is None:
        return
    target = folder / result.new.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            result.new.temporary.replace(target)
    except (FileExistsError, NotADirectoryError):
        error = DataError("a name that is not also the folder of another image", result.new.name, field="image")
        raise error.at_record(result.annotation) from None


class _Converter:
    """Converts pieces into records; several threads share one."""

    def __init__(
        self, parse: Parse, images: Place, temporary: Path, final: str, label: str | None, fields: dict[str, Any]
    ) -> None:
        self.parse, self.images, self.temporary, self.final = parse, images, temporary, final
        self.label, self.fields = label, fields
        self.numbers = itertools.count()

    def convert_piece(self, piece: Piece) -> list[Converted | DataError]:
        """The record, or the error, of each draft of a piece."""
        try:
            if isinstance(piece.data, DataError):
                raise piece.data
            return [self._convert(draft, piece) for draft in self.parse(piece.data)]
        except DataError as error:
            return [_with_place(error, piece)]
        except RecursionError:
            return [_with_place(_too_deep(), piece)]

    def _convert(self, draft: Draft, piece: Piece) -> Converted | DataError:
        try:
            return self._complete(draft, piece)
        except DataError as error:
            error.field = _source_field(error.field, draft.regions)
            return _with_place(error, piece, draft.id)

    def _complete(self, draft: Draft, piece: Piece) -> Converted:
        name = inner_path(draft.image) if isinstance(draft.image, str) else None
        id = draft.id or (name and str(name.with_suffix("")))
        if not id:
            raise DataError("an id, because the image has no name", NOTHING, field="id")
        changes = Changes()
        path, wh, new = self._image(draft, name, id, changes)
        if draft.wh is not None:
            check_wh(draft.wh, wh, "the upright image")
        label = draft.label or ("fake" if draft.regions or draft.tags else self.label)
        if label is None:
            raise DataError("'fake' or 'real', or --label for images without a label", NOTHING, field="label")
        record = {
            "id": id,
            "image": path,
            "width": wh[0],
            "height": wh[1],
            "label": label,
            "regions": [{"bbox": _clip(each.box, wh, changes), "caption": each.caption} for each in draft.regions],
            "tags": list(draft.tags),
        }
        annotation = parse_record(record | draft.fields | self.fields)
        return Converted(replace(annotation, file=piece.file, line=piece.line), changes, new)

    def _image(
        self, draft: Draft, name: PurePosixPath | None, id: str, changes: Changes
    ) -> tuple[str, tuple[int, int], NewImage | None]:
        """The image's path in its record, its upright size, and its new file if it has to be written."""
        embedded = io.BytesIO(draft.image) if isinstance(draft.image, bytes) else None
        path, final = self._find(name) if name else (Path(), "")
        stem = str(name or inner_path(id, field="id"))
        with open_image(embedded or path, str(path) if name else f"the image of {id!r}") as image:
            changes.extracted += embedded is not None
            if orientation(image) != 1:
                changes.turned += 1
                new = self._write(f"{stem}.png", image)
                return f"{self.final}/{new.name}", upright_wh(image), new
            if embedded:
                suffix = _SUFFIXES.get(image.format, f".{image.format.lower()}")
                new = self._write(f"{stem}{suffix}", embedded.getvalue())
                return f"{self.final}/{new.name}", image.size, new
            return final, image.size, None

    def _find(self, name: PurePosixPath) -> tuple[Path, str]:
        """An image's path, and its path from the annotations file."""
        for inner in (name, "images" / name):
            if (self.images.path / inner).is_file():
                return self.images.path / inner, posixpath.normpath(f"{self.images.final}/{inner}")
        found = Unquoted(f"no file {self.images.path / name}")
        raise DataError("an image file (--images names their folder)", found, field="image")

    def _write(self, name: str, image: Any) -> NewImage:
        """Write an image, or a file's bytes, to a temporary path."""
        self.temporary.mkdir(parents=True, exist_ok=True)
        path = self.temporary / str(next(self.numbers))
        if isinstance(image, bytes):
            path.write_bytes(image)
        else:
            save_upright(image, path)
        return NewImage(path, name)


_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif"}


def _source_field(field: str, regions: list[DraftRegion]) -> str:
    """The path in the source of a record's field."""
    paths = {f"regions[{index}]": region.at for index, region in enumerate(regions) if region.at}
    region, dot, rest = field.partition(".")
    return f"{paths.get(region, region)}{dot}{rest}"


def _with_place(error: DataError, piece: Piece, id: str | None = None) -> DataError:
    if piece.at:
        error.field = f"{piece.at}.{error.field}" if error.field else piece.at
    return error if error.file else error.at(piece.file, piece.line, id)


def _clip(box: Box, wh: tuple[int, int], changes: Changes) -> list[float]:
    """A box, clipped at the image's border."""
    x1, y1, x2, y2 = box
    inside = [max(x1, 0), max(y1, 0), min(x2, wh[0]), min(y2, wh[1])]
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        return list(box)  # `parse_record` reports its error
    changes.clipped += any(abs(a - b) > 0.5 for a, b in zip(box, inside, strict=True))
    return inside
