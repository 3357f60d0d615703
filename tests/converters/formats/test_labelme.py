"""LabelMe: shapes to boxes, flags, images within files, what is refused."""

import base64
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from converters.convert import Place, convert
from converters.drafts.draft import folder_of
from converters.formats.labelme import from_labelme, load_labelme
from swift_plugins.fakexplain.errors import DataError
from tests.converters.content import changed_at
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.pictures import OUTSIDE, picture
from tests.converters.reading import settle
from tests.converters.rows import png

SOURCE = ASSETS / "labelme/source"
SHAPE = {"label": "flaw", "description": "Six fingers.", "points": [[3, 4], [10, 9.5]], "shape_type": "rectangle"}
CONTENT = {
    "version": "5.5.0",
    "flags": {},
    "shapes": [SHAPE],
    "imagePath": "a.png",
    "imageData": None,
    "imageHeight": 20,
    "imageWidth": 40,
}


def draft(content, name="a.json"):
    (only,) = from_labelme({"content": content, "name": name})
    return only


def records(source, tmp_path, **settings):
    (tmp_path / "new").mkdir(exist_ok=True)
    places = {"images": Place(folder_of(source), "source"), "written": Place(tmp_path / "new", "new")}
    return list(convert(load_labelme(source), from_labelme, **(places | settings)))


def write(folder, content=CONTENT, name="a.json"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_golden(tmp_path):
    check_golden("labelme", tmp_path)


def test_boxes_are_those_of_the_upright_image_and_a_mask_ends_after_its_last_pixel(tmp_path):
    found = {record.id: record for record in records(SOURCE, tmp_path)}["trip/湖 naïve"]
    red, mask = (region.bbox for region in found.regions)
    with Image.open(tmp_path / found.image) as image:
        pixels = np.asarray(image.crop(tuple(map(int, red))))
    assert (pixels[:, :, 0] > 200).all()  # the red half is at the top, where LabelMe shows it
    content = json.loads((SOURCE / "trip/湖 naïve.json").read_text("utf-8"))
    with Image.open(io.BytesIO(base64.b64decode(content["shapes"][1]["mask"]))) as image:
        assert image.size == (mask[2] - mask[0], mask[3] - mask[1])


@pytest.mark.parametrize(
    ("kind", "points", "box"),
    [
        ("rectangle", [[10, 9], [3, 4]], (3, 4, 10, 9)),
        ("rectangle", [[3, 9], [10, 4]], (3, 4, 10, 9)),
        ("rectangle", [[3, 4], [10, 4], [10, 9], [3, 9]], (3, 4, 10, 9)),
        ("oriented_rectangle", [[5, 1], [9, 5], [5, 9], [1, 5]], (1, 1, 9, 9)),
        ("polygon", [[5, 1], [9, 5.5], [2, 7]], (2, 1, 9, 7)),
        ("line", [[9, 1], [2, 7]], (2, 1, 9, 7)),
        ("linestrip", [[5, 1], [9, 5], [2, 7]], (2, 1, 9, 7)),
        ("circle", [[20, 10], [23, 14]], (15, 5, 25, 15)),
        ("mask", [[4, 3], [12, 10]], (4, 3, 13, 11)),
        ("mask", [[4, 3], [4, 3]], (4, 3, 5, 4)),
    ],
)
def test_a_shape_gives_the_box_around_it(kind, points, box):
    (region,) = draft(CONTENT | {"shapes": [SHAPE | {"shape_type": kind, "points": points}]}).regions
    assert region[:3] == (box, "Six fingers.", "shapes[0]")


@pytest.mark.parametrize(
    ("description", "caption"),
    [("Six\n fingers. ", "Six fingers."), ("", "flaw"), (" \n", "flaw"), (None, "flaw")],
)
def test_a_caption_is_the_description_or_else_the_label(description, caption):
    assert draft(CONTENT | {"shapes": [SHAPE | {"description": description}]}).regions[0].caption == caption
    without = {name: value for name, value in SHAPE.items() if name != "description"}
    assert draft(CONTENT | {"shapes": [without]}).regions[0].caption == "flaw"


@pytest.mark.parametrize(
    ("flags", "more", "label", "tags", "fields"),
    [
        (None, {}, None, [], {}),
        ({"fake": True, "real": False}, {}, "fake", [], {}),
        ({"real": True}, {}, "real", [], {}),
        ({"real": True}, {"label": "real"}, "real", [], {}),
        ({}, {"label": "fake", "tags": ["Wrong Texture"]}, "fake", ["Wrong Texture"], {}),
        ({"Wrong Texture": True, "unknown_object": True}, {}, None, ["texture_error", "unknown_object"], {}),
        ({"texture_error": True}, {"tags": ["Wrong Texture"]}, None, ["Wrong Texture"], {}),
        ({"texture_error": False, "blurry": False}, {}, None, [], {}),
        ({"blurry": True, "night": True}, {}, None, [], {"flags": ["blurry", "night"]}),
        (
            {},
            {"generator": "SDXL", "annotator": "a07", "seed": 7},
            None,
            [],
            {"generator": "SDXL", "annotator": "a07", "seed": 7},
        ),
    ],
)
def test_flags_and_other_keys_speak_of_the_image(flags, more, label, tags, fields):
    made = draft(CONTENT | {"flags": flags} | more)
    assert (made.label, made.tags, made.fields, made.wh) == (label, tags, fields, (40, 20))


@pytest.mark.parametrize(
    ("labels", "more", "tags"),
    [
        (["flaw", "Wrong Texture", "texture_error", "Perspective"], {}, ["texture_error", "perspective_error"]),
        (["Wrong Texture"], {"flags": {"artistic_style": True}}, ["artistic_style", "texture_error"]),
        (["Wrong Texture"], {"flags": {"texture error": True}}, ["texture_error"]),
        (["texture error"], {"tags": ["Wrong Texture"]}, ["Wrong Texture"]),
    ],
)
def test_a_label_that_is_a_tag_is_one_of_the_image(labels, more, tags):
    made = draft(CONTENT | {"shapes": [SHAPE | {"label": label} for label in labels]} | more)
    assert made.tags == tags and {region.caption for region in made.regions} == {"Six fingers."}
    alone = draft(CONTENT | {"shapes": [SHAPE | {"label": label, "description": ""} for label in labels]} | more)
    assert alone.tags == tags and [region.caption for region in alone.regions] == labels


def test_an_error_found_later_names_the_shape(tmp_path):
    picture(tmp_path / "src/a.png")
    write(tmp_path / "src", CONTENT | {"shapes": [SHAPE, SHAPE | {"description": "<bbox>"}]})
    with pytest.raises(DataError, match=r"a\.json: shapes\[1\]\.caption: expected no markup or placeholder"):
        records(tmp_path / "src", tmp_path)


def test_a_path_longer_than_a_file_system_takes_is_an_error_of_its_file_only(tmp_path):
    write(tmp_path, CONTENT | {"imagePath": "a/" * 3000 + "a.png"})
    with pytest.raises(DataError, match=r"a\.json: imagePath: expected names of at most"):
        records(tmp_path, tmp_path)


def changed(path, value=...):
    """The content with the value at a path changed, or without it."""
    return changed_at(CONTENT, path, value)


S = ("shapes", 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], r"^expected a JSON object, found \[\]"),
        (changed(["imagePath"]), r"^imagePath: expected the path of the image.* found nothing"),
        (changed(["imagePath"], 7), r"^imagePath: expected the path of the image.* found 7"),
        (changed(["shapes"]), r"^shapes: expected a list of shapes, found nothing"),
        (changed(["shapes"], None), r"^shapes: expected a list of shapes, found None"),
        (changed(S, "x"), r"^shapes\[0\]: expected a JSON object, found 'x'"),
        (changed([*S, "label"]), r"^shapes\[0\].label: expected a label, found nothing"),
        (
            changed(S, SHAPE | {"label": " ", "description": ""}),
            r"^shapes\[0\].label: expected .* not empty; or --caption TEXT .*, found ' '",
        ),
        (changed([*S, "shape_type"], 7), r"^shapes\[0\].shape_type: expected one of rectangle, .* found 7"),
        (changed([*S, "shape_type"], "point"), r"^shapes\[0\].shape_type: expected one of .* found 'point'"),
        (changed([*S, "shape_type"], "points"), r"^shapes\[0\].shape_type: expected one of .* found 'points'"),
        (changed([*S, "points"]), r"^shapes\[0\].points: expected a list of points \[x, y\], found nothing"),
        (changed([*S, "points"], [[1, 2]]), r"^shapes\[0\].points: expected 2 to 4 points, for a rectangle"),
        (changed(S, SHAPE | {"shape_type": "polygon"}), r"^shapes\[0\].points: expected 3 or more points, for a pol"),
        (
            changed(S, SHAPE | {"shape_type": "circle", "points": [[1, 2]] * 3}),
            r"^shapes\[0\].points: expected 2 points, for a circle",
        ),
        (changed([*S, "points", 1], [1]), r"^shapes\[0\].points\[1\]: expected two numbers x, y, found \[1\]"),
        (changed([*S, "points", 1], [1, "2"]), r"^shapes\[0\].points\[1\]: expected two numbers x, y"),
        (changed([*S, "points", 1], [True, 2]), r"^shapes\[0\].points\[1\]: expected two numbers x, y"),
        (changed([*S, "points", 1], [float("nan"), 2]), r"^shapes\[0\].points\[1\]: expected finite .* found nan"),
        (changed([*S, "points", 1], [1, float("inf")]), r"^shapes\[0\].points\[1\]: expected finite .* found inf"),
        (changed([*S, "points", 1], [1, 10**400]), r"^shapes\[0\].points\[1\]: expected finite numbers"),
        (changed([*S, "description"], 7), r"^shapes\[0\].description: expected text, found 7"),
        (changed(["flags"], ["fake"]), r"^flags: expected an object of flags"),
        (changed(["flags"], {"fake": 1}), r"^flags.fake: expected true or false, found 1"),
        (changed(["flags"], {"fake": True, "real": True}), r"^flags: expected one label, .* is fake .*, found 'real'"),
        (
            CONTENT | {"label": "real", "flags": {"fake": True}},
            r"^flags: expected one label, .* is real .*, found 'fake'",
        ),
        (CONTENT | {"label": "maybe"}, r"^label: expected 'fake' or 'real', found 'maybe'"),
        (CONTENT | {"label": 0}, r"^label: expected 'fake' or 'real', found 0"),
        (CONTENT | {"tags": 7}, r"^tags: expected a list of tags, found 7"),
        (CONTENT | {"id": 7.5}, r"^id: expected a text or a whole number, found 7.5"),
        (CONTENT | {"regions": []}, r"^regions: expected no field of this name"),
        (changed(["imageWidth"]), r"^imageWidth: expected a whole number of pixels, found nothing"),
        (changed(["imageHeight"], 20.5), r"^imageHeight: expected a whole number of pixels, found 20.5"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_an_error(content, message):
    with pytest.raises(DataError, match=message):
        settle([draft(content)], (40, 20))


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_path_that_leads_outside_is_refused(tmp_path, name):
    picture(tmp_path / "a", kind="PNG")  # where `../a` would lead
    write(tmp_path / "src", CONTENT | {"imagePath": name})
    expected = r"a\.json: imagePath: expected a relative path that stays inside the folder of the images"
    with pytest.raises(DataError, match=expected):
        records(tmp_path / "src", tmp_path)


def test_a_path_is_relative_to_its_file_which_may_be_named_itself(tmp_path):
    picture(tmp_path / "src/b/c/a.png")
    picture(tmp_path / "src/b/.trash/a.png")
    write(tmp_path / "src/b", CONTENT | {"imagePath": "c\\a.png"})
    write(tmp_path / "src/b/.trash")
    (found,) = records(tmp_path / "src", tmp_path)
    assert (found.id, found.image) == ("b/a", "source/b/c/a.png")
    (found,) = records(tmp_path / "src/b/a.json", tmp_path)
    assert (found.id, found.image) == ("a", "source/c/a.png")
    with pytest.raises(FileNotFoundError, match="none: expected a LabelMe JSON file or a folder"):
        list(load_labelme(tmp_path / "none"))


def test_the_image_within_a_file_serves_where_there_is_no_other(tmp_path):
    held = png((40, 20), "red", "JPEG")
    content = CONTENT | {"imageData": base64.b64encode(held).decode()}
    write(tmp_path / "src", content, "b.json")
    (found,) = records(tmp_path / "src", tmp_path)
    assert (found.id, found.image) == ("b", "new/b.jpg") and (tmp_path / "new/b.jpg").read_bytes() == held
    picture(tmp_path / "src/a.png")
    (found,) = records(tmp_path / "src", tmp_path)
    assert (found.id, found.image) == ("b", "source/a.png")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ("abc", r"a\.json: imageData: expected an image file in base64, or null, found 'abc'"),
        (7, r"a\.json: imageData: expected an image file in base64, or null, found 7"),
        ("aaaa", r"a\.json: imagePath: expected a readable image"),
        (None, r"a\.json: imagePath: expected an image file \(--images .*a\.png"),
    ],
)
def test_an_image_that_is_not_there_is_an_error(tmp_path, held, message):
    write(tmp_path / "src", CONTENT | {"imageData": held})
    with pytest.raises(DataError, match=message):
        records(tmp_path / "src", tmp_path)


def test_a_size_that_is_not_the_upright_images_is_an_error(tmp_path):
    picture(tmp_path / "src/a.jpg", turn=6)
    write(tmp_path / "src", CONTENT | {"imagePath": "a.jpg"})
    with pytest.raises(DataError, match=r"a\.json: width, height: expected the size of the upright image, 20x40"):
        records(tmp_path / "src", tmp_path)


def test_what_is_no_file_does_not_stop_the_others(tmp_path):
    write(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "link.json").symlink_to("none.json")
    found = {Path(piece.file).name: piece.data["content"] for piece in load_labelme(tmp_path)}
    assert found.keys() == {"a.json", "link.json", "pipe.json"}
    pipe = f"{tmp_path}/pipe.json: expected a regular file, found a pipe, which is not a regular file"
    assert str(found["pipe.json"]) == pipe
    assert str(found["link.json"]) == f"{tmp_path}/link.json: expected a file that can be read, found " + (
        "No such file or directory"
    )


def test_a_broken_file_does_not_stop_the_others(tmp_path):
    picture(tmp_path / "src/a.png")
    write(tmp_path / "src", name="z.json")
    (tmp_path / "src/b.json").write_text('{"shapes": [')
    with pytest.raises(DataError, match=r"b\.json: expected JSON, found"):
        records(tmp_path / "src", tmp_path)
    errors = []
    (good,) = records(tmp_path / "src", tmp_path, on_error=errors.append)
    assert good.id == "z" and len(errors) == 1
