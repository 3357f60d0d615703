"""CVAT for images 1.1: one XML file, or the exported archive with `annotations.xml` and `images/`.

A shape is a region. Its caption is the first of its attributes named in `statements.CAPTIONS` or, if all are empty, its
label. Its box is the tight box, also of rotated boxes and ellipses, polygons, polylines, masks and two or more points.
An image's CVAT tags give the label (`real`, `fake`) and the tags, by any of their names; others are the field `flags`,
a list. So do attributes of CVAT tags and of the image itself that are named accordingly; all others are fields under
their own names. A shape describes its
image too: by a label that is a tag, and by the attributes `tag`, `tags`, `generator`, `family`, `class_name` and
`annotator`. If none of these names the annotator, the assignee of the job or task is the annotator.

The image of a project is in the folder of its subset.

CVAT turns images by their EXIF: its coordinates and sizes are those of the upright image. A shape's source, occlusion,
order, group and other attributes have no place in a record.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swift_plugins.fakexplain.boxes import Box
from swift_plugins.fakexplain.errors import DataError, Unquoted
from swift_plugins.fakexplain.json_values import check_numbers, require
from swift_plugins.fakexplain.paths import check_is_regular

from ..drafts.attributes import is_empty
from ..drafts.draft import Draft, DraftRegion, Piece, Unusable, one_line, only_file
from ..drafts.fields import read_statement, whole
from ..drafts.shapes import ellipse_box, hull, rotated_box, xywh_box
from ..drafts.statements import ABOUT, add_field, add_region, caption_among, means_something

_POINTS = {"polygon": 3, "polyline": 2, "points": 2}
"""Element -> its minimum number of points."""

_SHAPES = ("box", "ellipse", "mask", *_POINTS)


def load_cvat(src: Path) -> Iterator[Piece]:
    """The images of an XML file, one at a time.

    Args:
        src: the file, or a folder that contains it as `annotations.xml`.

    Yields:
        A piece with plain data: {"attrib": the image's XML attributes, "attributes": its attributes by name,
        "children": the same for each tag and shape, with its "element", "annotator": assignee of the task or None}.

    Raises:
        FileNotFoundError: neither file nor folder.
        DataError: the file is not XML of this kind, or has a document type or entities.
    """
    path = only_file(src, "annotations.xml", "*.xml")
    annotators: dict[str, str] = {}
    count = 0
    for element in _elements(path):
        if element.tag == "meta":
            annotators = _annotators(element)
        elif element.tag == "image":
            data = _plain(element)
            data["annotator"] = annotators.get(data["attrib"].get("task_id", ""))
            yield Piece(data, str(path), at=f"image[{count}]")
            count += 1
        elif element.tag != "version":
            expected = "an <image>: `CVAT for images 1.1`, not video"
            raise DataError(expected, Unquoted(f"<{element.tag}>")).at(str(path), 0)


def _elements(path: Path) -> Iterator[Any]:
    """The children of <annotations>, each cleared after use."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    check_is_regular(path)
    with open(path, "rb") as file:
        events = iterparse(file, events=("start", "end"), forbid_dtd=True)
        root, depth = None, 0
        while True:
            try:
                event, element = next(events)
            except StopIteration:
                return
            except DefusedXmlException:
                found = Unquoted("a document type declaration (its entities could expand without limit)")
                raise DataError("XML without a document type", found).at(str(path), 0) from None
            except (ParseError, LookupError, ValueError) as error:
                raise DataError("XML", Unquoted(str(error))).at(str(path), 0) from None
            if root is None:
                root = element
                if root.tag != "annotations":
                    raise DataError("<annotations> of CVAT", Unquoted(f"<{root.tag}>")).at(str(path), 0)
            depth += 1 if event == "start" else -1
            if event == "end" and depth == 1:
                yield element
                root.clear()


def _plain(element: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"attrib": dict(element.attrib), "attributes": {}, "children": []}
    for child in element:
        if child.tag == "attribute":
            name = child.get("name", "")
            if name in plain["attributes"]:
                raise DataError("each attribute once", Unquoted("a second one"), field=name)
            plain["attributes"][name] = child.text or ""
        else:
            plain["children"].append({"element": child.tag, **_plain(child)})
    return plain


def _annotators(meta: Any) -> dict[str, str]:
    """Id of each task -> its assignee; a source's only task or job has the empty id."""
    found = {}
    for task in (*meta.iter("task"), *meta.iter("job")):
        if name := (task.findtext("assignee/username") or "").strip():
            found[task.findtext("id", "").strip() if meta.find("project") is not None else ""] = name
    return found


def from_cvat(data: Any) -> list[Draft]:
    """The draft of one image.

    Its id is its attribute `id`, else its name without the suffix: CVAT numbers an image differently in every task.

    Raises:
        DataError: a field is missing or wrong, a shape has no box (cuboid, skeleton), a tag has no meaning, or two
            contradict each other.

    >>> attrib = {"label": "flaw", "xtl": "3", "ytl": "2", "xbr": "9", "ybr": "8"}
    >>> box = {"element": "box", "attrib": attrib, "attributes": {"caption": "Six fingers."}, "children": []}
    >>> tag = {"element": "tag", "attrib": {"label": "Wrong Texture"}, "attributes": {}, "children": []}
    >>> image = {"attrib": {"name": "a.png", "width": "40", "height": "30"}, "attributes": {}, "children": [box, tag]}
    >>> (draft,) = from_cvat(image)
    >>> draft.image, [region[:3] for region in draft.regions], draft.tags
    ('a.png', [((3.0, 2.0, 9.0, 8.0), 'Six fingers.', 'box[0]')], ['texture_error'])
    """
    attrib = data["attrib"]
    name = require(attrib, "name", str, "the path of the image")
    wh = _pixels(attrib, "width"), _pixels(attrib, "height")
    named: dict[str, Any] = {"tags": []}
    for each in ABOUT:
        if attrib.get(each):
            add_field(named, each, [attrib[each]], each)
    _read_attributes(data, named, "")
    shapes = {}
    seen: Counter[str] = Counter()
    for child in data["children"]:
        kind = child["element"]
        at = f"{kind}[{seen[kind]}]"
        seen[kind] += 1
        if kind == "tag":
            _read_tag(child, named, at)
        else:
            shapes[at] = child
    regions = [_region(shape, at) for at, shape in shapes.items()]
    statement = read_statement(named)
    for at, shape in shapes.items():
        add_region(statement, [shape["attrib"]["label"]], shape["attributes"], at)
    if data.get("annotator"):
        statement.fields.setdefault("annotator", data["annotator"])
    subset = attrib.get("subset")
    return [
        Draft(
            f"{subset}/{name}" if subset else name,
            regions=regions,
            wh=wh if 0 not in wh else None,
            image_at="name",
            others=(name,) if subset else (),
            **vars(statement),
        )
    ]


def _read_tag(tag: dict[str, Any], named: dict[str, Any], at: str) -> None:
    label = require(tag["attrib"], "label", str, "a label", at)
    if means_something(label):
        add_field(named, "tag", [label], f"{at}.label")
    elif not tag["attributes"] and not is_empty(label):  # otherwise only its attributes count
        named["flags"] = [*named.get("flags", ()), *(() if label in named.get("flags", ()) else (label,))]
    _read_attributes(tag, named, f"{at}.")


def _read_attributes(element: dict[str, Any], named: dict[str, Any], at: str) -> None:
    for name, value in element["attributes"].items():
        if value.strip():
            add_field(named, name, [value.strip()], f"{at}{name}")


def _region(shape: dict[str, Any], at: str) -> DraftRegion:
    label = require(shape["attrib"], "label", str, "a label", at)
    caption = caption_among(shape["attributes"]) or ("" if is_empty(label) else one_line(label))
    words = caption or DataError("an attribute `caption` or a label that is not empty", label, field=f"{at}.label")
    try:
        box: Box | Unusable = _box(shape["element"], shape["attrib"], at)
    except Unusable as error:
        box = error
    return DraftRegion(box, words, at, shape["attributes"], rotated=_degrees(shape["attrib"], at) != 0)


def _degrees(attrib: dict[str, str], at: str) -> float:
    return _number(attrib.get("rotation", "0"), f"{at}.rotation")


def _box(kind: str, attrib: dict[str, str], at: str) -> Box:
    if kind not in _SHAPES:
        raise Unusable(f"a tag, or a shape with a box: {', '.join(_SHAPES)}", Unquoted(f"<{kind}>"), field=at)
    if kind in _POINTS:
        return _hull(kind, require(attrib, "points", str, "points x,y;x,y", at), f"{at}.points")
    names = {
        "box": ("xtl", "ytl", "xbr", "ybr"),
        "ellipse": ("cx", "cy", "rx", "ry"),
        "mask": ("left", "top", "width", "height"),
    }[kind]
    a, b, c, d = (_number(require(attrib, name, str, "a number", at), f"{at}.{name}") for name in names)
    degrees = _degrees(attrib, at)
    if kind == "ellipse":
        return ellipse_box(a, b, c, d, degrees, at)
    if kind == "mask":
        return xywh_box(a, b, c, d, at)
    if not degrees:
        return a, b, c, d
    return rotated_box(a, b, c - a, d - b, degrees, ((a + c) / 2, (b + d) / 2), at)


def _hull(kind: str, text: str, at: str) -> Box:
    points = [[_number(value, at) for value in point.split(",")] for point in text.split(";")]
    if len(points) < _POINTS[kind]:
        raise Unusable(f"{_POINTS[kind]} points or more", text, field=at)
    return hull(points, at)


def _number(text: str, at: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise DataError("a number", text, field=at) from None
    check_numbers([number], "a number", at)
    return number


def _pixels(attrib: dict[str, str], name: str) -> int:
    text = require(attrib, name, str, "a whole number of pixels")
    number = whole(float(text)) if re.fullmatch(r"\d{1,9}\.0+", text) else whole(text)
    if number is None:
        raise DataError("a whole number of pixels", text, field=name)
    return number
