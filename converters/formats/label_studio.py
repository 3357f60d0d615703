"""Label Studio: the JSON export. `label_studio_tasks` writes the tasks for annotators.

Rectangles, polygons and ellipses are regions, with or without labels. A region's caption is its own text area, else the
text of its meta, else its label; a label that is a tag is a tag of the image too. Choices and text areas of the whole
image that are named accordingly (`verdict`, `tags`, `choice` ...) give the label (`real`, `fake`) and the tags, by any
of their names. All other results are kept under their names, and so are the fields of a task's `data`. (A `label` or
`tags` in `data` does not come from an annotator and is skipped.)

Label Studio shows images as browsers do, turned by their EXIF; its percentages refer to the upright image, even if the
annotator turned the view (`image_rotation`).

If several people annotated one task, each annotation is a record of its own, with the id ID@ANNOTATOR. Cancelled
annotations (`was_cancelled`), predictions, relations and the regions of a task's other images are skipped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.images import IMAGE_SUFFIXES
from swift_plugins.fakexplain.json_values import check_numbers, require

from ..drafts.attributes import is_empty
from ..drafts.draft import Draft, DraftRegion, Piece, Unusable, one_line, only_file
from ..drafts.fields import is_text_list, other_fields, own_id, read_statement, size
from ..drafts.json_files import load_items
from ..drafts.shapes import ellipse_box, hull, rotated_box, xywh_box
from ..drafts.statements import NAMED, add_field, add_tags
from .label_studio_paths import local_paths
from .label_studio_results import CONTROLS, NUMBERS, SHAPES, ToolResult, list_results, select_results


def load_label_studio(src: Path) -> Iterator[Piece]:
    """The tasks of a JSON export, one at a time.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: the file is not JSON, or not a list of tasks.
    """
    path = only_file(src, "*.json")
    at = ""
    for at, task in load_items(path):
        yield Piece(task, str(path), at=at)
    if not at:
        raise DataError("a list of tasks: Label Studio's export as JSON", Unquoted("none")).at(str(path), 0)


def from_label_studio(data: Any) -> list[Draft]:
    """The drafts of one task, one per annotation.

    Raises:
        DataError: a field is missing or wrong; the task has no annotation; a brush stroke, a key point or another shape
            has no box; the image is on the web, or outside the folder of the images.

    >>> value = {"x": 10, "y": 20, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["flaw"]}
    >>> size = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    >>> box = size | {"id": "r", "from_name": "regions", "type": "rectanglelabels", "value": value}
    >>> text = {"id": "r", "from_name": "caption", "type": "textarea", "value": {"text": ["Six fingers."]}}
    >>> tags = {"id": "t", "from_name": "tags", "type": "choices", "value": {"choices": ["texture_error"]}}
    >>> annotation = {"completed_by": 7, "was_cancelled": False, "result": [box, text, tags]}
    >>> task = {"data": {"image": "/data/local-files/?d=images/a%20b.png"}, "annotations": [annotation]}
    >>> (draft,) = from_label_studio(task)
    >>> draft.image, draft.tags, draft.fields
    ('images/a b.png', ['texture_error'], {'annotator': '7'})
    >>> [region[:3] for region in draft.regions]
    [((4.0, 6.0, 24.0, 21.0), 'Six fingers.', 'annotations[0].result[0]')]
    """
    if isinstance(data, dict) and "completions" in data:
        found = Unquoted("an export of Label Studio 0.x")
        raise DataError("an export of Label Studio 1.0 or later; import it there and export it anew", found)
    if isinstance(data, dict) and not {"data", "annotations"} <= set(data):
        missing = "data" if "data" not in data else "annotations"
        raise DataError("the full JSON export (JSON, not JSON-MIN)", NOTHING, field=missing)
    values = require(data, "data", dict, "the data of a task")
    every = require(data, "annotations", list, "a list of annotations")
    kept = [(index, each) for index, each in enumerate(every) if not _is_cancelled(each, f"annotations[{index}]")]
    key, paths = _image(values, [annotation for _, annotation in kept])
    image_at = f"data.{key}"
    task_fields = _task_fields(values, data.get("meta"), key)
    if every and not kept:
        return [Draft(paths[0], cancelled=True)]
    if not kept:
        error = DataError("at least one annotation", Unquoted("none; skip or label the task"), field="annotations")
        statement = read_statement(task_fields)
        return [Draft(paths[0], others=paths[1:], image_at=image_at, unannotated=error, **vars(statement))]
    others = {other for other in values if other != key and _looks_like_image(values[other])}
    drafts: list[Draft] = []
    for index, annotation in kept:
        at = f"annotations[{index}]"
        annotator = _annotator(annotation, at)
        results, unread = select_results(list_results(annotation, at), key, others)
        regions, wh, named = _read_results(results)
        stated = task_fields | ({"annotator": annotator} if annotator else {}) | named
        statement = read_statement(stated, f"{at}.")
        if len(kept) > 1:
            if not annotator:
                found = Unquoted("nothing, but others annotated the task too")
                raise DataError("the annotator", found, field=f"{at}.completed_by")
            if any(draft.by == annotator for draft in drafts):
                raise DataError("one annotation of each annotator", annotator, field=f"{at}.completed_by")
        draft = Draft(paths[0], regions=regions, wh=wh, image_at=image_at, others=paths[1:], **vars(statement))
        draft.by, draft.unread = annotator if len(kept) > 1 else "", unread
        drafts.append(draft)
    return drafts


def _task_fields(values: dict[str, Any], meta: object, key: str) -> dict[str, Any]:
    """The fields of a task's data; id, generator and the like may come from its meta instead."""
    fields = other_fields(values, taken=(key,))
    for name in NAMED:
        value = values.get(name)
        if value is None and isinstance(meta, dict):
            value = meta.get(name)
        if name == "id":
            value = own_id({"id": value}, at="data.id")
        if value is not None:
            fields[name] = value
    return fields


def _image(values: dict[str, Any], annotations: list[Any]) -> tuple[str, tuple[str, ...]]:
    """The key of a task's data that names its image, and the paths under which the image may be.

    Of several images, it is the one called `image`, else the only one that has results.
    """
    keys = ["image"] if "image" in values else [key for key, value in values.items() if _looks_like_image(value)]
    if len(keys) > 1:
        results = [each.get("result") for each in annotations]
        named = [
            each.get("to_name") for some in results if isinstance(some, list) for each in some if isinstance(each, dict)
        ]
        keys = [key for key in keys if key in named] or keys
    if len(keys) != 1:
        found = Unquoted(", ".join(keys)) if keys else NOTHING
        raise DataError("the image's path, under one key", found, field="data.image")
    at = f"data.{keys[0]}"
    return keys[0], local_paths(require(values, keys[0], str, "the image's path", "data"), at)


def _looks_like_image(value: object) -> bool:
    return isinstance(value, str) and PurePosixPath(value).suffix.lower() in IMAGE_SUFFIXES


def _is_cancelled(annotation: Any, at: str) -> bool:
    if not isinstance(annotation, dict):
        raise DataError("a JSON object", annotation, field=at)
    return bool(annotation.get("was_cancelled"))


def _annotator(annotation: dict[str, Any], at: str) -> str:
    user = annotation.get("completed_by")
    if isinstance(user, float) and user.is_integer():
        user = int(user)
    if isinstance(user, dict):
        user = user.get("email") or user.get("id")
    if user is None:
        return ""
    if type(user) not in (int, str):
        raise DataError("a user number, or a user with an id or an email", user, field=f"{at}.completed_by")
    return str(user)


def _read_results(results: list[ToolResult]) -> tuple[list[DraftRegion], tuple[int, int] | None, dict[str, Any]]:
    """The regions, the image's size if a region gives it, and the fields of the whole image by name."""
    shapes = [result for result in results if result.is_shape]
    ids = {result.data.get("id") for result in shapes} - {None}
    controls: dict[Any, list[ToolResult]] = defaultdict(list)  # id of a region -> the values of its own controls
    named: dict[str, Any] = {"tags": []}
    for result in results:
        if result.is_shape:
            continue
        if (id := result.data.get("id")) in ids:
            controls[id].append(result)
        else:
            add_field(named, _control(result), _words(result), f"{result.at}.value")
    sizes = {wh: shape.at for shape in shapes if (wh := _size(shape.data, shape.at))}
    regions = []
    for shape in shapes:
        region, labels = _read_region(shape, controls[shape.data.get("id")], next(iter(sizes), None))
        regions.append(region)
        add_tags(named["tags"], labels)
    if len(sizes) > 1:
        found = Unquoted(" and ".join(f"{w}x{h}" for w, h in sizes))
        raise DataError("the same image size in all results", found, field=f"{[*sizes.values()][-1]}.original_width")
    return regions, next(iter(sizes), None), named


def _read_region(
    shape: ToolResult, controls: list[ToolResult], wh: tuple[int, int] | None
) -> tuple[DraftRegion, list[Any]]:
    """The region of a shape and of the controls with its id, and its labels.

    Without the image's size, the region's box is a function of it.
    """
    value = require(shape.data, "value", dict, "a shape", shape.at)
    labels = _words(shape) if shape.kind != shape.shape and shape.kind in value else []
    texts = []
    attributes: dict[str, Any] = {}
    for each in controls:
        name, words = _control(each), _words(each)
        attributes[name] = words
        if each.kind == "textarea":
            texts.append((name, one_line(" ".join(words))))
        elif each.kind in ("choices", "labels"):
            labels += words
    caption = _caption(texts, shape.data, labels, shape.at)
    box: Any = partial(_box, shape.shape, value, f"{shape.at}.value")
    try:
        if shape.shape not in SHAPES:
            expected = f"one of {', '.join(SHAPES)} (with or without labels), {', '.join(CONTROLS)}"
            raise Unusable(expected, shape.kind, field=f"{shape.at}.type")
        checked = box(wh or (100, 100))
        box = checked if wh else box
    except Unusable as error:
        box = error
    return DraftRegion(box, caption, shape.at, attributes, rotated=bool(value.get("rotation"))), labels


def _control(result: ToolResult) -> str:
    return require(result.data, "from_name", str, "the name of a control", result.at)


def _words(result: ToolResult) -> list[Any]:
    """The values of a control: its texts, or its number."""
    value = require(result.data, "value", dict, "a value", result.at)
    if result.kind == "taxonomy":
        return list(require(value, "taxonomy", list, "a list of paths", f"{result.at}.value"))
    if result.kind in NUMBERS and type(value.get(result.kind)) in (int, float):
        return [value[result.kind]]
    return _texts(value, "text" if result.kind == "textarea" else result.kind, f"{result.at}.value")


def _texts(holder: dict[str, Any], name: str, at: str) -> list[str]:
    """A text, or a list of texts, without empty ones."""
    value = require(holder, name, (str, list), "text", at)
    texts = [value] if isinstance(value, str) else value
    if not is_text_list(texts):
        raise DataError("a list of texts", value, field=f"{at}.{name}")
    return [text for text in texts if not is_empty(text)]


def _caption(own: list[tuple[str, str]], result: dict[str, Any], labels: list[str], at: str) -> str | DataError:
    named = {text for name, text in own if name.lower() in ("caption", "description") and text}
    texts = named or {text for _, text in own if text}
    if len(texts) > 1:
        return DataError("one text area of the region, or one called `caption`", sorted(texts), field=at)
    meta = result.get("meta")
    notes = _texts(meta, "text", f"{at}.meta") if isinstance(meta, dict) and meta.get("text") else []
    caption = next(iter(texts), "") or one_line(" ".join(notes)) or one_line(", ".join(labels))
    if not caption:
        return DataError("a caption: a text area of the region, or a label", NOTHING, field=at)
    return caption


def _size(result: dict[str, Any], at: str) -> tuple[int, int] | None:
    wh = size(result, "original_width", "original_height", at)
    check_numbers(wh or (), "a whole number of pixels", f"{at}.original_width, original_height")
    return wh


def _box(shape: str, value: dict[str, Any], at: str, wh: tuple[int, int]) -> Box:
    """The tight box in pixels; shapes are rotated in pixels, where both axes have the same unit."""
    across, down = wh[0] / 100, wh[1] / 100
    if shape == "polygon":
        points = require(value, "points", list, "a list of points [x, y]", at)
        if len(points) < 3:
            raise Unusable("3 points or more", points, field=f"{at}.points")
        x1, y1, x2, y2 = hull(points, f"{at}.points")
        check_numbers((number for point in points for number in point), "numbers", f"{at}.points")
        return xywh_box(x1 * across, y1 * down, (x2 - x1) * across, (y2 - y1) * down, at)

    def number(name: str) -> float:
        found = require(value, name, float, "a number", at)
        check_numbers([found], "a number", f"{at}.{name}")
        return found

    degrees = number("rotation") if "rotation" in value else 0
    x, y = number("x") * across, number("y") * down
    if shape == "ellipse":
        return ellipse_box(x, y, number("radiusX") * across, number("radiusY") * down, degrees, at)
    return rotated_box(x, y, number("width") * across, number("height") * down, degrees, (x, y), at)
