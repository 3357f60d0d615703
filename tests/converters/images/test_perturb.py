"""Perturbing: boxes against pixels found again, bytes against Pillow's, modes."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from converters.images.chains import parse_chain
from converters.images.perturb import perturb, random_generator
from swift_plugins.fakexplain.annotation import Annotation, Region
from swift_plugins.fakexplain.errors import DataError
from swift_plugins.fakexplain.pixels import flatten
from tests.converters.pictures import photo


def annotation(wh, *boxes, id="a", **changes):
    """A fake image's record."""
    regions = tuple(Region(box, f"Flaw {index}.") for index, box in enumerate(boxes))
    return Annotation(id, "a.png", *wh, "fake", regions=regions, tags=("texture_error",), **changes)


def done(image, record, text, seed=0, min_visible=0.0):
    """What a chain makes of an image: the decoded result, and its record."""
    result, record = perturb(image, record, parse_chain(text).steps, random_generator(seed, record.id), min_visible)
    return Image.open(io.BytesIO(result)) if isinstance(result, bytes) else result, record


class TestBoxes:
    """A red rectangle on blue is where its box says, before and after."""

    def found(self, image):
        """The tight box of what is red, by its pixels."""
        pixels = np.asarray(image.convert("RGB")).astype(int)
        ys, xs = np.nonzero(pixels[..., 0] > pixels[..., 2])
        return (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) if len(xs) else None

    def painted(self, wh, box):
        image = Image.new("RGB", wh, "blue")
        image.paste("red", box)
        return image

    @pytest.mark.parametrize("seed", range(40))
    @pytest.mark.parametrize("share", [0.8, 0.31])
    def test_a_crop_moves_and_cuts_them_exactly(self, seed, share):
        box = (10, 15, 41, 33)
        image, record = done(self.painted((61, 47), box), annotation((61, 47), box), f"crop:{share}", seed)
        assert image.size == record.image_wh == (round(61 * share), round(47 * share))
        boxes = [region.bbox for region in record.regions]
        assert boxes == ([self.found(image)] if self.found(image) else [])

    @pytest.mark.parametrize(("wh", "box"), [((64, 48), (8, 12, 40, 30)), ((61, 47), (0, 0, 61, 21))])
    @pytest.mark.parametrize("text", ["down:0.5", "down:0.7", "fit:20", "fit:1000", "rescale:0.5", "crop:0.9+down:0.5"])
    def test_scaling_keeps_them_on_their_pixels(self, wh, box, text):
        image, record = done(self.painted(wh, box), annotation(wh, box), text)
        assert image.size == record.image_wh
        assert record.regions[0].bbox == pytest.approx(self.found(image), abs=0.51)  # an edge within its pixel

    def test_the_sides_are_scaled_by_what_they_became(self):
        _, record = done(
            Image.new("RGB", (61, 47)), annotation((61, 47), (0, 0, 61, 47), (6.1, 4.7, 30.5, 23.5)), "down:0.5"
        )
        assert record.image_wh == (30, 24)  # of 30.5 and 23.5, rounded
        assert record.regions[0].bbox == (0, 0, 30, 24)
        assert record.regions[1].bbox == pytest.approx((3, 2.4, 15, 12))

    @pytest.mark.parametrize("text", ["jpeg:30", "webp:50", "blur:3", "noise:20", "rescale:0.25", "social"])
    def test_they_stay_where_the_size_does(self, text):
        boxes = (0.0, 0.25, 7.5, 8.0), (10.1, 10.2, 63.9, 48.0)
        image, record = done(photo(), annotation((64, 48), *boxes), text)
        assert image.size == (64, 48) and [region.bbox for region in record.regions] == list(boxes)

    def test_what_a_crop_cuts_off_is_dropped_and_the_image_stays_fake(self):
        before = annotation((100, 100), (0, 0, 1, 1), (99, 99, 100, 100), (0, 40, 100, 60), generator="FLUX", fold=2)
        before = replace(before, extra={"region_origins": ["new", "accepted", "changed"], "region_seed": [7]})
        _, record = done(Image.new("RGB", (100, 100)), before, "crop:0.5")
        assert [region.caption for region in record.regions] == ["Flaw 2."]
        assert record.extra == {"region_origins": ["changed"], "region_seed": [7]}
        corner = annotation((100, 100), (0, 0, 1, 1), (99, 99, 100, 100))
        _, record = done(Image.new("RGB", (100, 100)), corner, "crop:0.5")
        assert (record.regions, record.label, record.tags) == ((), "fake", ("texture_error",))

    @pytest.mark.parametrize(("min_visible", "kept"), [(0, 2), (0.24, 2), (0.26, 1), (1, 1)])
    def test_min_visible_counts_the_share_left_after_the_whole_chain(self, min_visible, kept):
        class Corner:
            """Draws the window at the upper left corner."""

            integers = staticmethod(lambda low, high: low)

        boxes = (0, 0, 20, 20), (0, 0, 100, 100)  # 0.5 and 0.5 of either side: 0.25 x 0.25 = 1/16, but one crop: 1/4
        steps = parse_chain("crop:0.5+jpeg:90").steps
        _, record = perturb(Image.new("RGB", (100, 100)), annotation((100, 100), *boxes), steps, Corner, min_visible)
        assert len(record.regions) == kept
        steps = parse_chain("crop:0.5+down:0.5+crop:0.5").steps
        _, record = perturb(Image.new("RGB", (100, 100)), annotation((100, 100), *boxes), steps, Corner, 0.07)
        assert [region.caption for region in record.regions] == ["Flaw 0."]  # of the second, 1/16 is left

    def test_a_real_image_has_none(self):
        _, record = done(photo(), Annotation("a", "a.png", 64, 48, "real"), "crop:0.5+jpeg:30")
        assert (record.label, record.regions, record.image_wh) == ("real", (), (32, 24))


class TestPixels:
    @pytest.mark.parametrize(("kind", "quality"), [("jpeg", 80), ("jpeg", 30), ("jpeg", 100), ("webp", 80)])
    def test_a_codecs_bytes_are_pillows(self, kind, quality):
        result, _ = perturb(
            photo(), annotation((64, 48)), parse_chain(f"{kind}:{quality}").steps, random_generator(0, "a")
        )
        own = io.BytesIO()
        photo().save(own, kind, quality=quality)
        assert result == own.getvalue()

    def test_steps_follow_one_another(self):
        image, _ = done(photo(), annotation((64, 48)), "jpeg:20+blur:1+down:0.5")
        own = io.BytesIO()
        photo().save(own, "JPEG", quality=20)
        blurred = Image.open(own).filter(ImageFilter.GaussianBlur(1))
        assert image.tobytes() == blurred.resize((32, 24), Image.Resampling.LANCZOS).tobytes()
        once, twice = (done(photo(), annotation((64, 48)), text)[0] for text in ("jpeg:40", "jpeg:60+jpeg:40"))
        assert once.tobytes() != twice.tobytes()

    def test_rescaling_loses_detail_and_keeps_the_size(self):
        image, _ = done(photo(), annotation((64, 48)), "rescale:0.25")
        small = photo().resize((16, 12), Image.Resampling.LANCZOS)
        assert image.tobytes() == small.resize((64, 48), Image.Resampling.LANCZOS).tobytes()

    def test_noise_has_the_deviation_it_is_given(self):
        image, _ = done(Image.new("RGB", (256, 256), (128, 128, 128)), annotation((256, 256)), "noise:8")
        values = np.asarray(image).astype(float)
        assert values.std() == pytest.approx(8, rel=0.02) and values.mean() == pytest.approx(128, abs=0.1)

    @pytest.mark.parametrize("colour", ["black", "white"])
    def test_noise_does_not_wrap(self, colour):
        image, _ = done(Image.new("RGB", (64, 64), colour), annotation((64, 64)), "noise:20")
        assert abs(np.asarray(image).mean() - (0 if colour == "black" else 255)) < 12

    @pytest.mark.parametrize("text", ["down:0.5", "rescale:0.01", "crop:0.1", "fit:1", "blur:2", "jpeg:1+webp:1"])
    @pytest.mark.parametrize("wh", [(1, 1), (1, 9), (300, 1)])
    def test_tiny_images_keep_a_pixel(self, wh, text):
        image, record = done(Image.new("RGB", wh), annotation(wh, (0, 0, *wh)), text)
        assert image.size == record.image_wh and min(image.size) >= 1
        assert all(region.bbox[2] <= image.size[0] and region.bbox[3] <= image.size[1] for region in record.regions)
        assert record.regions


class TestModes:
    COLOUR = (200, 100, 50)

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "1", "CMYK", "YCbCr", "HSV", "I;16", "I"])
    @pytest.mark.parametrize("text", ["jpeg:95", "noise:1", "down:0.5"])
    def test_every_mode_becomes_rgb_of_its_colour(self, mode, text):
        sixteen = mode.startswith("I")
        if sixteen:
            image = Image.fromarray(np.full((16, 16), 30000, np.uint16 if mode == "I;16" else np.int32))
        else:
            image = Image.new("RGB", (16, 16), self.COLOUR).convert(mode)
        assert image.mode == mode
        expected = (116, 116, 116) if sixteen else np.asarray(image.convert("RGB")).mean((0, 1))  # 30000 / 65535 * 255
        result, _ = done(image, annotation((16, 16)), text)
        assert result.mode == "RGB"
        assert np.abs(np.asarray(result).mean((0, 1)) - expected).max() < 4

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_what_is_transparent_is_white(self, mode):
        image = Image.new("RGBA", (4, 2), (0, 0, 0, 0))
        image.putpixel((0, 0), (0, 0, 0, 255))
        shown = flatten(image.convert(mode) if mode != "P" else image.quantize(4))
        assert shown.getpixel((0, 0)) == (0, 0, 0) and shown.getpixel((3, 1)) == (255, 255, 255)

    @pytest.mark.parametrize("values", [np.zeros((2, 2), np.float32), np.full((2, 2), 70000, np.int32)])
    def test_pixels_of_an_unknown_range_are_an_error(self, values):
        with pytest.raises(DataError, match="image: expected 8 or 16 bits per channel"):
            flatten(Image.fromarray(values))

    def test_the_opened_image_is_not_changed(self):
        image = photo()
        image.info["dpi"] = (72, 72)
        perturb(image, annotation((64, 48)), parse_chain("noise:9").steps, random_generator(0, "a"))
        assert image.tobytes() == photo().tobytes() and image.info == {"dpi": (72, 72)}

    def test_a_size_that_a_codec_cannot_hold_is_an_error(self):
        with pytest.raises(DataError, match=r"image: expected an image that webp can hold, found 20000x1 pixels"):
            done(Image.new("RGB", (20000, 1)), annotation((20000, 1)), "webp:80")
