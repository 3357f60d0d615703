"""Choose records to draw, each with the answers of systems."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from ...annotation import Annotation
from ...errors import DataError, Unquoted
from ...frames import FrameRule
from ...mentions import Mention
from ..metrics.image import Scored, score_image
from ..predictions.answers import read_predictions
from ..predictions.join import index_by_image, join_all
from ..run import recorded_answers

AnsweredRecord = tuple[Annotation, dict[str, Scored | None]]
"""A record, and system -> its answer with regions in original pixels, None without an answer."""


def attach_run_answers(records: Iterable[Annotation], systems: Sequence[str]) -> Iterator[AnsweredRecord]:
    """Yield each record of a run with the answers of some of its systems.

    Args:
        records: lines of images.jsonl, streamed.
        systems: names of the systems.

    Raises:
        DataError: an answer is not as `fakexplain score` writes it.
    """
    for record in records:
        answers = recorded_answers(record)
        yield record, {name: _to_scored(record.label, answers.get(name)) for name in systems}


def attach_file_answers(
    records: Iterable[Annotation], systems: Mapping[str, Sequence[Path]], rule: FrameRule, variant: str
) -> Iterator[AnsweredRecord]:
    """Yield each record that a system answers, with the answers; without systems, yield every record.

    Args:
        records: streamed.
        systems: name -> files that `swift infer` wrote.
        rule: frame rule of the runs that wrote them.
        variant: the parts that answers should contain.

    Raises:
        FileNotFoundError, ValueError: as `read_predictions` and `join_all` raise them.
    """
    predictions = {
        name: index_by_image(each for path in paths for each in read_predictions(path))
        for name, paths in systems.items()
    }
    for record, found in join_all(records, predictions):
        if not systems or any(found.values()):
            yield record, {name: each and score_image(record, each.text, rule, variant) for name, each in found.items()}


def _to_scored(label: str, answer: Mapping[str, Any] | None) -> Scored | None:
    if answer is None:
        return None
    regions = tuple(Mention(each["bbox"] and tuple(each["bbox"]), each["caption"]) for each in answer["regions"])
    tags = None if answer["tags"] is None else tuple(answer["tags"])
    return Scored(label, answer["verdict"], iou=answer["iou"], regions=regions, tags=tags)


def select_ids(records: Iterable[AnsweredRecord], ids: Collection[str], source: Path) -> list[AnsweredRecord]:
    """Select the records with the given ids, in the order of the records.

    Args:
        records: streamed to the end.
        ids: ids of the records to keep.
        source: file or folder of the records, for error messages.

    Raises:
        DataError: an id belongs to no record.
    """
    selected = [each for each in records if each[0].id in ids]
    if unknown := set(ids) - {record.id for record, _ in selected}:
        raise DataError(f"ids that exist in {source}", Unquoted(", ".join(sorted(unknown)[:5])), field="--id")
    return selected


Item = TypeVar("Item")


def sample(items: Iterable[Item], count: int, seed: int = 0) -> list[Item]:
    """Draw a random sample of items, each equally likely, in their order; keep no more than the sample in memory.

    Args:
        items: any number, streamed.
        count: largest number of items; 0 takes all.
        seed: the same seed draws the same items.

    >>> sample("abcdefgh", 3), sample("ab", 3), sample("ab", 0)
    (['b', 'f', 'g'], ['a', 'b'], ['a', 'b'])
    """
    rng = random.Random(seed)
    kept: list[tuple[int, Item]] = []
    for index, item in enumerate(items):
        if not count or index < count:
            kept.append((index, item))
        elif (place := rng.randrange(index + 1)) < count:
            kept[place] = (index, item)
    return [item for _, item in sorted(kept, key=itemgetter(0))]
