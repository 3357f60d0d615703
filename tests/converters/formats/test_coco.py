"""COCO as it is read: joining in any order, boxes and captions, errors."""

import json

import numpy as np
import pytest
from PIL import Image

from converters.convert import Place, convert
from converters.drafts.draft import folder_of
from converters.formats.coco import from_coco, load_coco
from swift_plugins.fakexplain.errors import DataError
from tests.converters.content import changed_at
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.pictures import OUTSIDE, picture
from tests.converters.reading import settle

SOURCE = ASSETS / "coco/source"
COCO = {
    "images": [
        {"id": 7, "file_name": "b/a.png", "width": 40, "height": 20},
        {"id": 3, "file_name": "c.png", "width": 40, "height": 20, "label": "real"},
    ],
    "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [3, 4, 10, 5.5], "caption": "Six fingers."}],
    "categories": [{"id": 1, "name": "flaw"}],
}


def write(folder, content, name="coco.json"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder / name


def drafts(tmp_path, content):
    """Drafts of a source whose images are not looked at."""
    return [draft for piece in load_coco(write(tmp_path, content)) for draft in from_coco(piece.data)]


def records(source, tmp_path, **settings):
    (tmp_path / "new").mkdir(exist_ok=True)
    places = {"images": Place(folder_of(source), "source"), "written": Place(tmp_path / "new", "new")}
    return list(convert(load_coco(source), from_coco, **(places | settings)))


def changed(*path, value=...):
    """The source with the value at a path changed, or without it."""
    return changed_at(COCO, path, value)


def annotation(**changes):
    return changed("annotations", 0, value={"image_id": 7, "category_id": 1, "bbox": [3, 4, 10, 5]} | changes)


def test_golden(tmp_path):
    check_golden("coco", tmp_path)


def test_boxes_are_those_of_the_upright_image(tmp_path):
    turned, *_ = records(SOURCE, tmp_path)
    with Image.open(tmp_path / turned.image) as image:
        pixels = np.asarray(image.crop(tuple(map(int, turned.regions[0].bbox))))
    assert image.size == (30, 40) and (pixels[:, :, 0] > 200).all()


@pytest.mark.parametrize("order", [("images", "annotations", "categories"), ("categories", "annotations", "images")])
def test_the_order_within_the_file_means_nothing(tmp_path, order):
    first, second = drafts(tmp_path, {name: COCO[name] for name in order})
    assert (first.image, first.id, first.wh, first.label) == ("b/a.png", None, (40, 20), None)
    assert [each[:2] for each in first.regions] == [((3, 4, 13, 9.5), "Six fingers.")]
    assert (second.image, second.regions, second.label) == ("c.png", [], "real")


def test_ids_may_be_text_and_are_not_numbers_then(tmp_path):
    content = changed("images", 1, value={"id": "7", "file_name": "c.png"})
    content["annotations"].append({"image_id": "7", "bbox": [0, 0, 1, 1], "caption": "Other."})
    first, second = drafts(tmp_path, content)
    assert [region.caption for region in first.regions] == ["Six fingers."] and first.id is None
    assert [region.caption for region in second.regions] == ["Other."] and second.id == "7" and second.wh is None


@pytest.mark.parametrize(
    ("changes", "caption"),
    [
        ({"attributes": {"caption": "A.", "description": "B."}, "caption": "C."}, "A."),
        ({"attributes": {"caption": " ", "description": "B."}, "caption": "C."}, "B."),
        ({"attributes": {"occluded": False}, "caption": "C\n c."}, "C c."),
        ({"attributes": None, "caption": ""}, "flaw"),
        ({"attributes": {"comment": " A.\n a", "explanation": "B."}}, "A. a"),
        ({"attributes": {"reason": "R.", "note": "N.", "text": "T.", "explanation": "E.", "comment": ""}}, "E."),
        ({"attributes": {"reason": "R.", "note": "N.", "text": True}}, "N."),
        ({"attributes": {"reason": "R."}, "caption": "C."}, "C."),
        ({"attributes": {"reason": "R."}}, "R."),
        ({"attributes": {"title": "T.", "reason": 7}}, "flaw"),
        ({}, "flaw"),
    ],
)
def test_where_a_caption_comes_from(tmp_path, changes, caption):
    assert drafts(tmp_path, annotation(**changes))[0].regions[0].caption == caption


def several(*annotations, **image):
    """An image with annotations of any attributes; categories 1 to 3 are flaw, Wrong Texture and perspective."""
    names = ("flaw", "Wrong Texture", "perspective")
    return {
        "images": [{"id": 7, "file_name": "a.png", **image}],
        "annotations": [{"image_id": 7, "category_id": 1, "bbox": [3, 4, 10, 5]} | each for each in annotations],
        "categories": [{"id": id, "name": name} for id, name in enumerate(names, 1)],
    }


@pytest.mark.parametrize(
    ("annotations", "image", "tags"),
    [
        ([{"category_id": 2}, {"category_id": 1}, {"category_id": 3}], {}, ["texture_error", "perspective_error"]),
        ([{"category_id": 3}, {"category_id": 2}], {"tags": ["texture error"]}, ["texture error", "perspective_error"]),
        ([{"attributes": {"tags": "other anomaly, Wrong Texture"}}], {}, ["other_anomaly", "texture_error"]),
        ([{"attributes": {"tag": "perspective"}}, {"category_id": 3}], {}, ["perspective_error"]),
        (
            [{"attributes": {"tags": ["Artistic Styles", 7], "tag": "dim", "kind": "perspective"}}],
            {},
            ["artistic_style"],
        ),
    ],
)
def test_tags_of_annotations_are_the_images(tmp_path, annotations, image, tags):
    (draft,) = drafts(tmp_path, several(*annotations, **image))
    assert draft.tags == tags
    assert (
        draft.regions[0].caption == ("flaw", "Wrong Texture", "perspective")[annotations[0].get("category_id", 1) - 1]
    )
    described = [each | {"caption": "Hand."} for each in annotations]
    assert drafts(tmp_path, several(*described, **image))[0].tags == tags


def test_what_annotations_say_of_their_image_is_the_images(tmp_path):
    first, second = {"annotator": "a07", "generator": "SDXL"}, {"annotator": "a07", "family": "diffusion"}
    (draft,) = drafts(tmp_path, several({"attributes": first}, {}, {"attributes": second}, attributes=first))
    assert draft.fields == first | second
    contradicted = r"^annotations\[1\]\.attributes\.annotator: expected one annotator, but .* 'a07', found 'a08'"
    for content in (
        several({"attributes": first}, {"attributes": {"annotator": "a08"}}),
        several({}, {"attributes": {"annotator": "a08"}}, annotator="a07"),
    ):
        with pytest.raises(DataError, match=contradicted):
            drafts(tmp_path, content)


def test_an_error_found_later_names_the_annotation(tmp_path):
    picture(tmp_path / "src/b/a.png")
    picture(tmp_path / "src/c.png")
    good, other = COCO["annotations"][0], {"image_id": 3, "category_id": 1, "bbox": [1, 1, 2, 2]}
    images = [COCO["images"][0], COCO["images"][1] | {"label": "fake"}]
    for bad, message in (
        ({"bbox": [50, 4, 10, 5]}, "bbox: expected a box inside the 40x20 image"),
        ({"caption": "<image>"}, "caption: expected no markup or placeholder"),
    ):
        content = COCO | {"images": images, "annotations": [other, good, other, good | bad]}
        with pytest.raises(DataError, match=rf"coco\.json: annotations\[3\]\.{message}"):
            records(write(tmp_path / "src", content), tmp_path)


def test_a_category_may_be_there_twice(tmp_path):
    content = COCO | {"categories": [{"id": 1, "name": "flaw"}, {"id": "1", "name": "b"}, {"id": 1, "name": "flaw"}]}
    content["annotations"] = [COCO["annotations"][0] | {"caption": ""}]
    assert drafts(tmp_path, content)[0].regions[0].caption == "flaw"


@pytest.mark.parametrize(
    ("changes", "box"),
    [
        ({"bbox": [3, 4, 10, 5]}, (3, 4, 13, 9)),
        ({"bbox": [3, 4, 10, 5], "segmentation": {"counts": "abc", "size": [20, 40]}}, (3, 4, 13, 9)),
        ({"bbox": None, "segmentation": [[5, 1, 9, 5.5, 2, 7]]}, (2, 1, 9, 7)),
        ({"bbox": None, "segmentation": [[5, 1, 9, 5, 2, 7], [20, 3, 22, 3, 21, 9.5]]}, (2, 1, 22, 9.5)),
        ({"bbox": [0.1, 4, 0.2, 5], "attributes": {"bbox_xyxy": [0.1, 4.0, 0.3, 9.0]}}, (0.1, 4.0, 0.3, 9.0)),
        ({"bbox": [0.2, 4, 0.2, 5], "attributes": {"bbox_xyxy": [0.1, 4.0, 0.3, 9.0]}}, (0.2, 4, 0.4, 9)),
    ],
)
def test_boxes(tmp_path, changes, box):
    assert drafts(tmp_path, annotation(**changes))[0].regions[0].box == box


def test_what_is_said_of_an_image(tmp_path):
    image = {"id": 7, "file_name": "a.png", "license": 1, "date_captured": "", "family": "GAN", "label": "real"}
    attributes = {"id": "x", "label": "fake", "tags": ["Wrong Texture"], "generator": "SDXL", "seed": 7, "note": None}
    (draft,) = drafts(tmp_path, COCO | {"images": [image | {"attributes": attributes}]})
    assert (draft.id, draft.label, draft.tags) == ("x", "fake", ["Wrong Texture"])
    assert draft.fields == {"family": "GAN", "generator": "SDXL", "seed": 7}


IMAGE = COCO["images"][0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], r"coco\.json: annotations: expected a list of annotations, found nothing"),
        (changed("images"), r"coco\.json: images: expected a list of images, found nothing"),
        (changed("images", value={}), r"coco\.json: images: expected a list of images, found nothing"),
        (changed("annotations"), r"coco\.json: annotations: expected a list of annotations, found nothing"),
        (changed("categories", 0, "id"), r"coco\.json: categories\[0\].id: expected the category's id, found nothing"),
        (
            changed("categories", 0, "name"),
            r"coco\.json: categories\[0\].name: expected the category's name, found nothing",
        ),
        (
            changed("categories", value=[{"id": 1, "name": "flaw"}, {"id": 1, "name": "hand"}]),
            r"coco\.json: categories\[1\].name: expected one name of category 1, .* 'flaw' earlier, found 'hand'",
        ),
        (changed("images", 0, value=7), r"^images\[0\]: expected a JSON object, found 7"),
        (changed("images", 0, "id"), r"^images\[0\].id: expected the image's id, found nothing"),
        (changed("images", 0, "id", value=True), r"^images\[0\].id: expected the image's id, found True"),
        (
            changed("images", 0, "id", value=3),
            r"^images\[1\].id: expected .*, but images\[0\] has the same one",
        ),
        (changed("images", 0, "file_name"), r"^images\[0\].file_name: expected the path of the image, found nothing"),
        (changed("images", 0, "width"), r"^images\[0\].width: expected a whole number of pixels, found nothing"),
        (changed("images", 0, "height", value="2e1"), r"^images\[0\].height: expected a whole number .* found '2e1'"),
        (changed("images", 0, "height", value=20.5), r"^images\[0\].height: expected a whole number .* found 20.5"),
        (changed("images", 0, value=IMAGE | {"tags": 7}), r"^images\[0\].tags: expected a list of tags, found 7"),
        (changed("images", 0, value=IMAGE | {"label": 0}), r"^images\[0\].label: expected 'fake' or 'real', found 0"),
        (changed("images", 0, value=IMAGE | {"regions": 1}), r"^images\[0\].regions: expected no field of this name"),
        (
            changed("images", 0, value=IMAGE | {"attributes": 1}),
            r"^images\[0\].attributes: expected an object, found 1",
        ),
        (
            changed("images", 0, value=IMAGE | {"attributes": {"id": 5.5}}),
            r"^images\[0\].id: expected a text or a whole number, found 5.5",
        ),
        (changed("annotations", 0, value=7), r"^annotations\[0\]: expected a JSON object, found 7"),
        (changed("annotations", 0, "image_id"), r"^annotations\[0\].image_id: expected the id .* found nothing"),
        (annotation(image_id="07"), r"^annotations\[0\].image_id: expected the id of an image .*, found '07'"),
        (annotation(image_id=8), r"^annotations\[0\].image_id: expected the id of an image of this file, found 8"),
        (annotation(image_id=None), r"^annotations\[0\].image_id: expected the id .* found None"),
        (annotation(bbox=None), r"^annotations\[0\].bbox: expected four numbers .* segmentation; .* found nothing"),
        (annotation(bbox=None, segmentation=[]), r"^annotations\[0\].bbox: expected four numbers .* found nothing"),
        (annotation(bbox=[1, 2, 3]), r"^annotations\[0\].bbox: expected four numbers x, y, width, height, found \["),
        (annotation(bbox=[1, 2, 3, "4"]), r"^annotations\[0\].bbox: expected four numbers .* found '4'"),
        (annotation(bbox=[1, 2, 3, True]), r"^annotations\[0\].bbox: expected four numbers .* found True"),
        (annotation(bbox=[1, 2, 3, None]), r"^annotations\[0\].bbox: expected four numbers .* found None"),
        (annotation(bbox=[1, 2, 3, 10**12]), r"^annotations\[0\].bbox: expected finite numbers between -1e9 and 1e9"),
        (annotation(bbox=[1, 2, 0, 4]), r"^annotations\[0\].bbox: expected a width and a height above 0"),
        (
            annotation(bbox=None, segmentation={"counts": [4, 9], "size": [40, 20]}),
            r"^annotations\[0\].segmentation.size: expected a mask of the image's size, 40x20, found \[20, 40\]",
        ),
        (annotation(bbox=None, segmentation="x"), r"^annotations\[0\].segmentation: expected polygons"),
        (annotation(bbox=None, segmentation=[1, 2]), r"^annotations\[0\].segmentation\[0\]: expected polygons"),
        (annotation(bbox=None, segmentation=[[1, 2, 3, 4]]), r"^annotations\[0\].segmentation\[0\]: expected poly"),
        (annotation(bbox=None, segmentation=[[1, 2, 3, 4, 5, 6, 7]]), r"^annotations\[0\].segmentation\[0\]: exp"),
        (annotation(bbox=None, segmentation=[[1, 2, 3, 4, 5, "6"]]), r"^annotations\[0\].segmentation\[0\]: .* '6'"),
        (annotation(attributes=[1]), r"^annotations\[0\].attributes: expected an object, found \[1\]"),
        (annotation(attributes={"bbox_xyxy": [1]}), r"^annotations\[0\].attributes.bbox_xyxy: expected four numbers"),
        (annotation(attributes={"bbox_xyxy": [1, 2, 3, "4"]}), r"attributes.bbox_xyxy: expected four numbers"),
        (
            annotation(attributes={"caption": 7}),
            r"^annotations\[0\].attributes.caption: expected a caption as text, found 7",
        ),
        (
            annotation(attributes={"generator": ["a"]}),
            r"^annotations\[0\].attributes.generator: expected a non-empty string, found \['a'\]",
        ),
        (annotation(caption=7), r"^annotations\[0\].caption: expected a caption as text, found 7"),
        (annotation(category_id=2), r"^annotations\[0\].category_id: expected a caption, or the id of a .* found 2"),
        (annotation(category_id=None), r"^annotations\[0\].category_id: expected a caption, or the id .* found None"),
        (
            changed("categories") | {"annotations": [{"image_id": 7, "bbox": [1, 2, 3, 4]}]},
            r"^annotations\[0\].category_id: expected a caption, or the id of a category .*; .*, found nothing",
        ),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_an_error(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        settle(drafts(tmp_path, content))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**400])
@pytest.mark.parametrize("name", ["bbox", "segmentation"])
def test_a_number_without_end_is_an_error(name, number):
    annotation = {
        "image_id": 7,
        "caption": "A.",
        name: [1, 2, 3, number] if name == "bbox" else [[1, 2, 3, 4, 5, number]],
    }
    data = {"image": IMAGE, "at": "images[0]", "annotations": [("annotations[0]", annotation)], "categories": {}}
    with pytest.raises(DataError, match=rf"annotations\[0\].{name}.*: expected finite numbers between -1e9 and 1e9"):
        from_coco(data | {"twin": None})


@pytest.mark.parametrize("text", ["Nan", "1e999"])
def test_a_number_that_json_lacks_is_an_error_that_names_the_file(tmp_path, text):
    path = write(tmp_path, COCO)
    path.write_text(path.read_text().replace("5.5", text))
    with pytest.raises(DataError, match=r"coco\.json: expected JSON, found .*(invalid|overflow|malformed)"):
        list(load_coco(path))


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_path_that_leads_outside_is_refused(tmp_path, name):
    picture(tmp_path / "a", kind="PNG")  # where `../a` would lead
    path = write(tmp_path / "src", changed("images", 0, "file_name", value=name))
    expected = r"coco\.json: images\[0\].file_name: expected a relative path that stays inside the folder of the images"
    with pytest.raises(DataError, match=expected):
        records(path, tmp_path)


def test_an_image_without_a_label_needs_one_and_the_bad_do_not_stop_the_good(tmp_path):
    for name in ("b/a.png", "c.png", "d.png"):
        picture(tmp_path / "src" / name)
    content = changed("images", 1, value={"id": 3, "file_name": "c.png"})
    content["annotations"].append({"image_id": 9})
    content["images"].append({"id": 4, "file_name": "d.png", "label": "real"})
    path = write(tmp_path / "src", content)
    errors = []
    found = records(path, tmp_path, on_error=errors.append)
    assert [(each.id, each.label) for each in found] == [("b/a", "fake"), ("d", "real")]
    assert [str(error).split(": ", 1)[1].split(",")[0] for error in errors] == [
        "label: expected 'fake' or 'real'",
        "annotations[1].image_id: expected the id of an image of this file",
    ]
    errors.clear()
    found = records(path, tmp_path, label="real", on_error=errors.append)
    assert [each.label for each in found] == ["fake", "real", "real"] and len(errors) == 1


def test_no_annotations_are_fine_and_no_images_are_an_error(tmp_path):
    assert [draft.regions for draft in drafts(tmp_path, COCO | {"annotations": []})] == [[], []]
    write(tmp_path / "src", {"images": [], "annotations": []})
    with pytest.raises(DataError, match="expected at least one image"):
        records(tmp_path / "src", tmp_path)


def test_utf_16_and_a_folder_with_one_json(tmp_path):
    (tmp_path / "src/deep").mkdir(parents=True)
    content = changed("annotations", value=[]) | {"images": [{"id": 1, "file_name": "湖.png"}]}
    (tmp_path / "src/deep/coco.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-16")
    assert [piece.data["image"]["file_name"] for piece in load_coco(tmp_path / "src")] == ["湖.png"]
    write(tmp_path / "src", COCO, "b.json")
    with pytest.raises(DataError, match=r"expected one \*\.json; name the file itself, found 2"):
        list(load_coco(tmp_path / "src"))
