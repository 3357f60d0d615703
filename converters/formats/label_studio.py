"""Label Studio: the JSON export, and tasks for it; `label_studio_config.xml` is the labelling page that goes with them.

Rectangles, polygons and ellipses are regions, with or without labels. A region's caption is its own text area or, where
there is none, the text of its meta, or its label; a label that is a tag is one of the image too. Choices and text areas
of the whole image that are named for it (`verdict`, `tags`, `choice` ...) say the label (`real`, `fake`) and the tags,
by any of their names; all else is kept under its name, and so is what a task's `data` holds. (A `label` or `tags` in
`data` is no annotator's word and is passed over.)

Label Studio shows images as browsers do, turned as their EXIF says; its percentages are of the upright image, also
where the annotator turned the view (`image_rotation`).

Where several annotated one task, each annotation is a record of its own, with the id ID@ANNOTATOR. Annotations that
were skipped (`was_cancelled`) and predictions are passed over.

Image paths, as tasks write them:

- `/data/local-files/?d=a/b.png`: the path after `d=`, relative to the folder that Label Studio served files from
  (LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT), which is then the folder of the images.
- `/data/upload/12/ab12cd34-b.png`: b.png. Label Studio put the eight digits before the name, wrote `_` for a blank, and
  left out what it takes for unsafe in a name.
- `s3://BUCKET/a/b.png`, `gs://…`, `azure-blob://…`: the path within the bucket.
- `http://…`: refused, for the image is on the web; but read as above where it leads to a Label Studio's own files.
- any other is a path in the folder of the images.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import NOTHING, DataError, Unquoted
from swift_plugins.fakexplain.json_items import load_json_items
from swift_plugins.fakexplain.json_values import check_numbers, require

from ..drafts.draft import IMAGE_SUFFIXES, Draft, Piece, hull, image_files, inner_path, one_line, only_file
from ..drafts.fields import draft_fields
from ..drafts.parquet import other_fields
from ..drafts.shapes import ellipse_box, turned_box
from ..drafts.statements import NAMED, add_tags, say

CONFIG = Path(__file__).with_name("label_studio_config.xml")

_SHAPES = ("rectangle", "polygon", "ellipse")
_NUMBERS = ("number", "rating")
_NO_SHAPES = ("choices", "textarea", "labels", *_NUMBERS, "datetime")

_BUCKETS = ("s3", "gs", "azure-blob")
_UPLOAD = re.compile(r"/data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?(.+)", re.DOTALL)
_LOCAL = re.compile(r"/data/local-files/?$")


def load_label_studio(src: Path) -> Iterator[Piece]:
    """The tasks of a JSON export, one at a time.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: the file is not JSON, or not a list of tasks.
    """
    path = only_file(src, "*.json")
    at = ""
    for at, task in load_json_items(path):
        yield Piece(task, str(path), at=at)
    if not at:
        raise DataError("a list of tasks: Label Studio's export as JSON", Unquoted("none")).at(str(path), 0)


def from_label_studio(data: Any) -> list[Draft]:
    """The drafts of one task, one for each annotation of it.

    Raises:
        DataError: a field that is missing or wrong; a task without an annotation; a brush stroke, a key point or
            another shape without a box; an image on the web, or outside the folder of the images.

    >>> value = {"x": 10, "y": 20, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["flaw"]}
    >>> size = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    >>> box = size | {"id": "r", "from_name": "regions", "type": "rectanglelabels", "value": value}
    >>> text = {"id": "r", "from_name": "caption", "type": "textarea", "value": {"text": ["Six fingers."]}}
    >>> tags = {"id": "t", "from_name": "tags", "type": "choices", "value": {"choices": ["texture_error"]}}
    >>> annotation = {"completed_by": 7, "was_cancelled": False, "result": [box, text, tags]}
    >>> task = {"data": {"image": "/data/local-files/?d=images/a%20b.png"}, "annotations": [annotation]}
    >>> (draft,) = from_label_studio(task)
    >>> draft.image, draft.regions, draft.tags, draft.fields
    ('images/a b.png', [(4.0, 6.0, 24.0, 21.0, 'Six fingers.')], ['texture_error'], {'annotator': '7'})
    """
    if isinstance(data, dict) and not {"data", "annotations"} <= set(data):
        missing = "data" if "data" not in data else "annotations"
        raise DataError("the full JSON export (JSON, not JSON-MIN)", NOTHING, field=missing)
    values = require(data, "data", dict, "the data of a task")
    key, image = _image(values)
    named = _named(values, data.get("meta"), key)
    every = require(data, "annotations", list, "a list of annotations")
    kept = [(index, each) for index, each in enumerate(every) if not _cancelled(each, f"annotations[{index}]")]
    if not kept:
        found = Unquoted(f"{len(every)} that were skipped" if every else "none; skip or label the task")
        raise DataError("at least one annotation", found, field="annotations")
    drafts = []
    for index, annotation in kept:
        at = f"annotations[{index}]"
        annotator = _annotator(annotation, at)
        regions, wh, said = _read_results(annotation, at)
        fields = draft_fields(named | ({"annotator": annotator} if annotator else {}) | said, f"{at}.")
        if len(kept) > 1:
            if not annotator:
                raise DataError("who annotated, for others did too", NOTHING, field=f"{at}.completed_by")
            fields["id"] = f"{fields['id'] or image.with_suffix('')}@{annotator}"
        drafts.append(Draft(str(image), regions=[*regions.values()], wh=wh, places=[*regions], **fields))
    return drafts


def _named(values: dict[str, Any], meta: object, key: str) -> dict[str, Any]:
    """The fields that a task's data, or else its meta, gives by name."""
    named = other_fields(values, taken=(key,))
    for name in NAMED:
        value = values.get(name)
        if value is None and isinstance(meta, dict):
            value = meta.get(name)
        if name == "id" and type(value) is int:
            value = str(value)
        if value is not None:
            named[name] = value
    return named


def _image(values: dict[str, Any]) -> tuple[str, PurePosixPath]:
    """The key of a task's data that names its image, and the image's path in the folder of the images."""
    keys = ["image"] if "image" in values else [key for key, value in values.items() if _looks_like_image(value)]
    if len(keys) != 1:
        found = Unquoted(", ".join(keys)) if keys else NOTHING
        raise DataError("the image's path, under one key", found, field="data.image")
    at = f"data.{keys[0]}"
    return keys[0], inner_path(_path(require(values, keys[0], str, "the image's path", "data"), at), at)


def _looks_like_image(value: object) -> bool:
    return isinstance(value, str) and PurePosixPath(value).suffix.lower() in IMAGE_SUFFIXES


def _path(url: str, at: str) -> str:
    scheme, colon, rest = url.partition("://")
    if colon and scheme in _BUCKETS:
        return rest.partition("/")[2]
    path, _, query = (f"/{rest.partition('/')[2]}" if colon else url).partition("?")
    if path.startswith("/") and _LOCAL.search(path):
        return parse_qs(query).get("d", [""])[0]
    if path.startswith("/") and (upload := _UPLOAD.search(path)):
        return unquote(upload[1])
    if colon or url.startswith("data:"):
        expected = "an image in the folder of the images; save it there, and write its path here"
        raise DataError(expected, url, field=at)
    return url


def _cancelled(annotation: Any, at: str) -> bool:
    if not isinstance(annotation, dict):
        raise DataError("a JSON object", annotation, field=at)
    return bool(annotation.get("was_cancelled"))


def _annotator(annotation: dict[str, Any], at: str) -> str:
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    if who is None:
        return ""
    if type(who) not in (int, str):
        raise DataError("a user's number, or one with an id or an email", who, field=f"{at}.completed_by")
    return str(who)


Region = tuple[float, float, float, float, str]


def _read_results(
    annotation: dict[str, Any], at: str
) -> tuple[dict[str, Region], tuple[int, int] | None, dict[str, Any]]:
    """Way -> region, the image's size where one of them says it, and what is said of the whole image."""
    results = []
    for index, result in enumerate(require(annotation, "result", list, "a list of results", at)):
        place = f"{at}.result[{index}]"
        kind = require(result, "type", str, "the type of a result", place)
        if type(result.get("id")) not in (str, int, type(None)):
            raise DataError("the id of a result", result["id"], field=f"{place}.id")
        results.append((place, kind, result, kind.removesuffix("labels") or kind))
    ids = {result.get("id") for _, _, result, shape in results if shape in _SHAPES} - {None}
    captions, labels, said = defaultdict(list), defaultdict(list), {"tags": []}  # type: ignore[var-annotated]
    for place, kind, result, shape in results:
        if shape in _SHAPES:
            continue
        if kind not in _NO_SHAPES:
            expected = f"one of {', '.join(_SHAPES)} (with or without labels), {', '.join(_NO_SHAPES)}"
            raise DataError(expected, kind, field=f"{place}.type")
        name = require(result, "from_name", str, "the name of a control", place)
        words = _words(result, kind, place)
        if result.get("id") not in ids:
            say(said, name, words, f"{place}.value")
        elif kind == "textarea":
            captions[result["id"]].append((name, one_line(" ".join(words))))
        elif kind in ("choices", "labels"):
            labels[result["id"]] += words
        else:
            raise DataError("no more of a region than a text area and labels", kind, field=f"{place}.type")
    regions: dict[str, Region] = {}
    sizes = {}
    for place, kind, result, shape in results:
        if shape not in _SHAPES:
            continue
        value = require(result, "value", dict, "a shape", place)
        called = [*(_words(result, kind, place) if kind != shape else []), *labels[result.get("id")]]
        caption = _caption(captions[result.get("id")], result, called, place)
        add_tags(said["tags"], called)
        wh = _size(result, place)
        sizes[wh] = place
        regions[place] = (*_box(shape, value, wh, f"{place}.value"), caption)
    if len(sizes) > 1:
        found = Unquoted(" and ".join(f"{w}x{h}" for w, h in sizes))
        raise DataError("one size of the image", found, field=f"{[*sizes.values()][-1]}.original_width")
    return regions, next(iter(sizes), None), said


def _words(result: dict[str, Any], kind: str, at: str) -> list[Any]:
    """What a control holds: one text or several, or its number."""
    value = require(result, "value", dict, "a value", at)
    if kind in _NUMBERS and type(value.get(kind)) in (int, float):
        return [value[kind]]
    return _texts(value, "text" if kind == "textarea" else kind, f"{at}.value")


def _texts(holder: dict[str, Any], name: str, at: str) -> list[str]:
    """A text, or a list of texts, without blank ones."""
    held = require(holder, name, (str, list), "text", at)
    texts = [held] if isinstance(held, str) else held
    if not all(isinstance(text, str) for text in texts):
        raise DataError("a list of texts", held, field=f"{at}.{name}")
    return [text for text in texts if text.strip()]


def _caption(own: list[tuple[str, str]], result: dict[str, Any], labels: list[str], at: str) -> str:
    named = {text for name, text in own if name in ("caption", "description") and text}
    texts = named or {text for _, text in own if text}
    if len(texts) > 1:
        raise DataError("one text area of the region, or one called `caption`", sorted(texts), field=at)
    meta = result.get("meta")
    noted = _texts(meta, "text", f"{at}.meta") if isinstance(meta, dict) and meta.get("text") else []
    caption = next(iter(texts), "") or one_line(" ".join(noted)) or one_line(", ".join(labels))
    if not caption:
        raise DataError("a caption: a text area of the region, or a label", NOTHING, field=at)
    return caption


def _size(result: dict[str, Any], at: str) -> tuple[int, int]:
    expected = "a whole number of pixels"
    wh = require(result, "original_width", int, expected, at), require(result, "original_height", int, expected, at)
    check_numbers(wh, expected, f"{at}.original_width, original_height")
    return wh


def _box(shape: str, value: dict[str, Any], wh: tuple[int, int], at: str) -> Box:
    """The tight box in pixels; a shape is turned only there, where both axes have one unit."""
    across, down = wh[0] / 100, wh[1] / 100
    if shape == "polygon":
        points = require(value, "points", list, "a list of points [x, y]", at)
        if len(points) < 3:
            raise DataError("3 points or more", points, field=f"{at}.points")
        x1, y1, x2, y2 = hull(points, f"{at}.points")
        check_numbers((number for point in points for number in point), "numbers", f"{at}.points")
        return turned_box(x1 * across, y1 * down, (x2 - x1) * across, (y2 - y1) * down, 0, (0, 0), at)

    def number(name: str) -> float:
        found = require(value, name, float, "a number", at)
        check_numbers([found], "a number", f"{at}.{name}")
        return found

    degrees = number("rotation") if "rotation" in value else 0
    x, y = number("x") * across, number("y") * down
    if shape == "ellipse":
        return ellipse_box(x, y, number("radiusX") * across, number("radiusY") * down, degrees, at)
    return turned_box(x, y, number("width") * across, number("height") * down, degrees, (x, y), at)


def image_tasks(
    folder: Path, root: Path, planned: Mapping[Path, Mapping[str, str]] | None = None
) -> Iterator[dict[str, Any]]:
    """One task for each image below a folder, in order, as Label Studio imports them.

    Args:
        folder: of the images.
        root: the folder Label Studio serves files from; its LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT.
        planned: absolute path of an image without its suffix -> fields that its task takes along, such as generator;
            `from_label_studio` reads them back.

    Raises:
        ValueError: the folder is not below the root.
    """
    for path in image_files(folder):
        inner = PurePosixPath(os.path.relpath(path, root).replace(os.sep, "/"))
        if ".." in inner.parts:
            raise ValueError(f"{folder}: expected a folder in {root}")
        said = (planned or {}).get(Path(os.path.normpath(path.absolute())).with_suffix(""), {})
        yield {"data": {"image": f"/data/local-files/?d={quote(str(inner))}", **said}}
