"""`fakexplain merge`: several annotations files in one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..annotation import write_annotations
from ..atomic import atomic_file
from .app import DATA, OUT, Errors, Force, KeepGoing, app, check_free, say, show_progress
from .named_files import parse_named_files

Files = Annotated[
    list[str],
    typer.Argument(
        help="Annotations files. NAME=FILE prefixes the ids of a file with a name, as in NAME/ID.",
        metavar="[NAME=]FILE...",
    ),
]


@app.command(rich_help_panel=DATA)
def merge(
    files: Files,
    output: Annotated[Path, typer.Option(*OUT, help="Annotations file to write.")],
    prefix: Annotated[
        bool, typer.Option("--prefix", help="Prefix all ids with the names of their files, without suffix.")
    ] = False,
    drop_folds: Annotated[bool, typer.Option("--drop-folds", help="Remove the folds.")] = False,
    by_content: Annotated[
        bool,
        typer.Option(
            "--by-content",
            help="Report images with the same bytes too; reads every image. Default: images with the same path.",
        ),
    ] = False,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Merge annotations files into one.

    Image paths become relative to OUT. An id that is used twice is an error; so are folds that only some records have.
    """
    from converters.folds.merge import MergeSource, Repeats, merge_annotations

    sources = []
    for argument in files:
        ((name, (path,)),) = parse_named_files([argument], "FILE").items()
        sources.append(MergeSource(path, name if prefix or Path(argument) != path else ""))
    if prefix:
        parse_named_files(files, "FILE")  # rejects two files of one name
    check_free(output, force, *(source.path for source in sources))
    errors, repeats = Errors(keep_going), Repeats()

    records = merge_annotations(
        sources, output.parent, drop_folds=drop_folds, by_content=by_content, repeats=repeats, on_error=errors
    )
    with atomic_file(output) as partial:
        count = write_annotations(partial, show_progress(records, None, "merge"))
        if not count:
            errors.exit_if_any(0, output)
    say(f"{count} records in {output}")
    if repeats.count:
        say(f"  {repeats.count} records whose image an earlier record has, such as")
        for place, earlier in repeats.examples:
            say(f"    {place}, as {earlier}")
    errors.exit_if_any(count, output)
