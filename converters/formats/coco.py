"""COCO: one JSON file of images, annotations and categories.

A caption is the annotation's `attributes.caption`, `attributes.description` or `caption`, or another attribute named in
`statements.CAPTIONS`, else the name of its category. Statements about an image (label, tags, id, generator ...) are in
its `attributes` or at its top level, under the record's own names; COCO's keys for a picture's origin (license,
date_captured, flickr_url, coco_url) are skipped. An annotation describes its image too: by a category that is a tag,
and by the attributes `tag`, `tags`, `generator`, `family`, `class_name` and `annotator`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.annotation import Annotation
from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError, OnError, Unquoted, raise_error
from swift_plugins.fakexplain.images import path_in
from swift_plugins.fakexplain.json_values import read_box, require
from swift_plugins.fakexplain.jsonl import to_json

from ..drafts.attributes import by_name, is_empty
from ..drafts.draft import Draft, DraftRegion, Piece, Unusable, folder_of, one_line, only_file
from ..drafts.fields import own_fields, read_statement, size
from ..drafts.shapes import flat_hull, rotated_box, run_length_box
from ..drafts.sink import each_good
from ..drafts.statements import add_region, caption_among
from .coco_stream import category_of, has_area, stream_images

_COCO_KEYS = ("id", "file_name", "width", "height", "attributes", "license", "date_captured", "flickr_url", "coco_url")

_ANNOTATION_KEYS = ("id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd", "attributes", "caption")

_EXACT_BOX = "bbox_xyxy"
"""Attribute of an annotation that holds the record's exact box, written if x + (x2 - x1) is not exactly x2."""


def load_coco(src: Path) -> Iterator[Piece]:
    """The images of a COCO file, each with its annotations, as `stream_images` yields them.

    Args:
        src: the file, or a folder with one JSON file.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: as `stream_images`.
    """
    path = only_file(src, "*.json")
    subset = path.stem.rpartition("instances_")[2]  # CVAT's archive has images/SUBSET/ of annotations/instances_SUBSET
    for data in stream_images(path):
        yield Piece(data | {"subset": subset if path.parent != folder_of(src) else ""}, str(path))


def from_coco(data: Any) -> list[Draft]:
    """The draft of one image.

    Its id is `id` in its attributes, else its own id if that is a string, else its path without the suffix.

    Args:
        data: as `stream_images` yields it.

    Raises:
        DataError: a field is missing or wrong, two images have one id, or an annotation belongs to no image.

    >>> image = {"id": 7, "file_name": "a.png", "width": 64, "height": 48}
    >>> hand = {"image_id": 7, "bbox": [3, 4, 10, 5], "caption": "Six fingers."}
    >>> more = {"at": "images[0]", "categories": {}, "twin": None}
    >>> (draft,) = from_coco({"image": image, "annotations": [("annotations[0]", hand)], **more})
    >>> draft.image, [region[:3] for region in draft.regions]
    ('a.png', [((3, 4, 13, 9), 'Six fingers.', 'annotations[0]')])
    """
    at = data["at"]
    if "orphan" in data:
        expected = "the id of an image of this file"
        id = require(data["orphan"], "image_id", (int, float, str), expected, at)
        raise DataError(expected, id, field=f"{at}.image_id")
    image = data["image"]
    own_id = require(image, "id", (int, float, str), "the image's id", at)
    if data["twin"]:
        raise DataError(f"a unique id, but {data['twin']} has the same one", own_id, field=f"{at}.id")
    name = require(image, "file_name", str, "the path of the image", at)
    top = {key: value for key, value in image.items() if key not in _COCO_KEYS}
    statement = read_statement(top | _attributes(image, at), f"{at}.")
    statement.id = statement.id or (own_id if isinstance(own_id, str) else None)
    wh = size(image, "width", "height", at)
    regions = []
    for place, annotation in data["annotations"]:
        category = category_of(data["categories"], annotation)
        regions.append(_region(annotation, place, category, wh))
        add_region(statement, [category], _attributes(annotation, place), f"{place}.attributes")
    subset = data.get("subset")
    others = (f"images/{subset}/{name}",) if subset else ()
    return [Draft(name, regions=regions, wh=wh, image_at=f"{at}.file_name", others=others, **vars(statement))]


def _region(annotation: Any, at: str, category: str | None, wh: tuple[int, int] | None) -> DraftRegion:
    attributes = _attributes(annotation, at)
    degrees = by_name(attributes).get("rotation") if has_area(annotation.get("bbox")) else None
    box: Box | Unusable
    try:
        box = _box(annotation, at, wh)
        if degrees:
            degrees = require({"rotation": degrees}, "rotation", float, "a number of degrees", f"{at}.attributes")
            x1, y1, x2, y2 = box
            box = rotated_box(x1, y1, x2 - x1, y2 - y1, degrees, ((x1 + x2) / 2, (y1 + y2) / 2), f"{at}.bbox")
    except Unusable as error:
        box = error
    further = {name: value for name, value in annotation.items() if name not in _ANNOTATION_KEYS}
    return DraftRegion(box, _caption(annotation, at, category), at, further | attributes, bool(degrees))


def _attributes(data: dict[str, Any], at: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise DataError("a JSON object", data, field=at)
    attributes = data.get("attributes") or None
    if not isinstance(attributes, (dict, type(None))):
        raise DataError("an object", attributes, field=f"{at}.attributes")
    return attributes or {}


def _box(annotation: dict[str, Any], at: str, wh: tuple[int, int] | None) -> Box:
    bbox = annotation.get("bbox")
    if not has_area(bbox) and (is_empty(bbox) or not is_empty(annotation.get("segmentation"))):
        return _outline(annotation, at, wh)
    x, y, width, height = read_box(bbox, "four numbers x, y, width, height", f"{at}.bbox")
    if not width or not height:
        raise Unusable("a width and a height above 0", bbox, field=f"{at}.bbox")
    box = x, y, x + width, y + height
    exact = _attributes(annotation, at).get(_EXACT_BOX)
    if exact is not None:
        exact = read_box(exact, "four numbers x1, y1, x2, y2", f"{at}.attributes.{_EXACT_BOX}")
        if all(abs(a - b) <= 1e-6 for a, b in zip(exact, box, strict=True)):
            return exact  # otherwise the box has been moved since
    return box


def _outline(annotation: dict[str, Any], at: str, wh: tuple[int, int] | None) -> Box:
    """The tight box of an annotation's polygons or run lengths."""
    place = f"{at}.segmentation"
    polygons = annotation.get("segmentation")
    if is_empty(polygons):
        raise Unusable("four numbers x, y, width, height, or a segmentation", Unquoted("nothing"), field=f"{at}.bbox")
    if isinstance(polygons, dict):
        box, mask_wh = run_length_box(polygons, place)
        if wh and mask_wh != wh:
            raise DataError(f"a mask of the image's size, {wh[0]}x{wh[1]}", list(mask_wh), field=f"{place}.size")
        return box
    expected = "polygons [x, y, x, y, x, y ...]"
    if not isinstance(polygons, list):
        raise DataError(expected, polygons, field=place)
    if not any(isinstance(polygon, list) for polygon in polygons):
        polygons = [polygons]
    boxes = [flat_hull(polygon, expected, f"{place}[{index}]") for index, polygon in enumerate(polygons)]
    x1, y1, x2, y2 = zip(*boxes, strict=True)
    return min(x1), min(y1), max(x2), max(y2)


def _caption(annotation: dict[str, Any], at: str, category: str | None) -> str | DataError:
    attributes = by_name(_attributes(annotation, at))
    for holder, name, place in (
        (attributes, "caption", f"{at}.attributes"),
        (attributes, "description", f"{at}.attributes"),
        (annotation, "caption", at),
    ):
        if not is_empty(holder.get(name)) and (
            caption := one_line(require(holder, name, str, "a caption as text", place))
        ):
            return caption
    if caption := caption_among(attributes):
        return caption
    expected = "a caption, or the id of a category of this file"
    if category is None or is_empty(category):
        return DataError(expected, annotation.get("category_id", Unquoted("nothing")), field=f"{at}.category_id")
    return one_line(category)


def to_coco_image(annotation: Annotation, number: int, file_name: str) -> dict[str, Any]:
    """The image object of a record; the record's other fields are its attributes.

    >>> to_coco_image(Annotation("a", "a.png", 8, 6, "real"), 1, "a.png")["attributes"]
    {'id': 'a', 'label': 'real', 'tags': []}
    """
    return {
        "id": number,
        "file_name": file_name,
        "width": annotation.width,
        "height": annotation.height,
        "attributes": own_fields(annotation),
    }


def to_coco_annotations(annotation: Annotation, image: int, first: int) -> list[dict[str, Any]]:
    """The annotation objects of a record: one per region, numbered from `first`, all of the image with that id.

    >>> from swift_plugins.fakexplain.annotation import Region
    >>> record = Annotation("a", "a.png", 64, 48, "fake", (Region((3.0, 4.0, 13.0, 9.0), "Six fingers."),))
    >>> (hand,) = to_coco_annotations(record, 7, 1)
    >>> hand["bbox"], hand["area"], hand["attributes"]
    ([3.0, 4.0, 10.0, 5.0], 50.0, {'caption': 'Six fingers.'})
    """
    objects = []
    for number, region in enumerate(annotation.regions, first):
        x1, y1, x2, y2 = region.bbox
        width, height = x2 - x1, y2 - y1
        attributes: dict[str, Any] = {"caption": region.caption}
        if (x1 + width, y1 + height) != (x2, y2):
            attributes[_EXACT_BOX] = list(region.bbox)
        objects.append(
            {
                "id": number,
                "image_id": image,
                "category_id": 1,
                "bbox": [x1, y1, width, height],
                "area": width * height,
                "segmentation": [],
                "iscrowd": 0,
                "attributes": attributes,
            }
        )
    return objects


def save_coco(annotations: Iterable[Annotation], out: Path, *, images: Path, on_error: OnError = raise_error) -> int:
    """Write one JSON file; the images stay where they are, and `file_name` is relative to `images`. See `Writer`."""

    def find(annotation: Annotation) -> tuple[Annotation, str]:
        return annotation, str(path_in(images, annotation))

    count, regions = 0, 0
    with open(out, "wb") as file, tempfile.TemporaryFile(dir=out.parent) as second:
        file.write(b'{"categories": [{"id": 1, "name": "flaw"}],\n"images": [')
        for count, (annotation, path) in enumerate(each_good(annotations, find, on_error), 1):
            image = to_coco_image(annotation, count, path)
            file.write((b",\n" if count > 1 else b"\n") + to_json(image))
            for each in to_coco_annotations(annotation, count, regions + 1):
                regions += 1
                second.write((b",\n" if regions > 1 else b"\n") + to_json(each))
        file.write(b'],\n"annotations": [')
        second.seek(0)
        shutil.copyfileobj(second, file)
        file.write(b"]}\n")
    return count
