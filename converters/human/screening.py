"""Screening of generated images (App. A.1): keep or drop, and why.

"Generated images went through manual screening to remove images that can be easily identified as AI-generated. The
filter process is conducted manually to filter out low-quality images that depict non-identifiable objects or if no part
of the image is real."
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from swift_plugins.fakexplain.csv_files import save_csv
from swift_plugins.fakexplain.errors import NOTHING, DataError, OnError, Unquoted
from swift_plugins.fakexplain.images import image_files
from swift_plugins.fakexplain.json_values import require

from ..drafts.draft import inner_path, one_line
from ..formats.label_studio_tasks import image_task
from ..images.prepare import Job
from .exports import read_annotated, texts_of

SCREEN_PAGE = Path(__file__).with_name("screen.xml")
KEEP, DROP = "keep", "drop"
NO_REASON = "no reason given"


class ScreeningDecision(NamedTuple):
    """What was decided about an image.

    Attributes:
        keep: whether it is kept.
        reasons: why it is dropped; at least one then.
        note: further words.
        place: file and task, for errors.
    """

    keep: bool
    reasons: tuple[str, ...] = ()
    note: str = ""
    place: str = ""


def screening_tasks(folder: Path, root: Path) -> Iterator[dict[str, Any]]:
    """One task per image below a folder; `path`, relative to it, leads the decision back to the image.

    Raises:
        ValueError: the folder is not below the root, from which Label Studio serves files.
    """
    for path in image_files(folder):
        task = image_task(path, root)
        task["data"]["path"] = path.relative_to(folder).as_posix()
        yield task


def read_decisions(paths: Sequence[Path]) -> dict[PurePosixPath, ScreeningDecision]:
    """Read the decisions of exports: path of an image, relative to the folder that was screened -> the decision.

    Several people may decide about one image, if they agree; their reasons are joined.

    Raises:
        FileNotFoundError: no such file.
        DataError: an export that is not of screening tasks, or decisions about one image that differ.
    """
    found: dict[PurePosixPath, ScreeningDecision] = {}
    for path in paths:
        for each in read_annotated(path):
            try:
                place = require(each.data, "path", str, "the path that `fakexplain label-studio screen` wrote", "data")
                image = inner_path(place, "data.path")
                decision = _decision(each.results, f"{path}: {each.at}")
                earlier = found.get(image, decision)
                if decision.keep != earlier.keep:
                    expected = f"the decision of {earlier.place}, {KEEP if earlier.keep else DROP!r}"
                    raise DataError(expected, KEEP if decision.keep else DROP, field="decision")
            except DataError as error:
                error.field = f"{each.at}.{error.field}"
                raise error.at(str(path), 0) from None
            reasons = tuple(dict.fromkeys((*earlier.reasons, *decision.reasons)))
            note = "; ".join(dict.fromkeys(filter(None, (earlier.note, decision.note))))
            found[image] = ScreeningDecision(decision.keep, reasons, note, earlier.place)
    return found


def _decision(results: Sequence[Mapping[str, Any]], place: str) -> ScreeningDecision:
    words = texts_of(results)
    chosen = words.get("decision", [])
    if chosen not in ([KEEP], [DROP]):
        raise DataError(f"{KEEP!r} or {DROP!r}", Unquoted(", ".join(chosen)) if chosen else NOTHING, field="decision")
    if chosen == [KEEP]:
        return ScreeningDecision(True, place=place)
    return ScreeningDecision(
        False, tuple(words.get("reason", [])) or (NO_REASON,), one_line(" ".join(words.get("note", []))), place
    )


def select_kept(
    jobs: Iterable[Job],
    folder: Path,
    decisions: Mapping[PurePosixPath, ScreeningDecision],
    dropped: dict[PurePosixPath, ScreeningDecision],
    on_error: OnError,
) -> Iterator[Job]:
    """Yield the images that are kept.

    Args:
        jobs: images below the folder.
        folder: that was screened.
        decisions: of `read_decisions`.
        dropped: the others are added to it.
        on_error: called with the error of each image without a decision, which is skipped.
    """
    for job in jobs:
        image = PurePosixPath(job.path.relative_to(folder).as_posix())
        decision = decisions.get(image)
        if decision is None:
            on_error(DataError("a decision about this image in --decisions", NOTHING, file=str(job.path)))
        elif decision.keep:
            yield job
        else:
            dropped[image] = decision


def save_dropped(path: Path, dropped: Mapping[PurePosixPath, ScreeningDecision]) -> None:
    """Write a CSV table of the dropped images: image, reasons, note."""
    rows = ((str(image), "; ".join(each.reasons), each.note) for image, each in dropped.items())
    save_csv(path, ("image", "reasons", "note"), rows)


def count_reasons(dropped: Iterable[ScreeningDecision]) -> dict[str, int]:
    """Reason -> number of images dropped for it, the most frequent first; an image may have several."""
    return dict(Counter(reason for each in dropped for reason in each.reasons).most_common())
