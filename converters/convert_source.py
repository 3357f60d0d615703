"""Convert a source (a file, folder or ZIP archive) into an annotations file and its images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation, write_annotations
from swift_plugins.fakexplain.atomic import atomic_file, atomic_folder
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.paths import check_is_folder

from .annotators import AnnotatorNames
from .convert import Place, convert, written_folder
from .drafts.archives import unpack
from .drafts.choices import Changes, Choices
from .drafts.draft import folder_of, inner_path
from .formats import FORMATS


class NoRecords(ValueError):
    """Every record of a source was bad or skipped."""


def is_archive(src: Path) -> bool:
    """Whether a source is a ZIP archive, by its name; a folder is none."""
    return src.suffix.lower() == ".zip" and not src.is_dir()


_OTHER_ARCHIVES = (".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst")


def check_is_no_other_archive(src: Path) -> None:
    """Refuse an archive that is not unpacked here.

    Raises:
        DataError: by its name, it is one.
    """
    if src.is_file() and src.suffix.lower() in _OTHER_ARCHIVES:
        expected = "a file, a folder or a ZIP archive; unpack this one first, such as by `7z x FILE`"
        raise DataError(expected, Unquoted(f"an archive {src.suffix}")).at(str(src), 0)


def unpacked_folder(out: Path) -> Path:
    """The folder beside an annotations file that an archive is unpacked to."""
    return out.with_name(f"{out.stem}_source")


# Over 60 lines, of which 40 are arguments and docstring.
def convert_source(
    format: str,
    src: Path,
    out: Path,
    *,
    images: Path | None = None,
    label: str | None = None,
    fields: Mapping[str, Any] | None = None,
    load_settings: Mapping[str, Any] | None = None,
    choices: Choices | None = None,
    changes: Changes | None = None,
    annotators: AnnotatorNames | None = None,
    show: Callable[[Iterator[Annotation]], Iterator[Annotation]] = iter,
    on_error: OnError = raise_error,
) -> int:
    """Convert a source; the output appears complete or not at all.

    Args:
        format: name of a format in `FORMATS` that is read.
        src: file, folder or ZIP archive.
        out: annotations file to write. New images go to `written_folder(out)`, an archive to `unpacked_folder(out)`.
        images: folder that the source's image paths are relative to, and below which a missing image is searched by
            its name; by default the source's own, without a search. Within an archive, a path in it.
        label: label of images that the source leaves unlabelled.
        fields: further fields for every record.
        load_settings: keyword arguments of the format's `load_NAME`.
        choices: what to do where the source leaves something open.
        changes: counts of the changes are added to it.
        annotators: replaces their names; by default they are kept.
        show: wraps the records as they are written, for a progress bar.
        on_error: called with the error of each bad record, which is then skipped; by default the first is raised.

    Returns:
        Number of records.

    Raises:
        FileNotFoundError: the source, or the folder of its images, does not exist.
        NoRecords: `on_error` was called for every record, or none was left in.
        DataError: as `convert` and `unpack`.
    """
    check_is_no_other_archive(src)
    written, unpacked = written_folder(out), unpacked_folder(out)
    settings = dict(load_settings or {})
    if format == "folder":
        settings |= {"skip": (written, unpacked)}
    load, parse = FORMATS[format].load, FORMATS[format].parse
    with ExitStack() as files:
        partial_out = files.enter_context(atomic_file(out))
        new = files.enter_context(atomic_folder(written))
        source, place = _open_source(src, out, images, files)
        records = convert(
            load(source, **settings),
            parse,
            images=place,
            written=Place(new, written.name),
            source=str(src),
            label=label,
            fields=fields,
            choices=choices,
            again=lambda: load(source, **settings),
            search=images is not None or FORMATS[format].search,
            skip=(written, new, unpacked) if not is_archive(src) else (),
            changes=changes,
            annotators=annotators,
            on_error=lambda error: on_error(_name_archive(error, str(source), str(src))),
        )
        files.enter_context(closing(records))  # so that no image is written while its folder is being removed
        count = write_annotations(partial_out, show(records))
        if not count:
            raise NoRecords(f"{src}: expected at least one good record, found none")
    return count


def _open_source(src: Path, out: Path, images: Path | None, files: ExitStack) -> tuple[Path, Place]:
    """The source, unpacked if it is an archive, and the folder of its images."""
    if is_archive(src):
        unpacked = unpacked_folder(out)
        source = files.enter_context(atomic_folder(unpacked))
        unpack(src, source)
        inner = inner_path(str(images), "--images") if images is not None else Path()
        return source, Place(source / inner, (unpacked.name / inner).as_posix())
    folder = images or folder_of(src)
    check_is_folder(folder, "the folder of the images")
    return src, Place(folder, os.path.relpath(folder.resolve(), out.parent.resolve()).replace(os.sep, "/"))


def _name_archive(error: DataError, unpacked: str, archive: str) -> DataError:
    """The error with the archive's own name instead of the temporary folder that it is unpacked to."""
    error.file = error.file.replace(unpacked, archive, 1)
    if isinstance(error.found, Unquoted):
        error.found = Unquoted(str(error.found).replace(unpacked, archive, 1))
    return error
