"""Converting, whatever the format: images, labels, boxes at the border, what is refused, what is left behind."""

import json
import zipfile
import zlib

import pytest
from PIL import Image

from converters.convert import Changes, Place, convert
from converters.drafts.draft import Draft, DraftRegion, Piece
from swift_plugins.fakexplain.annotation import read_annotations
from swift_plugins.fakexplain.errors import DataError
from tests.cli.command import fakexplain, fakexplain_process
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


class TestCommand:
    @pytest.fixture
    def source(self, tmp_path):
        picture(tmp_path / "src/0_real/ä.png")
        picture(tmp_path / "src/1_fake/b.jpg", turn=8)
        return tmp_path / "src"

    def test_folders_become_records(self, source, tmp_path):
        out = tmp_path / "out/annotations.jsonl"
        done = fakexplain("convert", "folder", source, "--out", out, "--set", "generator=camera")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            f"2 records in {out}",
            f"  1 images turned upright, in {tmp_path / 'out/annotations_images'}",
        ]
        real, fake = read_annotations(out)
        assert (real.id, real.image, real.label) == ("0_real/ä", "../src/0_real/ä.png", "real")
        assert (fake.image, fake.image_wh, fake.generator) == (
            "annotations_images/1_fake/b.jpg.png",
            (20, 40),
            "camera",
        )
        assert real.path.is_file() and fake.path.is_file()
        assert fakexplain("validate", out).returncode == 0

    def test_the_same_bytes_each_time_and_no_overwriting_without_force(self, source, tmp_path):
        out = tmp_path / "out/a.jsonl"
        assert fakexplain_process("convert", "folder", source, "--out", out).returncode == 0
        before = {path: path.read_bytes() for path in out.parent.rglob("*.*")}
        again = fakexplain("convert", "folder", source, "--out", out, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert again.returncode == 2 and "already exists; --force overwrites it" in again.stderr
        assert fakexplain("convert", "folder", source, "--out", out, "--force").returncode == 0
        assert {path: path.read_bytes() for path in out.parent.rglob("*.*")} == before

    def test_an_archive_is_unpacked_beside_the_records(self, source, tmp_path):
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            for path in source.rglob("*.*"):
                archive.write(path, path.relative_to(source))
        out = tmp_path / "out/a.jsonl"
        done = fakexplain("convert", "folder", tmp_path / "s.zip", "--out", out)
        assert done.returncode == 0, done.stderr
        assert sorted(record.image for record in read_annotations(out)) == [
            "a_images/1_fake/b.jpg.png",
            "a_source/0_real/ä.png",
        ]
        assert all(record.path.is_file() for record in read_annotations(out))

    def test_keep_going_writes_the_good_and_counts_the_bad(self, source, tmp_path):
        (source / "1_fake/c.png").write_text("text")
        out = tmp_path / "a.jsonl"
        done = fakexplain("convert", "folder", source, "--out", out)
        assert done.returncode == 1 and not out.exists() and not (tmp_path / "a_images").exists()
        done = fakexplain("convert", "folder", source, "--out", out, "--keep-going")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == f"error: 1 of 3 records in {source} are bad"
        assert len(list(read_annotations(out))) == 2

    @pytest.mark.parametrize(
        ("args", "code", "message"),
        [
            (["convert", "fly", "."], 2, "'fly' is not one of 'folder', 'x-aigd'"),
            (["convert", "folder", "none", "--out", "x.jsonl"], 1, "none: expected a file or folder to convert"),
            (["convert", "folder", ".", "--out", "x.jsonl", "--set", "fold=1"], 2, "expected NAME=VALUE with one of"),
            (["convert", "folder", ".", "--out", "x.jsonl", "--label", "maybe"], 2, "'maybe' is not one of 'fake'"),
            (
                ["convert", "folder", ".", "--out", "x.jsonl", "--real", "A", "--fake", "a"],
                2,
                "different names for real and fake folders, found 'a' in both",
            ),
            (["convert", "folder", "."], 2, "Invalid value for --out: expected an annotations file to write"),
            (
                ["convert", "folder", ".", "--out", "x.jsonl", "--images", "none"],
                1,
                "expected the folder of the images",
            ),
        ],
    )
    def test_bad_usage(self, tmp_path, monkeypatch, args, code, message):
        monkeypatch.chdir(tmp_path)
        done = fakexplain(*args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert done.returncode == code and message in done.stderr
        assert not list(tmp_path.iterdir())

    def test_what_it_wrote_into_the_source_is_not_read_as_one_of_its_images(self, source, tmp_path):
        picture(source / "1_fake/turned.jpg", turn=6)
        args = ["convert", "folder", source, "--out", source / "1_fake/a.jsonl"]
        assert fakexplain(*args).returncode == 0
        before = (source / "1_fake/a.jsonl").read_bytes()
        assert b"a_images/1_fake/turned.jpg.png" in before
        assert fakexplain(*args, "--force").returncode == 0
        assert (source / "1_fake/a.jsonl").read_bytes() == before

    def test_errors_of_an_archive_name_it(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            archive.writestr("1_fake/a.png", b"text")
        done = fakexplain("convert", "folder", tmp_path / "s.zip", "--out", tmp_path / "a.jsonl")
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {tmp_path}/s.zip/1_fake/a.png: image: expected a readable image, found ")
        assert "partial" not in done.stderr

    @pytest.mark.parametrize("folder", ["..", "/etc"])
    def test_images_of_an_archive_are_within_it(self, tmp_path, folder):
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            archive.writestr("1_fake/a.png", b"text")
        args = ["convert", "folder", tmp_path / "s.zip", "--out", tmp_path / "a.jsonl", "--images", folder]
        done = fakexplain(*args, COLUMNS="300", NO_COLOR="1", TERM="dumb")
        assert done.returncode == 2 and "expected a relative path that stays inside" in done.stderr

    def test_list_names_the_formats(self):
        assert "folder " in fakexplain("convert", "list").stdout


def test_options_decide_what_the_source_leaves_open_and_the_counts_are_printed(tmp_path):
    picture(tmp_path / "pics/deep/a.png")
    picture(tmp_path / "pics/b.png")
    region = {"image_id": 1, "bbox": [9, 9, -5, -6], "attributes": {"problem": "Six fingers.", "who": "me"}}
    wordless = {"image_id": 1, "bbox": [1, 2, 3, 4], "attributes": {"issue": "Wrong Texture"}}
    images = [{"id": 1, "file_name": "/mnt/x/a.png"}, {"id": 2, "file_name": "b.png"}]
    point = {"image_id": 1, "bbox": [1, 1, 0, 0]}
    content = {"images": images, "annotations": [region, wordless, point], "categories": []}
    (tmp_path / "c.json").write_text(json.dumps(content))
    out = tmp_path / "out.jsonl"
    options = ["--skip-unusable", "--unannotated", "skip", "--caption", "Odd.", "--caption-from", "Problem"]
    command = ["convert", "coco", tmp_path / "c.json", "--images", tmp_path / "pics", "-o", out, *options]
    done = fakexplain(*command, "--tag-from", "issue")
    assert (done.returncode, done.stderr) == (0, "")
    (record,) = read_annotations(out)
    assert [tuple(each) for each in record.regions] == [((4, 3, 9, 9), "Six fingers."), ((1, 2, 4, 6), "Odd.")]
    assert record.tags == ("texture_error",) and record.image == "pics/deep/a.png"
    for line in (
        "1 records in",
        "1 boxes drawn backwards",
        "1 shapes without an area left out",
        "1 regions without words, with the caption of --caption",
        "1 images without annotation left out",
        "1 images found by their name alone",
        "1 captions from attribute 'Problem'",
        "1 images with tags from attribute 'issue'",
        "1 texts of attribute 'who' left out",
    ):
        assert line in done.stdout
    bad = fakexplain("convert", "coco", tmp_path / "c.json", "-o", out, "--force", "--caption", "[1]")
    assert bad.returncode == 2 and "--caption" in bad.stderr


def test_a_source_of_which_nothing_is_left_is_an_error_after_the_counts(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "c.json").write_text('{"images": [{"id": 1, "file_name": "a.png"}], "annotations": []}')
    done = fakexplain("convert", "coco", tmp_path / "c.json", "-o", tmp_path / "o.jsonl", "--unannotated", "skip")
    assert done.returncode == 1 and "1 images without annotation left out" in done.stdout
    assert "expected at least one good record" in done.stderr and not (tmp_path / "o.jsonl").exists()
