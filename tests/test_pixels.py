"""Any image as viewers show it: modes, alpha, depth, colour profiles."""

import io

import numpy as np
import pytest
from PIL import Image

from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.pixels import load_display_image, to_display_image
from tests.pictures.profiles import BGR, SRGB, renamed

GREY = renamed(SRGB, b"GRAY", rTRC="kTRC", gTRC="xxx1", bTRC="xxx2")


def saved(image: Image.Image, kind: str, **settings) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return load_display_image(io.BytesIO(file.getvalue()), "saved")


def palette(transparency=None) -> Image.Image:
    image = Image.new("P", (4, 2), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    if transparency is not None:
        image.info["transparency"] = transparency
    return image


@pytest.mark.parametrize(
    ("image", "kind", "pixel"),
    [
        (Image.new("RGB", (4, 2), (200, 100, 50)), "PNG", (200, 100, 50)),
        (Image.new("L", (4, 2), 77), "PNG", (77, 77, 77)),
        (Image.new("1", (4, 2), 1), "PNG", (255, 255, 255)),
        (palette(), "PNG", (200, 100, 50)),
        (palette(), "GIF", (200, 100, 50)),
        (palette(1), "PNG", (255, 255, 255)),
        (palette(b"\xff\x00"), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (4, 2), (200, 100, 50, 255)), "PNG", (200, 100, 50)),
        (Image.new("RGBA", (4, 2), (200, 100, 50, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (4, 2), (200, 100, 50, 51)), "PNG", (244, 224, 214)),  # a fifth of the way from white
        (Image.new("LA", (4, 2), (5, 51)), "PNG", (205, 205, 205)),
        (Image.new("CMYK", (4, 2), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (Image.new("CMYK", (4, 2), (0, 255, 255, 0)), "JPEG", (254, 0, 0)),
        (Image.new("I;16", (4, 2), 65535), "PNG", (255, 255, 255)),
        (Image.new("I;16", (4, 2), 40000), "PNG", (156, 156, 156)),  # 155.6
        (Image.new("I;16", (4, 2), 100), "PNG", (0, 0, 0)),
        (Image.new("I;16", (4, 2), 40000), "TIFF", (156, 156, 156)),
        (Image.new("I;16B", (4, 2), 40000), "TIFF", (156, 156, 156)),
        (Image.new("YCbCr", (4, 2), (128, 128, 128)), "JPEG", (128, 128, 128)),
        (Image.new("LAB", (4, 2), (255, 128, 128)), "TIFF", (255, 255, 255)),
    ],
)
def test_every_mode_becomes_what_viewers_show(image, kind, pixel):
    result = saved(image, kind)
    assert result.image.mode == "RGB" and result.image.info == {}
    error = 2 if kind == "JPEG" else image.mode == "LAB"
    assert result.image.getpixel((2, 1)) == pytest.approx(pixel, abs=error)
    assert result.converted == (image.mode not in ("RGB", "YCbCr"))


@pytest.mark.parametrize("key", [0, 40000])
def test_a_transparent_value_of_16_bits_is_white(key):
    result = saved(Image.new("I;16", (4, 2), 40000), "PNG", transparency=key)
    assert result.image.getpixel((0, 0)) == ((255, 255, 255) if key == 40000 else (156, 156, 156))


def test_16_bits_of_a_pgm(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 65535\n" + (40000).to_bytes(2, "big") + (65535).to_bytes(2, "big"))
    assert [load_display_image(tmp_path / "a.pgm", "a").image.getpixel((x, 0))[0] for x in (0, 1)] == [156, 255]


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_of_unknown_range_are_refused(mode):
    with pytest.raises(DataError, match="image: expected 8 or 16 bits per channel, found saved: 32-bit pixels"):
        saved(Image.new(mode, (4, 2), 1), "TIFF")


class TestProfiles:
    def test_of_srgb_itself_changes_no_pixel(self):
        image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
        result = saved(image, "PNG", icc_profile=SRGB)
        assert result.image.tobytes() == image.tobytes() and not result.bad_profile

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
    def test_colours_are_taken_to_srgb_and_the_profile_is_dropped(self, kind):
        result = saved(Image.new("RGB", (16, 16), (255, 0, 0)), kind, icc_profile=BGR)
        assert result.image.getpixel((8, 8)) == pytest.approx((0, 0, 255), abs=6)  # WebP and JPEG blur colours
        assert result.converted and not result.bad_profile and "icc_profile" not in result.image.info

    @pytest.mark.parametrize("mode", ["RGBA", "P"])
    def test_alpha_and_palettes_have_profiles_too(self, mode):
        image = Image.new("RGBA", (4, 2), (255, 0, 0, 51)) if mode == "RGBA" else Image.new("P", (4, 2), 1)
        if mode == "P":
            image.putpalette([0, 0, 0, 255, 0, 0])
        result = saved(image, "PNG", icc_profile=BGR)
        assert result.image.getpixel((0, 0)) == pytest.approx((204, 204, 255) if mode == "RGBA" else (0, 0, 255), abs=1)

    @pytest.mark.parametrize("profile", [GREY, SRGB])
    @pytest.mark.parametrize("mode", ["L", "LA"])
    def test_of_grey_images(self, profile, mode):
        result = saved(Image.new(mode, (4, 2), 77 if mode == "L" else (77, 255)), "PNG", icc_profile=profile)
        assert result.image.getpixel((0, 0)) == pytest.approx((77, 77, 77), abs=1)
        assert result.converted and not result.bad_profile

    @pytest.mark.parametrize(
        ("mode", "profile"),
        [
            ("RGB", b"nothing"),
            ("RGB", b"\0" * 200),
            ("RGB", SRGB[:300]),
            ("RGB", GREY),
            ("RGB", renamed(SRGB, b"Lab ")),
            ("RGB", renamed(SRGB, b"RGB ", rXYZ="xxxx")),
            ("L", renamed(SRGB, b"CMYK")),
            ("CMYK", SRGB),
        ],
    )
    def test_an_unusable_one_is_ignored_and_reported(self, mode, profile):
        plain = Image.new(mode, (4, 2), 77 if mode == "L" else (77, 50, 20, 0)[: len(mode)])
        result = saved(plain, "TIFF", icc_profile=profile)
        assert result.bad_profile and result.image.tobytes() == plain.convert("RGB").tobytes()
        assert result.converted == (mode != "RGB")


def test_the_image_given_stays_as_it_is():
    image = Image.new("RGB", (4, 2))
    image.info["icc_profile"] = SRGB
    other = Image.new("RGB", (4, 2))
    other.info["comment"] = "x"
    for each in (image, other):
        before = dict(each.info)
        assert to_display_image(each).image is not each
        assert each.info == before
