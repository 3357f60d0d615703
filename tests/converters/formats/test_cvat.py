"""CVAT for images: the stored task, shapes, what attributes say, every field that must be there, refused XML."""

import re
from xml.sax.saxutils import quoteattr

import pytest

from converters.convert import Changes
from swift_plugins.fakexplain.errors import DataError
from tests.converters.goldens import ASSETS, check_golden
from tests.converters.reading import drafts, peak_of_reading, pictures
from tests.converters.rows import records

BOX = '<box label="flaw" xtl="3" ytl="2" xbr="9" ybr="8"><attribute name="caption">Hand.</attribute></box>'


def image(inside=BOX, **attrib):
    given = {"id": "0", "name": "a.png", "width": "40", "height": "30"} | attrib
    words = " ".join(f"{name}={quoteattr(value)}" for name, value in given.items() if value is not None)
    return f"<image {words}>{inside}</image>"


def written(folder, *images, meta=""):
    path = folder / "annotations.xml"
    path.write_text(f"<annotations><version>1.1</version><meta>{meta}</meta>{''.join(images)}</annotations>", "utf-8")
    return path


def draft_of(folder, *images, meta=""):
    (draft,) = drafts("cvat", written(folder, *images, meta=meta))
    return draft


def test_golden(tmp_path):
    changes = Changes()
    check_golden("cvat", tmp_path, changes=changes)
    assert changes == Changes(turned=1, circumscribed=2)


def test_the_file_itself_is_read_as_its_folder_is():
    source = ASSETS / "cvat/source"
    assert drafts("cvat", source / "annotations.xml") == drafts("cvat", source)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<box label="x" xtl="3" ytl="2" xbr="9" ybr="8"/>', (3, 2, 9, 8)),
        ('<box label="x" xtl="3" ytl="2" xbr="9" ybr="8" rotation="0.0"/>', (3, 2, 9, 8)),
        # 6 x 2 about its centre (6, 3)
        ('<box label="x" xtl="3" ytl="2" xbr="9" ybr="4" rotation="90"/>', (5, 0, 7, 6)),
        ('<box label="x" xtl="3" ytl="2" xbr="9" ybr="4" rotation="270"/>', (5, 0, 7, 6)),
        ('<ellipse label="x" cx="10" cy="9" rx="4" ry="2"/>', (6, 7, 14, 11)),
        # half a side: sqrt(16 / 2 + 4 / 2) both ways
        ('<ellipse label="x" cx="10" cy="9" rx="4" ry="2" rotation="45"/>', (6.837722, 5.837722, 13.162278, 12.162278)),
        ('<polygon label="x" points="3,4;1,9;2.5,2"/>', (1, 2, 3, 9)),
        ('<polyline label="x" points="3,4;1,9"/>', (1, 4, 3, 9)),
        ('<points label="x" points="3,4;1,9"/>', (1, 4, 3, 9)),
        ('<mask label="x" rle="0, 6" left="3" top="4" width="2" height="3"/>', (3, 4, 5, 7)),
    ],
)
def test_every_shape_gives_its_tight_box(tmp_path, shape, box):
    assert draft_of(tmp_path, image(shape)).regions[0][:2] == (box, "x")


@pytest.mark.parametrize(
    ("attributes", "caption"),
    [
        ({"caption": "A.", "description": "B."}, "A."),
        ({"description": "B.", "caption": " "}, "B."),
        ({"quality": "C."}, "flaw"),
        ({"reason": "R.", "note": "N.", "comment": "C."}, "C."),
        ({"reason": "R.", "text": "T.", "explanation": " "}, "T."),
        ({"note": "N.", "tag": "perspective", "annotator": "anna"}, "N."),
        ({"tag": "perspective", "annotator": "anna"}, "flaw"),
        ({"caption": "Two\n  lines."}, "Two lines."),
    ],
)
def test_a_caption_is_an_attribute_or_else_the_label(tmp_path, attributes, caption):
    inside = "".join(f'<attribute name="{name}">{value}</attribute>' for name, value in attributes.items())
    shape = f'<box label="flaw" xtl="3" ytl="2" xbr="9" ybr="8">{inside}</box>'
    assert draft_of(tmp_path, image(shape)).regions[0].caption == caption


TASK = "<task><id>{}</id><assignee><username>{}</username></assignee></task>"


@pytest.mark.parametrize(
    ("meta", "attrib", "inside", "annotator"),
    [
        (TASK.format(7, "anna"), {}, "", "anna"),
        ("<job><id>3</id><assignee><username>anna</username></assignee></job>", {}, "", "anna"),
        ("<task><id>7</id><owner><username>boss</username></owner><assignee></assignee></task>", {}, "", None),
        (
            f"<project><tasks>{TASK.format(7, 'anna')}{TASK.format(8, 'bert')}</tasks></project>",
            {"task_id": "8"},
            "",
            "bert",
        ),
        (f"<project><tasks>{TASK.format(7, 'anna')}</tasks></project>", {"task_id": "8"}, "", None),
        (TASK.format(7, "anna"), {"annotator": "carl"}, "", "carl"),
        (TASK.format(7, "anna"), {}, BOX.replace("caption", "annotator"), "Hand."),
        (TASK.format(7, "anna"), {}, '<attribute name="annotator">dora</attribute>', "dora"),
        (TASK.format(7, "anna"), {}, '<tag label="real"><attribute name="annotator">dora</attribute></tag>', "dora"),
    ],
)
def test_who_annotated_is_the_nearest_that_says(tmp_path, meta, attrib, inside, annotator):
    assert draft_of(tmp_path, image(inside, **attrib), meta=meta).fields.get("annotator") == annotator


def test_tags_of_an_image_say_label_tags_and_fields(tmp_path):
    inside = (
        '<tag label="FAKE"/><tag label="Unrecognizable Objects"/><tag label="texture_error"/>'
        '<tag label="about"><attribute name="generator">real</attribute><attribute name="seed">7</attribute>'
        '<attribute name="id">x-1</attribute><attribute name="family"> </attribute></tag>'
    )
    draft = draft_of(tmp_path, image(inside, class_name="tench"))
    assert (draft.label, draft.tags, draft.id) == ("fake", ["unknown_object", "texture_error"], "x-1")
    assert draft.fields == {"generator": "real", "seed": "7", "class_name": "tench"}


def test_only_attributes_named_for_it_say_label_or_tags(tmp_path):
    inside = (
        '<tag label="about"><attribute name="background">real</attribute><attribute name="view">perspective</attribute>'
        '<attribute name="Final verdict">fake</attribute><attribute name="Image tags">Wrong Texture,other anomaly'
        '</attribute><attribute name="light_label">dim</attribute></tag>'
    )
    draft = draft_of(tmp_path, image(inside))
    assert (draft.label, draft.tags) == ("fake", ["texture_error", "other_anomaly"])
    assert draft.fields == {"background": "real", "view": "perspective", "light_label": "dim"}


def box(label="flaw", **attributes):
    inside = "".join(f'<attribute name="{name}">{value}</attribute>' for name, value in attributes.items())
    return f'<box label="{label}" xtl="3" ytl="2" xbr="9" ybr="8">{inside}</box>'


@pytest.mark.parametrize(
    ("inside", "tags"),
    [
        (box("Wrong Texture") + box() + box("perspective", caption="Hand."), ["texture_error", "perspective_error"]),
        (box("perspective") + '<tag label="texture_error"/>', ["texture_error", "perspective_error"]),
        (box("Wrong Texture") + '<tag label="texture_error"/>', ["texture_error"]),
        (box(tags="other anomaly, Wrong Texture", tag="dim", kind="perspective"), ["other_anomaly", "texture_error"]),
        (box("texture error", tag="Artistic Styles"), ["texture_error", "artistic_style"]),
    ],
)
def test_tags_of_shapes_are_the_images(tmp_path, inside, tags):
    assert draft_of(tmp_path, image(inside)).tags == tags
    assert draft_of(tmp_path, image(box("Wrong Texture"))).regions[0].caption == "Wrong Texture"


def test_what_shapes_say_of_their_image_is_the_images(tmp_path):
    meta = TASK.format(7, "anna")
    inside = box(annotator="bert", generator="SDXL") + box(family=" ") + box(annotator="bert", class_name="tench")
    fields = draft_of(tmp_path, image(inside), meta=meta).fields
    assert fields == {"annotator": "bert", "generator": "SDXL", "class_name": "tench"}
    for bad in (
        image(box(annotator="bert") + "<tag label='real'/>" + box(annotator="carl")),
        image("<attribute name='annotator'>bert</attribute>" + box() + box(annotator="carl")),
        image(box() + box(annotator="carl"), annotator="bert"),
    ):
        with pytest.raises(DataError, match=r"^box\[1\]\.annotator: expected one annotator, but .* 'bert'"):
            draft_of(tmp_path, bad, meta=meta)


def test_an_error_found_later_names_the_shape(tmp_path):
    pictures(tmp_path, "a.png")
    ellipse = '<ellipse label="x" cx="10" cy="9" rx="4" ry="2"/>'
    inside = ellipse + BOX + ellipse + '<tag label="fake"/>' + BOX.replace('"9"', '"3"')
    (draft,) = drafts("cvat", written(tmp_path, image(inside)))
    assert [each.at for each in draft.regions] == ["ellipse[0]", "box[0]", "ellipse[1]", "box[1]"]
    with pytest.raises(DataError, match=r"box\[1\]\.bbox: expected a shape with an area; .*, found \[3\.0, 2\.0, 3\.0"):
        records("cvat", tmp_path / "annotations.xml", tmp_path)


@pytest.mark.parametrize("name", ["é" * 300, "a/" * 3000 + "a.png"])
def test_a_path_longer_than_a_file_system_takes_is_an_error(tmp_path, name):
    source = written(tmp_path, image(BOX, subset="train", name=name))
    with pytest.raises(DataError, match=r"image\[0\]\.name: expected names of at most"):
        records("cvat", source, tmp_path)


def test_an_image_of_a_project_is_in_the_folder_of_its_subset_or_in_none(tmp_path):
    source = written(tmp_path, image(BOX, subset="train", task_id="7"))
    pictures(tmp_path, "images/a.png")
    assert [each.id for each in records("cvat", source, tmp_path)] == ["a"]
    pictures(tmp_path, "images/train/a.png")
    assert [each.id for each in records("cvat", source, tmp_path)] == ["train/a"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (image(name=None), "image[1].name: expected the path of the image, found nothing"),
        (image(width=None), "image[1].width: expected a whole number of pixels, found nothing"),
        (image(height=None), "image[1].height: expected a whole number of pixels, found nothing"),
        (image(width="4e1"), "image[1].width: expected a whole number of pixels, found '4e1'"),
        (image(BOX.replace('label="flaw"', "")), "image[1].box[0].label: expected a label, found nothing"),
        *(
            (image(re.sub(f'{name}="."', "", BOX)), f"image[1].box[0].{name}: expected a number, found nothing")
            for name in ("xtl", "ytl", "xbr", "ybr")
        ),
        *(
            (
                image(re.sub(f' {name}="."', "", '<ellipse label="x" cx="9" cy="9" rx="4" ry="2"/>')),
                f"image[1].ellipse[0].{name}: expected a number, found nothing",
            )
            for name in ("cx", "cy", "rx", "ry")
        ),
        *(
            (
                image(re.sub(f' {name}="."', "", '<mask label="x" left="9" top="9" width="4" height="2"/>')),
                f"image[1].mask[0].{name}: expected a number, found nothing",
            )
            for name in ("left", "top", "width", "height")
        ),
        (image(BOX + '<polygon label="x"/>'), "image[1].polygon[0].points: expected points x,y;x,y, found nothing"),
        (
            image('<polygon label="x" points="1,1;2,2"/>'),
            "image[1].polygon[0].points: expected 3 points or more; --skip-unusable",
        ),
        (
            image('<points label="x" points="1,1"/>'),
            "image[1].points[0].points: expected 2 points or more; --skip-unusable",
        ),
        (
            image('<points label="x" points="1,1;2"/>'),
            "image[1].points[0].points[1]: expected two numbers x, y, found [2.0]",
        ),
        (image('<points label="x" points="1,1;2,b"/>'), "image[1].points[0].points: expected a number, found 'b'"),
        (
            image(BOX.replace('"3"', '"nan"')),
            "image[1].box[0].xtl: expected finite numbers between -1e9 and 1e9, found nan",
        ),
        (image(BOX.replace("<box ", '<box rotation="x" ')), "image[1].box[0].rotation: expected a number, found 'x'"),
        (
            image('<ellipse label="x" cx="9" cy="9" rx="0" ry="2"/>'),
            "image[1].ellipse[0]: expected sides or radii above 0",
        ),
        (
            image('<box label=" " xtl="3" ytl="2" xbr="9" ybr="8"/>'),
            "image[1].box[0].label: expected an attribute `caption`",
        ),
        (image('<cuboid label="x"/>'), "image[1].cuboid[0]: expected a tag, or a shape with a box: box, ellipse, mask"),
        (
            image('<skeleton label="x"><points label="y" points="1,1"/></skeleton>'),
            "image[1].skeleton[0]: expected a tag",
        ),
        (image("<tag/>"), "image[1].tag[0].label: expected a label, found nothing"),
        (
            image('<tag label="x"><attribute name="tags">texture error, shiny</attribute></tag>'),
            "image[1].tag[0].tags: expected fake, real or one of perspective_error",
        ),
        (
            image('<tag label="real"/><tag label="fake"/>'),
            "image[1].tag[1].label: expected one label, but an earlier statement is 'real'",
        ),
        (
            image('<tag label="real"><attribute name="width">9</attribute></tag>'),
            "image[1].width: expected no field of this name",
        ),
        (image(width="30", height="40"), "image[1].width, height: expected the size of the upright image, 40x30"),
        (image(name="../a.png"), "image[1].name: expected a relative path that stays inside"),
        (image(name="/etc/a.png"), "image[1].name: expected a relative path that stays inside"),
        (image('<tag label="real"/>' + BOX), "image[1].regions: expected an empty list because the image is real"),
        (image(""), "image[1].label: expected 'fake' or 'real', or --label"),
    ],
)
def test_a_bad_image_says_where_and_does_not_stop_the_others(tmp_path, bad, message):
    pictures(tmp_path, "a.png", "b.png")
    source = written(tmp_path, image(name="b.png"), bad)
    with pytest.raises(DataError, match=re.escape(f"annotations.xml: {message}")):
        records("cvat", source, tmp_path)
    errors = []
    assert len(records("cvat", source, tmp_path, on_error=errors.append)) == len(errors) == 1


BOMB = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f'<!DOCTYPE x [<!ENTITY e0 "lol">{BOMB}]><annotations>&e9;</annotations>',
            "expected XML without a document type",
        ),
        (
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><annotations>&e;</annotations>',
            "expected XML without",
        ),
        (
            '<!DOCTYPE annotations SYSTEM "http://localhost/x.dtd"><annotations/>',
            "expected XML without a document type",
        ),
        ("<annotations><image></annotations>", "expected XML, found mismatched tag"),
        ("", "expected XML, found no element found"),
        ('<?xml version="1.0" encoding="none"?><annotations/>', "expected XML, found unknown encoding"),
        ("<annotation/>", "expected <annotations> of CVAT, found <annotation>"),
        ("<annotations><track/></annotations>", "expected an <image>: `CVAT for images 1.1`, not video, found <track>"),
    ],
)
def test_other_xml_is_refused(tmp_path, text, message):
    (tmp_path / "annotations.xml").write_text(text)
    with pytest.raises(DataError, match=rf"annotations\.xml: {re.escape(message)}"):
        drafts("cvat", tmp_path)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    def peak(count):
        path = written(tmp_path, *(image(name=f"{index}.png") for index in range(count)))
        return peak_of_reading("cvat", path, count)

    peak(10)  # imports
    assert peak(1_500) < peak(500) + 100_000  # bytes; the peak itself varies by 30,000
