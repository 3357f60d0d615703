"""Who annotates which image: even shares, an overlap between annotators, and the control sample of the team (§3.3).

"These metrics were assessed on a validation set comprising 5% of the annotated images": the team annotates the control
sample too, and `fakexplain qc --reference` compares. Annotators do not see which of their images are in it.

All draws are stratified by generator, and repeatable by their seed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from math import floor
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.csv_files import save_csv

_ASSIGNED = "assigned_to"  # the field that `from_label_studio` reads


@dataclass(frozen=True)
class Assigned:
    """What is assigned of one image.

    Attributes:
        index: of the image's task.
        annotators: indices of its annotators, one or two.
        control: whether it is in the control sample.
    """

    index: int
    annotators: tuple[int, ...]
    control: bool


def assign(
    strata: Sequence[str], annotators: int, *, overlap: float = 0.0, control: float = 0.05, seed: int = 0
) -> list[Assigned]:
    """Assign every image to one annotator, and a share of them to a second one.

    Numbers of images differ by at most 1 between annotators, in all and in the control sample. The control sample and
    the shared images have each stratum's share, up to rounding.

    Args:
        strata: of each image, such as its generator.
        annotators: number of annotators.
        overlap: share of the images that a second annotator gets too.
        control: share of the images in the control sample.
        seed: the same seed assigns the same images.

    Raises:
        ValueError: an overlap with a single annotator, or fewer images than annotators.

    >>> [each.annotators for each in assign(["FLUX.1-dev"] * 4, 2, overlap=0.5)]
    [(1,), (1, 0), (1, 0), (0,)]
    """
    if overlap and annotators < 2:
        raise ValueError("an overlap needs 2 annotators or more, found 1")
    if len(strata) < annotators:
        raise ValueError(f"expected at least one image per annotator, found {len(strata)} for {annotators}")
    controls = {*draw_share(strata, control, f"{seed} control")}
    shared = {*draw_share(strata, overlap, f"{seed} overlap")}
    order = sorted(
        range(len(strata)), key=lambda index: (index not in controls, strata[index], _rank(seed, "order", index))
    )
    dealt = _deal(((index, 1 + (index in shared)) for index in order), annotators, seed)
    return [Assigned(index, dealt[index], index in controls) for index in range(len(strata))]


def draw_share(strata: Sequence[str], share: float, seed: str) -> list[int]:
    """Draw a share of items, each stratum's in proportion (largest remainders); indices in order.

    >>> [len(draw_share(["a"] * 90 + ["b"] * 10, share, "0")) for share in (0, 0.05, 1)]
    [0, 5, 100]
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, stratum in enumerate(strata):
        members[stratum].append(index)
    exact = {stratum: Fraction(share).limit_denominator(10**6) * len(each) for stratum, each in members.items()}
    counts = {stratum: floor(number) for stratum, number in exact.items()}
    missing = floor(sum(exact.values()) + Fraction(1, 2)) - sum(counts.values())
    by_remainder = sorted(exact, key=lambda stratum: (counts[stratum] - exact[stratum], _rank(seed, stratum)))
    for stratum in by_remainder[:missing]:
        counts[stratum] += 1
    return sorted(
        index
        for stratum, each in members.items()
        for index in sorted(each, key=lambda index: _rank(seed, stratum, index))[: counts[stratum]]
    )


def _deal(images: Iterable[tuple[int, int]], annotators: int, seed: int) -> dict[int, tuple[int, ...]]:
    """Deal images, each to one or two annotators; every round goes once through all of them, in an order of its own."""
    dealt: dict[int, tuple[int, ...]] = {}
    rounds, waiting = 0, list[int]()
    for index, hands in images:
        chosen: list[int] = []
        while len(chosen) < hands:
            if not waiting:
                number, rounds = rounds, rounds + 1
                waiting = sorted(range(annotators), key=lambda each: _rank(seed, "round", number, each))
                if waiting[0] in chosen:  # the last of the round before
                    waiting[:2] = waiting[1::-1]
            chosen.append(waiting.pop(0))
        dealt[index] = tuple(chosen)
    return dealt


def _rank(*parts: object) -> bytes:
    """A random key that is the same on every machine."""
    return blake2b(" ".join(map(str, parts)).encode(), digest_size=8).digest()


def annotator_names(count: int) -> list[str]:
    """Names that say nothing about a person.

    >>> annotator_names(2)
    ['a01', 'a02']
    """
    return [f"a{number:02}" for number in range(1, count + 1)]


def tasks_of(
    tasks: Sequence[dict[str, Any]], assigned: Sequence[Assigned], annotator: int, name: str
) -> Iterator[dict[str, Any]]:
    """The tasks of one annotator, in their order, each with the annotator's name."""
    for each in assigned:
        if annotator in each.annotators:
            task = tasks[each.index]
            yield task | {"data": task["data"] | {_ASSIGNED: name}}


def control_tasks(tasks: Sequence[dict[str, Any]], assigned: Sequence[Assigned]) -> Iterator[dict[str, Any]]:
    """The tasks of the control sample, for the team, without a model's proposals, which would pull the reference."""
    for each in assigned:
        if each.control:
            yield {name: value for name, value in tasks[each.index].items() if name != "predictions"}


def assignment_counts(assigned: Sequence[Assigned], annotators: int) -> list[tuple[int, int, int]]:
    """Of each annotator: number of images, of those in the control sample, and of those shared with another."""

    def count(test: Callable[[Assigned], bool]) -> list[int]:
        found = Counter(annotator for each in assigned if test(each) for annotator in each.annotators)
        return [found[annotator] for annotator in range(annotators)]

    every, control = count(lambda each: True), count(lambda each: each.control)
    return list(zip(every, control, count(lambda each: len(each.annotators) > 1), strict=True))


def save_assignment(
    path: Path, tasks: Sequence[dict[str, Any]], assigned: Sequence[Assigned], names: Sequence[str]
) -> None:
    """Write a CSV table with one row per image and annotator: image, generator, control (1 or 0), annotator."""
    rows = (
        (data["image"], data.get("generator"), int(each.control), names[annotator])
        for each in assigned
        for data in (tasks[each.index]["data"],)
        for annotator in each.annotators
    )
    save_csv(path, ("image", "generator", "control", "annotator"), rows)
