"""Page of quality control: one HTML file with tables and pictures of the worst disagreements; no script, no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation, Region, reading_order
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.page_templates import load_template
from swift_plugins.fakexplain.parallel import map_ordered
from swift_plugins.fakexplain.percentages import percent
from swift_plugins.fakexplain.pictures.data_uri import to_jpeg_data_uri
from swift_plugins.fakexplain.pictures.lettering import Pen
from swift_plugins.fakexplain.pictures.overlay import draw_boxes, load_picture, scale_boxes, select_boxes, to_letter
from swift_plugins.fakexplain.tags import TAG_WORDS

from .agreement import compare, judgement_of
from .lint import RULES

LONGER_SIDE = 480  # pixels of a picture; more only makes the page large
RecordPair = tuple[Annotation, Annotation]


def render_page(metrics: Mapping[str, Any], pairs: Iterable[Mapping[str, Any]], worst: Iterable[RecordPair]) -> str:
    """Render the page.

    Args:
        metrics: content of qc.json.
        pairs: rows of pairs.csv, by column.
        worst: an annotator's record and the reference's of the same image, the worst first. The images are opened; a
            message replaces one that cannot be read.

    Returns:
        HTML in which all content of records is text.
    """
    template = load_template(Path(__file__).with_suffix(".html"), {"percent": partial(percent, digits=2)})
    disagreements = list(map_ordered(_disagreement, worst))
    return template.render(metrics, pairs=list(pairs), worst=disagreements, rules=RULES) + "\n"


def _disagreement(pair: RecordPair) -> dict[str, Any]:
    """Values of the template for one image."""
    record, reference = pair
    comparison = compare(judgement_of(record), judgement_of(reference))
    gold = {str(number): region for number, region in enumerate(reading_order(reference.regions), 1)}
    pred = {to_letter(index): region for index, region in enumerate(reading_order(record.regions))}
    sides = [
        {
            "who": who,
            "kind": kind,
            "label": each.label,
            "captions": [(mark, region.caption) for mark, region in regions.items()],
            "tags": [TAG_WORDS[tag] for tag in each.tags],
        }
        for who, kind, each, regions in (
            ("Reference", "gold", reference, gold),
            (record.annotator or "Annotator", "pred", record, pred),
        )
    ]
    fields = {"id": record.id, "annotator": record.annotator, "iou": comparison.iou, "tags": comparison.tags}
    try:
        picture, wh = _draw(record, gold, pred)
    except DataError as error:
        message = f"The image is not shown. {error.field}: expected {error.expected}, found {error.found}"
        return fields | {"sides": sides, "picture": None, "refused": message}
    return fields | {"sides": sides, "picture": picture, "width": wh[0], "height": wh[1]}


def _draw(record: Annotation, gold: Mapping[str, Region], pred: Mapping[str, Region]) -> tuple[str, tuple[int, int]]:
    """The image with both sides' boxes, as a data URI, and its size.

    Raises:
        DataError: the image is missing, cannot be read, or has another size than its record.
    """
    picture = load_picture(record, LONGER_SIDE)
    in_gold, in_pred = (scale_boxes(select_boxes(regions), record.image_wh, picture) for regions in (gold, pred))
    draw_boxes(picture, in_gold, in_pred, Pen(LONGER_SIDE))
    return to_jpeg_data_uri(picture, subsampling=0), picture.size  # full colour resolution, for thin coloured lines
