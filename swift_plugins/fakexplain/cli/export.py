"""`fakexplain export`: annotations in outside formats."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from converters.formats import WRITTEN

from ..annotation import read_annotations
from ..atomic import atomic_file, atomic_folder
from .app import (
    DATA,
    OUT,
    Annotations,
    Errors,
    Force,
    KeepGoing,
    SubsetName,
    app,
    check_free,
    exclude_output_images,
    parse_option,
    say,
    show_progress,
)

_WRITTEN_NAMES = tuple(WRITTEN)
if TYPE_CHECKING:
    _WrittenFormat = str
else:
    _WrittenFormat = Literal[_WRITTEN_NAMES]  # `--help` prints them


Output = Annotated[Path, typer.Option(*OUT, help="File or folder to write.")]
To = Annotated[_WrittenFormat, typer.Option("--to", help="Format to write.")]
Images = Annotated[
    Path | None,
    typer.Option(
        help="Base folder for image paths in the output. Default: the annotations file's folder, or its nearest "
        "parent that contains all images."
    ),
]
Link = Annotated[bool, typer.Option("--link", help="Hard-link images instead of copying them.")]
NoImages = Annotated[
    bool, typer.Option("--no-images", help="Write the paths of the images, not their bytes, for `hf`.")
]
ShardMb = Annotated[int, typer.Option(help="Megabytes of a Parquet file before the next one is begun.", min=1)]
ByFold = Annotated[bool, typer.Option("--by-fold", help="Write one split per fold, for `hf`. Default: one split.")]
Check = Annotated[
    bool, typer.Option("--check/--no-check", help="Open every image and check its size against the record.")
]


@app.command(
    rich_help_panel=DATA,
    help="Write annotations in another format.\n\n"
    + "\n".join(f"- {name}: {each.writes}" for name, each in WRITTEN.items()),
)
def export(
    annotations: Annotations,
    output: Output,
    to: To = "rows",
    subset: SubsetName = "all",
    images: Images = None,
    link: Link = False,
    no_images: NoImages = False,
    shard_mb: ShardMb = 500,
    by_fold: ByFold = False,
    check: Check = True,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Write annotations in one of the formats that `WRITTEN` describes."""
    from converters.export import each_with_image, images_folder

    from ..rows import parse_subset, select

    writer = WRITTEN[to]
    chosen = parse_option(parse_subset, subset, "--subset")
    check_free(output, force, annotations, folder=writer.folder)
    errors = Errors(keep_going)
    options: dict[str, Any] = {
        "variant": chosen.variant,
        "link": link,
        "embed": not no_images,
        "check": check,
        "shard_mb": shard_mb,
        "by_fold": by_fold,
    }
    if "images" in writer.settings:
        options["images"] = images or images_folder(annotations)
    settings = {name: options[name] for name in writer.settings}
    if to != "rows":
        settings["on_error"] = errors
    records = show_progress(read_annotations(annotations, on_error=errors), annotations, f"export {to}")
    records = select(records, chosen, on_error=errors)
    if writer.folder:
        records = exclude_output_images(records, output)
    if check:
        records = each_with_image(records, errors)
    with ExitStack() as files:
        partial = files.enter_context(atomic_folder(output, whole=True) if writer.folder else atomic_file(output))
        count = writer.save(records, partial, **settings)
        if not count:
            errors.exit_if_any(0, annotations)
            raise ValueError(f"{annotations}: no record belongs to the subset {subset}")
    say(f"{count} {'rows' if to == 'rows' else 'records'} in {output}")
    if to == "coco":
        say(f"  image paths are relative to {options['images']}")
    errors.exit_if_any(count, annotations)
