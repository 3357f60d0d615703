"""What is refused in a Label Studio export: every field that must be there, named by its place."""

import json
import re

import pytest

from converters.formats.label_studio import from_label_studio
from swift_plugins.fakexplain.errors import DataError
from tests.converters.content import without
from tests.converters.formats.label_studio_parts import (
    ELLIPSE,
    POLYGON,
    RECTANGLE,
    annotation,
    choice,
    shape,
    task,
    text,
)
from tests.converters.reading import drafts, pictures
from tests.converters.rows import records


def test_an_error_found_later_names_the_result(tmp_path):
    good, bad = shape(id=None), shape(id="s", value=RECTANGLE | {"x": 120})
    each = task(annotation(was_cancelled=True), annotation(good, text("A.", id="s"), bad))
    (draft,) = from_label_studio(each)
    assert [each.at for each in draft.regions] == ["annotations[1].result[0]", "annotations[1].result[2]"]
    pictures(tmp_path, "a.png")
    (tmp_path / "export.json").write_text(json.dumps([each]))
    with pytest.raises(DataError, match=r"annotations\[1\]\.result\[2\]\.bbox: expected a box inside the 40x30"):
        records("label-studio", tmp_path / "export.json", tmp_path)


HERE = "[1].annotations[0].result"
FULL = "expected the full JSON export (JSON, not JSON-MIN), found nothing"


def bad(*results, **changes):
    return task(annotation(*results, **changes))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (7, "[1]: expected a JSON object, found 7"),
        ({"image": "a.png", "id": 1, "regions": [], "annotator": 1, "annotation_id": 1}, f"[1].data: {FULL}"),
        (without(task(), "annotations"), f"[1].annotations: {FULL}"),
        (task(data=[]), "[1].data: expected the data of a task, found []"),
        (task(annotations=None), "[1].annotations: expected a list of annotations, found None"),
        (task(), "[1].annotations: expected at least one annotation; or --unannotated skip or real"),
        (task(7), "[1].annotations[0]: expected a JSON object, found 7"),
        (task({"was_cancelled": False}), "[1].annotations[0].result: expected a list of results, found nothing"),
        (bad(who=[1]), "[1].annotations[0].completed_by: expected a user number"),
        (bad(who=True), "[1].annotations[0].completed_by: expected a user number"),
        (bad(7), f"{HERE}[0]: expected a JSON object, found 7"),
        *(
            (bad(without(shape(), name)), f"{HERE}[0].{name}: expected {expected}, found nothing")
            for name, expected in (
                ("type", "the type of a result"),
                ("value", "a shape"),
                ("original_width", "a whole number of pixels"),
                ("original_height", "a whole number of pixels"),
            )
        ),
        *(
            (bad(shape(kind, without(value, name))), f"{HERE}[0].value.{name}: expected {expected}, found")
            for kind, value, expected in (
                ("rectanglelabels", RECTANGLE, "a number"),
                ("ellipselabels", ELLIPSE, "a number"),
                ("polygonlabels", POLYGON, "a list of points [x, y]"),
            )
            for name in value
        ),
        (bad(shape(value=RECTANGLE | {"x": "1"})), f"{HERE}[0].value.x: expected a number, found '1'"),
        (bad(shape(value=RECTANGLE | {"rotation": None})), f"{HERE}[0].value.rotation: expected a number"),
        (bad(shape(value=RECTANGLE | {"width": 0})), f"{HERE}[0].value: expected sides or radii above 0"),
        (bad(shape(value=RECTANGLE | {"x": 1e300})), f"{HERE}[0].value.x: expected finite numbers"),
        (bad(shape("polygonlabels", {"points": [[1, 1], [2, 2]]})), f"{HERE}[0].value.points: expected 3 points"),
        (bad(shape("polygonlabels", {"points": [[1, 1], [2], [3, 4]]})), f"{HERE}[0].value.points[1]: expected two"),
        (bad(shape("brushlabels", {"rle": []})), f"{HERE}[0].type: expected one of rectangle, polygon, ellipse"),
        (bad(shape("keypointlabels", {"x": 1})), f"{HERE}[0].type: expected one of rectangle, polygon, ellipse"),
        (bad(shape("rectangle")), f"{HERE}[0]: expected a caption: a text area of the region, or a label"),
        (bad(shape(), text("A.", name="x"), text("B.", name="y")), f"{HERE}[0]: expected one text area"),
        (bad(shape(), choice(4, id="r", kind="rating")), f"{HERE}[1].value.rating: expected a list of texts"),
        (bad(shape(), without(text("A."), "from_name")), f"{HERE}[1].from_name: expected the name of a"),
        (bad(shape(), without(text("A."), "value")), f"{HERE}[1].value: expected a value, found nothing"),
        (bad(shape(), {**text(), "value": {}}), f"{HERE}[1].value.text: expected text, found nothing"),
        *(
            (bad(*results, shape(id=id)), f"{HERE}[{len(results)}].id: expected the id of a result, found {id}")
            for results in ([], [text("A.")])
            for id in ({}, [1], True)
        ),
        (bad(shape(), text("A.", id={})), f"{HERE}[1].id: expected the id of a result, found {{}}"),
        *(
            (bad(shape(meta={"text": noted})), f"{HERE}[0].meta.text: expected {expected}, found")
            for noted, expected in (
                ([1], "a list of texts"), (["a", None], "a list of texts"), (7, "text"), ({"a": 1}, "text"),
            )
        ),
        *(
            (
                bad(shape() | {"value": RECTANGLE | {"rectanglelabels": held}}),
                f"{HERE}[0].value.rectanglelabels: expected",
            )
            for held in (7, None, {}, [7])
        ),
        *(
            (bad(shape(), choice(id=id) | {"value": {"choices": held}}), f"{HERE}[1].value.choices: expected")
            for held in (7, None, {"real": True}, [7])
            for id in ("r", "c")
        ),
        (bad(shape(original_width=10**12)), f"{HERE}[0].original_width, original_height: expected finite numbers"),
        (bad(shape(), shape(id="s", original_width=41)), f"{HERE}[1].original_width: expected the same image size"),
        (bad(choice("shiny", name="tags")), f"{HERE}[0].value: expected fake, real or one of"),
        (bad(choice("maybe", name="verdict")), f"{HERE}[0].value: expected fake, real or one of"),
        (bad(choice("real"), choice("fake")), f"{HERE}[1].value: expected one label, but an earlier"),
        (bad(text("9", id="t", name="width")), "[1].annotations[0].width: expected no field of this name"),
        (bad(shape(original_width=30, original_height=40)), "[1].width, height: expected the size of the upright"),
        (bad(shape(), choice("real")), "[1].regions: expected an empty list because the image is real"),
        (bad(), "[1].label: expected 'fake' or 'real', or --label"),
    ],
)  # fmt: skip
def test_a_bad_task_says_where_and_does_not_stop_the_others(tmp_path, bad, message):
    pictures(tmp_path, "a.png", "b.png")
    source = tmp_path / "export.json"
    source.write_text(json.dumps([task(annotation(shape()), image="b.png"), bad]))
    with pytest.raises(DataError, match=re.escape(f"export.json: {message}")):
        records("label-studio", source, tmp_path)
    errors = []
    assert len(records("label-studio", source, tmp_path, on_error=errors.append)) == len(errors) == 1


@pytest.mark.parametrize("content", [{}, [], {"tasks": []}])
def test_a_file_without_tasks_is_an_error(tmp_path, content):
    (tmp_path / "export.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"export\.json: expected a (JSON list|list of tasks: .* as JSON), found none"):
        drafts("label-studio", tmp_path)
