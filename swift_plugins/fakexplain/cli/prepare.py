"""`fakexplain prepare`: resize images and list duplicates, before or after annotation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..annotation import read_annotations
from ..atomic import atomic_folder
from ..errors import raise_error
from ..paths import check_exists, real_path
from .app import (
    DATA,
    OUT,
    Errors,
    Force,
    KeepGoing,
    MinVisible,
    app,
    check_free,
    exclude_output_images,
    parse_option,
    say,
    show_progress,
)

if TYPE_CHECKING:
    from converters.human.screening import ScreeningDecision
    from converters.images.prepare import Job


@app.command(rich_help_panel=DATA)
def prepare(
    src: Annotated[
        Path, typer.Argument(help="Annotations file, or folder of images not yet annotated.", metavar="SRC")
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write.")],
    size: Annotated[str, typer.Option(help="Width and height in pixels: one number, or WxH.")] = "512",
    fit: Annotated[
        Literal["crop", "pad", "stretch"],
        typer.Option(help="For images with another aspect ratio: crop to the middle, pad with black, or stretch."),
    ] = "crop",
    min_visible: MinVisible = 0.0,
    format: Annotated[Literal["png", "jpeg"], typer.Option(help="File format of the new images.")] = "png",
    quality: Annotated[int, typer.Option(help="JPEG quality.", min=1, max=100)] = 95,
    near_duplicates: Annotated[
        int,
        typer.Option(
            help="List images as near duplicates if at most this many of 64 bits of their perceptual hashes differ.",
            min=0,
            max=32,
        ),
    ] = 6,
    decisions: Annotated[
        list[Path] | None,
        typer.Option(
            help="Export of the tasks of `fakexplain label-studio screen`: images to drop are not prepared; repeatable."
        ),
    ] = None,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Resize images to one size (upright, sRGB, no metadata) and list duplicates.

    From annotations, write annotations.jsonl with boxes in the new pixels, and images/ID.png. From a folder, write its
    images under the same paths. duplicates.csv lists duplicates; nothing is removed. With --decisions, dropped.csv
    lists the images that were dropped, and why; an image without a decision is an error.
    """
    from converters.human.screening import save_dropped
    from converters.images.fit import parse_size
    from converters.images.prepare import PrepareSettings
    from converters.images.prepare import prepare as prepare_images

    wh = parse_option(parse_size, size, "--size")
    check_exists(src, "an annotations file or a folder of images")
    check_free(output, force, src, *(decisions or []), folder=True)
    if src.is_dir() and real_path(output).is_relative_to(real_path(src)):
        raise typer.BadParameter(f"{output} lies in the input folder {src}", param_hint=OUT[0])
    errors = Errors(keep_going)
    dropped: dict[PurePosixPath, ScreeningDecision] = {}
    jobs = _choose_jobs(src, output, decisions or [], dropped, errors)
    settings = PrepareSettings(wh, fit, format, quality, min_visible, near_duplicates)
    with atomic_folder(output, whole=True) as partial:
        shown = show_progress(jobs, None if src.is_dir() else src, "prepare", "image")
        counts = prepare_images(shown, partial, settings, on_error=errors if keep_going else raise_error)
        if not counts["images"]:
            errors.exit_if_any(0, src)
        if decisions:
            save_dropped(partial / "dropped.csv", dropped)
    say(f"{counts['images']} images of {wh[0]}x{wh[1]} in {output}")
    _print_counts(counts, output)
    if decisions:
        _print_dropped(dropped, output)
    errors.exit_if_any(counts["images"] + len(dropped), src)


def _choose_jobs(
    src: Path, output: Path, decisions: list[Path], dropped: dict[PurePosixPath, ScreeningDecision], errors: Errors
) -> Iterator[Job]:
    """The images to prepare; those that were screened out are added to `dropped`."""
    from converters.human.screening import read_decisions, select_kept
    from converters.images.prepare import annotation_jobs, folder_jobs

    if not src.is_dir():
        if decisions:
            raise typer.BadParameter("expected a folder of images as SRC", param_hint="--decisions")
        return annotation_jobs(exclude_output_images(read_annotations(src, on_error=errors), output))
    if not decisions:
        return folder_jobs(src)
    decided = read_decisions(decisions)
    known = {job.path.relative_to(src).as_posix() for job in folder_jobs(src)}
    if strangers := [image for image in map(str, decided) if image not in known]:
        say(f"{len(strangers)} decisions are about images that {src} does not have, such as {min(strangers)}", err=True)
    if not any(decision.keep for image, decision in decided.items() if str(image) in known):
        raise ValueError(f"{decisions[0]}: expected the decision to keep at least one image of {src}, found none")
    return select_kept(folder_jobs(src), src, decided, dropped, errors)


def _print_counts(counts: Mapping[str, int], output: Path) -> None:
    from converters.images.prepare import COUNTS

    for name, words in COUNTS.items():
        if counts[name]:
            listed = f"; {output / 'duplicates.csv'}" if name in ("exact", "near") else ""
            say(f"  {counts[name]} {words}{listed}")


def _print_dropped(dropped: Mapping[PurePosixPath, ScreeningDecision], output: Path) -> None:
    from converters.human.screening import count_reasons

    reasons = ", ".join(f"{reason} {number}" for reason, number in count_reasons(dropped.values()).items())
    listed = f" ({reasons}); {output / 'dropped.csv'}" if dropped else ""
    say(f"  {len(dropped)} images dropped in screening{listed}")
