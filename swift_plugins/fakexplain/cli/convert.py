"""`fakexplain convert`: annotations of other tools and datasets as records."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from converters.formats import BOX_ORDERS, READ

from ..annotation import ORIGIN, check_caption
from ..paths import check_exists
from .app import DATA, OUT, Errors, Force, KeepGoing, app, check_free, parse_option, say, show_progress

_READ_NAMES = (*READ, "list")
if TYPE_CHECKING:
    from converters.annotators import AnnotatorNames
    from converters.drafts.choices import Changes, Choices

    _ReadFormat = str
    _BoxOrder = str
else:
    _BoxOrder = Literal[BOX_ORDERS]
    _ReadFormat = Literal[_READ_NAMES]  # `--help` prints them


Format = Annotated[_ReadFormat, typer.Argument(help="Format to read; `list` describes them all.", metavar="FORMAT")]
Source = Annotated[Path | None, typer.Argument(help="File, folder or ZIP archive to read.", metavar="SRC")]
Output = Annotated[Path | None, typer.Option(*OUT, help="Annotations file to write.")]
Images = Annotated[
    Path | None,
    typer.Option(
        help="Base folder of the image paths in the source. A missing image is searched below it by the end of its "
        "path, if that is unique. Default: SRC's folder, without a search unless the format needs one."
    ),
]
Label = Annotated[Literal["fake", "real"] | None, typer.Option(help="Label for images the source leaves unlabelled.")]
SkipUnusable = Annotated[
    bool,
    typer.Option(
        "--skip-unusable",
        help="Skip and count shapes without an area (points, strokes) and, without --caption, regions without "
        "words. Default: each is an error.",
    ),
]
Unannotated = Annotated[
    Literal["error", "skip", "real"],
    typer.Option(
        help="Treat images without label, regions and tags as an error, skip and count them, or take them as real."
    ),
]
Caption = Annotated[str | None, typer.Option(help="Caption for regions without words.", metavar="TEXT")]
CaptionFrom = Annotated[
    str | None,
    typer.Option(
        help="Take captions from this attribute of regions, in any case; others keep theirs.",
        metavar="NAME",
    ),
]
TagFrom = Annotated[
    str | None,
    typer.Option(help="Take tags from this attribute of regions or images, in any case.", metavar="NAME"),
]
Annotators = Annotated[
    Literal["keep", "number", "drop"],
    typer.Option(
        help="Names of annotators: keep them, number them (a01, a02 … in order of first appearance), or drop them. "
        "Both also remove e-mail addresses and fields that may name people."
    ),
]
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

BoxOrderName = Annotated[
    _BoxOrder | None,
    typer.Option(
        help="Order of the four numbers of a box, for `mllm-defake`. Default: x1y1x2y2, if the boxes make sense so."
    ),
]
ImageColumn = Annotated[str | None, typer.Option(help="Column of the images, for `hf`. Default: image.")]
LabelColumn = Annotated[str | None, typer.Option(help="Column of the labels, for `hf`. Default: label.")]
RealValues = Annotated[
    list[str] | None, typer.Option("--real-value", help="Label of real images, for `hf`; repeatable.")
]
FakeValues = Annotated[
    list[str] | None, typer.Option("--fake-value", help="Label of fake images, for `hf`; repeatable.")
]


@app.command(rich_help_panel=DATA)
def convert(
    format: Format,
    src: Source = None,
    output: Output = None,
    images: Images = None,
    label: Label = None,
    skip_unusable: SkipUnusable = False,
    unannotated: Unannotated = "error",
    caption: Caption = None,
    caption_from: CaptionFrom = None,
    tag_from: TagFrom = None,
    annotators: Annotators = "keep",
    settings: Settings = None,
    real: RealFolders = None,
    fake: FakeFolders = None,
    box_order: BoxOrderName = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    real_value: RealValues = None,
    fake_value: FakeValues = None,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:  # long, because each option takes a line
    """Convert annotations of another tool or dataset.

    Images stay where they are, with two exceptions: images that EXIF turns are rewritten upright, and images embedded
    in the source are extracted. Both go to a folder beside OUT with the suffix _images. An archive is unpacked to one
    with the suffix _source.
    """
    if format == "list":
        say("\n".join(f"{name:14} {each.reads}" for name, each in READ.items()))
        return
    if src is None or output is None:
        what, hint = ("a source to read", "SRC") if src is None else ("an annotations file to write", OUT[0])
        raise typer.BadParameter(f"expected {what}", param_hint=hint)
    from converters.annotators import AnnotatorNames
    from converters.convert import written_folder
    from converters.convert_source import NoRecords, convert_source
    from converters.drafts.choices import Changes, Choices

    if caption is not None:
        caption = parse_option(partial(check_caption, name="--caption"), caption, "--caption")
    choices = Choices(skip_unusable, unannotated, caption, caption_from, tag_from)
    names: dict[str, Any] = _folder_names(real, fake) if format == "folder" else {}
    names |= _load_settings(
        format,
        box_order=box_order,
        image_column=image_column,
        label_column=label_column,
        real_values=real_value,
        fake_values=fake_value,
    )
    _check_paths(src, output, images, force)
    errors, changes, written = Errors(keep_going), Changes(), written_folder(output)
    names_of_people = AnnotatorNames(annotators)
    try:
        count = convert_source(
            format,
            src,
            output,
            images=images,
            label=label,
            fields=_fields(settings or []),
            load_settings=names,
            choices=choices,
            changes=changes,
            annotators=names_of_people,
            show=partial(show_progress, path=None, what=f"convert {format}", unit="image"),
            on_error=errors,
        )
    except NoRecords:
        _print_changes(changes, choices, written)
        errors.exit_if_any(0, src)
        raise
    say(f"{count} records in {output}")
    _print_changes(changes, choices, written)
    _print_names(names_of_people)
    errors.exit_if_any(count, src)


def _check_paths(src: Path, output: Path, images: Path | None, force: bool) -> None:
    """Check the source, and that every output is free."""
    from converters.convert import written_folder
    from converters.convert_source import is_archive, unpacked_folder
    from converters.drafts.draft import inner_path

    check_exists(src, "a file or folder to convert")
    check_free(output, force, src)
    check_free(written_folder(output), force, folder=True)
    if is_archive(src):
        check_free(unpacked_folder(output), force, folder=True)
        if images is not None:
            parse_option(partial(inner_path, field="--images"), str(images), "--images")


def _print_changes(changes: Changes, choices: Choices, written: Path) -> None:
    """Print the counts of what was changed or skipped, and those of the options that take something by its name."""
    for number, words in (
        (changes.clipped, "boxes clipped at the image border"),
        (changes.circumscribed, "boxes drawn around rotated shapes"),
        (changes.reordered, "boxes drawn backwards, corners put in order"),
        (changes.unusable, "shapes without an area skipped"),
        (changes.wordless, "regions without words skipped"),
        (changes.captioned, "regions without words, with the caption of --caption"),
        (changes.unannotated, "images without annotation skipped"),
        (changes.assumed, "images without annotation taken as real"),
        (changes.cancelled, "tasks skipped whose annotations were all cancelled"),
        (changes.unread, "relations and results of other images skipped"),
        (changes.renamed, "images found under a name or in a folder written differently"),
        (changes.searched, "images found by their name alone"),
        (changes.origins["accepted"], "regions proposed by a model and accepted"),
        (changes.origins["changed"], "regions proposed by a model and changed"),
        (changes.origins["new"], "regions that no model proposed, in images with a proposal"),
        (changes.removed, "regions proposed by a model and removed"),
        (changes.turned, f"images turned upright, in {written}"),
        (changes.extracted, f"images extracted from the source, in {written}"),
    ):
        if number:
            say(f"  {number} {words}")
    if choices.caption_from:
        say(f"  {changes.chosen} captions from attribute {choices.caption_from!r}")
    if choices.tag_from:
        say(f"  {changes.tagged} images with tags from attribute {choices.tag_from!r}")
    for name, number in sorted(changes.texts.items()):
        say(f"  {number} texts of attribute {name!r} skipped; --caption-from makes them captions")


def _print_names(names: AnnotatorNames) -> None:
    """Print what was removed because it may name people, and what was not."""
    for name, number in sorted(names.removed.items()):
        say(f"  {number} fields {name!r} removed because they may name people")
    if names.left:
        say(f"  {names.left} records whose id, image path or captions still hold the annotator's name")


def _folder_names(real: list[str] | None, fake: list[str] | None) -> dict[str, list[str]]:
    """The settings of `load_label_folders` that name folders."""
    from converters.formats.label_folders import FAKE_FOLDERS, REAL_FOLDERS, folder_labels

    names = {"real": real or list(REAL_FOLDERS), "fake": fake or list(FAKE_FOLDERS)}
    try:
        folder_labels(**names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--real, --fake") from None
    return names


def _load_settings(format: str, **given: Any) -> dict[str, Any]:
    """The settings of a format's `load_NAME` that the user has given."""
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in READ[format].load_settings:
            only = ", ".join(other for other, each in READ.items() if name in each.load_settings)
            option = "--" + name.removesuffix("s").replace("_", "-")
            raise typer.BadParameter(f"expected the format {only}, which it is for, found {format}", param_hint=option)
    if both := {*given.get("real_values", ())} & {*given.get("fake_values", ())}:
        raise typer.BadParameter(f"{min(both)!r} means both labels", param_hint="--real-value, --fake-value")
    return given


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
