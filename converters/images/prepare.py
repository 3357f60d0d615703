"""Images brought to one size and form before annotation (App. A.1: 512x512), with or without records of them.

Every image becomes what viewers show (upright, sRGB, alpha on white), is scaled by Lanczos and written anew without
metadata, so that size, file format and metadata say nothing of the label. Boxes go with their images. Duplicates among
the images, as they were before scaling, are listed; nothing is taken out.
"""

from __future__ import annotations

import csv
import json
import tempfile
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, NamedTuple

from swift_plugins.fakexplain.annotation import Annotation, Region, to_record
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.ids import Ids
from swift_plugins.fakexplain.jsonl import write_jsonl
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.pixels import DisplayImage, load_display_image

from ..drafts.draft import image_files, inner_path
from .duplicates import DISTANCE, Fingerprint, fingerprint, groups
from .fit import Fit, fit, turned_box

COUNTS = {
    "up": "scaled up",
    "down": "scaled down",
    "cropped": "cropped",
    "padded": "padded",
    "turned": "turned upright",
    "converted": "converted to 8-bit sRGB from another mode or profile",
    "profiles": "with a colour profile that cannot be used, passed over",
    "cut": "regions cut at the border",
    "dropped": "regions dropped, for too little of them is left",
    "bare": "fake images that lost their last region",
    "exact": "exact duplicates of an earlier image",
    "near": "near duplicates of an earlier image",
}
"""Name of a count -> what it counts."""

SUFFIXES = {"png": ".png", "jpeg": ".jpg"}
GROUP = "duplicate_group"


@dataclass(frozen=True)
class Settings:
    """What images become.

    Attributes:
        wh: width and height in pixels.
        how: `crop`, `pad` (black) or `stretch`, for images of another aspect.
        format: `png` or `jpeg`.
        quality: of JPEG.
        min_visible: regions of whose area cropping leaves a smaller share are dropped, and always those with none.
        distance: bits in which the perceptual hashes of near duplicates may differ.
    """

    wh: tuple[int, int] = (512, 512)
    how: str = "crop"
    format: str = "png"
    quality: int = 95
    min_visible: float = 0.0
    distance: int = DISTANCE


class Job(NamedTuple):
    """An image to prepare: where it is, its name without suffix in the new folder, and its record or None."""

    path: Path
    stem: str
    record: Annotation | None = None


class _Done(NamedTuple):
    line: dict[str, Any]
    fingerprint: Fingerprint
    counts: Counter[str]


def annotation_jobs(annotations: Iterable[Annotation]) -> Iterator[Job]:
    """The images of records, each named by its record's id in the folder `images`."""
    for record in annotations:
        yield Job(record.path, record.id, record)


def folder_jobs(folder: Path) -> Iterator[Job]:
    """The images below a folder, each named as it is there."""
    for path in image_files(folder):
        yield Job(path, path.relative_to(folder).with_suffix("").as_posix())


def prepare(
    jobs: Iterable[Job],
    out: Path,
    settings: Settings | None = None,
    *,
    on_error: Callable[[DataError], None] | None = None,
) -> Counter[str]:
    """Write each image anew, its record with boxes in the new pixels, and a table of the duplicates.

    Args:
        jobs: the images; a few are taken ahead.
        out: folder that is there, to write into: the images, `duplicates.csv`, and `annotations.jsonl` where jobs have
            records. `duplicates.csv` has a row for each image that has a duplicate: its group, counted from 1; `exact`
            where another of the group has the very same pixels, else `near`; its path; and how many of the 64 bits of
            its perceptual hash differ from those of the group's first. The record has the group as `duplicate_group`.
        settings: what images become.
        on_error: called with the error of each image that cannot be prepared, after which the next one is; without it
            the first raises.

    Returns:
        How many `images` were written, and counts by the names of `COUNTS`.

    Raises:
        DataError: an image that cannot be read or has another size than its record says, an id that is no path
            inside a folder, two images that would get one name, or no image at all.
    """
    settings = settings or Settings()
    counts: Counter[str] = Counter()
    contents, phashes = array("Q"), array("Q")
    work = partial(_prepared, out=out, settings=settings)
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as lines,
        closing(map_ordered(work, _named(jobs, settings))) as results,  # an interrupt waits
    ):
        for done in results:
            if isinstance(done, DataError):
                if on_error is None:
                    raise done
                on_error(done)
                continue
            counts += done.counts
            contents.append(done.fingerprint.content)
            phashes.append(done.fingerprint.phash)
            lines.write(json.dumps(done.line) + "\n")
        if not counts["images"] and on_error is None:
            raise DataError("at least one image", Unquoted("none in the source"))
        return counts + _write_lists(lines, contents, phashes, out, settings.distance)


def _named(jobs: Iterable[Job], settings: Settings) -> Iterator[tuple[Job, str] | DataError]:
    """Each job with the path of the image it makes, which must stay inside the folder and be no other's."""
    with closing(Ids()) as names:
        for job in jobs:
            field = "id" if job.record else "image"
            try:
                stem = inner_path(job.stem, field)
                name = f"{'images/' if job.record else ''}{stem}{SUFFIXES[settings.format]}"
                names.add(name, str(job.path))
            except DataError as error:
                error.field = field
                error.expected = error.expected.replace("an id of its own", "a name of its own for the new image")
                yield _placed(error, job)
            else:
                yield job, name


def _placed(error: DataError, job: Job) -> DataError:
    return error.at(job.record.file, job.record.line, job.record.id) if job.record else error


def _prepared(named: tuple[Job, str] | DataError, out: Path, settings: Settings) -> _Done | DataError:
    """Write one image; what is known of it then."""
    if isinstance(named, DataError):
        return named
    job, name = named
    try:
        shown = load_display_image(job.path, str(job.path))
        if job.record is not None and job.record.image_wh != shown.stored_wh:
            found = Unquoted(f"{job.record.width}x{job.record.height}")
            width, height = shown.stored_wh
            raise DataError(f"the image's own {width}x{height} pixels", found, field="width, height")
    except DataError as error:
        return _placed(error, job)
    way = fit(shown.image.size, settings.wh, settings.how)
    target = out / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        way.image(shown.image).save(target, settings.format, quality=settings.quality, compress_level=4)  # as perturb's
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        field = "id" if job.record else "image"
        return _placed(DataError("a name that no other image's folder has", name, field=field), job)
    counts = Counter(
        images=1,
        up=max(way.scales) > 1,
        down=max(way.scales) <= 1 and min(way.scales) < 1,
        cropped=way.crops,
        padded=way.pads,
        turned=shown.turn != 1,
        converted=shown.converted,
        profiles=shown.bad_profile,
    )
    line: dict[str, Any] = {"image": name}
    if job.record is not None:
        line = to_record(_refitted(job.record, name, shown, way, settings, counts))
    return _Done(line, fingerprint(shown.image), counts)


def _refitted(
    record: Annotation, name: str, shown: DisplayImage, way: Fit, settings: Settings, counts: Counter[str]
) -> Annotation:
    """The record of the new image; what happens to its regions is added to the counts."""
    regions = []
    for region in record.regions:
        box, share = way.box(turned_box(region.bbox, shown.turn, shown.stored_wh))
        if not share or share < settings.min_visible:
            counts["dropped"] += 1
            continue
        counts["cut"] += share < 1
        regions.append(Region(box, region.caption))
    counts["bare"] += bool(record.regions) and not regions
    extra = {name: value for name, value in record.extra.items() if name != GROUP}
    width, height = way.wh
    return replace(record, image=name, width=width, height=height, regions=tuple(regions), extra=extra)


def _write_lists(
    lines: IO[str], contents: Sequence[int], phashes: Sequence[int], out: Path, distance: int
) -> Counter[str]:
    """`duplicates.csv` and, of records, `annotations.jsonl`; how many images are duplicates of an earlier one."""
    import numpy as np

    exact = groups(map(Fingerprint, contents, phashes), None)
    near = groups(map(Fingerprint, contents, phashes), distance)
    twins, mates = np.bincount(exact), np.bincount(near)
    numbers = np.cumsum(mates > 1)
    rows: list[tuple[int, str, str, int]] = []  # of images that have a duplicate: group, kind, path, index

    def grouped() -> Iterator[dict[str, Any]]:
        for index, text in enumerate(lines):
            line = json.loads(text)
            if mates[near[index]] > 1:
                line[GROUP] = int(numbers[near[index]])
                kind = "exact" if twins[exact[index]] > 1 else "near"
                rows.append((line[GROUP], kind, line["image"], index))
            yield line

    lines.seek(0)
    records = "id" in json.loads(lines.readline() or "{}")
    lines.seek(0)
    if records:
        write_jsonl(out / "annotations.jsonl", grouped())
    else:
        deque(grouped(), maxlen=0)
    with open(out / "duplicates.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("group", "kind", "image", "distance"))
        for number, several in groupby(sorted(rows, key=itemgetter(0)), key=itemgetter(0)):
            first = None
            for _, kind, image, index in several:
                first = index if first is None else first
                table.writerow((number, kind, image, (phashes[index] ^ phashes[first]).bit_count()))
    return Counter(exact=len(exact) - len(twins), near=len(twins) - len(mates))
