"""Frames of the videos of FaceForensics++ as images with records: label and method from the names of the folders.

A video lies in `original_sequences/SOURCE/COMPRESSION/videos/` or `manipulated_sequences/METHOD/COMPRESSION/videos/`.
Other videos there, such as those of `masks/`, are not entered. A manipulated video `000_003` shows the people of the
originals `000` and `003`, so all videos that are linked by such names are one group (field `video_group`).

Frame times are those of the file's packets, read before decoding, so frames are exact and need no metadata.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.paths import check_is_folder, files_below

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm"})
_LABELS = {"original_sequences": "real", "manipulated_sequences": "fake"}

Choose = Callable[[Sequence[float]], list[int]]
"""Times of all frames in seconds -> indices of those to extract, in order."""


class Video(NamedTuple):
    """A video of FaceForensics++.

    Attributes:
        path: the file.
        name: its path below the source folder, without suffix, with slashes.
        label: `fake` or `real`.
        method: the method that manipulated it, or the source of an original.
        compression: such as `c23`.
        group: name of the group of videos that show the same people.
    """

    path: Path
    name: str
    label: str
    method: str
    compression: str
    group: str


def per_video(count: int) -> Choose:
    """Choose so many frames, evenly spaced; all, where there are fewer.

    >>> per_video(2)([0.0, 0.1, 0.2, 0.3]), per_video(9)([0.0, 0.1])
    ([1, 3], [0, 1])
    """

    def choose(times: Sequence[float]) -> list[int]:
        number = min(count, len(times))
        return [(2 * index + 1) * len(times) // (2 * number) for index in range(number)]

    return choose


def every(seconds: float) -> Choose:
    """Choose the first frame, and then the first frame of each further period.

    >>> every(0.2)([0.0, 0.1, 0.25, 0.3, 0.4])
    [0, 2, 4]
    """

    def choose(times: Sequence[float]) -> list[int]:
        periods = [int((time - times[0]) / seconds + 1e-6) for time in times]
        return [index for index, period in enumerate(periods) if not index or period > periods[index - 1]]

    return choose


def find_videos(src: Path) -> list[Video]:
    """The videos below a folder, in the order of their paths.

    Raises:
        FileNotFoundError: no such folder.
        DataError: no video in folders of FaceForensics++.
    """
    check_is_folder(src, "a folder of FaceForensics++")
    found = [(path, _sequence(path)) for path in files_below(src) if path.suffix.lower() in VIDEO_SUFFIXES]
    groups = video_groups(path.stem for path, sequence in found if sequence)
    videos = [
        Video(path, path.relative_to(src).with_suffix("").as_posix(), *sequence, groups[path.stem])
        for path, sequence in found
        if sequence
    ]
    if not videos:
        expected = f"videos in {{{','.join(_LABELS)}}}/*/*/videos"
        raise DataError(expected, Unquoted("none in the folder")).at(str(src), 0)
    return videos


def _sequence(path: Path) -> tuple[str, str, str] | None:
    """Label, method and compression of a video's path."""
    *_, sequences, method, compression, videos, _ = ("", "", "", "", *path.absolute().parts)
    if videos != "videos" or sequences not in _LABELS or compression == "masks":
        return None
    return _LABELS[sequences], method, compression


def video_groups(names: Iterable[str]) -> dict[str, str]:
    """Name of each video -> its group: names that share a number of an original, directly or along a chain.

    Names with another beginning, such as those of DeepFakeDetection, are grouped by the person shown, the first number.

    >>> video_groups(["000", "003", "000_003", "071_054", "01_02__walk__X"])
    {'000': '000', '003': '000', '000_003': '000', '071_054': '054', '01_02__walk__X': 'person 01'}
    """
    links: dict[str, str] = {}

    def end(number: str) -> str:
        while links.get(number, number) != number:
            number = links[number]
        return number

    names = list(names)
    for name in names:
        if re.fullmatch(r"\d{3}_\d{3}", name):
            first, last = sorted(map(end, name.split("_")))
            links[last] = first
    return {name: _group(name, end) for name in names}


def _group(name: str, end: Callable[[str], str]) -> str:
    if re.fullmatch(r"\d{3}(_\d{3})?", name):
        return end(name[:3])
    person = re.match(r"(\d+)(_\d+)?__", name)
    return f"person {person[1]}" if person else name


def extract_frames(
    videos: Iterable[Video], out: Path, choose: Choose, *, on_error: Callable[[DataError], None]
) -> Iterator[list[Annotation]]:
    """Write the chosen frames of each video as PNG, and yield their records, for `annotations.jsonl` in `out`.

    Args:
        videos: in their order; a few are read ahead.
        out: existing folder.
        choose: which frames.
        on_error: called with the error of each video that cannot be read, of which no frame is kept.
    """

    def extract(video: Video) -> list[Annotation] | DataError:
        folder = out / "images" / video.name
        try:
            return list(_extract(video, folder, choose))
        except DataError as error:
            shutil.rmtree(folder, ignore_errors=True)
            return error

    for result in map_ordered(extract, videos):
        if isinstance(result, DataError):
            on_error(result)
        else:
            yield result


def _extract(video: Video, folder: Path, choose: Choose) -> Iterator[Annotation]:
    if folder.exists():
        raise DataError("a name of its own", Unquoted("another suffix of the same name")).at(str(video.path), 0)
    folder.mkdir(parents=True)
    for seconds, image in _frames(video.path, choose):
        stem = f"{video.name}/{round(1000 * seconds):08d}"
        image.save(out_file := folder / f"{stem.rpartition('/')[2]}.png")
        fake = video.label == "fake"
        yield Annotation(
            id=stem,
            image=f"images/{video.name}/{out_file.name}",
            width=image.width,
            height=image.height,
            label=video.label,
            generator=video.method if fake else None,
            extra={
                "video": video.name,
                "seconds": round(seconds, 3),
                "video_group": video.group,
                "compression": video.compression,
            },
        )


def _frames(path: Path, choose: Choose) -> Iterator[tuple[float, Any]]:
    """Time in seconds and image of each chosen frame.

    Raises:
        DataError: no video, or a chosen frame cannot be decoded.
    """
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError("a video", Unquoted("no picture in the file")).at(str(path), 0)
            stamps = sorted({packet.pts for packet in container.demux(video=0) if packet.pts is not None})
        if not stamps:
            raise DataError("a video", Unquoted("no frame in the file")).at(str(path), 0)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"  # videos are read side by side
            times = [float(stamp * stream.time_base) for stamp in stamps] if stream.time_base else []
            wanted = {stamps[index]: times[index] for index in choose(times)}
            for frame in container.decode(stream):
                if frame.pts in wanted:
                    yield wanted.pop(frame.pts), frame.to_image()
                if not wanted:
                    return
    except av.error.FFmpegError as error:
        raise DataError("a readable video", Unquoted(str(error.strerror or error))).at(str(path), 0) from None
    if wanted:
        found = Unquoted(f"{len(wanted)} of its chosen frames missing, the first at {min(wanted.values()):.2f} s")
        raise DataError("a whole video", found).at(str(path), 0)
