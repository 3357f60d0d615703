"""`fakexplain frames`: frames out of the videos of FaceForensics++."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..annotation import write_annotations
from ..atomic import atomic_folder
from ..paths import real_path
from .app import DATA, OUT, Errors, Force, app, check_free, fail, say, show_progress


@app.command(rich_help_panel=DATA)
def frames(
    src: Annotated[
        Path,
        typer.Argument(help="Folder with original_sequences and manipulated_sequences.", metavar="DIR"),
    ],
    output: Annotated[Path, typer.Option(*OUT, help="Folder to write: annotations.jsonl and images.")],
    per_video: Annotated[
        int | None, typer.Option(help="Frames per video, evenly spaced. Default: 10, without --every.", min=1)
    ] = None,
    every: Annotated[float | None, typer.Option(help="Seconds between frames.", min=0.001)] = None,
    force: Force = False,
) -> None:
    """Extract frames of FaceForensics++ videos as PNG, with records.

    Folders give label and method. A video that cannot be read is reported and left out, and the exit code is 1.
    """
    from converters.images.video_frames import every as every_seconds
    from converters.images.video_frames import extract_frames, find_videos
    from converters.images.video_frames import per_video as count_per_video

    if every is not None and per_video is not None:
        raise typer.BadParameter("expected one of the two", param_hint="--every, --per-video")
    check_free(output, force, src, folder=True)
    if src.is_dir() and real_path(output).is_relative_to(real_path(src)):
        raise typer.BadParameter(f"{output} lies in the input folder {src}", param_hint=OUT[0])
    videos = find_videos(src)
    errors = Errors(keep_going=True)
    choose = every_seconds(every) if every is not None else count_per_video(per_video or 10)
    with atomic_folder(output, whole=True) as partial:
        shown = show_progress(videos, None, "frames", "video", total=len(videos))
        extracted = extract_frames(shown, partial, choose, on_error=errors)
        count = write_annotations(partial / "annotations.jsonl", (record for each in extracted for record in each))
        if not count:
            (partial / "annotations.jsonl").unlink()
    if count:
        groups = len({video.group for video in videos})
        say(f"{count} frames of {len(videos) - errors.count} videos in {output}")
        say(f"  {groups} groups of videos; keep each in one fold: `fakexplain split --group-by video_group`")
    if errors.count:
        fail(f"{errors.count} of {len(videos)} videos in {src} are bad")
