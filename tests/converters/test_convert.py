"""Converting, whatever the format: images, labels, boxes at the border, what is refused, what is left behind."""

import zlib

import pytest
from PIL import Image

from converters.convert import Changes, Place, convert
from converters.drafts.draft import Draft, DraftRegion, Piece
from swift_plugins.fakexplain.errors import DataError
from tests.converters.pictures import picture


def records(folder, *drafts, **changes):
    """Records of drafts whose images lie in a folder; what is written anew goes to `new`."""
    pieces = [Piece(draft, "source.json", at=f"[{index}]") for index, draft in enumerate(drafts)]
    new = folder / "new"
    new.mkdir(exist_ok=True)
    settings = {"images": Place(folder, "data"), "written": Place(new, "out_images")} | changes
    return list(convert(pieces, lambda draft: [draft], **settings))


def test_an_upright_image_stays_where_it_is(tmp_path):
    picture(tmp_path / "a/1.png")
    (record,) = records(
        tmp_path, Draft("a/1.png", regions=[DraftRegion((1, 2, 3, 4), "Hand.")], tags=["Wrong Texture"])
    )
    assert (record.id, record.image, record.image_wh, record.label) == ("a/1", "data/a/1.png", (40, 20), "fake")
    assert record.regions[0].bbox == (1, 2, 3, 4) and record.tags == ("texture_error",)
    assert not list((tmp_path / "new").iterdir())


def test_an_image_that_exif_turns_is_written_upright_and_coordinates_are_those_of_viewers(tmp_path):
    picture(tmp_path / "naïve 中.jpg", turn=6)
    changes = Changes()
    (record,) = records(
        tmp_path, Draft("naïve 中.jpg", regions=[DraftRegion((0, 0, 20, 20), "Half.")], wh=(20, 40)), changes=changes
    )
    assert (record.image, record.image_wh, changes.turned) == ("out_images/naïve 中.jpg.png", (20, 40), 1)
    with Image.open(tmp_path / "new/naïve 中.jpg.png") as image:
        assert image.size == (20, 40) and image.getexif().get(0x0112, 1) == 1
        x1, y1, x2, y2 = map(int, record.regions[0].bbox)
        assert image.crop((x1, y1, x2, y2)).getpixel((10, 10))[0] > 200  # the red half is at the top, where the box is


def test_a_size_of_the_source_must_be_that_of_the_upright_image(tmp_path):
    picture(tmp_path / "a.jpg", turn=6)
    expected = r"source.json: \[0\].width, height: expected the size of the upright image, 20x40, found 40x20"
    with pytest.raises(DataError, match=expected):
        records(tmp_path, Draft("a.jpg", label="real", wh=(40, 20)))


def test_an_image_within_the_source_is_written_as_it_was(tmp_path):
    raw = picture(tmp_path / "x", kind="JPEG").read_bytes()
    (record,) = records(tmp_path, Draft(raw, id="v1.5-cat", label="real"))
    assert record.image == "out_images/v1.5-cat.jpg"
    assert (tmp_path / "new/v1.5-cat.jpg").read_bytes() == raw


@pytest.mark.parametrize(
    ("box", "pixels", "clipped"),
    [
        ((4, 2, 20, 20), (4, 2, 20, 20), 0),
        ((-3, 2, 50, 10), (0, 2, 40, 10), 1),
        ((0, 0, 40.0000001, 10), (0, 0, 40, 10), 0),
    ],
)
def test_boxes_are_cut_at_the_border(tmp_path, box, pixels, clipped):
    picture(tmp_path / "a.png")
    changes = Changes()
    (record,) = records(tmp_path, Draft("a.png", regions=[DraftRegion(box, "Hand.")]), changes=changes)
    assert record.regions[0].bbox == pixels and changes.clipped == clipped


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        (
            Draft("none.png", label="real"),
            r"\[0\].image: expected an image file \(--images .*none.png",
        ),
        (Draft("a.png"), r"\[0\].label: expected 'fake' or 'real', or --label .* found nothing"),
        (Draft("../a.png", label="real"), r"\[0\].image: expected a relative path that stays inside"),
        (Draft("text.png", label="real"), r"\[0\].image: expected a readable image"),
        (
            Draft("a.png", regions=[DraftRegion((50, 1, 60, 2), "Hand.")]),
            r"\[0\].regions\[0\].bbox: expected a box inside",
        ),
        (
            Draft("a.png", regions=[DraftRegion((3, 1, 3, 2), "Hand.")]),
            r"\[0\].regions\[0\].bbox: expected a shape with an area; --skip-unusable",
        ),
        (
            Draft("a.png", regions=[DraftRegion((9, 1, 3, 2), "Hand.", ordered=True)]),
            r"\[0\].regions\[0\].bbox: expected x1 < x2",
        ),
        (
            Draft("a.png", regions=[DraftRegion((1, 1, 3, 2), "<bbox>")]),
            r"\[0\].regions\[0\].caption: expected no markup",
        ),
        (Draft("a.png", tags=["shiny"]), r"\[0\].tags\[0\]: expected one of perspective_error"),
        (Draft(b"", label="real"), r"\[0\].id: expected an id"),
        (Draft(b"text", label="real", id="x"), r"\[0\].image: expected a readable image, found the image of 'x'"),
    ],
)
def test_a_bad_record_says_where_and_does_not_stop_the_others(tmp_path, draft, message):
    picture(tmp_path / "a.png")
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(DataError, match=message):
        records(tmp_path, draft)
    errors = []
    good = records(tmp_path, draft, Draft("a.png", label="real"), on_error=errors.append)
    assert len(good) == len(errors) == 1


def test_images_that_differ_in_their_suffix_alone_are_each_written(tmp_path):
    for index in range(8):
        picture(tmp_path / f"{index}.jpg", wh=(40, 20), turn=6)
        picture(tmp_path / f"{index}.jpeg", wh=(30, 20), turn=6)
    drafts = [
        Draft(f"{index}.{suffix}", id=f"{index}{suffix}", label="real", wh=wh)
        for index in range(8)
        for suffix, wh in (("jpg", (20, 40)), ("jpeg", (20, 30)))
    ]
    for record in records(tmp_path, *drafts):
        with Image.open(tmp_path / "new" / record.image.removeprefix("out_images/")) as image:
            assert image.size == record.image_wh


def test_a_bad_record_leaves_no_image_and_two_of_one_image_share_it(tmp_path):
    picture(tmp_path / "a.jpg", turn=6)
    picture(tmp_path / "b.jpg", turn=6)
    drafts = [Draft("a.jpg", id="1", label="real"), Draft("a.jpg", id="2", label="real"), Draft("b.jpg", id="1")]
    told = []
    assert [r.image for r in records(tmp_path, *drafts, on_error=told.append)] == ["out_images/a.jpg.png"] * 2
    assert len(told) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.jpg.png"]


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_pixels_that_no_png_holds_are_written_as_rgb(tmp_path, mode):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new(mode, (40, 20)).save(tmp_path / "a.jpg", exif=exif)
    (record,) = records(tmp_path, Draft("a.jpg", label="real"))
    with Image.open(tmp_path / "new/a.jpg.png") as image:
        assert (image.mode, image.size) == ("RGB", record.image_wh) == ("RGB", (20, 40))


def test_a_part_that_cannot_be_read_is_told_in_its_turn_and_the_rest_is_read(tmp_path):
    picture(tmp_path / "a.png")
    error = DataError("a Parquet file", "text")

    def pieces():
        yield Piece(Draft("a.png", id="1", label="real"), "1.x")
        yield Piece(error, "2.x")
        yield Piece(Draft("a.png", id="3", label="real"), "3.x")
        raise DataError("JSON", "text").at("3.x", 0)

    told = []
    places = {"images": Place(tmp_path, "data"), "written": Place(tmp_path / "none", "none")}
    found = convert(pieces(), lambda draft: [draft], **places, on_error=lambda each: told.append(str(each)))
    assert [record.id for record in found] == ["1", "3"]
    assert told == ["2.x: expected a Parquet file, found 'text'", "3.x: expected JSON, found 'text'"]


def test_data_nested_too_deep_is_an_error(tmp_path):
    def deep(_):
        raise RecursionError

    for pieces, parse in (([Piece(0, "a.json")], deep), (map(deep, [0]), list)):
        with pytest.raises(DataError, match=r"expected data nested less deep"):
            list(convert(pieces, parse, images=Place(tmp_path, ""), written=Place(tmp_path, "")))


def test_an_error_in_a_region_names_its_place_in_the_source(tmp_path):
    picture(tmp_path / "a.png")
    regions = [
        DraftRegion((1, 1, 2, 2), "Hand.", "annotations[7]"),
        DraftRegion((50, 1, 60, 2), "Hand.", "annotations[3]"),
    ]
    draft = Draft("a.png", regions=regions)
    with pytest.raises(DataError, match=r"source.json: \[0\].annotations\[3\].bbox: expected a box inside"):
        records(tmp_path, draft)


def test_exif_that_stands_behind_the_pixels_of_a_png_turns_it_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = picture(tmp_path / "a.png").read_bytes()
    body, end = raw[:-12], raw[-12:]  # IEND is 12 bytes
    chunk = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(body + chunk + end)
    (record,) = records(tmp_path, Draft("a.png", label="real"))
    assert (record.image, record.image_wh) == ("out_images/a.png.png", (20, 40))


def test_an_id_twice_is_an_error(tmp_path):
    picture(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"id: expected a unique id \(image data/a.png already uses this one\)"):
        records(tmp_path, Draft("a.png", label="real"), Draft("a.png", label="real"))


def test_a_source_without_an_image_is_an_error(tmp_path):
    with pytest.raises(DataError, match="expected at least one image"):
        records(tmp_path)
