"""Complete drafts into records: find and open each image, turn it upright, and check every field."""

from __future__ import annotations

import io
import itertools
import posixpath
import shutil
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, parse_record
from swift_plugins.fakexplain.errors import NOTHING, DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.images import check_wh, open_image, orientation, upright_wh
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.pixels import save_upright

from .annotators import AnnotatorNames
from .drafts.choices import Changes, Choices, settle_label, settle_regions, settle_tags
from .drafts.draft import Draft, Piece, inner_path
from .drafts.find import Finder
from .drafts.pieces import Parse, all_drafts, catch_last_error, too_deep


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
    """A draft's record, or None if it is skipped; the changes to it, and its new image file, if any."""

    annotation: Annotation | None
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
    choices: Choices | None = None,
    again: Callable[[], Iterable[Piece]] | None = None,
    search: bool = False,
    skip: Collection[Path] = (),
    changes: Changes | None = None,
    annotators: AnnotatorNames | None = None,
    on_error: OnError = raise_error,
) -> Generator[Annotation, None, None]:
    """Records of a source, in its order; closing the generator ends all writing of images.

    Args:
        pieces: those that the format's `load_NAME` yields.
        parse: the format's `from_NAME`.
        images: folder that image paths in the source are relative to; see `find.py` for missing files.
        written: folder for images that are rewritten upright (a.jpg as a.jpg.png) or embedded in the source (unchanged,
            named by their ids).
        source: name of the source as a whole, for errors.
        label: label of images that the source leaves unlabelled.
        fields: further fields for every record, such as generator.
        choices: what to do where the source leaves something open.
        again: called for the pieces once more, if an image is not at its own path; by default, other images of the
            source may be taken for it.
        search: whether a missing image is searched by its name below `images`.
        skip: folders that are not searched.
        changes: counts are added to it.
        annotators: replaces their names; by default they are kept.
        on_error: called with the error of each bad record, which is then skipped; by default the first is raised.

    Raises:
        DataError: a bad record: a field is missing or wrong, an image is missing, unreadable or of another size than
            the source gives, an id is repeated, or there is no record at all.
    """
    changes = changes or Changes()
    temporary = written.path / ".new"
    finder = Finder(images.path, again and partial(all_drafts, again, parse), search, skip)
    settled = choices or Choices()
    converter = _Converter(parse, finder, images, temporary, written.final, label, dict(fields or {}), settled)
    try:
        with closing(map_ordered(converter.convert_piece, catch_last_error(pieces, source))) as results:
            each = itertools.chain.from_iterable(results)
            if not (yield from _good_records(each, written.path, changes, annotators or AnnotatorNames(), on_error)):
                raise DataError("at least one image", Unquoted("none")).at(source, 0)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _good_records(
    results: Iterable[Converted | DataError],
    folder: Path,
    changes: Changes,
    annotators: AnnotatorNames,
    on_error: OnError,
) -> Generator[Annotation, None, int]:
    """Yield the records of results, their new images moved to a folder; return the number of results."""
    count = 0
    with closing(Ids()) as ids:
        for count, result in enumerate(results, 1):  # noqa: B007
            try:
                if isinstance(result, DataError):
                    raise result
                if result.annotation:
                    result.annotation = annotators.rename(result.annotation)
                    _add_id(ids, result.annotation)
                    _move_image(result, folder)
            except DataError as error:
                on_error(error)
                continue
            changes.add(result.changes)
            if result.annotation:
                yield result.annotation
    return count


def _add_id(ids: Ids, annotation: Annotation) -> None:
    try:
        ids.add(annotation.id, f"image {annotation.image}")
    except DataError as error:
        raise error.at(annotation.file, annotation.line) from None


def _move_image(result: Converted, folder: Path) -> None:
    """Move a new image file to its final folder; an existing file is the same image, of another record."""
    if result.new is None or result.annotation is None:
        return
    target = folder / result.new.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            result.new.temporary.replace(target)
    except (FileExistsError, NotADirectoryError):
        error = DataError("a name that is not also the folder of another image", result.new.name, field="image")
        raise error.at_record(result.annotation) from None


@dataclass
class _Converter:
    """Converts pieces into records; several threads share one."""

    parse: Parse
    finder: Finder
    images: Place
    temporary: Path
    final: str
    label: str | None
    fields: dict[str, Any]
    choices: Choices
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def convert_piece(self, piece: Piece) -> list[Converted | DataError]:
        """The record, or the error, of each draft of a piece."""
        try:
            if isinstance(piece.data, DataError):
                raise piece.data
            return [self._convert(draft, piece) for draft in self.parse(piece.data)]
        except DataError as error:
            return [_with_place(error, piece)]
        except RecursionError:
            return [_with_place(too_deep(), piece)]

    def _convert(self, draft: Draft, piece: Piece) -> Converted | DataError:
        try:
            return self._complete(draft, piece)
        except DataError as error:
            error.field = _source_field(error.field, draft)
            return _with_place(error, piece, draft.id)

    def _complete(self, draft: Draft, piece: Piece) -> Converted:
        changes = Changes(unread=draft.unread)
        if draft.cancelled:
            changes.cancelled = 1
            return Converted(None, changes, None)
        tags = settle_tags(draft, self.choices, changes)
        label = settle_label(draft, tags, self.label, self.choices, changes)
        if label is None:
            return Converted(None, changes, None)
        id, path, wh, new = self._image(draft, changes)
        if draft.wh is not None:
            check_wh(draft.wh, wh, "the upright image")
        regions = settle_regions(draft, wh, self.choices, changes)
        draft.regions = [region for _, _, region in regions]  # those that an error may name
        changes.removed += draft.removed
        origins = [region.origin for region in draft.regions]
        if any(origins):
            changes.origins.update(origins)
            draft.fields["region_origins"] = origins
        record = {
            "id": id,
            "image": path,
            "width": wh[0],
            "height": wh[1],
            "label": label,
            "regions": [{"bbox": list(box), "caption": caption} for box, caption, _ in regions],
            "tags": tags,
        }
        annotation = parse_record(record | draft.fields | self.fields)
        return Converted(replace(annotation, file=piece.file, line=piece.line), changes, new)

    def _image(self, draft: Draft, changes: Changes) -> tuple[str, str, tuple[int, int], NewImage | None]:
        """The record's id, the image's path in it, its upright size, and its new file if it has to be written."""
        content = draft.image if isinstance(draft.image, bytes) else draft.embedded
        name: PurePosixPath | None = None
        path, final = Path(), ""
        if isinstance(draft.image, str):
            try:
                found = self.finder.find(draft)
            except DataError:
                if content is None:
                    raise
            else:
                content, name = None, found.name
                path, final = self.images.path / found.inner, posixpath.normpath(f"{self.images.final}/{found.inner}")
                changes.renamed += found.how == "renamed"
                changes.searched += found.how == "searched"
        id = draft.id or (name and str(name.with_suffix("")))
        if not id:
            raise DataError("an id, because the image has no name", NOTHING, field="id")
        embedded = io.BytesIO(content) if content is not None else None
        stem = str(name or inner_path(id, field="id"))
        id = f"{id}@{draft.by}" if draft.by else id
        with open_image(embedded or path, str(path) if name else f"the image of {id!r}") as image:
            changes.extracted += embedded is not None
            if orientation(image) != 1:
                changes.turned += 1
                new = self._write(f"{stem}.png", image)
                return id, f"{self.final}/{new.name}", upright_wh(image), new
            if embedded:
                suffix = _SUFFIXES.get(image.format, f".{image.format.lower()}")
                new = self._write(f"{stem}{suffix}", embedded.getvalue())
                return id, f"{self.final}/{new.name}", image.size, new
            return id, final, image.size, None

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


def _source_field(field: str, draft: Draft) -> str:
    """The path in the source of a record's field."""
    paths = {f"regions[{index}]": region.at for index, region in enumerate(draft.regions) if region.at}
    paths["image"] = draft.image_at
    region, dot, rest = field.partition(".")
    return f"{paths.get(region, region)}{dot}{rest}"


def _with_place(error: DataError, piece: Piece, id: str | None = None) -> DataError:
    if piece.at:
        error.field = f"{piece.at}.{error.field}" if error.field else piece.at
    return error if error.file else error.at(piece.file, piece.line, id)
