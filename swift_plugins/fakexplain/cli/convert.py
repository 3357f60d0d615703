"""`fakexplain convert`: annotations of others as records."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..annotation import LABELS, ORIGIN, Annotation, write_annotations
from ..atomic import atomic_file, atomic_folder, partial_path
from ..errors import DataError, Unquoted
from .app import OUT, Errors, Force, KeepGoing, app, check_free, parse_option, show_progress


@app.command()
def convert(
    format: Annotated[str, typer.Argument(help="Name of the format; `list` names them all.", metavar="FORMAT")],
    src: Annotated[Path | None, typer.Argument(help="File, folder or ZIP archive to read.", metavar="SRC")] = None,
    output: Annotated[Path | None, typer.Option(*OUT, help="Annotations file to write.")] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder the source's image paths are relative to; by default SRC's own.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Label of images of which the source says nothing.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help=f"A field for every record: {', '.join(ORIGIN)}.", metavar="NAME=VALUE"),
    ] = None,
    real: Annotated[list[str] | None, typer.Option(help="`folder`: a name that means real; may be repeated.")] = None,
    fake: Annotated[list[str] | None, typer.Option(help="`folder`: a name that means fake; may be repeated.")] = None,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Read annotations of another tool or dataset.

    Images stay where they are. Those whose EXIF turns them are written anew, upright, beside the annotations file, in
    OUT's name with _images; so are images that the source holds within itself. An archive is unpacked to OUT's name
    with _source.
    """
    from converters.convert import Place, Report
    from converters.convert import convert as convert_pieces
    from converters.drafts.draft import folder_of, inner_path
    from converters.formats import FORMATS
    from converters.formats.folder import FAKE, REAL

    if format == "list":
        for name, each in FORMATS.items():
            print(f"{name:14} {each.words}")
        return
    if format not in FORMATS:
        raise typer.BadParameter(f"expected one of {', '.join(FORMATS)}, found {format!r}", param_hint="FORMAT")
    if src is None or output is None:
        what, hint = ("a source to read", "SRC") if src is None else ("an annotations file to write", OUT[0])
        raise typer.BadParameter(f"expected {what}", param_hint=hint)
    if label is not None and label not in LABELS:
        raise typer.BadParameter(f"expected fake or real, found {label!r}", param_hint="--label")
    fields = _fields(settings or [])
    if not src.exists():
        raise FileNotFoundError(f"{src}: expected a file or folder to convert, found no such file")
    check_free(output, force, src)
    written, unpacked = (output.with_name(f"{output.stem}_{what}") for what in ("images", "source"))
    errors, report = Errors(keep_going), Report()
    reader = FORMATS[format]
    load: Any = reader.load
    if format == "folder":
        if both := sorted(set(map(str.lower, real or REAL)) & set(map(str.lower, fake or FAKE))):
            raise typer.BadParameter(
                f"expected names that differ, found {both[0]!r} in both", param_hint="--real, --fake"
            )
        load = partial(
            load,
            real=real or REAL,
            fake=fake or FAKE,
            skip=(written, partial_path(written), unpacked),
            others=label is not None,
        )

    with ExitStack() as files:
        partial_out = files.enter_context(atomic_file(output))
        check_free(written, force, folder=True)
        new = files.enter_context(atomic_folder(written))
        if src.suffix.lower() == ".zip":
            from converters.drafts.archives import unpack

            check_free(unpacked, force, folder=True)
            source = files.enter_context(atomic_folder(unpacked))
            unpack(src, source)
            root = Place(source, unpacked.name)
            if images is not None:
                inner = parse_option(inner_path, str(images), "--images")
                root = Place(source / inner, f"{unpacked.name}/{inner}")
        else:
            source, folder = src, images or folder_of(src)
            if not folder.is_dir():
                raise FileNotFoundError(f"{folder}: expected the folder of the images, found no such folder")
            root = Place(folder, os.path.relpath(folder.resolve(), output.parent.resolve()).replace(os.sep, "/"))
        found = convert_pieces(
            load(source),
            reader.parse,
            images=root,
            written=Place(new, written.name),
            source=str(src),
            label=label,
            fields=fields,
            report=report,
            on_error=lambda error: errors(_renamed(error, str(source), str(src))),
        )
        records = files.enter_context(closing(found))  # no image is written once its folder is being removed
        shown: Iterator[Annotation] = show_progress(records, None, f"convert {format}", "image")
        count = write_annotations(partial_out, shown)
        if not count:
            errors.exit_if_any(0, src)
    print(f"{count} records in {output}")
    for number, words in (
        (report.clipped, "boxes cut at the border of their image"),
        (report.turned, f"images turned upright, in {written}"),
        (report.written, f"images taken out of the source, in {written}"),
    ):
        if number:
            print(f"  {number} {words}")
    errors.exit_if_any(count, src)


def _renamed(error: DataError, partial: str, source: str) -> DataError:
    """The error with the source's own name in place of the folder that an archive is unpacked to meanwhile."""
    error.file = error.file.replace(partial, source, 1)
    if isinstance(error.found, Unquoted):
        error.found = Unquoted(str(error.found).replace(partial, source, 1))
    return error


def _fields(settings: list[str]) -> dict[str, str]:
    fields = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or name not in ORIGIN or not value:
            raise typer.BadParameter(
                f"expected NAME=VALUE with one of {', '.join(ORIGIN)}, found {setting!r}", param_hint="--set"
            )
        fields[name] = value
    return fields
