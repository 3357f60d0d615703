"""The handout for annotators (App. A.2): "The handout contains positive and negative examples for each global tag, a
detailed bounding box annotation guideline, along with quality control metrics."

One HTML page for printing, without scripts or network. The meaning of a tag is the hint of the labelling page; examples
come from a data set of one's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from defusedxml.ElementTree import parse

from swift_plugins.fakexplain.annotation import Annotation, reading_order
from swift_plugins.fakexplain.page_templates import load_template
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.percentages import percent
from swift_plugins.fakexplain.pictures.data_uri import to_jpeg_data_uri
from swift_plugins.fakexplain.pictures.lettering import Pen
from swift_plugins.fakexplain.pictures.overlay import load_picture
from swift_plugins.fakexplain.pictures.panels import draw_regions
from swift_plugins.fakexplain.tags import TAG_WORDS, TAGS, canonical_tag

from ..formats.label_studio_tasks import CONFIG
from ..quality.agreement import MIN_IOU, MIN_TAGS

_LONGER_SIDE = 420  # pixels of a picture; more only makes the page large
_MAX_CAPTIONS = 6  # captions under a picture


class Examples(NamedTuple):
    """Examples of one tag: images that have it, and images that do not."""

    positive: list[Annotation]
    negative: list[Annotation]


def tag_meanings() -> dict[str, str]:
    """Canonical tag -> its meaning, as the labelling page explains it."""
    choices = parse(CONFIG).iter("Choice")
    named = {canonical_tag(each.get("value")): each.get("hint") for each in choices}
    return {tag: named[tag] for tag in TAGS}


def choose_examples(records: Iterable[Annotation], each: int = 2, seed: int = 0) -> dict[str, Examples]:
    """Choose examples of every tag: of different generators where there are several, no image twice in a tag.

    Negative examples are real images and, if there are fewer than asked for, fake ones without the tag.

    Args:
        records: of a data set; all are kept in memory.
        each: number of positive and of negative examples of a tag.
        seed: the same seed chooses the same images.

    Returns:
        Tag -> its examples, fewer where the data set has fewer.
    """
    fakes: dict[bool, dict[str, list[Annotation]]] = {False: defaultdict(list), True: defaultdict(list)}
    real: list[Annotation] = []
    for record in records:
        if record.label == "real":
            real.append(record)
        for tag in TAGS if record.label == "fake" else ():
            fakes[tag in record.tags][tag].append(record)
    found = {}
    used: set[str] = set()
    for tag in TAGS:
        positive = _choose(fakes[True][tag], each, f"{seed} {tag}", used)
        negative = _choose(real, each, f"{seed} {tag}", used)
        negative += _choose(fakes[False][tag], each - len(negative), f"{seed} not {tag}", used)
        used |= {record.id for record in (*positive, *negative)}
        found[tag] = Examples(positive, negative)
    return found


def _choose(records: Sequence[Annotation], number: int, seed: str, used: set[str]) -> list[Annotation]:
    """Records in random order, images that no other tag shows first, and generators in turn."""
    order = sorted(records, key=lambda record: (record.id in used, _rank(seed, record.id)))
    chosen: list[Annotation] = []
    generators: dict[str | None, int] = defaultdict(int)
    while order and len(chosen) < number:
        record = min(order, key=lambda each: generators[each.generator])
        order.remove(record)
        generators[record.generator] += 1
        chosen.append(record)
    return chosen


def _rank(seed: str, id: str) -> bytes:
    return blake2b(f"{seed} {id}".encode(), digest_size=8).digest()


def render_handout(examples: Mapping[str, Examples], title: str) -> str:
    """Render the page.

    Args:
        examples: tag -> its examples, whose images are opened.
        title: its heading.

    Returns:
        HTML in which all content of records is text.

    Raises:
        DataError: an image is missing, unreadable, or its size differs from the record.
    """
    template = load_template(Path(__file__).with_suffix(".html"))
    meanings = tag_meanings()
    tags = [
        {
            "name": TAG_WORDS[tag].capitalize(),
            "meaning": meanings[tag],
            "positive": list(map_ordered(_example, found.positive)),
            "negative": list(map_ordered(_example, found.negative)),
        }
        for tag, found in examples.items()
    ]
    return template.render(title=title, tags=tags, min_iou=percent(MIN_IOU, 0), min_tags=percent(MIN_TAGS, 0)) + "\n"


def _example(record: Annotation) -> dict[str, Any]:
    """Values of the template for one picture."""
    marks = {str(number): region for number, region in enumerate(reading_order(record.regions), 1)}
    picture = load_picture(record, _LONGER_SIDE)
    drawn = draw_regions(picture, record.image_wh, marks, {}, Pen(_LONGER_SIDE))
    captions = [(mark, region.caption) for mark, region in marks.items()]
    return {
        "label": record.label,
        "generator": record.generator if record.label == "fake" else None,
        "tags": ", ".join(TAG_WORDS[tag] for tag in record.tags),
        "picture": to_jpeg_data_uri(drawn),
        "wh": drawn.size,
        "captions": captions[:_MAX_CAPTIONS],
        "more": len(captions[_MAX_CAPTIONS:]),
    }
