"""The app, and code that all commands share: common options, output checks, progress bars and errors."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NoReturn

import typer
from typer.core import TyperGroup

from ..annotation import Annotation, unlabelled
from ..atomic import InUseError, check_not_in_use, claim
from ..backbones import TEMPLATES
from ..errors import DataError, on_one_line, printable
from ..images import image_key, several_frames
from ..paths import real_path
from ..variants import VARIANTS

if TYPE_CHECKING:
    _Variant = str
else:
    _Variant = Literal[VARIANTS]  # `--help` prints them


class Commands(TyperGroup):
    """All commands; an error of an option shows text from outside as `fail` does.

    Attributes:
        order: their names in the order of `--help`.
    """

    order: ClassVar[tuple[str, ...]] = ()

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=self.order.index)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = on_one_line(error.message)
            raise


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",  # joins the lines of a paragraph
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Explainable detection of AI-generated images on stock ms-swift. Exit codes: 0 fine, 1 bad data, 2 bad usage.",
)

DATA, QUALITY, TRAINING, SCORES, PICTURES = "Data", "Quality", "Training", "Scores", "Pictures"
DETECTION = "Detection"
"""Headings that `--help` groups the commands under (`rich_help_panel`)."""

OUT = ("--out", "--output", "-o")
"""Names of the output option of every command."""

Annotations = Annotated[Path, typer.Argument(help="Annotations file, one JSON record per line.", metavar="ANNOTATIONS")]
Template = Annotated[
    str, typer.Option(help=f"Template of the run, which defines the frame of its boxes: {', '.join(TEMPLATES)}.")
]
MaxPixels = Annotated[int | None, typer.Option(help="The run's --max_pixels, if it was set.", min=1)]
VariantName = Annotated[_Variant, typer.Option(help="Parts that an answer holds.")]
SubsetName = Annotated[
    str, typer.Option(help="Records to use: all, or fold0_train … fold3_test; append __VARIANT for partial answers.")
]
Seed = Annotated[int, typer.Option(help="Random seed.")]
MinVisible = Annotated[
    float, typer.Option(help="Drop a region if less than this fraction of its area survives the crop.", min=0, max=1)
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing output.")]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Report bad records and continue; default: stop at the first.")
]


NOTHING_LEFT = "no partial output was left behind"
after_interrupt = [NOTHING_LEFT]
"""What Ctrl-C leaves behind, for the message; a command that keeps its output says so here."""


def run() -> None:
    """Run the command line; bad data and missing files end it with one message and exit code 1.

    A command ends silently, with exit code 1, if the reader of its output closes the pipe.
    """
    several_frames.clear()
    unlabelled.clear()
    after_interrupt[:] = [NOTHING_LEFT]
    try:
        try:
            app()
        except SystemExit as end:
            if end.code in (0, 1):
                _print_several_frames()
                _print_unlabelled()
            _flush_stdout()
            raise
    except sqlite3.OperationalError as error:
        fail(f"{gettempdir()}: temporary database: {error}")
    except OSError as error:
        place = error.filename or ("standard output" if error.errno == errno.ENOSPC else "")  # files name themselves
        fail(f"{place}: {error.strerror}" if place and error.strerror else str(error))
    except UnicodeEncodeError as error:
        fail(f"expected text that UTF-8 can write, found {error.object!r}")
    except ValueError as error:
        fail(str(error))


def _print_several_frames() -> None:
    """Print how many images have several frames, of which every command uses the first alone."""
    if several_frames:
        names = ", ".join(sorted(several_frames)[:3]) + (" …" if len(several_frames) > 3 else "")
        say(f"{len(several_frames)} images have several frames, of which only the first was used: {names}", err=True)


def _print_unlabelled() -> None:
    """Print how many lines of each annotations file have no label, which every command skips."""
    for file, count in unlabelled.items():
        say(f"{file}: {count} lines whose label is null were skipped", err=True)


def _flush_stdout() -> None:
    """Write buffered output, which at the end of Python would fail without a message of ours."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fail(f"standard output: {error.strerror}")


def say(text: str = "", *, err: bool = False) -> None:
    """Print what a command found; text from files cannot command the terminal."""
    print(printable(text), file=sys.stderr if err else sys.stdout)


def fail(message: str, code: int = 1) -> NoReturn:
    """End with an error message."""
    typer.secho(f"error: {on_one_line(message)}", fg="red", err=True)
    raise SystemExit(code)


def parse_option(function: Any, value: str, option: str) -> Any:
    """Parse an option's value with a function that raises `ValueError`, which ends the command as bad usage."""
    try:
        return function(value)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def check_free(out: Path, force: bool, *sources: Path, folder: bool = False) -> None:
    """Reject an output path that is in use: existing output needs --force, and inputs are never overwritten.

    Args:
        out: the file or folder to write.
        force: whether --force was given.
        sources: files and folders that the command reads; an output folder must not hold any of them.
        folder: whether `out` is a folder.

    Raises:
        BadParameter: `out` is an input, is of the wrong kind, is being written by another run, or exists without
            --force.
    """
    target = real_path(out)
    for source in map(real_path, sources):
        if source == target or (folder and source.is_relative_to(target)):
            raise typer.BadParameter(f"{out} {'holds an input' if folder else 'is an input'}", param_hint=OUT[0])
    try:
        check_not_in_use(out)
    except InUseError as error:
        raise typer.BadParameter(str(error), param_hint=OUT[0]) from None
    if out.exists() and not (out.is_dir() if folder else out.is_file()):
        raise typer.BadParameter(
            f"expected a {'folder' if folder else 'file'}, found something else at {out}", param_hint=OUT[0]
        )
    if not force and os.path.lexists(out) and not (out.is_dir() and not any(out.iterdir())):
        raise typer.BadParameter(f"{out} already exists; --force overwrites it", param_hint=OUT[0])
    claim(out, overwrite=force)


def exclude_output_images(records: Iterable[Annotation], out: Path) -> Iterator[Annotation]:
    """Pass records on; reject an output folder that holds one of their images.

    Raises:
        BadParameter: an image lies in `out`.
    """
    inside = f"{real_path(out)}{os.sep}"
    exists = out.exists()
    for record in records:
        if exists and image_key(record.path).startswith(inside):
            raise typer.BadParameter(f"{out} holds an input image, {record.path}", param_hint=OUT[0])
        yield record


def show_progress(
    records: Iterable[Any],
    path: Path | None,
    what: str,
    unit: str = "record",
    total: int | None = None,
    leave: bool = True,
) -> Iterator[Any]:
    """Pass records on, with a progress bar on a terminal and none in a pipe.

    Args:
        records: to pass on.
        path: a file with one line per record, which gives their number; None if it is not known.
        what: label of the bar.
        unit: name of one record.
        total: their number, if it is known without the file.
        leave: leave the bar when the records end.
    """
    from tqdm import tqdm

    if path is not None and path.is_file() and sys.stderr.isatty():
        with open(path, "rb") as file:
            total = sum(1 for line in file if line.strip())
    yield from tqdm(records, total=total, desc=what, unit=unit, leave=leave, disable=None)


def show_stream(items: Iterable[Any], what: str, unit: str, total: int | None = None, /) -> Iterator[Any]:
    """Pass items on as `show_progress` does, without a file; the bar goes at their end, as another may follow."""
    return show_progress(items, None, what, unit, total, leave=False)


class Errors:
    """Takes the error of each bad record: raises it, or with --keep-going prints and counts it."""

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
        """Ignore an error: for a second reading of a file, after the first has reported every error."""

    def exit_if_any(self, valid: int, source: Path) -> None:
        """End the command with exit code 1 if there were errors.

        Args:
            valid: number of valid records.
            source: the file they were read from.
        """
        if self.count:
            fail(f"{self.count} of {self.count + valid} records in {source} are bad")
