"""Resize images to one size and form before annotation (App. A.1: 512x512), with or without their records.

Every image is turned upright, converted to sRGB on white, scaled by Lanczos and written without metadata, so that size,
file format and metadata reveal nothing about the label. Boxes move with their pixels. Duplicates among the images, as
they were before scaling, are listed; nothing is removed.
"""

from __future__ import annotations

import json
import tempfile
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, Region, to_record
from swift_plugins.fakexplain.csv_files import save_csv
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.images import check_wh, image_files
from swift_plugins.fakexplain.jsonl import write_jsonl
from swift_plugins.fakexplain.parallel import map_good
from swift_plugins.fakexplain.pixels import DisplayImage, load_display_image
from swift_plugins.fakexplain.region_lists import select_items

from ..drafts.draft import inner_path
from .duplicates import DISTANCE, Fingerprint, fingerprint, groups
from .fit import Fit, How, fit, orient_box

COUNTS = {
    "up": "scaled up",
    "down": "scaled down",
    "cropped": "cropped",
    "padded": "padded",
    "turned": "turned upright",
    "converted": "converted to 8-bit sRGB from another mode or profile",
    "profiles": "with an unusable colour profile, which was ignored",
    "cut": "regions clipped at the image border",
    "dropped": "regions dropped because too little of their area remained",
    "bare": "fake images that lost their last region",
    "exact": "exact duplicates of an earlier image",
    "near": "near duplicates of an earlier image",
}
"""Name of a count -> what it counts."""

SUFFIXES = {"png": ".png", "jpeg": ".jpg"}
GROUP = "duplicate_group"


@dataclass(frozen=True)
class PrepareSettings:
    """The size and form that images get.

    Attributes:
        wh: width and height in pixels.
        how: `crop`, `pad` (with black) or `stretch`, for images with another aspect ratio.
        format: `png` or `jpeg`.
        quality: JPEG quality.
        min_visible: drop a region if less than this fraction of its area survives; one without area is always dropped.
        distance: number of bits in which the perceptual hashes of near duplicates may differ.
    """

    wh: tuple[int, int] = (512, 512)
    how: How = "crop"
    format: str = "png"
    quality: int = 95
    min_visible: float = 0.0
    distance: int = DISTANCE


class Job(NamedTuple):
    """An image to prepare: its path, its name without suffix in the new folder, and its record or None."""

    path: Path
    stem: str
    record: Annotation | None = None


class _PreparedImage(NamedTuple):
    line: dict[str, Any]  # its record, or its path alone
    fingerprint: Fingerprint
    counts: Counter[str]


def annotation_jobs(annotations: Iterable[Annotation]) -> Iterator[Job]:
    """Jobs for the images of records, each named by its record's id in the folder `images`."""
    for record in annotations:
        yield Job(record.path, record.id, record)


def folder_jobs(folder: Path) -> Iterator[Job]:
    """Jobs for the images below a folder, which keep their paths."""
    for path in image_files(folder):
        yield Job(path, path.relative_to(folder).with_suffix("").as_posix())


def prepare(
    jobs: Iterable[Job],
    out: Path,
    settings: PrepareSettings | None = None,
    *,
    on_error: OnError = raise_error,
) -> Counter[str]:
    """Write each image in its new form, its record with boxes in the new pixels, and a table of the duplicates.

    Args:
        jobs: the images; a few are read ahead.
        out: existing folder to write into: the images, `duplicates.csv`, and `annotations.jsonl` if jobs have records.
            `duplicates.csv` has one row per image that has a duplicate: its group, counted from 1; `exact` if another
            image of the group has the same pixels, else `near`; its path; and how many of the 64 bits of its
            perceptual hash differ from the group's first image. Records get their group as `duplicate_group`.
        settings: size and form of the new images.
        on_error: called with the error of each image that cannot be prepared, which is skipped; by default the first
            is raised.

    Returns:
        The number of `images` written, and counts by the names in `COUNTS`.

    Raises:
        DataError: an image that is unreadable or of another size than its record states, an id that is no path
            inside a folder, two images that would get the same name, or no image at all.
    """
    settings = settings or PrepareSettings()
    counts: Counter[str] = Counter()
    contents, phashes = array("Q"), array("Q")

    def prepare_one(item: tuple[Job, str | DataError]) -> _PreparedImage:
        job, name = item
        try:
            if isinstance(name, DataError):
                raise name
            return _prepare_file(job, name, out, settings)
        except DataError as error:
            raise error.at_record(job.record) if job.record else error from None

    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as lines,
        closing(
            map_good(prepare_one, _name_images(jobs, settings), on_error)
        ) as results,  # on an interrupt, waits for images being written
    ):
        for image in results:
            counts += image.counts
            contents.append(image.fingerprint.content)
            phashes.append(image.fingerprint.phash)
            lines.write(json.dumps(image.line) + "\n")
        if not counts["images"] and on_error is raise_error:
            raise DataError("at least one image", Unquoted("none in the source"))
        return counts + _write_lists(lines, contents, phashes, out, settings.distance)


def _name_images(jobs: Iterable[Job], settings: PrepareSettings) -> Iterator[tuple[Job, str | DataError]]:
    """Each job with the path of its new image, or the error of a path that leaves the folder or is taken."""
    with closing(Ids()) as names:
        for job in jobs:
            field = "id" if job.record else "image"
            try:
                stem = inner_path(job.stem, field)
                name = f"{'images/' if job.record else ''}{stem}{SUFFIXES[settings.format]}"
                names.add(name, str(job.path))
            except DataError as error:
                error.field = field
                error.expected = error.expected.replace("a unique id", "a unique name for the new image")
                yield job, error
            else:
                yield job, name


def _prepare_file(job: Job, name: str, out: Path, settings: PrepareSettings) -> _PreparedImage:
    """Write one image."""
    display = load_display_image(job.path, str(job.path))
    if job.record is not None:
        check_wh(job.record.image_wh, display.stored_wh)
    fitting = fit(display.image.size, settings.wh, settings.how)
    target = out / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        image = fitting.fit_image(display.image)
        image.save(target, settings.format, quality=settings.quality, compress_level=4)  # the level of perturb.py
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        field = "id" if job.record else "image"
        raise DataError("a name that is not also the folder of another image", name, field=field) from None
    counts = Counter(
        images=1,
        up=max(fitting.scales) > 1,
        down=max(fitting.scales) <= 1 and min(fitting.scales) < 1,
        cropped=fitting.crops,
        padded=fitting.pads,
        turned=display.turn != 1,
        converted=display.converted,
        profiles=display.bad_profile,
    )
    line: dict[str, Any] = {"image": name}
    if job.record is not None:
        line = to_record(_fit_record(job.record, name, display, fitting, settings.min_visible, counts))
    return _PreparedImage(line, fingerprint(display.image), counts)


def _fit_record(
    record: Annotation, name: str, display: DisplayImage, fitting: Fit, min_visible: float, counts: Counter[str]
) -> Annotation:
    """The record of the new image; clipped and dropped regions are added to the counts."""
    regions, kept = [], []
    for index, region in enumerate(record.regions):
        box, share = fitting.fit_box(orient_box(region.bbox, display.turn, display.stored_wh))
        if not share or share < min_visible:
            counts["dropped"] += 1
            continue
        counts["cut"] += share < 1
        regions.append(Region(box, region.caption))
        kept.append(index)
    counts["bare"] += bool(record.regions) and not regions
    extra = select_items(record.extra, len(record.regions), kept)
    extra.pop(GROUP, None)
    width, height = fitting.wh
    return replace(record, image=name, width=width, height=height, regions=tuple(regions), extra=extra)


def _write_lists(
    lines: IO[str], contents: Sequence[int], phashes: Sequence[int], out: Path, distance: int
) -> Counter[str]:
    """Write `duplicates.csv` and, if there are records, `annotations.jsonl`; count duplicates of an earlier image."""
    import numpy as np

    exact = groups(map(Fingerprint, contents, phashes), None)
    near = groups(map(Fingerprint, contents, phashes), distance)
    exact_sizes, near_sizes = np.bincount(exact), np.bincount(near)
    numbers = np.cumsum(near_sizes > 1)
    rows: list[tuple[int, str, str, int]] = []  # group, kind, path and index of each image with a duplicate

    def add_groups() -> Iterator[dict[str, Any]]:
        for index, text in enumerate(lines):
            line = json.loads(text)
            if near_sizes[near[index]] > 1:
                line[GROUP] = int(numbers[near[index]])
                kind = "exact" if exact_sizes[exact[index]] > 1 else "near"
                rows.append((line[GROUP], kind, line["image"], index))
            yield line

    lines.seek(0)
    records = "id" in json.loads(lines.readline() or "{}")
    lines.seek(0)
    if records:
        write_jsonl(out / "annotations.jsonl", add_groups())
    else:
        deque(add_groups(), maxlen=0)

    def table() -> Iterator[tuple[int, str, str, int]]:
        for number, group in groupby(sorted(rows, key=itemgetter(0)), key=itemgetter(0)):
            first = None
            for _, kind, image, index in group:
                first = index if first is None else first
                yield number, kind, image, (phashes[index] ^ phashes[first]).bit_count()

    save_csv(out / "duplicates.csv", ("group", "kind", "image", "distance"), table())
    return Counter(exact=len(exact) - len(exact_sizes), near=len(exact_sizes) - len(near_sizes))
