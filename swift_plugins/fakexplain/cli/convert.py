"""`fakexplain convert`: annotations of other tools and datasets as records."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from converters.formats import READ

from ..annotation import ORIGIN
from ..paths import check_exists
from .app import DATA, OUT, Errors, Force, KeepGoing, app, check_free, parse_option, show_progress

_READ_NAMES = (*READ, "list")
if TYPE_CHECKING:
    from converters.convert import Changes

    _ReadFormat = str
else:
    _ReadFormat = Literal[_READ_NAMES]  # `--help` prints them


Format = Annotated[_ReadFormat, typer.Argument(help="Format to read; `list` describes them all.", metavar="FORMAT")]
Source = Annotated[Path | None, typer.Argument(help="File, folder or ZIP archive to read.", metavar="SRC")]
Output = Annotated[Path | None, typer.Option(*OUT, help="Annotations file to write.")]
Images = Annotated[
    Path | None, typer.Option(help="Base folder of the image paths in the source. Default: SRC's folder.")
]
Label = Annotated[Literal["fake", "real"] | None, typer.Option(help="Label for images the source leaves unlabelled.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help=f"Set a field of every record: {', '.join(ORIGIN)}.", metavar="NAME=VALUE"),
]
RealFolders = Annotated[
    list[str] | None, typer.Option(help="Name of folders with real images, for `folder`; repeatable.")
]
FakeFolders = Annotated[
    list[str] | None, typer.Option(help="Name of folders with fake images, for `folder`; repeatable.")
]


@app.command(rich_help_panel=DATA)
def convert(
    format: Format,
    src: Source = None,
    output: Output = None,
    images: Images = None,
    label: Label = None,
    settings: Settings = None,
    real: RealFolders = None,
    fake: FakeFolders = None,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Convert annotations of another tool or dataset.

    Images stay where they are, with two exceptions: images that EXIF turns are rewritten upright, and images embedded
    in the source are extracted. Both go to a folder beside OUT with the suffix _images. An archive is unpacked to one
    with the suffix _source.
    """
    if format == "list":
        for name, each in READ.items():
            print(f"{name:14} {each.reads}")
        return
    if src is None or output is None:
        what, hint = ("a source to read", "SRC") if src is None else ("an annotations file to write", OUT[0])
        raise typer.BadParameter(f"expected {what}", param_hint=hint)
    from converters.convert import written_folder
    from converters.convert_source import NoRecords, convert_source, is_archive, unpacked_folder
    from converters.drafts.draft import inner_path

    fields = _fields(settings or [])
    names = _folder_names(real, fake) if format == "folder" else {}
    check_exists(src, "a file or folder to convert")
    check_free(output, force, src)
    written = written_folder(output)
    check_free(written, force, folder=True)
    if is_archive(src):
        check_free(unpacked_folder(output), force, folder=True)
        if images is not None:
            parse_option(partial(inner_path, field="--images"), str(images), "--images")
    errors = Errors(keep_going)
    show = partial(show_progress, path=None, what=f"convert {format}", unit="image")
    try:
        count, changes = convert_source(
            format,
            src,
            output,
            images=images,
            label=label,
            fields=fields,
            load_settings=names,
            show=show,
            on_error=errors,
        )
    except NoRecords:
        errors.exit_if_any(0, src)
        raise
    print(f"{count} records in {output}")
    _print_changes(changes, written)
    errors.exit_if_any(count, src)


def _print_changes(changes: Changes, written: Path) -> None:
    for number, words in (
        (changes.clipped, "boxes clipped at the image border"),
        (changes.turned, f"images turned upright, in {written}"),
        (changes.extracted, f"images extracted from the source, in {written}"),
    ):
        if number:
            print(f"  {number} {words}")


def _folder_names(real: list[str] | None, fake: list[str] | None) -> dict[str, list[str]]:
    """The settings of `load_label_folders` that name folders."""
    from converters.formats.label_folders import FAKE_FOLDERS, REAL_FOLDERS, folder_labels

    names = {"real": real or list(REAL_FOLDERS), "fake": fake or list(FAKE_FOLDERS)}
    try:
        folder_labels(**names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--real, --fake") from None
    return names


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
