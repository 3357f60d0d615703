"""Records as rows for ms-swift, and subsets of records by name.

The row carries `<bbox>` placeholders and the boxes in original pixels: ms-swift writes them into the text in the
coordinates of the trained backbone, so one annotation entry serves every chat template (Fig. 8). The gold for the
rewards is in `solution`, a JSON string, because ms-swift passes `objects` on only for batches that have some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .annotation import Annotation
from .answer import render_answer, target_regions
from .errors import NOTHING, DataError, OnError, raise_error
from .jsonl import to_compact_json
from .prompts import QUESTION, system_prompt
from .variants import VARIANTS, variant_named

_SUBSET = re.compile(r"(?:all|fold(?P<fold>[0-3])_(?P<part>train|test))(?:__(?P<variant>\w+))?")


class Subset(NamedTuple):
    """A selection of records, and the variant of their answers.

    Attributes:
        fold: the held-out fold, or None for all records.
        part: 'train' (the other folds) or 'test' (the fold itself).
        variant: one of `variants.VARIANTS`.
    """

    fold: int | None = None
    part: str = "train"
    variant: str = "full"


def parse_subset(name: str) -> Subset:
    """Return the subset of a name.

    Raises:
        ValueError: no such subset; the message lists all subsets.

    >>> parse_subset("fold0_train")
    Subset(fold=0, part='train', variant='full')
    >>> parse_subset("fold3_test__no_bbox").variant
    'no_bbox'
    """
    match = _SUBSET.fullmatch(name)
    variant = match and (match["variant"] or "full")
    if not match or variant not in VARIANTS:
        raise ValueError(
            f"fakexplained:{name}: no such subset; expected fold0_train … fold3_test or all, "
            f"each also with __ and a variant: {', '.join(VARIANTS)}"
        )
    fold = int(match["fold"]) if match["fold"] else None
    return Subset(fold, match["part"] or "train", str(variant))


def select(
    annotations: Iterable[Annotation], subset: Subset, *, on_error: OnError = raise_error
) -> Iterator[Annotation]:
    """Yield the records of a subset.

    Args:
        annotations: the records.
        subset: the selection.
        on_error: called with the error of each skipped record; by default the first one is raised.

    Raises:
        DataError: the subset is a fold, and a record has none.
    """
    for annotation in annotations:
        if subset.fold is not None and annotation.fold is None:
            missing = DataError("0, 1, 2 or 3 (`fakexplain split` assigns folds)", NOTHING, field="fold")
            on_error(missing.at_record(annotation))
        elif subset.fold is None or (annotation.fold == subset.fold) == (subset.part == "test"):
            yield annotation


def to_row(annotation: Annotation, variant: str = "full") -> dict[str, Any]:
    """The ms-swift row of a record.

    Returns:
        messages (system, user, assistant), images (one path), objects (boxes in original pixels, reading order; empty
        lists if the variant has no boxes or the image has none) and solution (JSON: id, label, size, boxes, tags,
        variant).
    """
    boxes = [list(region.bbox) for region in target_regions(annotation)]
    return {
        "messages": [
            {"role": "system", "content": system_prompt(variant)},
            {"role": "user", "content": f"<image>{QUESTION}"},
            {"role": "assistant", "content": render_answer(annotation, variant)},
        ],
        "images": [str(annotation.path)],
        "objects": {"ref": [], "bbox": boxes if variant_named(variant).boxes else []},
        "solution": to_compact_json(
            {
                "id": annotation.id,
                "label": annotation.label,
                "size": [annotation.width, annotation.height],
                "boxes": boxes,
                "tags": list(annotation.tags),
                "variant": variant,
            }
        ).decode(),
    }
