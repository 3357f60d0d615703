"""The report's gallery: choose images of the runs, and prepare their data for the page's script.

A run may have a hundred thousand images. They are read twice, one at a time: once to choose images, keeping only ranks
and ids, and once to gather the answers of every system about the chosen images.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from ...annotation import Annotation
from ...answer import target_regions
from ...errors import DataError
from ...mentions import Mention, RegionLike
from ...parallel import map_ordered
from ...pictures.data_uri import to_jpeg_data_uri
from ...pictures.overlay import load_picture, place_badges, to_letter
from ..run import RecordedAnswers, Run
from ..systems import without_checkpoints

ENLARGED = 2  # largest factor; further enlarging shows no more detail
LONGEST_ANSWER = 4000  # most characters shown of an answer with problems
BADGE = 24  # height of a badge, in pixels of the shown picture

VoteShares = Mapping[str, Mapping[str, float]]
_ImageKey = tuple[str, str]  # set, id


@dataclass(frozen=True)
class Gallery:
    """The content of the gallery.

    Attributes:
        images: data of each image for the page's script, in the order of the runs and their files.
        systems: names, in the order of the runs; without checkpoints, unless there are no other systems.
        sets: names of the data sets, in the same order.
        of: number of all images, from which these were chosen.
    """

    images: Sequence[Mapping[str, Any]]
    systems: Sequence[str]
    sets: Sequence[str]
    of: int


def build_gallery(
    runs: Sequence[Run], limit: int = 120, longer_side: int = 480, seed: int = 0, votes: VoteShares | None = None
) -> Gallery:
    """Choose images of runs, and gather their data for the page.

    Every run has an equal share. Within a run, each system's best and worst fake and real images alternate with random
    images. The best fake images are those called fake with the highest IoU, if known; ties are broken by P(fake), then
    at random. Real images have no IoU.

    Args:
        runs: runs on one data set and perturbation form one set, and their answers about an image are shown together.
        limit: largest number of images.
        longer_side: longer side of a shown image in pixels; smaller images are enlarged to at most twice their size.
        seed: seed of random choices.
        votes: id or path of an image -> system, or neutral -> share of the votes.

    Raises:
        DataError: a record is not as `fakexplain score` writes it.
    """
    systems = without_checkpoints({name: result for run in runs for name, result in run.systems.items()})
    runs = [run for run in runs if systems.keys() & run.systems.keys()]
    chosen = [_choose(run, systems, limit, seed) for run in runs]
    keys = set(_take_turns([each for each, _ in chosen], limit))
    gathered: dict[_ImageKey, tuple[Annotation, RecordedAnswers]] = {}
    for run in runs:
        for record, answers in _records(run, systems) if keys else ():
            if (key := (name_set(run), record.id)) in keys:
                gathered.setdefault(key, (record, {}))[1].update(answers)
    images = map_ordered(lambda each: _image(each[0][0], *each[1], longer_side, votes or {}), gathered.items())
    sets = dict.fromkeys(map(name_set, runs))
    counts = {(name_set(run), run.subset): count for run, (_, count) in zip(runs, chosen, strict=True)}
    return Gallery(list(images), list(systems), list(sets), sum(counts.values()))


def name_set(run: Run) -> str:
    """Name the gallery's set of a run's images."""
    return " · ".join(filter(None, (run.dataset, run.perturbation)))


@dataclass
class Best:
    """The items with the highest ranks. It keeps at most `count` items at a time; `chance` breaks ties.

    >>> best = Best(2)
    >>> for rank, item in ((0.1, "a"), (0.9, "b"), (0.5, "c")):
    ...     best.add((rank,), 0, item)
    >>> best.items()
    ['b', 'c']
    """

    count: int
    _heap: list[tuple[tuple[float, ...], float, str]] = field(default_factory=list)

    def add(self, rank: tuple[float, ...], chance: float, item: str) -> None:
        """Keep an item if it is among the best so far."""
        if len(self._heap) < self.count:
            heapq.heappush(self._heap, (rank, chance, item))
        elif self._heap and (rank, chance, item) > self._heap[0]:
            heapq.heapreplace(self._heap, (rank, chance, item))

    def items(self) -> list[str]:
        """Sort the items, the highest rank first."""
        return [item for _, _, item in sorted(self._heap, reverse=True)]


def rank(label: str, answer: Mapping[str, Any] | None) -> tuple[float, float, float]:
    """Rank an answer: right or wrong, then its IoU, then its probability of the label.

    >>> rank("fake", {"verdict": "fake", "iou": 0.5, "p_fake": 0.75}), rank("real", None)
    ((1, 0.5, 0.75), (0, 0.0, 0.0))
    """
    if answer is None:
        return 0, 0.0, 0.0
    p = answer["p_fake"]
    sure = 0.0 if p is None else p if label == "fake" else 1 - p
    return int(answer["verdict"] == label), answer["iou"] or 0.0, sure


def _choose(run: Run, systems: Collection[str], limit: int, seed: int) -> tuple[list[_ImageKey], int]:
    """Choose images of a run, the first to show at the head; also return the number of all its images."""
    rng = random.Random(seed)
    extremes: dict[tuple[str, str, int], Best] = {}  # label, system, 1 for the best and -1 for the worst
    random_ones, count = Best(limit), 0
    for record, answers in _records(run, systems):
        count += 1
        chance = rng.random()
        random_ones.add((), rng.random(), record.id)
        for system, answer in answers.items():
            goodness = rank(record.label, answer)
            for sign in (1, -1):
                best = extremes.setdefault((record.label, system, sign), Best(limit))
                best.add(tuple(sign * each for each in goodness), chance, record.id)
    order = [(label, system, sign) for sign in (1, -1) for label in ("fake", "real") for system in systems]
    lists = [random_ones.items(), *(extremes[key].items() for key in order if key in extremes)]
    return [(name_set(run), id) for id in _take_turns(lists, limit)], count


def _take_turns(lists: Sequence[Sequence[Any]], limit: int) -> list[Any]:
    """Take the first item of each list, then the second of each, and so on, without repeats, up to `limit` items."""
    taken: dict[Any, None] = {}
    for turn in zip_longest(*lists):
        for item in turn:
            if len(taken) == limit:
                return list(taken)
            if item is not None:
                taken[item] = None
    return list(taken)


def _records(run: Run, systems: Collection[str]) -> Iterator[tuple[Annotation, RecordedAnswers]]:
    for record, answers in run.images("gallery"):
        yield record, {name: answer for name, answer in answers.items() if name in systems}


def _image(
    set_: str, record: Annotation, answers: RecordedAnswers, longer_side: int, votes: VoteShares
) -> dict[str, Any]:
    """Prepare an image's data for the page's script: texts, numbers, and the picture once."""
    factor = min(longer_side / max(record.image_wh), ENLARGED)
    wh = tuple(max(1, round(side * factor)) for side in record.image_wh)
    gold = {str(number): region for number, region in enumerate(target_regions(record), 1)}
    return {
        "id": record.id,
        "set": set_,
        "label": record.label,
        "generator": record.generator,
        "pixels": record.image_wh,
        "wh": wh,
        **_picture(record, longer_side),
        "regions": _regions(gold, record.image_wh, wh),
        "tags": record.tags,
        "answers": {name: answer and _answer(answer, record.image_wh, wh) for name, answer in answers.items()},
        "votes": next((votes[key] for key in (record.id, record.image, str(record.path)) if key in votes), None),
    }


def _picture(record: Annotation, longer_side: int) -> dict[str, str]:
    """The image as a data URI, not enlarged, or the reason why it is missing."""
    try:
        picture = load_picture(record, min(longer_side, max(record.image_wh)))
    except DataError as error:
        return {"refused": f"{error.field}: expected {error.expected}, found {error.found}"}
    return {"src": to_jpeg_data_uri(picture, optimize=True)}


def _answer(answer: Mapping[str, Any], image_wh: Sequence[int], wh: Sequence[int]) -> dict[str, Any]:
    regions = [Mention(each["bbox"], each["caption"]) for each in answer["regions"]]
    pred = {to_letter(index): region for index, region in enumerate(regions)}
    shown = {**answer, "regions": _regions(pred, image_wh, wh)}
    if len(text := answer.get("text", "")) > LONGEST_ANSWER:
        shown["text"] = f"{text[:LONGEST_ANSWER]}… and {len(text) - LONGEST_ANSWER} more characters"
    return shown


def _regions(regions: Mapping[str, RegionLike], image_wh: Sequence[int], wh: Sequence[int]) -> list[dict[str, Any]]:
    """Regions with their boxes and badges in pixels of the shown picture: x1, y1, x2, y2."""
    scale = [new / old for new, old in zip(wh, image_wh, strict=True)] * 2
    boxes = {
        mark: tuple(round(value * factor, 1) for value, factor in zip(region.bbox, scale, strict=True))
        for mark, region in regions.items()
        if region.bbox
    }
    badges = _badges(boxes, wh)
    return [
        {"mark": mark, "caption": region.caption, "box": boxes.get(mark), "badge": badges.get(mark)}
        for mark, region in regions.items()
    ]


def _badges(boxes: Mapping[str, tuple[float, ...]], wh: Sequence[int]) -> dict[str, tuple[int, int, int, int]]:
    """Mark -> box of its badge in pixels of the shown picture: x1, y1, x2, y2."""
    outlines = [(round(x1), round(y1), round(x2), round(y2)) for x1, y1, x2, y2 in boxes.values()]
    sizes = [(BADGE + 9 * (len(mark) - 1), BADGE) for mark in boxes]
    places = place_badges(outlines, sizes, (wh[0], wh[1]), upward=[not mark.isdigit() for mark in boxes])
    corners = zip(boxes, places, sizes, strict=True)
    return {mark: (x, y, x + width, y + height) for mark, (x, y), (width, height) in corners}
