"""Label Studio: the JSON export. `label_studio_tasks` writes the tasks for annotators.

Rectangles, polygons and ellipses are regions, with or without labels. A region's caption is its own text area, else the
text of its meta, else its label; a label that is a tag is a tag of the image too. Choices and text areas of the whole
image that are named accordingly (`verdict`, `tags`, `choice` ...) give the label (`real`, `fake`) and the tags, by any
of their names. All other results are kept under their names, and so are the fields of a task's `data`. (A `label` or
`tags` in `data` does not come from an annotator and is skipped.)

Label Studio shows images as browsers do, turned by their EXIF; its percentages refer to the upright image, even if the
annotator turned the view (`image_rotation`).

If several people annotated one task, each annotation is a record of its own, with the id ID@ANNOTATOR. So it is if the
task names its annotator (`assigned_to`), as `fakexplain label-studio assign` makes it do. Cancelled
annotations (`was_cancelled`), relations and the regions of a task's other images are skipped.

If a model proposed regions (`predictions`), each region of the record is accepted, changed or new: `region_origins`,
one word per region. `proposed_by` is the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.images import IMAGE_SUFFIXES
from swift_plugins.fakexplain.json_values import require

from ..drafts.draft import Draft, Piece, only_file
from ..drafts.fields import other_fields, own_id, read_statement
from ..drafts.json_files import load_items
from ..drafts.statements import NAMED
from .label_studio_origins import compare_with_prediction, own_prediction
from .label_studio_paths import local_paths
from .label_studio_regions import read_results
from .label_studio_results import annotator_of, list_results, select_results


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
    assigned = _assigned_to(task_fields, len(kept))
    others = {other for other in values if other != key and _looks_like_image(values[other])}
    drafts: list[Draft] = []
    for index, annotation in kept:
        at = f"annotations[{index}]"
        annotator = assigned or annotator_of(annotation, at)
        results, unread = select_results(list_results(annotation, at), key, others)
        regions, wh, named = read_results(results)
        regions, proposal, removed = compare_with_prediction(regions, own_prediction(data, annotation), key, wh, others)
        stated = task_fields | ({"annotator": annotator} if annotator else {}) | named
        statement = read_statement(stated, f"{at}.")
        statement.fields |= proposal
        if len(kept) > 1:
            if not annotator:
                found = Unquoted("nothing, but others annotated the task too")
                raise DataError("the annotator", found, field=f"{at}.completed_by")
            if any(draft.by == annotator for draft in drafts):
                raise DataError("one annotation of each annotator", annotator, field=f"{at}.completed_by")
        draft = Draft(paths[0], regions=regions, wh=wh, image_at=image_at, others=paths[1:], **vars(statement))
        draft.by, draft.unread, draft.removed = annotator if assigned or len(kept) > 1 else "", unread, removed
        drafts.append(draft)
    return drafts


def _assigned_to(fields: dict[str, Any], annotations: int) -> str:
    """The annotator that a task names for its only annotation, which is no field of the record then; else empty."""
    if annotations != 1 or not isinstance(fields.get("assigned_to"), str):
        return ""
    name: str = fields.pop("assigned_to").strip()
    return name


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
