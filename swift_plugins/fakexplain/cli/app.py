"""What the commands share: the app, its options and endings."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from ..annotation import Annotation
from ..errors import DataError
from ..images import image_key
from ..variants import VARIANTS

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",  # joins the lines of a paragraph
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Explainable detection of AI-generated images on stock ms-swift. Exit codes: 0 fine, 1 bad data, 2 bad usage.",
)

DATA, QUALITY, TRAINING, SCORES, PICTURES = "Data", "Quality", "Training", "Scores", "Pictures"
"""Headings that `--help` groups the commands under (`rich_help_panel`)."""

OUT = ("--out", "--output", "-o")
"""The names of every command's option for what it writes."""

Annotations = Annotated[Path, typer.Argument(help="Annotations file, one JSON record a line.", metavar="ANNOTATIONS")]
Template = Annotated[str, typer.Option(help="Template the model was trained with; gives the frame of its boxes.")]
MaxPixels = Annotated[int | None, typer.Option(help="The --max_pixels of the run, if it had one.", min=1)]
Variant = Annotated[str, typer.Option(help=f"What an answer holds: {', '.join(VARIANTS)}.", metavar="VARIANT")]
SubsetName = Annotated[str, typer.Option(help="Records to take: all, fold0_train … fold3_test, each also __VARIANT.")]
Seed = Annotated[int, typer.Option(help="Seed of what is drawn at random.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Collect every bad record and go on with the good ones; without it, stop.")
]
INTERRUPTED = 130


def main() -> None:
    """Run the command line; bad data and files that are not there end in one message and exit code 1."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
    except ValueError as error:
        fail(str(error))
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Typer's word for Ctrl-C; it prints none
            fail("interrupted; nothing half-written is left", INTERRUPTED)
        raise


def fail(message: str, code: int = 1) -> NoReturn:
    """End with an error message."""
    typer.secho(f"error: {message}", fg="red", err=True)
    raise SystemExit(code)


def parse_option(function: Any, value: str, option: str) -> Any:
    """Call a parser of an option's value; what it refuses is bad usage."""
    try:
        return function(value)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def check_free(out: Path, force: bool, *sources: Path, folder: bool = False) -> None:
    """Refuse to write where something is, without --force, and always onto what is read or what is no file or folder.

    Args:
        out: what is to be written.
        force: whether --force was given.
        sources: files and folders that are read; a folder to write must not hold any of them.
        folder: whether a folder is to be written.
    """
    place = out.resolve()
    for source in map(Path.resolve, sources):
        if source == place or (folder and source.is_relative_to(place)):
            raise typer.BadParameter(f"{out} {'holds' if folder else 'is'} what is read", param_hint=OUT[0])
    if out.exists() and not (out.is_dir() if folder else out.is_file()):
        raise typer.BadParameter(
            f"expected a {'folder' if folder else 'file'}, found something else at {out}", param_hint=OUT[0]
        )
    if not force and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise typer.BadParameter(f"{out} is there already; --force overwrites it", param_hint=OUT[0])


def exclude_output_images(records: Iterable[Annotation], out: Path) -> Iterator[Annotation]:
    """The records; an image of theirs in the folder that is to be written ends the command."""
    inside = f"{out.resolve()}{os.sep}"
    there = out.exists()
    for record in records:
        if there and image_key(record.path).startswith(inside):
            raise typer.BadParameter(f"{out} holds an image that is read, {record.path}", param_hint=OUT[0])
        yield record


def show_progress(records: Iterable[Any], path: Path | None, what: str, unit: str = "record") -> Iterator[Any]:
    """The records, with a bar on a terminal and nothing in a pipe; the lines of a file at `path` are their number."""
    from tqdm import tqdm

    total = None
    if path is not None and path.is_file() and sys.stderr.isatty():
        with open(path, "rb") as file:
            total = sum(1 for line in file if line.strip())
    yield from tqdm(records, total=total, desc=what, unit=unit, disable=None)


class Errors:
    """Called with the error of each bad record: raises it, or with --keep-going prints it and counts."""

    def __init__(self, keep_going: bool):
        self.keep_going = keep_going
        self.count = 0

    def __call__(self, error: DataError) -> None:
        if not self.keep_going:
            raise error
        from tqdm import tqdm

        self.count += 1
        tqdm.write(f"error: {error}", file=sys.stderr)

    @staticmethod
    def ignore(error: DataError) -> None:
        """For a second reading of a file whose errors were told at the first."""

    def exit_if_any(self, good: int, source: Path) -> None:
        """End the command with exit code 1 if there was any."""
        if self.count:
            fail(f"{self.count} bad records of {self.count + good} in {source}")
