"""Images of records: what is found wrong with them, and which way is up."""

import io
import warnings
from pathlib import Path

import pytest
from PIL import EpsImagePlugin, Image, features

from swift_plugins.fakexplain.annotation import parse_record
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.images import (
    IMAGE_FORMATS,
    allow_large_images,
    check_image,
    open_image,
    orientation,
    several_frames,
    turn_upright,
    upright_wh,
)

REAL = {"id": "r1", "image": "r1.png", "width": 8, "height": 8, "label": "real", "regions": [], "tags": []}


class TestCheckImage:
    def record(self, folder, **changes):
        return parse_record(REAL | changes, folder=folder, file="a.jsonl", line=3)

    def test_the_right_size_passes(self, tmp_path):
        Image.new("RGB", (8, 8)).save(tmp_path / "r1.png")
        check_image(self.record(tmp_path), decode=True)

    def test_a_missing_image(self, tmp_path):
        with pytest.raises(DataError, match=r"^a\.jsonl:3: image: expected an image file, found no file .*r1\.png"):
            check_image(self.record(tmp_path))

    def test_another_size(self, tmp_path):
        Image.new("RGB", (9, 8)).save(tmp_path / "r1.png")
        with pytest.raises(DataError, match="width, height: expected the size of the image, 9x8, found 8x8"):
            check_image(self.record(tmp_path))

    def test_a_file_that_is_no_image(self, tmp_path):
        (tmp_path / "r1.png").write_text("hello")
        with pytest.raises(DataError, match="image: expected a readable image, found .*r1.png"):
            check_image(self.record(tmp_path))

    def test_a_truncated_image_is_found_when_it_is_decoded(self, tmp_path):
        Image.effect_noise((64, 64), 90).save(tmp_path / "r1.png")
        whole = (tmp_path / "r1.png").read_bytes()
        (tmp_path / "r1.png").write_bytes(whole[: len(whole) // 2])
        record = self.record(tmp_path, width=64, height=64)
        check_image(record)
        with pytest.raises(DataError, match="image: expected a readable image"):
            check_image(record, decode=True)


def turned(turn: int, kind: str = "JPEG") -> Image.Image:
    """An image, once written and read, whose red left half and size are those before a viewer turns it."""
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = turn
    buffer = io.BytesIO()
    image.save(buffer, kind, exif=exif)
    return open_image(buffer, "turned")


# where the red half lies once upright: https://exiftool.org/TagNames/EXIF.html#Orientation in words
@pytest.mark.parametrize(
    ("turn", "wh", "red"),
    [
        (1, (40, 20), (5, 10)),
        (2, (40, 20), (35, 10)),
        (3, (40, 20), (35, 10)),
        (4, (40, 20), (5, 10)),
        (5, (20, 40), (10, 5)),
        (6, (20, 40), (10, 5)),
        (7, (20, 40), (10, 35)),
        (8, (20, 40), (10, 35)),
        (0, (40, 20), (5, 10)),
        (9, (40, 20), (5, 10)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_is_turned_as_its_exif_says(turn, wh, red, kind):
    image = turned(turn, kind)
    assert upright_wh(image) == wh
    whole = turn_upright(image)
    assert whole.size == wh and orientation(whole) == 1
    pixel = whole.convert("RGB").getpixel(red)
    assert pixel[0] > 200 and pixel[2] < 60


def test_a_large_image_is_opened_without_a_warning(monkeypatch, tmp_path):
    """Pillow warns beyond its limit and refuses beyond twice that. Filters are touched once, not by each image."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("L", (10, 15)).save(tmp_path / "a.png")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        allow_large_images.cache_clear()
        open_image(tmp_path / "a.png", "a.png").close()
        warnings.filterwarnings("ignore", "a filter of somebody else")
        before = list(warnings.filters)
        open_image(tmp_path / "a.png", "a.png").close()
        assert warnings.filters == before and not caught
    allow_large_images.cache_clear()  # for the filters are restored


def test_a_decompression_bomb_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("1", (20, 20)).save(tmp_path / "bomb.png")
    with pytest.raises(DataError, match="image: expected a readable image, found bomb: .*decompression bomb"):
        open_image(tmp_path / "bomb.png", "bomb")


@pytest.mark.parametrize("format", ["EPS", "TGA", "PCX", "ICO"])
def test_only_the_formats_that_are_meant_are_opened(tmp_path, monkeypatch, format):
    """Whatever the name: Pillow would hand an EPS to Ghostscript, which runs it as a program."""
    monkeypatch.setattr(EpsImagePlugin.EpsImageFile, "_open", lambda self: pytest.fail("the EPS reader was reached"))
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8)).save(path, format)
    with pytest.raises(DataError, match=r"image: expected a readable image, found a\.jpg: cannot identify image file$"):
        open_image(path, "a.jpg", decode=True)
    with open(path, "rb") as file, pytest.raises(DataError, match="cannot identify image file"):
        open_image(file, "a.jpg")


@pytest.mark.parametrize("format", [name for name in IMAGE_FORMATS if name != "AVIF" or features.check("avif")])
def test_formats_that_are_opened_and_whether_they_have_several_frames(tmp_path, format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "one", format)
    several_frames.clear()
    assert open_image(tmp_path / "one", "one").format == format
    assert several_frames == set()
    if format in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        frames[0].save(tmp_path / "two", format, save_all=True, append_images=frames[1:])
        red, _, blue = open_image(tmp_path / "two", "two", decode=True).convert("RGB").getpixel((4, 4))
        assert red > 200 > blue
        assert several_frames == {"two"}


def test_only_images_py_opens_images():
    root = Path(__file__).parents[1]
    modules = [*root.glob("swift_plugins/**/*.py"), *root.glob("converters/**/*.py")]
    alone = {"ask_transformers.py", "ask_vllm.py"}  # programs that a model card prints: they import nothing from here
    assert {path.name for path in modules if "Image.open(" in path.read_text()} == {"images.py"} | alone
