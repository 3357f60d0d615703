"""`fakexplain prepare`: images of one size and form, before annotation or after."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..annotation import read_annotations
from ..atomic import atomic_folder
from .app import OUT, Errors, Force, KeepGoing, app, check_free, exclude_output_images, parse_option, show_progress


@app.command()
def prepare(
    src: Annotated[
        Path, typer.Argument(help="Annotations file, or folder of images not yet annotated.", metavar="SRC")
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write.")],
    size: Annotated[str, typer.Option(help="Width and height in pixels: one number, or WxH.")] = "512",
    fit: Annotated[
        str, typer.Option(help="Images of another aspect: crop (their middle), pad (with black) or stretch.")
    ] = "crop",
    min_visible: Annotated[
        float, typer.Option(help="Drop regions of whose area cropping leaves less than this share.", min=0, max=1)
    ] = 0.0,
    format: Annotated[str, typer.Option(help="png or jpeg.")] = "png",
    quality: Annotated[int, typer.Option(help="Quality of JPEG.", min=1, max=100)] = 95,
    near_duplicates: Annotated[
        int,
        typer.Option(
            help="List images whose perceptual hashes differ in at most this many of 64 bits as near duplicates.",
            min=0,
            max=32,
        ),
    ] = 6,
    keep_going: KeepGoing = False,
    force: Force = False,
) -> None:
    """Bring images to one size, upright, as RGB in sRGB without metadata, and list duplicates.

    Of annotations, OUT gets annotations.jsonl with boxes in the new pixels, and images/ID.png; of a folder, its images
    under their own paths. duplicates.csv lists duplicates; nothing is taken out.
    """
    from converters.images.fit import FITS, parse_size
    from converters.images.prepare import COUNTS, SUFFIXES, Settings, annotation_jobs, folder_jobs
    from converters.images.prepare import prepare as prepare_images

    for option, value, known in (("--fit", fit, FITS), ("--format", format, tuple(SUFFIXES))):
        if value not in known:
            raise typer.BadParameter(f"expected one of {', '.join(known)}, found {value!r}", param_hint=option)
    wh = parse_option(parse_size, size, "--size")
    if not src.exists():
        raise FileNotFoundError(f"{src}: expected an annotations file or a folder of images, found no such file")
    check_free(output, force, src, folder=True)
    if src.is_dir() and output.resolve().is_relative_to(src.resolve()):
        raise typer.BadParameter(f"{output} lies in what is read, {src}", param_hint=OUT[0])
    errors = Errors(keep_going)
    jobs = (
        folder_jobs(src)
        if src.is_dir()
        else annotation_jobs(exclude_output_images(read_annotations(src, on_error=errors), output))
    )
    settings = Settings(wh, fit, format, quality, min_visible, near_duplicates)
    with atomic_folder(output, whole=True) as partial:
        shown = show_progress(jobs, None if src.is_dir() else src, "prepare", "image")
        counts = prepare_images(shown, partial, settings, on_error=errors if keep_going else None)
        if not counts["images"]:
            errors.exit_if_any(0, src)
    print(f"{counts['images']} images of {wh[0]}x{wh[1]} in {output}")
    for name, words in COUNTS.items():
        if counts[name]:
            listed = f"; {output / 'duplicates.csv'}" if name in ("exact", "near") else ""
            print(f"  {counts[name]} {words}{listed}")
    errors.exit_if_any(counts["images"], src)
