"""Parts of a Label Studio export: results, annotations and tasks."""

from converters.formats.label_studio import from_label_studio

SIZE = {"original_width": 40, "original_height": 30, "image_rotation": 0}
RECTANGLE = {"x": 10, "y": 20, "width": 50, "height": 50}
ELLIPSE = {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10}
POLYGON = {"points": [[10, 10], [50, 20], [20, 90]]}


def shape(kind="rectanglelabels", value=RECTANGLE, labels=("flaw",), id="r", **changes):
    value = value | ({kind: list(labels)} if kind.endswith("labels") else {})
    return SIZE | {"id": id, "type": kind, "from_name": "regions", "to_name": "image", "value": value} | changes


def text(*words, id="r", name="caption"):
    return {"id": id, "type": "textarea", "from_name": name, "to_name": "image", "value": {"text": list(words)}}


def choice(*words, id="c", name="verdict", kind="choices"):
    return {"id": id, "type": kind, "from_name": name, "to_name": "image", "value": {kind: list(words)}}


def annotation(*results, who=1, **changes):
    return {"completed_by": who, "was_cancelled": False, "result": list(results)} | changes


def task(*annotations, image="a.png", **changes):
    return {"id": 1, "data": {"image": image}, "annotations": list(annotations), "predictions": []} | changes


def one(*results, **changes):
    (draft,) = from_label_studio(task(annotation(*results, **changes)))
    return draft
