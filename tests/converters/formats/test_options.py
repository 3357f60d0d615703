"""The options of `convert` behave alike in every format, and each error that an option solves names it."""

import json
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from converters.convert_source import convert_source
from converters.drafts.choices import Changes, Choices
from converters.formats import READ
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.converters.reading import pictures
from tests.converters.rows import mask, png

BOX, FLAT = (5, 6, 20, 18), (5, 18, 20, 18)
TALK = [{"from": "gpt", "value": "It is."}]


class Region(NamedTuple):
    """A region to write: its box, and its words, which may be empty."""

    box: tuple[int, ...] = BOX
    words: str = "Six."


# How each format writes an image with regions, a field of the image and an attribute of its regions. ------------------


def labelme(regions, field, attribute):
    shapes = [
        {
            "label": words,
            "points": [[x1, y1], [x2, y2]],
            "shape_type": "rectangle",
            "attributes": {"odd": attribute} if attribute else {},
        }
        for (x1, y1, x2, y2), words in regions
    ]
    return {"imagePath": "a.png", "shapes": shapes} | ({"kind": field} if field else {})


def coco(regions, field, attribute):
    annotations = [
        {"image_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "attributes": {"caption": words, "odd": attribute}}
        for (x1, y1, x2, y2), words in regions
    ]
    return {"images": [{"id": 1, "file_name": "a.png", "kind": field}], "annotations": annotations, "categories": []}


def cvat(regions, field, attribute):
    odd = f'<attribute name="odd">{attribute}</attribute>'
    boxes = "".join(
        f'<box label="{words}" xtl="{x1}" ytl="{y1}" xbr="{x2}" ybr="{y2}">{odd if attribute else ""}</box>'
        for (x1, y1, x2, y2), words in regions
    )
    tag = f'<tag label="kind"><attribute name="kind">{field}</attribute></tag>' if field else ""
    return f'<annotations><image name="a.png" width="40" height="30">{boxes}{tag}</image></annotations>'


def label_studio(regions, field, attribute):
    results: list[Any] = []
    for number, ((x1, y1, x2, y2), words) in enumerate(regions):
        place = {"x": x1 / 0.4, "y": y1 / 0.3, "width": (x2 - x1) / 0.4, "height": (y2 - y1) / 0.3}
        value = place | {"rectanglelabels": [words] if words else []}
        results.append({"id": str(number), "type": "rectanglelabels", "from_name": "l", "value": value})
        if attribute:
            odd = {"choices": [attribute]}
            results.append({"id": str(number), "type": "choices", "from_name": "odd", "value": odd})
    if field:
        results.append({"id": "f", "type": "choices", "from_name": "kind", "value": {"choices": [field]}})
    results = [each | {"to_name": "image"} for each in results]
    annotations = [{"completed_by": 1, "result": results}] if results else []
    return [{"id": 1, "data": {"image": "a.png"}, "annotations": annotations}]


def via(regions, field, attribute):
    found = [
        {
            "shape_attributes": {"name": "rect", "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1},
            "region_attributes": {"caption": words} | ({"odd": attribute} if attribute else {}),
        }
        for (x1, y1, x2, y2), words in regions
    ]
    file = {"kind": field} if field else {}
    return {"a": {"filename": "a.png", "size": 1, "regions": found, "file_attributes": file}}


def loki(regions, field, attribute):
    regional = [
        {"region": [x1, y1, x2 - x1, y2 - y1], "desc": words, "odd": attribute} for (x1, y1, x2, y2), words in regions
    ]
    return [{"image_path": "a.png", "problems": {"global": [], "regional": regional}, "kind": field}]


def synthscars(regions, field, attribute):
    refs = [
        {"sentence": words, "segmentation": [[x1, y1, x2, y1, x2, y2, x1, y2]], "odd": attribute}
        for (x1, y1, x2, y2), words in regions
    ]
    return [{"7": {"img_file_name": "a.png", "caption": "", "refs": refs, "kind": field}}]


def mllm_defake(regions, field, attribute):
    objects = {"ref": [words for _, words in regions], "bbox": [list(box) for box, _ in regions]}
    return [{"messages": [], "images": ["a.png"], "kind": field} | ({"objects": objects} if regions else {})]


def fakeclue(regions, field, attribute):
    return [{"image": "a.png", "cate": "doc", "conversations": TALK, "kind": field}]


def mmfr(regions, field, attribute):
    return {"a.png": {}}


def x_aigd(regions, field, attribute):
    labels = [
        {"label": "low-level-texture", "points": [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]}
        for (x1, y1, x2, y2), _ in regions
    ]
    return {"image": png((40, 30)), "generator": "SDXL", "uid": "1", "labels": labels, "width": 40, "height": 30} | {
        "kind": field
    }


def hf(regions, field, attribute):
    found = [{"bbox": list(map(float, box)), "caption": words or None} for box, words in regions]
    row = {"id": "a", "image": {"bytes": png((40, 30)), "path": None}, "width": 40, "height": 30, "regions": found}
    more = {"generator": None, "family": None, "class_name": None, "annotator": None, "fold": None}
    extra = json.dumps({"kind": field}) if field else None
    return row | {"label": None, "tags": [], "extra": extra} | more


def sid_set(regions, field, attribute):
    row = {"img_id": "1", "image": png((40, 30)), "mask": mask((40, 30), *(box for box, _ in regions))}
    return row | {"width": 40, "height": 30, "label": 2, "kind_of": field}


def so_fake(regions, field, attribute):
    return sid_set(regions, field, attribute) | {"label": "tampered"}


WRITERS = {name: globals().get(name.replace("-", "_")) for name in READ}
FILES = {"cvat": "annotations.xml", "mmfr": "b_reasoning.json", "mllm-defake": "rows.json"}
PARQUET = ("x-aigd", "hf", "sid-set", "so-fake")


def read(format, tmp_path, *regions, field="", attribute="", image="a.png", images=None, label=None, **choices):
    """Records of one image and its counts; the folder format has the image alone."""
    src = tmp_path / "src"
    pictures(src, image)
    if format in PARQUET:
        pq.write_table(pa.Table.from_pylist([WRITERS[format](regions, field, attribute)]), src / "a.parquet")
    elif format != "folder":
        content = WRITERS[format](regions, field, attribute)
        text = content if isinstance(content, str) else json.dumps(content)
        (src / FILES.get(format, "a.json")).write_text(text)
    changes, out = Changes(), tmp_path / "out.jsonl"
    places = {"images": images and src / images, "label": label}
    convert_source(format, src, out, choices=Choices(**choices), changes=changes, **places)
    return list(read_annotations(out)), changes


def test_every_format_is_here():
    assert [name for name, writer in WRITERS.items() if writer is None] == ["folder"]


WITH_SHAPES = set(READ) - {"folder", "fakeclue", "mmfr", "sid-set", "so-fake"}  # a mask's areas have an area


@pytest.mark.parametrize("format", sorted(WITH_SHAPES))
def test_skip_unusable_leaves_out_a_shape_without_an_area(format, tmp_path):
    with pytest.raises(DataError, match="--skip-unusable skips such shapes"):
        read(format, tmp_path, Region(), Region(FLAT))
    ((record,), changes) = read(format, tmp_path, Region(), Region(FLAT), skip_unusable=True)
    assert [region.bbox for region in record.regions] == [BOX] and changes.unusable == 1


WITH_WORDS = WITH_SHAPES - {"x-aigd"}  # whose categories are words


@pytest.mark.parametrize("format", sorted(WITH_WORDS))
def test_a_region_without_words_takes_the_caption_or_is_left_out(format, tmp_path):
    regions = Region(), Region((1, 2, 9, 9), "")
    if format in ("loki", "synthscars"):  # published with some
        ((record,), changes) = read(format, tmp_path, *regions)
        assert len(record.regions) == changes.wordless == 1
    else:
        with pytest.raises(DataError, match="--caption TEXT .*--caption-from NAME .*--skip-unusable"):
            read(format, tmp_path, *regions)
    ((record,), changes) = read(format, tmp_path, *regions, skip_unusable=True)
    assert len(record.regions) == changes.wordless == 1
    ((record,), changes) = read(format, tmp_path, *regions, caption="Odd.")
    assert [region.caption for region in record.regions] == ["Six.", "Odd."] and changes.captioned == 1


ALWAYS_LABELLED = {"x-aigd", "loki", "synthscars", "sid-set", "so-fake"}


@pytest.mark.parametrize("format", sorted(set(READ) - ALWAYS_LABELLED))
def test_an_image_without_annotation_is_what_the_user_says(format, tmp_path):
    with pytest.raises(DataError, match="--unannotated skip or real for images without annotation") as error:
        read(format, tmp_path)
    with pytest.raises(ValueError, match="expected at least one good record"):
        read(format, tmp_path, unannotated="skip")
    ((record,), changes) = read(format, tmp_path, unannotated="real")
    assert (record.label, record.regions, changes.assumed) == ("real", (), 1)
    if format != "label-studio":  # where nobody has looked at the task
        assert "--label for images without a label" in str(error.value)
        ((record,), changes) = read(format, tmp_path, label="real", unannotated="skip")
        assert (record.label, changes.unannotated) == ("real", 0)


WITH_ATTRIBUTES = {"labelme", "coco", "cvat", "label-studio", "via", "loki", "synthscars"}


@pytest.mark.parametrize("format", sorted(WITH_ATTRIBUTES))
def test_captions_come_from_the_attribute_that_the_user_names(format, tmp_path):
    ((record,), changes) = read(format, tmp_path, Region(), attribute="Bent.", caption_from="ODD")
    assert [region.caption for region in record.regions] == ["Bent."] and changes.chosen == 1
    ((record,), changes) = read(format, tmp_path, Region(), attribute="Bent.")
    if format == "label-studio":  # where choices of a region are words of its caption
        assert [region.caption for region in record.regions] == ["Six., Bent."] and not changes.texts
    else:
        assert [region.caption for region in record.regions] == ["Six."] and changes.texts == {"odd": 1}


@pytest.mark.parametrize("format", sorted(WITH_ATTRIBUTES))
def test_tags_come_from_the_attribute_that_the_user_names(format, tmp_path):
    ((record,), changes) = read(format, tmp_path, Region(), attribute="Wrong Texture", tag_from="ODD")
    assert record.tags == ("texture_error",) and changes.tagged == 1
    with pytest.raises(DataError, match="because of --tag-from"):
        read(format, tmp_path, Region(), attribute="Bent.", tag_from="odd")


WITH_FIELDS = set(READ) - {"folder", "mmfr", "sid-set", "so-fake"}


@pytest.mark.parametrize("format", sorted(WITH_FIELDS))
def test_tags_come_from_the_field_of_the_image_that_the_user_names(format, tmp_path):
    settings = {"label": "fake"} if format == "fakeclue" else {}
    ((record,), changes) = read(format, tmp_path, Region(), field="perspective error", tag_from="Kind", **settings)
    assert "perspective_error" in record.tags and changes.tagged == 1
    assert "kind" not in record.extra


WITH_PATHS = set(READ) - {*PARQUET, "folder"}


@pytest.mark.parametrize("format", sorted(WITH_PATHS))
def test_an_image_elsewhere_is_found_below_the_folder_that_the_user_names(format, tmp_path):
    settings = {"label": "fake"} if format in ("fakeclue", "mmfr") else {}
    if not READ[format].search:
        with pytest.raises(DataError, match="--images"):
            read(format, tmp_path, Region(), image="pics/deep/a.png", **settings)
    ((record,), changes) = read(format, tmp_path, Region(), image="pics/deep/a.png", images="pics", **settings)
    assert record.image == "src/pics/deep/a.png" and changes.searched == 1


@pytest.mark.parametrize("format", sorted(WITH_WORDS))
def test_a_region_that_is_labelled_real_is_no_flaw(format, tmp_path):
    with pytest.raises(DataError, match="expected the caption of a flaw, but the region is labelled real, found '"):
        read(format, tmp_path, Region(words="Real"))
