"""What annotation files have in common across formats: one oddity in each of them comes out alike."""

import json
import re
import unicodedata

import pytest

from converters.drafts.choices import Changes, Choices
from converters.formats.x_aigd import from_x_aigd
from swift_plugins.fakexplain.errors import DataError
from tests.converters.reading import pictures
from tests.converters.rows import records

BOX = (5, 6, 20, 18)


def coco(image=None, **annotation):
    region = {"image_id": 1, "category_id": 1, "bbox": [5, 6, 15, 12]} | annotation
    images = [{"id": 1, "file_name": "a.png"} | (image or {})]
    return "coco", {"images": images, "annotations": [region], "categories": [{"id": 1, "name": "hand"}]}


def via(attributes=None, shape=None, file=None, name="a.png"):
    shape = {"name": "rect", "x": 5, "y": 6, "width": 15, "height": 12} | (shape or {})
    region = {"shape_attributes": shape, "region_attributes": {"what": "hand"} if attributes is None else attributes}
    return "via", {"a": {"filename": name, "size": 1, "regions": [region], "file_attributes": file or {}}}


def labelme(shape=None, **content):
    shape = {"label": "hand", "points": [[5, 6], [20, 18]], "shape_type": "rectangle"} | (shape or {})
    return "labelme", {"imagePath": "a.png", "shapes": [shape]} | content


def studio(*more, value=None, image="a.png", **data):
    value = {"x": 12.5, "y": 20, "width": 37.5, "height": 40, "rectanglelabels": ["hand"]} | (value or {})
    box = {"id": "r", "type": "rectanglelabels", "from_name": "l", "to_name": "image", "value": value}
    annotation = {"completed_by": 1, "result": [box, *more]}
    return "label-studio", [{"id": 1, "data": {"image": image} | data, "annotations": [annotation]}]


def cvat(inside="", box='xtl="5" ytl="6" xbr="20" ybr="18"', image='name="a.png"', label="hand", attributes=""):
    region = f'<box label="{label}" {box}>{attributes}</box>'
    return "cvat", f'<annotations><image {image} width="0" height="0">{region}{inside}</image></annotations>'


def loki(**region):
    problems = {"global": [], "regional": [{"region": [5, 6, 15, 12], "desc": "hand"} | region]}
    return "loki", [{"image_path": "a.png", "problems": problems}]


def area(text, name):
    return {"id": "r", "type": "textarea", "from_name": name, "to_name": "image", "value": {"text": [text]}}


def choice(*words, name="tags"):
    return {"id": "c", "type": "choices", "from_name": name, "to_name": "image", "value": {"choices": [*words]}}


def attribute(name, value):
    return f'<attribute name="{name}">{value}</attribute>'


def read(source, tmp_path, *images, **choices):
    """The record of a source, and the counts."""
    format, content = source
    pictures(tmp_path, *(images or ("a.png",)))
    path = tmp_path / ("annotations.xml" if format == "cvat" else "a.json")
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    changes = Changes()
    (record,) = records(format, path, tmp_path, choices=Choices(**choices), changes=changes)
    return record, changes


@pytest.mark.parametrize(
    "source",
    [
        coco(attributes={"Caption": "Six."}),
        via({"CAPTION": "Six.", "kind": "hand"}),
        studio(area("Six.", "Caption"), area("WAIT", "ocr")),
        cvat(attributes=attribute("Description", "Six.")),
    ],
)
def test_names_are_read_in_any_case(tmp_path, source):
    record, _ = read(source, tmp_path)
    assert [tuple(region) for region in record.regions] == [(BOX, "Six.")]


@pytest.mark.parametrize(
    "source",
    [
        coco({"attributes": {"REAL": False, "Label": "Fake"}}),
        coco({"Verdict": "FAKE"}),
        via(file={"Label": {"REAL": False, "FAKE": True}}),
        via(file={"Fake": "true"}),
        labelme(flags={"FAKE": True, "Real": False}),
        labelme(Label="FAKE"),
        studio(choice("FAKE", name="Label")),
        cvat('<tag label="image">' + attribute("Fake", "true") + attribute("Real", "false") + "</tag>"),
    ],
)
def test_labels_are_read_in_any_case_and_by_switches(tmp_path, source):
    format, content = source
    text = content if isinstance(content, str) else json.dumps(content)
    swap = {"fake": "REAL", "real": "Fake"}
    swapped = re.sub("fake|real", lambda word: swap[word[0].lower()], text, flags=re.IGNORECASE)
    assert read(source, tmp_path)[0].label == "fake"
    with pytest.raises(ValueError, match="expected an empty list because the image is real"):
        read((format, swapped), tmp_path)


@pytest.mark.parametrize("blank", ["__undefined__", "None", "Select...", "null", " "])
def test_what_means_nothing_chosen_says_nothing(tmp_path, blank):
    for source in (
        coco({"generator": blank, "tags": [blank]}, attributes={"caption": blank, "tags": blank}),
        via({"caption": blank, "what": "hand", "kind": blank}, file={"generator": blank, "tags": blank}),
        labelme({"description": blank}, generator=blank),
        studio(choice(blank), choice(blank, name="generator"), area(blank, "caption")),
        cvat('<tag label="i">' + attribute("verdict", blank) + "</tag>", attributes=attribute("caption", blank)),
    ):
        record, _ = read(source, tmp_path)
        assert (record.regions[0].caption, record.tags, record.generator) == ("hand", (), None)
        assert not {"verdict", "tags"} & {*record.extra}


@pytest.mark.parametrize(
    "source",
    [
        coco(bbox=[20, 18, -15, -12]),
        via(shape={"x": 20, "y": 18, "width": -15, "height": -12}),
        studio(value={"x": 50, "y": 60, "width": -37.5, "height": -40}),
        cvat(box='xtl="20" ytl="18" xbr="5" ybr="6"'),
        loki(region=[20, 18, -15, -12]),
    ],
)
def test_a_box_drawn_backwards_is_put_in_order_and_counted(tmp_path, source):
    record, changes = read(source, tmp_path)
    assert record.regions[0].bbox == BOX and changes.reordered == (source[0] != "label-studio")


@pytest.mark.parametrize(
    "source",
    [coco(attributes={"Rotation": 30.0}), cvat(box='xtl="5" ytl="6" xbr="20" ybr="18" rotation="30"')],
)
def test_a_rotated_box_is_circumscribed_and_counted(tmp_path, source):
    record, changes = read(source, tmp_path)
    assert record.regions[0].bbox == pytest.approx((3.005, 3.054, 21.995, 20.946), abs=1e-3)
    assert changes.circumscribed == 1


@pytest.mark.parametrize(
    ("image", "annotation"), [(1, "1"), ("1", 1), (1.0, 1), (1, 1.0), ("1", 1.0), (0, "0"), (1, "1.0")]
)
def test_ids_match_as_text_and_as_numbers(tmp_path, image, annotation):
    format, content = coco({"id": image}, image_id=annotation, category_id="1")
    record, _ = read((format, content), tmp_path)
    assert record.label == "fake" and record.regions[0].caption == "hand"


@pytest.mark.parametrize("disk", ["NFC", "NFD"])
def test_names_match_in_either_unicode_form(tmp_path, disk):
    other = unicodedata.normalize("NFD" if disk == "NFC" else "NFC", "é.png")
    for source in (
        coco({"file_name": other}),
        via(name=other),
        labelme(imagePath=other),
        studio(image=other),
        cvat(image=f'name="{other}"'),
    ):
        _, changes = read(source, tmp_path, unicodedata.normalize(disk, "é.png"))
        assert changes.renamed == 1


@pytest.mark.parametrize(
    "source", [coco({"file_name": "b\\..\\a.png"}), via(name="C:\\x\\b\\a.png"), labelme(imagePath="b\\a.png")]
)
def test_windows_paths_lead_into_the_folder(tmp_path, source):
    read(source, tmp_path, "b/a.png", "a.png")


@pytest.mark.parametrize(
    "source",
    [
        coco(bbox=[0.1, 0.2, 0.3, 0.4]),
        via(shape={"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}),
        labelme({"points": [[0.1, 0.2], [0.4, 0.6]]}),
        loki(region=[0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_shares_of_the_image_are_no_pixels(tmp_path, source):
    with pytest.raises(ValueError, match="expected pixels, but every box"):
        read(source, tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        coco(area=float("nan")),
        via(file={"score": float("nan")}),
        labelme({"score": float("inf")}),
        studio(score=float("nan")),
        loki(score=float("nan")),
    ],
)
def test_a_number_that_json_lacks_is_nothing(tmp_path, source):
    assert read(source, tmp_path)[0].regions[0].bbox == BOX


@pytest.mark.parametrize(
    "source",
    [
        labelme({"label": " "}),
        via({}),
        studio(value={"rectanglelabels": []}),
        cvat(label=""),
        coco(category_id=None),
    ],
)
def test_a_region_without_words_takes_the_users_caption(tmp_path, source):
    with pytest.raises(ValueError, match="--caption TEXT"):
        read(source, tmp_path)
    assert read(source, tmp_path, caption="Odd.")[0].regions[0].caption == "Odd."


@pytest.mark.parametrize(
    "source",
    [
        coco(attributes={"Problem": "Six."}),
        coco(problem="Six."),
        via({"name": "hand", "Problem": "Six."}),
        labelme({"attributes": {"problem": "Six."}}),
        studio(choice("Six.", name="problem") | {"id": "r"}),
        cvat(attributes=attribute("Problem", "Six.")),
        loki(problem="Six."),
    ],
)
def test_the_user_names_the_attribute_of_captions(tmp_path, source):
    record, changes = read(source, tmp_path, caption_from="problem")
    assert (record.regions[0].caption, changes.chosen) == ("Six.", 1)


def synthscars(**image):
    ref = {"sentence": "hand", "segmentation": [[5, 6, 20, 6, 20, 18]]}
    return "synthscars", [{"7": {"img_file_name": "a.png", "caption": "A hand.", "refs": [ref]} | image}]


def fakeclue(label):
    return "fakeclue", [
        {"image": "a.png", "label": label, "cate": "doc", "conversations": [{"from": "gpt", "value": "."}]}
    ]


RIGHT = [
    # source, label, boxes, captions, reason
    (fakeclue("Fake"), "fake", [], [], "a label in words"),
    (fakeclue("0.0"), None, [], [], "a label that is neither"),
    (synthscars(caption=None), "fake", [BOX], ["hand"], "no caption of the whole image"),
    (
        synthscars(refs=[{"sentence": "hand", "segmentation": [5, 6, 20, 6, 20, 18]}]),
        "fake",
        [BOX],
        ["hand"],
        "one polygon in no list",
    ),
    (
        synthscars(refs=[{"sentence": None, "explanation": "hand", "segmentation": [[5, 6, 20, 6, 20, 18]]}]),
        "fake",
        [BOX],
        ["hand"],
        "an explanation without a phrase",
    ),
    (synthscars(refs=[{"sentence": "Real.", "segmentation": [[5, 6, 20, 6, 20, 18]]}]), None, [], [], "a real region"),
    (loki(desc=None), "fake", [], [], "no description"),
    (loki(desc="real"), None, [], [], "a description of a real region"),
    (coco(attributes={"caption": "None"}), "fake", [BOX], ["hand"], "an empty caption"),
    (coco(category_id=1, image_id="1.0"), "fake", [BOX], ["hand"], "an id as text of a float"),
    (coco(bbox="5,6,15,12"), None, [], [], "a box as text"),
    (coco(bbox=[5, 6, 15, 12, 0.9]), None, [], [], "a box with a score"),
    (coco(bbox={"x": 5, "y": 6, "w": 15, "h": 12}), None, [], [], "a box as an object"),
    (coco(attributes={"caption": ["a", "b"]}), None, [], [], "two captions"),
    (coco({"label": 1}), None, [], [], "a label that is a number"),
    (coco({"label": "real"}), None, [], [], "a real image with a region"),
    (coco({"attributes": {"fake": "yes"}}), "fake", [BOX], ["hand"], "a switch"),
    (via({"what": {"real": True}}), None, [], [], "a checked box that says real"),
    (via({"what": "hand", "background": "real"}), None, [], [], "two attributes of text"),
    (via({"caption": "hand", "background": "real"}), "fake", [BOX], ["hand"], "a real background"),
    (via(shape={"name": "polygon", "all_points_x": [5, 20], "all_points_y": [6, 6, 18]}), None, [], [], "x without y"),
    (labelme({"label": " Real "}), None, [], [], "a label that says real"),
    (labelme({"points": [["5", "6"], ["20", "18"]]}), None, [], [], "numbers as text"),
    (labelme({"points": [[5, 6], [20, 6], [20, 18]]}), "fake", [BOX], ["hand"], "a rectangle of three corners"),
    (labelme(imageHeight=300, imageWidth=400), None, [], [], "another size"),
    (studio(value={"rectanglelabels": ["REAL"]}), None, [], [], "a label in capitals that says real"),
    (studio(choice("real", name="label")), None, [], [], "a real image with a box"),
    (studio(choice("real", "fake", name="label")), None, [], [], "both labels"),
    (cvat(label="real"), None, [], [], "a class that says real"),
    (cvat(attributes=attribute("caption", "a") + attribute("caption", "b")), None, [], [], "an attribute twice"),
    (cvat(box='xtl="5,5" ytl="6" xbr="20" ybr="18"'), None, [], [], "a decimal comma"),
    (cvat('<tag label="fake"/><tag label="real"/>'), None, [], [], "two labels of an image"),
    (cvat('<polyline label="hand" points="1,1;5,1"/>'), None, [], [], "a line without an area"),
]


@pytest.mark.parametrize(("source", "label", "boxes", "captions", "reason"), RIGHT, ids=[row[-1] for row in RIGHT])
def test_a_file_is_read_right_or_is_an_error(tmp_path, source, label, boxes, captions, reason):
    if label is None:
        with pytest.raises(DataError):
            read(source, tmp_path)
        return
    record, _ = read(source, tmp_path)
    assert (record.label, [region.bbox for region in record.regions]) == (label, boxes)
    assert [region.caption for region in record.regions] == captions


TWICE = [
    # format, text, field, reason
    ("coco", '{"images": [], "annotations": [], "images": [{"id": 1, "file_name": "a.png"}]}', "images", "images"),
    (
        "coco",
        '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [], "annotations": []}',
        "annotations",
        "annotations",
    ),
    (
        "coco",
        '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [], "categories": [], "categories": []}',
        "categories",
        "categories",
    ),
    ("via", '{"_via_img_metadata": {}, "_via_img_metadata": {}}', "_via_img_metadata", "images of a project"),
    ("via", f'{{"a": {json.dumps(via()[1]["a"])}, "a": {json.dumps(via()[1]["a"])}}}', "a", "an image"),
    ("mmfr", '{"1_fake/a.png": {}, "1_fake/a.png": {}}', "1_fake/a.png", "an image of MMFR"),
]


@pytest.mark.parametrize(("format", "text", "field", "reason"), TWICE, ids=[row[3] for row in TWICE])
def test_what_stands_twice_is_an_error(tmp_path, format, text, field, reason):
    pictures(tmp_path, "a.png", "1_fake/a.png")
    (tmp_path / "b_reasoning.json").write_text(text)
    with pytest.raises(DataError, match=f"{field}: expected each key once, found a second one"):
        records(format, tmp_path / "b_reasoning.json", tmp_path, label="real")


def test_folders_and_categories_are_read_in_any_case(tmp_path):
    pictures(tmp_path, "1_Fake/a.png")
    (tmp_path / "b_reasoning.json").write_text('{"1_Fake/a.png": {"light": "Dim."}}')
    (record,) = records("mmfr", tmp_path / "b_reasoning.json", tmp_path)
    assert record.label == "fake"
    label = {"label": "Low-Level-Texture", "points": [[5, 6], [20, 6], [20, 18]]}
    row = {"image": b"PNG", "generator": "SDXL", "uid": "7", "labels": [label], "width": 40, "height": 30}
    (draft,) = from_x_aigd({"row": row})
    assert (draft.regions[0].caption, draft.tags) == ("Low-level texture.", ["texture_error"])
